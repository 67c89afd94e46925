"""From the versions `main_0000…` of archives to the current one: values where there were none, and its constraints."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from ricordi.backend.rows import EntityKind
from ricordi.errors import CorruptStorage, Interrupted, NotEnoughSpace
from ricordi.model.fields import TABLES
from ricordi.progress import Stop
from ricordi.storage import schema
from ricordi.storage.archive.file import MIGRATABLE
from ricordi.storage.archive.schema import check_schema
from ricordi.storage.columns import columns
from ricordi.storage.sqlite.strangers import distrust, end_when_asked, was_interrupted

EMPTY = {
    EntityKind.USER: dict.fromkeys(('first_name', 'last_name', 'institution'), "''"),
    EntityKind.COMPUTER: {
        **dict.fromkeys(('hostname', 'description', 'scheduler_type', 'transport_type'), "''"),
        'metadata': "'{}'",
    },
    EntityKind.AUTHINFO: {'metadata': "'{}'", 'auth_params': "'{}'", 'enabled': '1'},
    EntityKind.NODE: {'label': "''", 'description': "''", 'ctime': ':now', 'mtime': ':now'},
    EntityKind.GROUP: {'type_string': "'core'", 'time': ':now', 'description': "''"},
    EntityKind.COMMENT: {'ctime': ':now', 'mtime': ':now', 'content': "''"},
    EntityKind.LOG: {'time': ':now', 'loggername': "''", 'levelname': "''", 'message': "''", 'metadata': "'{}'"},
}
"""What stands in for a value that is not there, as AiiDA's own migration has it."""

LEFT_OUT = {
    EntityKind.AUTHINFO: 'aiidauser_id IS NOT NULL AND dbcomputer_id IS NOT NULL',
    EntityKind.COMMENT: 'dbnode_id IS NOT NULL AND user_id IS NOT NULL',
}
"""Rows that once belonged to something that was deleted are not taken over."""


def can_migrate(version: str) -> bool:
    """Whether archives of a version can be brought to the current one here."""
    return version in MIGRATABLE


def migrate_database(old: Path, new: Path, archive: str, stop: Stop) -> None:
    """Write the rows of the database of an older archive into a new database of the current version.

    :param archive: the archive in words, for messages.
    :raises ricordi.errors.CorruptStorage: the old one is damaged, or breaks a constraint of the current version.
    :raises ricordi.errors.Interrupted: `stop` was asked to end the work.
    """
    with closing(sqlite3.connect(f'{new.absolute().as_uri()}?mode=rwc', uri=True, isolation_level=None)) as raw:
        end_when_asked(raw, lambda: stop.reason)
        distrust(raw)
        for setting in ('journal_mode = OFF', 'synchronous = OFF'):
            raw.execute(f'PRAGMA {setting}').fetchall()
        for statement in schema.definitions('sqlite'):
            if 'alembic_version' not in statement:
                raw.execute(statement)
        try:
            with closing(sqlite3.connect(f'{old.absolute().as_uri()}?mode=ro', uri=True)) as source:
                distrust(source)
                check_schema(source, archive)
            raw.execute('ATTACH DATABASE ? AS old', (f'{old.absolute().as_uri()}?mode=ro',))
            raw.execute('BEGIN')
            now = datetime.now(UTC).replace(tzinfo=None).isoformat(' ', 'microseconds')
            for kind in EntityKind:
                raw.execute(_copy(kind), {'now': now})
            raw.execute('COMMIT')
            raw.execute('DETACH DATABASE old')
        except sqlite3.DatabaseError as error:
            raise failure_of(error, archive, stop) from error


def failure_of(error: sqlite3.Error, archive: str, stop: Stop) -> BaseException:
    """What SQLite says while an archive is migrated, in words that name the archive."""
    if stop.reason:
        return Interrupted(f'{stop.reason}: ended early; nothing was changed')
    if was_interrupted(error):
        return KeyboardInterrupt()
    if getattr(error, 'sqlite_errorname', None) == 'SQLITE_FULL':
        return NotEnoughSpace(f'there is no room to migrate the database of {archive}: set TMPDIR to a larger disk')
    return CorruptStorage(f'the database in {archive} cannot be migrated ({error}); get the archive anew')


def _copy(kind: EntityKind) -> str:
    table, names = TABLES[kind], columns(kind).values()
    empty = {columns(kind)[field]: value for field, value in EMPTY.get(kind, {}).items()}
    chosen = ', '.join(f'coalesce({name}, {empty[name]})' if name in empty else name for name in names)
    condition = LEFT_OUT.get(kind, 'TRUE')
    return (
        f'INSERT INTO main.{table} ({", ".join(names)}) SELECT {chosen} FROM old.{table} WHERE {condition} ORDER BY id'
    )
