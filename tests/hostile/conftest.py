"""Running a single command line held to the bar of all doors."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hostile.forks import USUAL, run_apart
from hostile.runner import fault_of

RunThrough = Callable[..., tuple[int, str]]


@pytest.fixture
def run_through(tmp_path: Path) -> RunThrough:
    """Runs a command line in a fork and holds it to the bar: `run_through(words, stdin)` gives exit code and output."""

    def run(words: list[str], stdin: bytes = b'') -> tuple[int, str]:
        ended = run_apart(words, stdin, os.environ, tmp_path, USUAL)
        assert fault_of(ended, USUAL) is None, (words, ended)
        return ended.code, ended.output

    return run
