"""What this process holds of a profile's access folder, shared by all its `ProfileAccessManager`s and threads."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ricordi.access import storage_lock
from ricordi.access.kernel import KernelLock
from ricordi.access.own_records import OwnRecord, describe_self
from ricordi.access.records import Kind
from ricordi.folders import without_links

if TYPE_CHECKING:
    from ricordi.access.storage_lock import StorageLock
    from ricordi.access.watchdog import Watchdog

GUARD_NAME = 'ricordi.guard'
"""The file of the kernel-held lock; an ending that AiiDA does not look at."""

LAST_SECONDS = 2.0
"""How long the end of the process waits for a thread that is busy with the records."""

mutex = threading.RLock()
"""Held while what this process holds is looked at or changed; one for all profiles, for they may share a storage."""


class FolderRecords:
    """The records of this process in one folder, counted: several profiles may want the same one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[Kind, tuple[OwnRecord, int]] = {}

    def add(self, kind: Kind, details: Mapping[str, Any]) -> None:
        """Have a record there, written unless it is.

        :param details: what `describe_self` says.
        """
        held = self._held.get(kind)
        if held is not None:
            self._held[kind] = (held[0], held[1] + 1)
            return
        record = OwnRecord(self._folder, kind, details)
        record.write()
        self._held[kind] = (record, 1)

    def drop(self, kind: Kind) -> None:
        """Want the record no more; the last to do so removes it."""
        record, count = self._held.pop(kind)
        if count > 1:
            self._held[kind] = (record, count - 1)
        else:
            record.remove()

    def paths(self, kind: Kind) -> tuple[Path, ...]:
        """The files of a record."""
        return self._held[kind][0].paths

    def after_fork_in_child(self) -> None:
        """The records are the parent's."""
        for record, _ in self._held.values():
            record.forget()
        self._held.clear()


class ProcessAccess:
    """Shared access (counted) and exclusive lock that this process has by one name. Hold `mutex` for all of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kernel = KernelLock(folder / GUARD_NAME)
        self.users = 0
        self.locking_thread: int | None = None
        self.storage: StorageLock | None = None
        """The storage that shared access was taken of."""
        self.locked_storage: StorageLock | None = None
        self._recorded: dict[Kind, list[FolderRecords]] = {'access': [], 'lock': []}
        self._watchdog: Watchdog | None = None

    @property
    def is_recorded(self) -> bool:
        """Whether there is a record of shared access."""
        return bool(self._recorded['access'])

    def record(self, kind: Kind, folders: Sequence[Path], purpose: str, name: str, spare: Path | None = None) -> None:
        """Write the record of shared access or of the lock, into each of these folders.

        :param name: that of the profile.
        :param spare: a folder where it is to be too, if that can be.
        :raises OSError: one cannot be written; those before it stay until `drop_access` or `drop_lock`.
        """
        details = describe_self(purpose, name)
        for folder in folders:
            self._record_in(folder, kind, details)
        if spare is not None:
            with suppress(OSError):
                self._record_in(spare, kind, details)
        if kind == 'lock':
            from ricordi.access.watchdog import Watchdog

            self._watchdog = Watchdog([path for records in self._recorded['lock'] for path in records.paths('lock')])
        _drop_at_end_of_worker()

    def _record_in(self, folder: Path, kind: Kind, details: Mapping[str, Any]) -> None:
        records = _records_of(folder)
        records.add(kind, details)
        self._recorded[kind].append(records)

    def _drop_records(self, kind: Kind) -> None:
        recorded, self._recorded[kind] = self._recorded[kind], []
        failure: OSError | None = None
        for records in recorded:
            try:
                records.drop(kind)
            except OSError as error:  # the other ones go all the same
                failure = error
        if failure is not None:
            raise failure

    def drop_access(self) -> None:
        """End shared access of the whole process: first the records, then the kernel's locks."""
        self.users = 0
        try:
            # While the kernel's lock is held: whoever gets that next finds no record of one who has gone.
            self._drop_records('access')
        finally:
            storage, self.storage = self.storage, None
            if storage is not None:
                storage.leave()
            if self.kernel.mode == 'shared':
                self.kernel.release()

    def drop_lock(self) -> None:
        """End the exclusive lock: first the records, then the kernel's locks."""
        self.locking_thread = None
        watchdog, self._watchdog = self._watchdog, None
        try:
            self._drop_records('lock')
            if watchdog is not None:
                watchdog.dismiss()  # only now: killed before this line, we leave it records to remove
        finally:
            storage, self.locked_storage = self.locked_storage, None
            if storage is not None:
                storage.unlock()
            if self.kernel.mode == 'exclusive':
                self.kernel.release()

    def after_fork_in_child(self) -> None:
        """A child holds nothing of its own, and the records are its parent's."""
        self.kernel.after_fork_in_child()
        self.users = 0
        self.locking_thread = None
        self.storage = self.locked_storage = None
        self._recorded = {'access': [], 'lock': []}
        watchdog, self._watchdog = self._watchdog, None
        if watchdog is not None:
            watchdog.after_fork_in_child()


_states: dict[Path, ProcessAccess] = {}
_folders: dict[Path, FolderRecords] = {}
_registry_mutex = threading.Lock()
_registered = False
_worker = 0


def state_of(folder: Path) -> ProcessAccess:
    """The state of this process for an access folder; one and the same for all spellings of the path."""
    global _registered
    path = without_links(folder)
    with _registry_mutex:
        if not _registered:
            _registered = True
            os.register_at_fork(after_in_child=_after_fork_in_child)
            atexit.register(_drop_all)
        return _states.setdefault(path, ProcessAccess(path))


def _records_of(folder: Path) -> FolderRecords:
    path = without_links(folder)
    return _folders.setdefault(path, FolderRecords(path))


def _drop_at_end_of_worker() -> None:
    """Have the records removed also at the end of a worker of `multiprocessing`, which runs no `atexit` functions."""
    global _worker
    util = sys.modules.get('multiprocessing.util')
    if util is not None and _worker != os.getpid():
        _worker = os.getpid()
        util.Finalize(None, _drop_all, exitpriority=-100)


def _drop_all() -> None:
    if not mutex.acquire(timeout=LAST_SECONDS):  # a daemon thread may be stuck with it
        return
    try:
        for state in list(_states.values()):
            for drop in (state.drop_lock, state.drop_access):
                with suppress(OSError):
                    drop()
    finally:
        mutex.release()


def _after_fork_in_child() -> None:
    global _registry_mutex, mutex
    _registry_mutex = threading.Lock()
    mutex = threading.RLock()
    for state in _states.values():
        state.after_fork_in_child()
    for records in _folders.values():
        records.after_fork_in_child()
    storage_lock.after_fork_in_child()
