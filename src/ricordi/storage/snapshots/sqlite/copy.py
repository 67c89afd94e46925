"""A copy of an SQLite file at one moment, for which writers wait as shortly as can be.

The file is copied without a lock first; then, under a SHARED lock, with which nobody can change the file, what differs
by now is copied once more. (SQLite's own backup interface holds writers up for as long as it copies, or begins anew
with each of their commits.)
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ricordi.errors import NotEnoughSpace, UnreachableStorage
from ricordi.files import format_bytes, free_bytes
from ricordi.storage.session import Session
from ricordi.storage.snapshots.cutting import SnapshotLimits

_COPY_BYTES = 16 << 20
_COMPARERS = 2

_kept: dict[tuple[int, int], int] = {}
"""Descriptors of database files, by device and inode. When any descriptor of a file is closed, the kernel drops all
POSIX locks that the process has on it, those of SQLite's connections among them: so these are never closed while the
file has a name."""


def copy_at_one_moment(
    path: Path, session: Session, target: Path, limits: SnapshotLimits, copied: Callable[[], None]
) -> bool:
    """Copy the file of an SQLite database, as it is at one moment; False, and nothing done, where it is in WAL mode.

    :param path: of the file.
    :param session: of its own, outside a transaction.
    :param target: a file that is made; its folder has room, or this is refused.
    :param copied: called when the first copy is made and the moment is still to come.
    :raises ricordi.errors.NotEnoughSpace: there is no room for the copy.
    """
    place = session.dialect.place
    source = _descriptor(path)
    begin_reading(session)  # a journal that a crash has left is played back by this
    is_wal = session.execute('PRAGMA journal_mode').fetchone()[0] == 'wal'
    session.execute('COMMIT')
    if is_wal:
        return False
    size = os.fstat(source).st_size
    _check_room(target.parent, size, place)
    out = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        if size > limits.copy_at_once:
            _copy(source, out, size)
        copied()
        begin_reading(session)
        try:
            _check_same(source, path, place)
            _put_right(source, out, limits.block_bytes)
        finally:
            session.execute('COMMIT')
    except OSError as error:
        kind = NotEnoughSpace if error.errno in (errno.ENOSPC, errno.EDQUOT) else UnreachableStorage
        raise kind(f'the {place} cannot be copied to {target.parent}: {error.strerror}') from error
    finally:
        os.close(out)
    return True


def digest_of_file(descriptor: int) -> str:
    """A digest of all bytes of a file that does not change: SHA-256 of the SHA-256 of each 16 MiB."""
    size = os.fstat(descriptor).st_size

    def digest(offset: int) -> bytes:
        return hashlib.sha256(os.pread(descriptor, _COPY_BYTES, offset)).digest()

    with ThreadPoolExecutor(_COMPARERS) as pool:
        return hashlib.sha256(b''.join(pool.map(digest, range(0, size, _COPY_BYTES)))).hexdigest()


def begin_reading(session: Session) -> None:
    """Begin a transaction that reads: from here on nobody changes the file, but for its WAL."""
    session.execute('BEGIN')
    session.execute('SELECT count(*) FROM sqlite_schema').fetchone()


def _descriptor(path: Path) -> int:
    for key, kept in list(_kept.items()):
        if os.fstat(kept).st_nlink == 0:
            os.close(_kept.pop(key))
    status = path.stat()
    key = (status.st_dev, status.st_ino)
    if key not in _kept:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        opened = os.fstat(descriptor)
        key = (opened.st_dev, opened.st_ino)
        _kept[key] = descriptor
    return _kept[key]


def _check_same(source: int, path: Path, place: str) -> None:
    opened, named = os.fstat(source), path.stat()
    if (opened.st_dev, opened.st_ino) != (named.st_dev, named.st_ino) or not stat.S_ISREG(opened.st_mode):
        raise UnreachableStorage(f'the {place} was replaced while it was copied; try again')


def _check_room(folder: Path, size: int, place: str) -> None:
    free = free_bytes(folder)
    if free < size:
        raise NotEnoughSpace(
            f'for a snapshot of the {place} {format_bytes(size)} must be free in {folder}, and only '
            f'{format_bytes(free)} are: make room, or choose a folder on a larger disk'
        )


def _copy(source: int, out: int, size: int) -> None:
    """Copy a file that others may change meanwhile; a file system that can does so without copying a byte."""
    done = 0
    copy = getattr(os, 'copy_file_range', None)
    try:
        while copy is not None and done < size and (n := copy(source, out, min(size - done, _COPY_BYTES), done, done)):
            done += n
    except OSError:
        pass  # between these two file systems it cannot; the rest is found to differ, and copied
    while done < size and (block := os.pread(source, _COPY_BYTES, done)):
        done += os.pwrite(out, block, done)


def _put_right(source: int, out: int, block_bytes: int) -> None:
    size = os.fstat(source).st_size
    os.ftruncate(out, size)
    with ThreadPoolExecutor(_COMPARERS) as pool:
        step = block_bytes * _COMPARERS
        parts = [
            pool.submit(_put_blocks_right, source, out, range(block_bytes * number, size, step), block_bytes)
            for number in range(_COMPARERS)
        ]
        for part in parts:
            part.result()


def _put_blocks_right(source: int, out: int, offsets: range, block_bytes: int) -> None:
    there, here = bytearray(block_bytes), bytearray(block_bytes)
    for offset in offsets:
        n = os.preadv(source, [there], offset)
        if n == os.preadv(out, [here], offset) and there == here:
            continue
        view = memoryview(there)[:n]
        while view:
            written = os.pwrite(out, view, offset)
            view, offset = view[written:], offset + written
