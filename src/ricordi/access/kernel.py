"""The lock that decides among Ricordi's processes: held by the kernel, it ends with its process, whatever kills it.

`flock` and not record locks (`fcntl`, SQLite's): those vanish when any descriptor of the file is closed anywhere in the
process, and a forked child can never have its own again.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Literal

from ricordi.folders import OpenFolder

Mode = Literal['shared', 'exclusive']

_NO_LOCKS = (errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


class KernelLock:
    """A shared or exclusive lock on a file. Not for several threads at once: the caller serialises."""

    def __init__(self, path: Path, create: bool = True) -> None:
        """
        :param create: make the file where there is none; else that is an error, and it is opened as others may have it.
        """
        self._path = path
        self._create = create
        self._descriptor: int | None = None
        self._mode: Mode | None = None
        self._inherited: list[int] = []

    @property
    def inherited(self) -> bool:
        """Whether a shared lock of the parent of this process goes on in it."""
        return bool(self._inherited)

    @property
    def mode(self) -> Mode | None:
        """How this process holds the lock, or None."""
        return self._mode

    def acquire(self, mode: Mode) -> bool:
        """Take the lock, giving up what is held before; False, and nothing is held, if another process is in the way.

        :raises OSError: the file cannot be opened. Where the file system knows no locks, the call succeeds: there the
            records alone decide, as they do for AiiDA.
        """
        self.release()
        if mode == 'exclusive':
            self._close_inherited()
        while True:
            descriptor = _open(self._path) if self._create else _open_existing(self._path)
            try:
                if not _lock(descriptor, mode):
                    os.close(descriptor)
                    return False
                if _is_at(descriptor, self._path):
                    break
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # the file was removed meanwhile: a lock on it would keep nobody out
        self._descriptor, self._mode = descriptor, mode
        self._close_inherited()
        return True

    def write(self, content: bytes) -> None:
        """Put something into the file that is locked, in place of what was there.

        :raises OSError: it cannot be written.
        """
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, content, 0)

    def release(self) -> None:
        """Give up what is held."""
        descriptor, mode = self._descriptor, self._mode
        self._descriptor = self._mode = None
        if descriptor is None:
            return
        if mode == 'exclusive':
            # A child that was forked meanwhile without Python's knowledge has a copy; closing ours would not end it.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)

    def after_fork_in_child(self) -> None:
        """Nothing is held any more. A shared lock of the parent stays as long as the child runs.

        For the child may go on using what the parent opened, even after the parent has ended.
        """
        descriptor, mode = self._descriptor, self._mode
        self._descriptor = self._mode = None
        if descriptor is None:
            return
        if mode == 'shared':
            self._inherited.append(descriptor)
        else:
            os.close(descriptor)  # leaves the lock with the parent, who has the file open too

    def _close_inherited(self) -> None:
        while self._inherited:
            os.close(self._inherited.pop())


def _open(path: Path) -> int:
    with OpenFolder(path.parent) as folder:
        while True:
            with suppress(FileNotFoundError):
                return _open_in(folder, path.name)
            with suppress(FileExistsError):  # made in between by another one
                return folder.create(path.name, 0o666)


def _open_in(folder: OpenFolder, name: str) -> int:
    try:
        return folder.open(name, os.O_RDWR)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        return folder.open(name)  # made by another user; a lock needs no more than reading


def _open_existing(path: Path) -> int:
    """Open a file of another purpose, for writing if that is allowed: over a network an exclusive lock needs it."""
    flags = os.O_CLOEXEC | os.O_NONBLOCK
    try:
        return os.open(path, os.O_RDWR | flags)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        return os.open(path, os.O_RDONLY | flags)


def _lock(descriptor: int, mode: Mode) -> bool:
    operation = fcntl.LOCK_SH if mode == 'shared' else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def find_openers(path: Path) -> list[int]:
    """The processes, as far as this user may see, that have the file open; empty where there is no `/proc`."""
    found = []
    target = os.fspath(path.resolve())
    for process in Path('/proc').glob('[0-9]*'):
        try:
            if any(os.readlink(entry) == target for entry in os.scandir(process / 'fd')):  # noqa: PTH115
                found.append(int(process.name))
        except OSError:
            continue
    return found
