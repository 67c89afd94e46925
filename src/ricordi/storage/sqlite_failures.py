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
    ReadOnlyStorage,
    RicordiError,
    StorageError,
    UniquenessError,
    UnreachableStorage,
    ValidationError,
)
from ricordi.model.values import LARGEST_VALUE
from ricordi.storage.columns import row_words


def failure(error: Exception, place: str, busy_seconds: float, raw: Any | None = None) -> RicordiError:
    """The error of ours for an exception of the driver.

    :param place: the database in words.
    :param busy_seconds: how long was waited for locks.
    :param raw: the connection, asked which rows break a foreign key.
    """
    code = getattr(error, 'sqlite_errorname', None) or ''
    if code.startswith('SQLITE_CONSTRAINT'):
        return _constraint(code, str(error), raw)
    if code == 'SQLITE_INTERRUPT':  # by a signal, whose exception SQLite has swallowed (see `sqlite_strangers`)
        raise KeyboardInterrupt from error
    if code == 'SQLITE_TOOBIG':
        return CorruptStorage(
            f'a row of the {place} is larger than {LARGEST_VALUE >> 20} MiB, the most that one of an archive may take'
        )
    if code.startswith(('SQLITE_BUSY', 'SQLITE_LOCKED')):
        return AccessError(
            f'the {place} was locked by another program for more than {busy_seconds:g} s; try again when it is done'
        )
    if code.startswith('SQLITE_READONLY'):
        return ReadOnlyStorage(f'the {place} cannot be written: check the permissions of the file and of its folder')
    if code.startswith(('SQLITE_CANTOPEN', 'SQLITE_PERM', 'SQLITE_AUTH')):
        return UnreachableStorage(
            f'the {place} cannot be opened ({error}): check the permissions of the file and of its folder, and that '
            'the disk has room'
        )
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
    return _refused_value(error, place)


def _refused_value(error: Exception, place: str) -> RicordiError:
    if 'malformed JSON' in str(error):
        return CorruptStorage(
            f'the {place} holds a JSON value that is none, where a table of nodes is read; restore it from a backup'
        )
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
