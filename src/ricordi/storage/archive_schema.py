"""Whether the database of an archive has the tables of a storage and nothing else that could run (views, triggers)."""

from __future__ import annotations

import sqlite3

from ricordi.backend.rows import EntityKind
from ricordi.errors import CorruptStorage
from ricordi.storage.columns import columns, table_name

ALLOWED_KINDS = {'table', 'index'}


def check_schema(raw: sqlite3.Connection, archive: str) -> None:
    """See that all tables of a storage are there, with their columns, as plain tables.

    :param archive: the archive in words, for messages.
    :raises ricordi.errors.CorruptStorage: they are not.
    """
    try:
        found = raw.execute('SELECT type, name, sql FROM sqlite_master').fetchall()
        tables = {name for kind, name, _ in found if kind == 'table'}
        for kind, name, sql in found:
            if kind not in ALLOWED_KINDS or 'VIRTUAL' in (sql or '')[:20].upper():
                raise CorruptStorage(
                    f'the database in {archive} holds a {kind} {name!r} that no archive has; do not trust it'
                )
        for entity in EntityKind:
            table = table_name(entity)
            if table not in tables:
                raise CorruptStorage(f'the database in {archive} has no table {table}; get the archive anew')
            there = {row[1] for row in raw.execute(f'PRAGMA table_info({table})')}
            missing = sorted(set(columns(entity).values()) - there)
            if missing:
                raise CorruptStorage(f'the table {table} in {archive} has no column {missing[0]}; get the archive anew')
    except sqlite3.DatabaseError as error:
        raise CorruptStorage(f'the database in {archive} is damaged ({error}); get the archive anew') from None
