"""The lock of a storage, whatever name it is reached by: held by the kernel on a file of its container.

The file is `config.json`, which every container has from its first moment, which nobody replaces, and which whoever may
read objects may read: so a user who may write nothing can take the lock all the same.
"""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

from ricordi.access.gate import Gate
from ricordi.access.kernel import KernelLock, Mode
from ricordi.access.records import BARE_FOLDER
from ricordi.folders import OpenFolder, without_links

LOCKED_FILE = 'config.json'
GATE_NAME = 'ricordi.gate'


class StorageLock:
    """What this process holds of one container, for all profiles that name it. The caller serialises threads."""

    def __init__(self, container: Path) -> None:
        self.path = container / LOCKED_FILE
        self.records_folder = container / BARE_FOLDER
        """Where it is recorded who uses the storage, for those who come by another configuration folder."""
        self.gate = Gate(container / GATE_NAME)
        self.users = 0
        self.locking_thread: int | None = None
        self._kernel = KernelLock(self.path, create=False)

    @property
    def is_ours(self) -> bool:
        """Whether this process, or the one it was forked from, is at work in the storage already."""
        return self.users > 0 or self._kernel.inherited or self.locking_thread is not None

    def enter(self) -> bool:
        """Count one more user of this process; False if another process has the storage alone."""
        if self.locking_thread is None and self._kernel.mode is None and not self._acquire('shared'):
            return False
        self.users += 1
        return True

    def leave(self) -> None:
        """Count one user less."""
        self.users -= 1
        if not self.users and self._kernel.mode == 'shared':
            self._kernel.release()

    def lock(self) -> bool:
        """Have the storage alone; False if another process uses it. Take the gate before."""
        if not self._acquire('exclusive'):
            self._take_back()
            return False
        self.locking_thread = threading.get_ident()
        return True

    def unlock(self) -> None:
        """Give it to all again; users of this process stay. Leave the gate after."""
        self.locking_thread = None
        if self._kernel.mode == 'exclusive':
            self._kernel.release()
        self._take_back()

    def _take_back(self) -> None:
        # Never refused: nobody else can have it alone while this process has the gate.
        if self.users:
            self._acquire('shared')

    def _acquire(self, mode: Mode) -> bool:
        try:
            return self._kernel.acquire(mode)
        except OSError:  # no container is there, or its file system has no locks: then the records alone decide
            return True

    def make_records_folder(self) -> bool:
        """Make the folder of the records, open to whom the container is open; False where that cannot be."""
        folder = self.records_folder
        if folder.is_dir():
            return os.access(folder, os.W_OK)
        try:
            with OpenFolder(folder.parent) as container:
                container.status(self.path.name)  # a container is made in a folder that is empty
                container.make_folder(folder.name, stat.S_IMODE(os.fstat(container.descriptor).st_mode))
        except FileExistsError:
            return folder.is_dir()
        except OSError:
            return False
        return True

    def after_fork_in_child(self) -> None:
        """A child holds nothing of its own; what its parent uses stays protected as long as the child runs."""
        self.gate.after_fork_in_child()
        self._kernel.after_fork_in_child()
        self.users = 0
        self.locking_thread = None


_locks: dict[Path, StorageLock] = {}


def storage_lock_of(container: Path) -> StorageLock:
    """The lock of a container in this process; one and the same for all spellings of the path."""
    path = without_links(container)
    return _locks.setdefault(path, StorageLock(path))


def after_fork_in_child() -> None:
    """To be called in a forked child."""
    for lock in _locks.values():
        lock.after_fork_in_child()
