"""Unpacked databases of archives, and what became of old archives, kept for the next command in a folder of this user.

A kept file is used only if its size and CRC-32 are those that the archive tells, so that what another program did to
it, or a crash left of it, is never taken for the database. Who uses one holds a lock on it; what is locked stays.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import tempfile
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ricordi.files import TemporaryFolder, free_bytes
from ricordi.storage.archive.file import database_member, unpack_database
from ricordi.version import __version__
from ricordi.zipfiles.codec import codec
from ricordi.zipfiles.directory import ZipDirectory
from ricordi.zipfiles.format import Member

LARGEST_KEPT = 1 << 30
KEPT_IN_ALL = 2 << 30
KEPT_SECONDS = 7 * 24 * 3600.0
DRAFT_SECONDS = 3600.0
CHUNK_BYTES = 1 << 20


class UnpackedDatabase:
    """The database of an archive as a file that can be read until `release`."""

    def __init__(self, directory: ZipDirectory) -> None:
        """
        :raises ricordi.errors.NotEnoughSpace: there is no room to unpack it.
        :raises ricordi.errors.CorruptStorage: it is damaged.
        """
        kept = _kept_database(directory)
        if kept is None:
            folder = TemporaryFolder('archive')
            self.path = folder.path / 'db.sqlite3'
            self._finalizer: weakref.finalize[Any, Any] = weakref.finalize(self, folder.remove)
            unpack_database(directory, self.path)
        else:
            self.path, descriptor = kept
            self._finalizer = weakref.finalize(self, os.close, descriptor)

    def release(self) -> None:
        """Let go of the file."""
        self._finalizer()


def _kept_database(directory: ZipDirectory) -> tuple[Path, int] | None:
    """A kept file and a descriptor that holds its lock; None where none can be kept."""
    member = database_member(directory)
    folder = _cache_folder()
    if folder is None or member.size > LARGEST_KEPT or free_bytes(folder) < 3 * member.size:
        return None
    path = folder / f'{_identity(directory, member)}.sqlite3'
    found = _locked_if_sound(path, member)
    if found is None:
        _make_room(folder, member.size)
        draft = folder / f'.{path.name}.{os.getpid()}.{time.monotonic_ns()}'
        try:
            unpack_database(directory, draft)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        found = _locked_if_sound(path, member)
    return None if found is None else (path, found)


_held: dict[Path, int | TemporaryFolder] = {}
"""What `migrated_copy` has given out, and what holds it until this process ends."""


def migrated_copy(archive: Path, make: Callable[[Path], object]) -> Path:
    """An archive of the current version that was made of an old one; it stays where it is until this process ends.

    Kept for the next command unless the archive is large, there is little room, or nowhere to keep it.

    :param make: writes it to the path that it is given.
    """
    status, folder = archive.stat(), _cache_folder()
    if folder is None or status.st_size > LARGEST_KEPT or free_bytes(folder) < 3 * status.st_size:
        own = TemporaryFolder('archive')
        make(own.path / archive.name)
        _held[own.path] = own
        return own.path / archive.name
    told = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, __version__)
    path = folder / f'{hashlib.sha256(repr(told).encode()).hexdigest()[:32]}.aiida'
    while path not in _held:
        descriptor = _locked(path)
        if descriptor is not None:
            _held[path] = descriptor
            break
        _make_room(folder, status.st_size)
        draft = folder / f'.{path.name}.{os.getpid()}.{time.monotonic_ns()}'
        try:
            make(draft)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    return path


def _locked(path: Path) -> int | None:
    """A descriptor that holds the lock of a kept file; None where there is none, or it is being removed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(descriptor).st_ino:
            os.utime(path)
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def _cache_folder() -> Path | None:
    """The folder of this user; None where it is somebody else's, or others could write to it."""
    folder = Path(tempfile.gettempdir()) / f'ricordi-archives-{os.getuid()}'
    try:
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        status = folder.lstat()
    except OSError:
        return None
    private = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077
    return folder if private else None


def _identity(directory: ZipDirectory, member: Member) -> str:
    status = os.fstat(directory.descriptor)
    told = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, member.crc, member.size, member.packed)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:32]


def _locked_if_sound(path: Path, member: Member) -> int | None:
    descriptor = _locked(path)
    if descriptor is None or _is_sound(descriptor, member):
        return descriptor
    os.close(descriptor)
    return None


def _is_sound(descriptor: int, member: Member) -> bool:
    if os.fstat(descriptor).st_size != member.size:
        return False
    crc = position = 0
    while chunk := os.pread(descriptor, CHUNK_BYTES, position):
        crc = codec().crc32(chunk, crc)
        position += len(chunk)
    return crc == member.crc


def _make_room(folder: Path, size: int) -> None:
    """Remove what is old, what a crash left, and, oldest first, what is too much; what is in use stays."""
    entries = []
    for path in folder.iterdir():
        with suppress(OSError):
            status = path.stat()
            entries.append((status.st_mtime, status.st_size, path))
    total = size
    now = time.time()
    for touched, length, path in sorted(entries, reverse=True):
        total += length
        is_draft = path.name.startswith('.')  # of another process, which is about to name it
        if now - touched > DRAFT_SECONDS if is_draft else now - touched > KEPT_SECONDS or total > KEPT_IN_ALL:
            _remove_unless_locked(path)


def _remove_unless_locked(path: Path) -> None:
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
        finally:
            os.close(descriptor)
