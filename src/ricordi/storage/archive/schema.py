"""Whether the database of an archive has the tables of a storage and nothing else: all that could run is refused unrun.

SQLite evaluates what stands in a schema (CHECKs, expressions of indexes and columns, triggers, views, virtual tables)
when rows are read, checked or written. So the schema is compared as text before anything else is asked of the file.
"""

from __future__ import annotations

import re
import sqlite3

from ricordi.backend.rows import EntityKind
from ricordi.errors import CorruptStorage
from ricordi.model.fields import TABLES
from ricordi.storage.columns import columns
from ricordi.storage.schema import ALL_TABLES
from ricordi.storage.sqlite.failures import OF_THE_DISK, failure

LONGEST_STATEMENT = 16_384
"""Characters; the longest of AiiDA's and ours has some 900."""
MOST_STATEMENTS = 500
"""Tables and indexes together; an archive has 36, and 14 of SQLite's own."""

_TOKEN = re.compile(r"""\s+ | "(\w+)" | (\w+) | ('[^']*') | (.)""", re.VERBOSE | re.DOTALL)
_NAME = r'[a-z_]\w*'
_NAMES = rf'\( {_NAME}(?: , {_NAME})* \)'
_TYPE = r'(?:integer|int|varchar|char|text|json|datetime|boolean|num|numeric|real)(?: \( \d+ \))?'
_COLUMN = (
    rf'(?!constraint|check|primary|unique|foreign){_NAME}(?: {_TYPE})?'
    r"(?: not null| null| default (?:'[^']*'|\d+)| primary key| unique)*"
)
_REFERENCE = (
    rf'foreign key {_NAMES} references {_NAME} {_NAMES}'
    r'(?: on (?:delete|update) (?:cascade|restrict|set null|no action))*(?: deferrable)?(?: initially deferred)?'
)
_CONSTRAINT = rf'(?:constraint {_NAME} )?(?:primary key {_NAMES}|unique {_NAMES}|{_REFERENCE})'
_ITEM = rf'(?:{_CONSTRAINT}|{_COLUMN})'
_TABLE = re.compile(rf'create table ({_NAME}) \( {_ITEM}(?: , {_ITEM})* \)')
_INDEX = re.compile(rf'create (?:unique )?index {_NAME} on ({_NAME}) {_NAMES}')


def check_schema(raw: sqlite3.Connection, archive: str) -> None:
    """See that all tables of a storage are there, with their columns, as plain tables, and indexes of plain columns.

    Nothing of the schema is evaluated here. What is accepted is any table and index that AiiDA and Ricordi write into
    archives of the versions `main_…`, whatever was quoted or aligned how.

    :param archive: the archive in words, for messages.
    :raises ricordi.errors.CorruptStorage: they are not, or there is something else.
    """
    try:
        found = raw.execute(
            f'SELECT type, name, tbl_name, sql FROM sqlite_master LIMIT {MOST_STATEMENTS + 1}'
        ).fetchall()
        if len(found) > MOST_STATEMENTS:
            raise CorruptStorage(f'the database in {archive} has more tables and indexes than any; do not trust it')
        for kind, name, table, sql in found:
            if not _is_known(kind, name, table, sql):
                raise CorruptStorage(
                    f'the database in {archive} holds a {kind} {name!r} that no archive has; do not trust it'
                )
        _check_columns(raw, archive, {name for kind, name, _, _ in found if kind == 'table'})
    except sqlite3.DatabaseError as error:
        if (getattr(error, 'sqlite_errorname', '') or '').startswith(OF_THE_DISK):
            raise failure(error, f'database in {archive}', 0.0) from error
        raise CorruptStorage(f'the database in {archive} is damaged ({error}); get the archive anew') from None


def _is_known(kind: object, name: object, table: object, sql: object) -> bool:
    """Whether a row of `sqlite_master` is a plain table of a storage, or an index of plain columns of one."""
    if table not in ALL_TABLES:
        return False
    if sql is None:  # what SQLite makes of PRIMARY KEY and UNIQUE
        return kind == 'index' and str(name).startswith('sqlite_autoindex_')
    if not isinstance(sql, str) or len(sql) > LONGEST_STATEMENT:
        return False
    statement = normalised(sql)
    if kind == 'table':
        matched = _TABLE.fullmatch(statement)
        return matched is not None and matched[1] == name == table
    matched = _INDEX.fullmatch(statement) if kind == 'index' else None
    return matched is not None and matched[1] == table


def normalised(sql: str) -> str:
    """A statement as its words and signs, one blank between them, in lower case, names without quotes."""
    tokens = (quoted or word or text or sign for quoted, word, text, sign in _TOKEN.findall(sql))
    return ' '.join(token if token.startswith("'") else token.lower() for token in tokens if token)


def _check_columns(raw: sqlite3.Connection, archive: str, tables: set[str]) -> None:
    for entity in EntityKind:
        table = TABLES[entity]
        if table not in tables:
            raise CorruptStorage(f'the database in {archive} has no table {table}; get the archive anew')
        there = {row[1] for row in raw.execute(f'PRAGMA table_info({table})')}
        missing = sorted(set(columns(entity).values()) - there)
        if missing:
            raise CorruptStorage(f'the table {table} in {archive} has no column {missing[0]}; get the archive anew')
