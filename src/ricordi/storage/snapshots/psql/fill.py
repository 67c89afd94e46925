"""Rows of a snapshot put into a new PostgreSQL database: by `COPY`, then foreign keys and indexes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from ricordi.backend.snapshots import DatabaseSnapshot
from ricordi.errors import CorruptStorage, RicordiError, ValidationError
from ricordi.model.copy_text import count_odd, is_odd, pk_of
from ricordi.progress import Run
from ricordi.storage.columns import place_of
from ricordi.storage.session import Session
from ricordi.storage.snapshots.blocks import Put, SnapshotTable, blocks, check_not_asked_to_end
from ricordi.storage.snapshots.misfits import misfits_of

_WHERE = re.compile(r'COPY \w+, line (\d+)(?:, column (\w+))?')
_FOREIGN_KEYS = (
    'SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint '
    "WHERE contype = 'f' AND connamespace = current_schema()::regnamespace ORDER BY conname"
)
_INDEXES = (
    'SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index '
    'JOIN pg_class ON pg_class.oid = indexrelid '
    'WHERE relnamespace = current_schema()::regnamespace AND NOT EXISTS ('
    'SELECT 1 FROM pg_constraint WHERE conindid = indexrelid) ORDER BY relname'
)


@contextmanager
def filling(session: Session, run: Run, before_commit: Callable[[], None]) -> Iterator[Put]:
    """A transaction in which tables are filled; when the block ends, foreign keys, indexes and statistics are made.

    :param before_commit: called at the end of the transaction; what it raises undoes all.
    """
    session.execute("SET timezone = 'UTC'")
    session.execute("SET datestyle = 'ISO'")
    session.execute('SET statement_timeout = 0')
    session.execute('SET idle_in_transaction_session_timeout = 0')
    with session.transaction():
        keys = session.execute(_FOREIGN_KEYS).fetchall()
        for table, name, _ in keys:
            session.execute(f'ALTER TABLE {table} DROP CONSTRAINT {name}')
        indexes = session.execute(_INDEXES).fetchall()
        for name, _ in indexes:
            session.execute(f'DROP INDEX {name}')

        def put(snapshot: DatabaseSnapshot, table: SnapshotTable) -> None:
            for block in blocks(snapshot, table, run):
                _copy(session, table, block)
            _set_sequence(session, table.name, snapshot.sequences.get(table.name, 0))

        yield put
        with run.step('make indexes', None, 'rows'):
            for _, statement in indexes:
                check_not_asked_to_end(run)
                session.execute(statement)
            for table, name, definition in keys:
                check_not_asked_to_end(run)
                session.execute(f'ALTER TABLE {table} ADD CONSTRAINT {name} {definition}')
            session.execute('ANALYZE')
        before_commit()


def _copy(session: Session, table: SnapshotTable, block: bytes) -> None:
    if count_odd(block):  # the server refuses them too, but does not say why
        raise _refused(table, next(filter(is_odd, block.split(b'\n'))), '', 'it is odd')
    try:
        statement = f'COPY {table.name} ({table.column_names}) FROM STDIN'
        with session.driver(), session.raw.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(block)
    except RicordiError as error:
        cause = error.__cause__
        if isinstance(cause, psycopg.Error) and (cause.sqlstate or '').startswith('22'):
            raise _explained(table, block, cause) from error
        raise


def _explained(table: SnapshotTable, block: bytes, error: psycopg.Error) -> RicordiError:
    """The error for a line that the server refused, which it names by number."""
    where = _WHERE.search(error.diag.context or '')
    reason = error.diag.message_primary or str(error)
    if where is None or error.sqlstate == '22P04':
        return CorruptStorage(f'the snapshot holds what is no row of table {table.name}: {reason}')
    return _refused(table, block.split(b'\n')[int(where[1]) - 1], where[2] or '', reason)


def _refused(table: SnapshotTable, line: bytes, column: str, reason: str) -> RicordiError:
    try:
        found = misfits_of(table.name, table.columns, line)
        pk = pk_of(line)
    except ValueError as error:
        return CorruptStorage(f'the snapshot holds what is no row of table {table.name}: {error}')
    if found:
        column, reason = found[0].column, found[0].reason
    place = place_of(table.name, pk, column or 'row')
    return ValidationError(f'{place} cannot be put into PostgreSQL: {reason}; SQLite has a place for it')


def _set_sequence(session: Session, table: str, high_water: int) -> None:
    """No primary key that was ever given out is given out once more."""
    (sequence,) = session.execute("SELECT pg_get_serial_sequence(%s, 'id')", (table,)).fetchone()
    (highest,) = session.execute(f'SELECT coalesce(max(id), 0) FROM {table}').fetchone()
    last = max(high_water, highest)
    if sequence is not None and last > 0:
        session.execute('SELECT setval(%s::regclass, %s)', (sequence, last))
