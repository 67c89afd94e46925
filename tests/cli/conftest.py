"""Fixtures for driving the command line: a pseudo-terminal, a PostgreSQL profile."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from both_programs import add_psql_profile
from browser import Browser, started
from deadlines import DEADLINE
from prepared import reference_database

if TYPE_CHECKING:
    from conftest import PostgresServer


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
    ) -> TerminalRun:
        ours, theirs = pty.openpty()
        command = program or [sys.executable, '-m', 'ricordi']
        process = subprocess.Popen(
            [*command, *map(str, arguments)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C is a signal
            env={**os.environ, 'TERM': 'xterm', 'COLUMNS': '120'},
        )
        os.close(theirs)
        screen, waiting, deadline = '', dict(answers or {}), time.monotonic() + DEADLINE
        typed, quiet = '', 0

        def type_in(text: str) -> None:
            with suppress(OSError):  # it has ended meanwhile
                os.write(ours, text.encode())

        try:
            while True:
                assert time.monotonic() < deadline, f'it does not end, and waits for {list(waiting)}: {screen}'
                if not select.select([ours], [], [], 0.1)[0]:
                    if process.poll() is not None:
                        break
                    quiet += 1
                    # Ctrl-C just before Python waits for input is heard with the next line only; a second Ctrl-C might
                    # meet the end of a process that is slow
                    if typed.endswith('\x03') and quiet % 20 == 0:
                        type_in('\n')
                    continue
                quiet = 0
                try:
                    part = os.read(ours, 65536)
                except OSError:  # how Linux tells that the other side is closed
                    break
                if not part:
                    break
                screen += part.decode(errors='replace')
                for text in [text for text in waiting if text in screen]:
                    typed = waiting.pop(text)
                    type_in(typed)
            return TerminalRun(process.wait(DEADLINE), screen.replace('\r\n', '\n'))
        finally:
            process.kill()
            process.wait()
            os.close(ours)

    return run


@pytest.fixture
def psql_profile(reference_home: Path, postgres: PostgresServer, new_database: Callable[..., str]) -> str:
    """The name of a `core.psql_dos` profile, with the content of the reference archive, in the configuration folder."""
    return add_psql_profile(reference_home, postgres, new_database(reference_database(postgres)))


@pytest.fixture
def run_here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command line in this process, off a terminal: much faster where nothing depends on the process."""
    import io

    from ricordi.cli import main

    def run(*arguments: object, stdin: str = '') -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, 'stdin', io.StringIO(stdin))
        capsys.readouterr()
        code = main.run(list(map(str, arguments)))
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(list(map(str, arguments)), code, out, err)

    return run


@pytest.fixture(params=['mixed', 'psql'])
def each_profile(request: pytest.FixtureRequest, reference_home: Path) -> str:
    """The name of a profile with the reference data, on each database in turn."""
    return request.param if request.param == 'mixed' else request.getfixturevalue('psql_profile')


@pytest.fixture(scope='session')
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser, started once for all pages."""
    with started(tmp_path_factory.mktemp('browser')) as one:
        yield one
