"""Fixtures for driving the command line: a pseudo-terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class TerminalRun:
    """What a command left: its exit code and all it showed on the terminal."""

    returncode: int
    screen: str


@pytest.fixture
def run_in_terminal() -> Callable[..., TerminalRun]:
    """Runs a command on a pseudo-terminal; `answers` maps text to wait for to what is typed when it appears."""

    def run(
        *arguments: object,
        answers: Mapping[str, str] | None = None,
        program: list[str] | None = None,
        timeout: float = 60,
    ) -> TerminalRun:
        ours, theirs = pty.openpty()
        command = program or [sys.executable, '-m', 'ricordi']
        process = subprocess.Popen(
            [*command, *map(str, arguments)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, 'TERM': 'xterm', 'COLUMNS': '120'},
        )
        os.close(theirs)
        screen, waiting, deadline = '', dict(answers or {}), time.monotonic() + timeout
        try:
            while time.monotonic() < deadline:
                if not select.select([ours], [], [], 0.1)[0]:
                    if process.poll() is not None:
                        break
                    continue
                try:
                    part = os.read(ours, 65536)
                except OSError:  # how Linux tells that the other side is closed
                    break
                if not part:
                    break
                screen += part.decode(errors='replace')
                for text in [text for text in waiting if text in screen]:
                    os.write(ours, waiting.pop(text).encode())
            return TerminalRun(process.wait(timeout=10), screen.replace('\r\n', '\n'))
        finally:
            process.kill()
            process.wait()
            os.close(ours)

    return run
