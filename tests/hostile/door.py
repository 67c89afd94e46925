"""The bar for whatever comes in by a door: a documented exit code, one message, no bug, no traceback, no hang."""

from __future__ import annotations

import contextlib
import io
import sys
import time
from pathlib import Path

from ricordi.cli import main

CODES = {0, 1, 2, 3, 4, 5, 6, 7}
LONGEST_SECONDS = 10.0


def run_through(words: list[str], stdin: bytes = b'') -> tuple[int, str]:
    """Run a command line in this process and hold it to the bar; gives exit code and messages."""
    out = io.TextIOWrapper(io.BytesIO(), encoding='utf-8', errors='backslashreplace')
    err = io.StringIO()
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(stdin), encoding='utf-8')
    began = time.process_time()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main.run(words)
    finally:
        sys.stdin = before
    told = err.getvalue()
    assert 'This is a bug' not in told, (words, told)
    assert 'Traceback' not in told, (words, told)
    assert code in CODES, (words, code)
    assert time.process_time() - began < LONGEST_SECONDS, words
    return code, told


def everything_below(folder: Path) -> dict[str, bytes]:
    """Content, or target, of all that lies in a folder."""
    found = {}
    for path in folder.rglob('*'):
        if path.is_symlink():
            found[str(path)] = str(path.readlink()).encode()
        elif path.is_file():
            found[str(path)] = path.read_bytes()
    return found
