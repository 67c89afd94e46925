"""Counts the changes that a process makes to files, and kills it right after one of them: what the crash tests share.

What lies there after a change is what lies there before the next one: so each state between two changes is met once.

A change is a write, an fsync, a rename, a link, a removal, a truncation, a new file or folder, and a commit.
"""

from __future__ import annotations

import builtins
import io
import os
import signal
import sqlite3
import tempfile
import threading
from collections.abc import Callable
from typing import Any

real_open = io.open

COMMITTING = ('COMMIT', 'VACUUM', 'ANALYZE', 'PRAGMA wal_checkpoint', 'PRAGMA journal_mode =')
CHANGING = ('INSERT', 'UPDATE', 'DELETE')
"""Outside a transaction each of them commits."""
REBUILDING = ('VACUUM', 'ANALYZE')
"""These take long: there are points also in their midst, one after each `OPERATIONS` of SQLite's own machine."""
OPERATIONS = 500
TRIES = 20
"""An fsync that was begun early may take so long that the next is left out: then a run has a point less."""
FEWER = 2
"""So many points less than when they were counted a run may have."""


class Trap:
    """Counts the changes of this process, and kills it at one of them."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.count = 0
        self._guard = threading.Lock()

    def passes(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with self._guard:
            self.count += 1
            here = self.count == self.target
        try:
            return function(*args, **kwargs)
        finally:
            if here:
                os.kill(os.getpid(), signal.SIGKILL)

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: self.passes(function, *args, **kwargs)

    def set(self) -> None:
        """Put this trap under all functions that change files."""
        trap = self

        class CountedFile(io.FileIO):
            def write(self, content: Any) -> int:
                return trap.passes(super().write, content)  # type: ignore[no-any-return]

        def counted_open(file: Any, mode: str = 'r', buffering: int = -1, *args: Any, **kwargs: Any) -> Any:
            if not set('wxa+') & set(mode) or kwargs.get('opener'):  # a temporary file that never has a name
                return real_open(file, mode, buffering, *args, **kwargs)
            kind = mode.replace('b', '').replace('t', '')
            raw = CountedFile(file, kind) if isinstance(file, int) else trap.passes(CountedFile, file, kind)
            if buffering == 0:
                return raw
            buffered = io.BufferedRandom if '+' in mode else io.BufferedWriter
            whole = buffered(raw, buffering if buffering > 1 else io.DEFAULT_BUFFER_SIZE)
            return whole if 'b' in mode else io.TextIOWrapper(whole)

        class CountedConnection(sqlite3.Connection):
            def execute(self, statement: str, *args: Any) -> sqlite3.Cursor:
                if statement.startswith(REBUILDING):
                    self.set_progress_handler(lambda: trap.passes(int), OPERATIONS)
                if statement.startswith(COMMITTING) or (statement.startswith(CHANGING) and not self.in_transaction):
                    return trap.passes(super().execute, statement, *args)  # type: ignore[no-any-return]
                return super().execute(statement, *args)

        real_os_open = os.open

        def counted_os_open(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
            if flags & os.O_CREAT:
                return trap.passes(real_os_open, path, flags, *args, **kwargs)  # type: ignore[no-any-return]
            return real_os_open(path, flags, *args, **kwargs)

        names = 'write pwrite fsync fdatasync replace rename link unlink remove truncate ftruncate mkdir rmdir'
        for name in names.split():
            setattr(os, name, self.wrap(getattr(os, name)))
        os.open = counted_os_open
        builtins.open = io.open = counted_open
        connect = sqlite3.connect
        sqlite3.connect = lambda *args, **kwargs: connect(*args, **{**kwargs, 'factory': CountedConnection})  # type: ignore[assignment]


def killed(work: Callable[[], object], target: int) -> tuple[bool, int]:
    """Do the work in a child that dies at a point: whether it died, and how many points there were if it did not."""
    with tempfile.TemporaryDirectory() as temporary:
        return _killed(work, target, temporary)


def _killed(work: Callable[[], object], target: int, temporary: str) -> tuple[bool, int]:
    """The same with a folder for temporary files of its own: to tidy up what others have left there is a change."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.environ['TMPDIR'], tempfile.tempdir = temporary, None
        tell = os.write
        trap = Trap(target)
        code = 1
        try:
            trap.set()
            work()
            tell(writing, str(trap.count).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with real_open(reading, 'rb') as pipe:
        told = pipe.read()
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True, 0
    assert os.WEXITSTATUS(status) == 0, f'the work failed before point {target}'
    return False, int(told)


def kill_at(begin_anew: Callable[[], object], work: Callable[[], object], target: int) -> None:
    """Have the work killed at this point; one of the last points may be one that no further run comes to."""
    most = 0
    for _ in range(TRIES):
        begin_anew()
        died, points = killed(work, target)
        if died:
            return
        most = max(most, points)
    assert target - most <= FEWER, f'the process was not killed after change {target}'
