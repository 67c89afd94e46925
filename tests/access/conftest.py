"""A profile without storage, and processes that use or lock it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from ricordi.access import ProfileAccessManager
from ricordi.config import Profile

CHILD = """
import json, sys
from pathlib import Path
from ricordi.access import ProfileAccessManager
from ricordi.config import Profile
storage = {'backend': 'core.sqlite_temp', 'config': {}}
access = ProfileAccessManager(Profile('main', {'storage': storage}), Path(sys.argv[1]))
def say(word):
    print(word, flush=True)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A configuration folder."""
    return tmp_path / 'home' / '.aiida'


@pytest.fixture
def profile() -> Profile:
    """A profile named `main`."""
    return Profile('main', {'storage': {'backend': 'core.sqlite_temp', 'config': {}}})


@pytest.fixture
def access(profile: Profile, home: Path) -> Iterator[ProfileAccessManager]:
    """Access to it; what it holds is given back at the end."""
    manager = ProfileAccessManager(profile, home)
    yield manager
    manager.release()


@pytest.fixture
def records(home: Path) -> Path:
    """The folder of the access records."""
    folder = home / 'access' / 'main'
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@dataclass
class Child:
    """A process at work on the profile."""

    process: subprocess.Popen[str]

    @property
    def pid(self) -> int:
        return self.process.pid

    def hears(self, word: str) -> None:
        """Wait until it says `word`."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        assert line == word, f'{line!r} {self.process.stderr.read() if self.process.stderr and not line else ""}'

    def tell(self) -> None:
        """Let it go on (it waits in `input()`)."""
        assert self.process.stdin is not None
        self.process.stdin.write('\n')
        self.process.stdin.flush()

    def kill(self) -> None:
        """Kill it alone."""
        self.process.kill()
        self.process.wait()

    def kill_with_watchdog(self) -> None:
        """Kill it and whoever would tidy up after it, as a machine out of memory may do."""
        if self.process.poll() is None:
            for watchdog in psutil.Process(self.pid).children():
                watchdog.kill()
        self.kill()

    def ends(self) -> int:
        return self.process.wait(timeout=240)


@pytest.fixture
def run(home: Path) -> Iterator[Callable[..., Child]]:
    """Runs code in a process of its own, where `access` and `say` are there: `run('access.request_access()')`."""
    children: list[Child] = []

    def start(code: str, *args: str) -> Child:
        process = subprocess.Popen(
            [sys.executable, '-c', CHILD + code, str(home), *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        children.append(Child(process))
        return children[-1]

    yield start
    for child in children:
        child.kill()
        for pipe in (child.process.stdin, child.process.stdout, child.process.stderr):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def user(run: Callable[..., Child]) -> Child:
    """A process that has access, until it is told to end."""
    child = run("access.request_access('testing'); say('in'); input()")
    child.hears('in')
    return child


@pytest.fixture
def locker(run: Callable[..., Child]) -> Child:
    """A process that has the lock, until it is told to end."""
    child = run("with access.lock(purpose='testing'): say('in'); input()")
    child.hears('in')
    return child


def sidecars(folder: Path) -> list[Path]:
    return sorted(folder.glob('*.json'))


def rewrite_sidecar(path: Path, **changes: object) -> None:
    """Change what a sidecar tells, as if it had been written elsewhere."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
