"""Where one stands who wants a storage alone: newcomers see who waits there, and let them go first for a moment."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from ricordi.access.holder import Holder, join_command
from ricordi.access.kernel import KernelLock
from ricordi.access.own_records import describe_self
from ricordi.folders import remove_file

LONGEST_NOTE = 1 << 20


class Gate:
    """A file that one process at a time has locked, with a note in it of who that is; it goes with its user.

    Nobody takes the storage alone without having the gate. So who has the gate may give up shared access for the lock,
    and have it back if others are in the way: nobody else can have come between.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kernel = KernelLock(path)
        self.thread: int | None = None
        """The thread of this process that has the gate."""

    def take(self, purpose: str, name: str) -> bool:
        """Get the gate for this thread; False if somebody else has it. Where no file can be made, it is had without."""
        if self.thread is not None:
            return self.thread == threading.get_ident()
        note = json.dumps(describe_self(purpose, name)).encode()
        with suppress(OSError):
            for _ in range(2):
                if not self._kernel.acquire('exclusive'):
                    return False
                try:
                    self._kernel.write(note)
                    break
                except OSError:  # left by another user who was killed: a new file
                    remove_file(self._path)
        self.thread = threading.get_ident()
        return True

    def leave(self) -> None:
        """Give the gate up, if this thread has it."""
        if self.thread != threading.get_ident():
            return
        self.thread = None
        if self._kernel.mode is not None:
            with suppress(OSError):
                remove_file(self._path)  # while it is locked: whoever waits for this file looks for another one then
            self._kernel.release()

    def occupant(self) -> Holder | None:
        """Who has the gate, if it is another process."""
        if self.thread is not None:
            return None
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read_note(os.read(descriptor, LONGEST_NOTE), self._path)
        except OSError:
            return None
        finally:
            os.close(descriptor)
        return None

    def after_fork_in_child(self) -> None:
        """The gate is the parent's."""
        self._kernel.after_fork_in_child()
        self.thread = None


def _read_note(note: bytes, path: Path) -> Holder:
    try:
        details = json.loads(note)
        return Holder(
            pid=int(details['pid']),
            host=str(details['host']),
            user=str(details['user']),
            command=join_command(map(str, details['command'])),
            since=datetime.fromisoformat(details['since']),
            purpose=str(details['purpose']),
            kind='lock',
            state='live',
            path=path,
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return Holder(None, '', '', '', None, '', 'lock', 'live', path)  # it is being written in this moment
