"""What the errors of SQLite mean, and the way out of each."""

from __future__ import annotations

import sqlite3
from typing import Any

from ricordi.errors import (
    AccessError,
    ClosedStorage,
    CorruptStorage,
    IntegrityError,
    NotEnoughSpace,
    QueryError,
    RicordiError,
    StorageError,
    UniquenessError,
    UnreachableStorage,
    UnwritableStorage,
    ValidationError,
    ended_by,
)
from ricordi.model.values import LARGEST_VALUE
from ricordi.storage.columns import json_columns, row_words, unreadable

_FUNCTION_RAISED = 'user-defined function raised'
_TOO_LARGE = ('too many', 'too complex', 'too large', 'at most', 'parser stack overflow')


OF_THE_DISK = ('SQLITE_FULL', 'SQLITE_IOERR', 'SQLITE_CANTOPEN', 'SQLITE_BUSY')
"""How SQLite's codes begin that tell of the disk or its locks, and say nothing of what is in the file."""


def failure(error: Exception, place: str, busy_seconds: float, raw: Any | None = None) -> RicordiError:
    """The error of ours for an exception of the driver.

    :param place: the database in words.
    :param busy_seconds: how long was waited for locks.
    :param raw: the connection, asked which rows break a foreign key.
    """
    code = getattr(error, 'sqlite_errorname', None) or ''
    if code.startswith('SQLITE_CONSTRAINT'):
        return _constraint(code, str(error), raw)
    # By a signal, whose exception SQLite has swallowed: in what it asks now and then (see `strangers.py`), or in a
    # function of ours, where it comes before the function can catch it, and looks like a fault of the row
    if code == 'SQLITE_INTERRUPT' or (ended_by and _FUNCTION_RAISED in str(error)):
        raise KeyboardInterrupt from error
    if code == 'SQLITE_TOOBIG' and raw is not None and raw.getlimit(sqlite3.SQLITE_LIMIT_LENGTH) == LARGEST_VALUE:
        return CorruptStorage(
            f'a row of the {place} is larger than {LARGEST_VALUE >> 20} MiB, the most that one of an archive may take'
        )
    if code.startswith(('SQLITE_BUSY', 'SQLITE_LOCKED')):
        waited = f' for more than {busy_seconds:g} s' if busy_seconds else ''
        return AccessError(f'the {place} was locked by another program{waited}; try again when it is done')
    if code in ('SQLITE_READONLY_ROLLBACK', 'SQLITE_READONLY_RECOVERY'):
        return UnwritableStorage(
            f'a program was ended amid a change of the {place}, which has to be undone before it can be read: let '
            'somebody open it once who may write the file and its folder'
        )
    if code.startswith('SQLITE_READONLY'):
        return UnwritableStorage(f'the {place} cannot be written: check the permissions of the file and of its folder')
    if code.startswith(('SQLITE_CANTOPEN', 'SQLITE_PERM', 'SQLITE_AUTH')):
        return UnreachableStorage(
            f'the {place} cannot be opened ({error}): check the permissions of the file and of its folder, and that '
            'the disk has room'
        )
    if code == 'SQLITE_TOOBIG':
        return ValidationError(f'a value is too large for the {place}, which holds a thousand million bytes at most')
    if code == 'SQLITE_FULL':
        return NotEnoughSpace(
            f'the disk of the {place} (or the one for temporary files) is full; nothing of the change was kept'
        )
    if code == 'SQLITE_NOTADB':
        return CorruptStorage(f'the {place} is not a SQLite database; restore it from a backup')
    if code.startswith('SQLITE_CORRUPT'):
        return CorruptStorage(
            f'the {place} is damaged ({error}): copy it, then restore a backup, or try the `.recover` command '
            'of the sqlite3 program on the copy'
        )
    if code.startswith('SQLITE_IOERR'):
        return UnreachableStorage(f'the disk failed under the {place} ({error}): check the disk and the mount')
    return _refused_value(error, place, raw)


def _refused_value(error: Exception, place: str, raw: Any | None) -> RicordiError:
    if isinstance(error, sqlite3.Error) and any(sign in str(error) for sign in _TOO_LARGE):
        return QueryError(f'the query is too large for SQLite ({error}): ask for less at a time')
    if 'malformed JSON' in str(error) or 'BLOB values' in str(error):
        found = _broken_json(raw)
        return unreadable(*found, 'it is no JSON') if found else CorruptStorage(f'the {place} refused: {error}')
    if isinstance(error, OverflowError):
        return ValidationError('an integer is too large for a column of the database, which holds 64 bits')
    if isinstance(error, UnicodeEncodeError):
        return ValidationError(f'a text cannot be stored, for it is no valid Unicode: {error.reason}')
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError):
        if 'closed' in str(error):
            return ClosedStorage(f'the connection to the {place} is closed; load the profile again to use it')
        if 'bind' in str(error):
            return ValidationError(f'a value cannot be stored: {error}')
    return StorageError(f'the {place} refused: {error}')


def _broken_json(raw: Any | None) -> tuple[str, int, str] | None:
    """Table, pk and column of a value that should be JSON and is none."""
    for table, column in json_columns() if raw is not None else ():
        row = raw.execute(  # type: ignore[union-attr]
            f'SELECT id FROM {table} WHERE {column} IS NOT NULL AND '
            f"CASE typeof({column}) WHEN 'blob' THEN TRUE ELSE NOT json_valid({column}) END LIMIT 1"
        ).fetchone()
        if row is not None:
            return table, row[0], column
    return None


def _constraint(code: str, message: str, raw: Any | None) -> RicordiError:
    subject = message.partition(': ')[2]
    table = subject.partition('.')[0]
    if code in ('SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY'):
        names = ' and '.join(part.strip().partition('.')[2] for part in subject.split(','))
        return UniquenessError(f'there is a {row_words(table)} with the same {names} already')
    if code == 'SQLITE_CONSTRAINT_NOTNULL':
        return IntegrityError(f'a {row_words(table)} must have a value for {subject.partition(".")[2]}')
    if code == 'SQLITE_CONSTRAINT_FOREIGNKEY':
        return IntegrityError(_dangling(raw))
    return IntegrityError(f'the database refused the change: {message}')


def _dangling(raw: Any | None) -> str:
    """Which reference would lead nowhere; SQLite tells only while the failed transaction is still open."""
    if raw is not None and raw.in_transaction:
        row = raw.execute('PRAGMA foreign_key_check').fetchone()
        if row is not None:
            child, pk, parent = row[0], row[1], row[2]
            return f'the {row_words(child)} with pk {pk} would name a {row_words(parent)} that does not exist'
    return 'a row would name another one that does not exist, or a row that others still name would go'
