"""What zsh has written down of its own completions, for the shells of all tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope='session')
def zsh_functions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What zsh writes down of its own completions when it first looks for them, which takes long."""
    return tmp_path_factory.mktemp('zsh') / 'functions'


@pytest.fixture(autouse=True)
def _zsh_functions(zsh_functions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('ZSH_FUNCTIONS', str(zsh_functions))
