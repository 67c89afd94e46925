"""Rows of a storage on their way into an archive: all read in one state of the database, in constant memory."""

from __future__ import annotations

import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ricordi.model.fields import FIELDS, TABLES, EntityKind, RowField, ValueKind
from ricordi.storage.archive.selection import (
    COMPUTERS_OF_NODES,
    CONDITIONS,
    MEMBERS_OF_GROUPS,
    PICKED,
    ArchiveSelection,
    users_of,
)
from ricordi.storage.columns import columns
from ricordi.storage.dialect import quoted

if TYPE_CHECKING:
    from ricordi.progress import Stop
    from ricordi.storage.dialect import Dialect

ROWS_AT_ONCE = 1000
LOOK_SECONDS = 0.2
"""Between two looks at whether the work of a server should end."""

Connection = Any


class ArchiveSource(ABC):
    """A database that is read from, inside one transaction."""

    schema = ''
    """What stands before the names of its tables."""

    def __init__(self, target: sqlite3.Connection) -> None:
        """
        :param target: the database of the archive; its tables are there.
        """
        self.target = target

    def copy(self, selection: ArchiveSelection, told: Callable[[EntityKind, int], None]) -> None:
        """Copy the rows that are chosen.

        :param told: hears of each kind and how many rows of it were copied.
        """
        if not selection.everything:
            self._pick(selection)
        for kind in selection.kinds:
            condition = '' if selection.everything else f' WHERE {CONDITIONS[kind]}'
            told(kind, self._copy_table(kind, condition))

    def _pick(self, selection: ArchiveSelection) -> None:
        for name in PICKED:
            self.execute(f'CREATE TEMP TABLE {name} (id INTEGER PRIMARY KEY)')
        self.insert_pks('seed', selection.nodes)
        self.insert_pks('picked_group', selection.groups)
        self.insert_pks('picked_computer', selection.computers)
        self.execute(MEMBERS_OF_GROUPS.format(s=self.schema))
        self.walk(selection.forward, selection.backward)
        self.execute(COMPUTERS_OF_NODES.format(s=self.schema))
        self.execute(users_of(selection).format(s=self.schema))

    @abstractmethod
    def execute(self, sql: str) -> None:
        """Run a statement in the source."""

    @abstractmethod
    def insert_pks(self, table: str, pks: Iterable[int]) -> None:
        """Fill a temporary table of pks."""

    @abstractmethod
    def walk(self, forward: tuple[str, ...], backward: tuple[str, ...]) -> None:
        """Fill `picked_node` with what the links of these types lead to from `seed`, in any number of steps."""

    @abstractmethod
    def _copy_table(self, kind: EntityKind, condition: str) -> int:
        """Copy rows of one table; returns how many."""


class SqliteSource(ArchiveSource):
    """A SQLite database, attached to that of the archive: rows go from file to file inside SQLite."""

    schema = 'source.'

    def execute(self, sql: str) -> None:
        self.target.execute(sql)

    def insert_pks(self, table: str, pks: Iterable[int]) -> None:
        self.target.executemany(f'INSERT OR IGNORE INTO temp.{table} VALUES (?)', ((pk,) for pk in pks))

    def walk(self, forward: tuple[str, ...], backward: tuple[str, ...]) -> None:
        parts = ['SELECT n.id FROM temp.seed AS s JOIN source.db_dbnode AS n ON n.id = s.id']
        for types, near, far in ((forward, 'input_id', 'output_id'), (backward, 'output_id', 'input_id')):
            if types:
                parts.append(
                    f'SELECT l.{far} FROM walk CROSS JOIN source.db_dblink AS l ON l.{near} = walk.id '
                    f'WHERE +l.type IN ({quoted(types)})'
                )
        self.target.execute(
            f'INSERT INTO temp.picked_node WITH RECURSIVE walk(id) AS ({" UNION ".join(parts)}) SELECT id FROM walk'
        )

    def _copy_table(self, kind: EntityKind, condition: str) -> int:
        table, names = TABLES[kind], ', '.join(columns(kind).values())
        copied = self.target.execute(
            f'INSERT INTO main.{table} ({names}) SELECT {names} FROM source.{table}{condition} ORDER BY id'
        )
        return copied.rowcount


