"""What this process holds of a profile's access folder, shared by all its `ProfileAccessManager`s and threads."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ricordi.access.kernel import KernelLock
from ricordi.access.records import OwnRecord

if TYPE_CHECKING:
    from ricordi.access.keeper import Keeper

GUARD_NAME = 'ricordi.guard'
"""The file of the kernel-held lock; an ending that AiiDA does not look at."""

LAST_SECONDS = 2.0
"""How long the end of the process waits for a thread that is busy with the records."""


class ProcessState:
    """Shared access (counted) and exclusive lock that this process has on one access folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mutex = threading.RLock()
        self.kernel = KernelLock(folder / GUARD_NAME)
        self.users = 0
        self.access_record: OwnRecord | None = None
        self.lock_record: OwnRecord | None = None
        self.locking_thread: int | None = None
        self._keeper: Keeper | None = None

    def record_access(self, purpose: str) -> None:
        """Write the record of shared access. Hold `mutex`."""
        self.access_record = OwnRecord(self.folder, 'access', purpose)
        self.access_record.write()
        _drop_at_end_of_worker()

    def record_lock(self, purpose: str) -> None:
        """Write the record of the exclusive lock. Hold `mutex`."""
        from ricordi.access.keeper import Keeper

        self.lock_record = OwnRecord(self.folder, 'lock', purpose)
        self.lock_record.write()
        self._keeper = Keeper(self.lock_record.paths)
        _drop_at_end_of_worker()

    def drop_access(self) -> None:
        """End shared access of the whole process: first the record, then the kernel's lock. Hold `mutex`."""
        self.users = 0
        record, self.access_record = self.access_record, None
        try:
            if record is not None:
                record.remove()
        finally:
            if self.kernel.mode == 'shared':
                self.kernel.release()

    def drop_lock(self) -> None:
        """End the exclusive lock: first the record, then the kernel's lock. Hold `mutex`."""
        record, self.lock_record = self.lock_record, None
        self.locking_thread = None
        keeper, self._keeper = self._keeper, None
        try:
            if record is not None:
                record.remove()
            if keeper is not None:
                keeper.dismiss()
        finally:
            if self.kernel.mode == 'exclusive':
                self.kernel.release()

    def after_fork_in_child(self) -> None:
        """A child holds nothing of its own, and the records are its parent's."""
        self.mutex = threading.RLock()
        self.kernel.after_fork_in_child()
        self.users = 0
        self.access_record = self.lock_record = None
        self.locking_thread = None
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.after_fork_in_child()


_states: dict[Path, ProcessState] = {}
_registry_mutex = threading.Lock()
_registered = False
_worker = 0


def state_of(folder: Path) -> ProcessState:
    """The state of this process for an access folder; one and the same for all spellings of the path."""
    global _registered
    path = folder.resolve()
    with _registry_mutex:
        if not _registered:
            _registered = True
            os.register_at_fork(after_in_child=_after_fork_in_child)
            atexit.register(_drop_all)
        return _states.setdefault(path, ProcessState(path))


def _drop_at_end_of_worker() -> None:
    """Have the records removed also at the end of a worker of `multiprocessing`, which runs no `atexit` functions."""
    global _worker
    util = sys.modules.get('multiprocessing.util')
    if util is not None and _worker != os.getpid():
        _worker = os.getpid()
        util.Finalize(None, _drop_all, exitpriority=-100)


def _drop_all() -> None:
    for state in list(_states.values()):
        if not state.mutex.acquire(timeout=LAST_SECONDS):  # a daemon thread may be stuck with it
            continue
        try:
            for drop in (state.drop_lock, state.drop_access):
                with suppress(OSError):
                    drop()
        finally:
            state.mutex.release()


def _after_fork_in_child() -> None:
    global _registry_mutex
    _registry_mutex = threading.Lock()
    for state in _states.values():
        state.after_fork_in_child()
