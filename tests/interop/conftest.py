"""What the tests share that run a command line here to compare it with verdi's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from both_programs import PROFILE
from ricordi.cli.main import run as run_ricordi


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What a command prints here: `here(home, 'node', 'list')`."""

    def run(home: Path, *words: object, profile: str = PROFILE) -> str:
        monkeypatch.setenv('AIIDA_PATH', str(home))
        capsys.readouterr()
        code = run_ricordi(['-p', profile, *map(str, words)])
        out, err = capsys.readouterr()
        assert code == 0, err
        return out

    return run
