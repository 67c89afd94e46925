"""Opening `packs.idx`, and saying in words what SQLite has against it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ricordi.errors import CorruptStorage, UnreachableStorage
from ricordi.folders import check_place
from ricordi.remedies import Remedy

CACHE_KIB = 8192


def state_of(path: Path) -> tuple[int, int, bool]:
    """What tells that a database was written to: time of change, size, whether there is a log beside it."""
    found = path.stat()
    return found.st_mtime_ns, found.st_size, path.with_name(path.name + '-wal').exists()


def connect(path: Path, read_only: bool, busy_seconds: float) -> tuple[sqlite3.Connection, bool]:
    """A connection, and whether it takes the file for one that nobody writes to."""
    if not path.exists():
        raise UnreachableStorage(
            f'the index {path} is not there: without it nothing in the packs can be found; restore it from a backup'
        )
    check_index_file(path)
    try:
        if read_only:
            return _connect_read_only(path, busy_seconds)
        connection = sqlite3.connect(
            f'{path.absolute().as_uri()}?mode=rw', uri=True, timeout=busy_seconds, isolation_level=None
        )
        try:
            connection.execute('PRAGMA synchronous=FULL')
        except sqlite3.OperationalError as error:
            connection.close()
            if not error.sqlite_errorname.startswith(('SQLITE_IOERR', 'SQLITE_FULL')):
                raise
            return _connect_read_only(
                path, busy_seconds
            )  # a full disk has no room for the `-shm` file: what is there can be read
        connection.execute(f'PRAGMA cache_size=-{CACHE_KIB}')
        return connection, False
    except sqlite3.DatabaseError as error:
        raise translated(error, path, busy_seconds) from error


def check_index_file(path: Path) -> None:
    """See, as root, that what is in the place of the index is no link or file from elsewhere.

    :raises ricordi.errors.UnreachableStorage: it may be.
    """
    try:
        check_place(path, '-wal', '-shm', '-journal')
    except OSError as error:
        raise UnreachableStorage(f'root does not use the index {path}: {error.filename}: {error.strerror}') from None


def _connect_read_only(path: Path, busy_seconds: float) -> tuple[sqlite3.Connection, bool]:
    uri = path.absolute().as_uri()
    connection = sqlite3.connect(f'{uri}?mode=ro', uri=True, timeout=busy_seconds, isolation_level=None)
    try:
        connection.execute('SELECT COUNT(*) FROM sqlite_master').fetchone()
        return connection, False
    except sqlite3.OperationalError:
        # WAL mode wants to make a `-shm` file; where the folder cannot be written and no log is pending, go without
        connection.close()
        wal = path.with_name(path.name + '-wal')
        if wal.exists() and wal.stat().st_size:
            raise
        return sqlite3.connect(f'{uri}?immutable=1', uri=True, isolation_level=None), True


def translated(error: sqlite3.DatabaseError, path: Path, busy_seconds: float) -> Exception:
    """The error that says of an index what SQLite said, with a way out."""
    code = getattr(error, 'sqlite_errorname', '') or ''
    if code.startswith(('SQLITE_BUSY', 'SQLITE_LOCKED')):
        return UnreachableStorage(
            f'the index {path} is locked by another program for over {busy_seconds:.0f} s; try later'
        )
    if code.startswith('SQLITE_FULL'):
        return OSError(28, 'No space left on device', str(path))
    if code.startswith(('SQLITE_CANTOPEN', 'SQLITE_READONLY', 'SQLITE_PERM')):
        return UnreachableStorage(
            f'cannot use the index {path}: {error}; check the permissions of file and folder, and the room on the disk'
        )
    if code.startswith(('SQLITE_CORRUPT', 'SQLITE_NOTADB')):
        return CorruptStorage(
            f'the index {path} is damaged ({error}); nothing was changed: restore it from a backup, or try '
            f'`sqlite3 packs.idx .recover`',
            remedy=Remedy('repair storage', (str(path.parent),)),
        )
    if code.startswith('SQLITE_IOERR'):
        return UnreachableStorage(f'the disk failed while the index {path} was used: {error}')
    return CorruptStorage(f'the index {path} cannot be used: {error}')