class PsqlSource(ArchiveSource):
    """A PostgreSQL database: rows come by COPY, written as SQLite keeps them."""

    def __init__(self, target: sqlite3.Connection, raw: Connection) -> None:
        super().__init__(target)
        self.raw = raw

    def execute(self, sql: str) -> None:
        self.raw.execute(sql.replace('(id INTEGER PRIMARY KEY)', '(id INTEGER PRIMARY KEY) ON COMMIT DROP'))

    def insert_pks(self, table: str, pks: Iterable[int]) -> None:
        self.raw.execute(f'INSERT INTO {table} SELECT DISTINCT unnest(%s::integer[])', (list(pks),))

    def walk(self, forward: tuple[str, ...], backward: tuple[str, ...]) -> None:
        steps = [
            f'SELECT l.{far} AS id FROM db_dblink AS l WHERE l.{near} = walk.id AND l.type IN ({quoted(types)})'
            for types, near, far in ((forward, 'input_id', 'output_id'), (backward, 'output_id', 'input_id'))
            if types
        ]
        step = f' UNION SELECT step.id FROM walk CROSS JOIN LATERAL ({" UNION ALL ".join(steps)}) AS step'
        self.raw.execute(
            'INSERT INTO picked_node WITH RECURSIVE walk(id) AS '
            '(SELECT n.id FROM seed AS s JOIN db_dbnode AS n ON n.id = s.id'
            f'{step if steps else ""}) SELECT id FROM walk'
        )

    def _copy_table(self, kind: EntityKind, condition: str) -> int:
        table, names = TABLES[kind], columns(kind)
        chosen = ', '.join(map(_as_sqlite_writes, FIELDS[kind].values()))
        statement = f'INSERT INTO {table} ({", ".join(names.values())}) VALUES ({", ".join("?" * len(names))})'
        with self.raw.cursor().copy(f'COPY (SELECT {chosen} FROM {table}{condition} ORDER BY id) TO STDOUT') as copy:
            return int(self.target.executemany(statement, copy.rows()).rowcount)


def _as_sqlite_writes(field: RowField) -> str:
    """The expression by which PostgreSQL gives a value in the form it has in SQLite (formats/database.md, *Types*)."""
    if field.kind is ValueKind.TIME:
        return f"to_char({field.column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
    return f'{field.column}::integer' if field.kind is ValueKind.BOOL else field.column


@contextmanager
def reading(dialect: Dialect, target: sqlite3.Connection, stop: Stop) -> Iterator[ArchiveSource]:
    """A database opened for being copied from; all is read in the state it has at the first statement.

    :param target: the database of the archive, in no transaction; what was copied is committed at the end.
    :param stop: ends a statement of a server; those of SQLite end by the connection of `target`.
    """
    if dialect.name == 'sqlite':
        yield from _reading_sqlite(dialect, target)
    else:
        yield from _reading_psql(dialect, target, stop)


def _reading_sqlite(dialect: Any, target: sqlite3.Connection) -> Iterator[ArchiveSource]:
    uri = f'{dialect.path.absolute().as_uri()}?mode=ro'
    target.execute('ATTACH DATABASE ? AS source', (uri,))
    try:
        target.execute('BEGIN')
        try:
            yield SqliteSource(target)
            target.execute('COMMIT')
        except BaseException:
            if target.in_transaction:
                target.execute('ROLLBACK')
            raise
    finally:
        target.execute('DETACH DATABASE source')


def _reading_psql(dialect: Any, target: sqlite3.Connection, stop: Stop) -> Iterator[ArchiveSource]:
    raw = dialect.connect()
    try:
        with _cancelled_when_asked(raw, stop):
            raw.execute('BEGIN ISOLATION LEVEL REPEATABLE READ')
            target.execute('BEGIN')
            yield PsqlSource(target, raw)
            target.execute('COMMIT')
            raw.execute('ROLLBACK')
    finally:
        raw.close()


@contextmanager
def _cancelled_when_asked(raw: Connection, stop: Stop) -> Iterator[None]:
    """While inside, the server is told to end what it is at when `stop` asks for an end."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_SECONDS):
            if stop.reason:
                raw.cancel()

    watcher = threading.Thread(target=watch, name='cancel', daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
