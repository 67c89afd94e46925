"""Rows of a snapshot put into a new SQLite database: first the rows, then all indexes, which so are made in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from ricordi.backend.snapshots import DatabaseSnapshot
from ricordi.errors import CorruptStorage, ValidationError
from ricordi.model.copy_text import NULL, StoredText, decode_field
from ricordi.model.fields import ValueKind
from ricordi.progress import Run
from ricordi.storage.columns import place_of
from ricordi.storage.session import Session
from ricordi.storage.snapshots.blocks import Put, SnapshotTable, blocks, check_not_asked_to_end
from ricordi.storage.snapshots.parts import COLUMNS, SETTINGS, PartColumn
from ricordi.storage.snapshots.sqlite.constraints import leave_out, make
from ricordi.storage.sqlite.strangers import end_when_asked

CACHE_KIB = 16 << 10
_BOOLEANS = {'t': 1, 'f': 0}


@contextmanager
def filling(session: Session, run: Run, before_commit: Callable[[], None]) -> Iterator[Put]:
    """A transaction in which tables are filled; when the block ends, indexes and statistics are made, and it ends too.

    :param before_commit: called at the end of the transaction; what it raises undoes all.
    :raises ricordi.errors.Interrupted: the run was asked to end.
    """
    end_when_asked(session.raw, lambda: run.stop.reason)
    session.execute('PRAGMA foreign_keys = OFF')
    session.execute(f'PRAGMA cache_size = -{CACHE_KIB}')
    try:
        with session.transaction():
            indexes = _take_indexes_away(session)
            # settings are also written in the ordinary way, which needs their constraint
            constraints = leave_out(session, [table for table in COLUMNS if table != SETTINGS])
            dangling_allowed = False

            def put(snapshot: DatabaseSnapshot, table: SnapshotTable) -> None:
                nonlocal dangling_allowed
                dangling_allowed = snapshot.source == 'sqlite'
                for block in blocks(snapshot, table, run):
                    _put(session, table, block)

            yield put
            with run.step('make indexes', None, 'rows'):
                make(session, constraints)
                for statement in indexes:
                    check_not_asked_to_end(run)
                    session.execute(statement)
                if not dangling_allowed:
                    _refuse_dangling(session)
                session.execute('ANALYZE')
            before_commit()
    except KeyboardInterrupt as error:
        if error.__cause__ is not None:  # the statement was ended, not this process
            check_not_asked_to_end(run)
        raise


def _take_indexes_away(session: Session) -> list[str]:
    indexes = session.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").fetchall()
    for name, _ in indexes:
        session.execute(f'DROP INDEX "{name}"')
    return [statement for _, statement in indexes]


def _refuse_dangling(session: Session) -> None:
    """See that no row names one that is not there, which a database that checks that cannot have held.

    (SQLite checks it only where it is told to; what a snapshot of it holds so comes back as it was.)
    """
    found = session.execute('PRAGMA foreign_key_check').fetchone()
    if found is not None:
        table, pk, other, _ = found
        raise CorruptStorage(
            f'the snapshot contradicts itself: row {pk} of {table} names a row of {other} that it does not hold'
        )


def _put(session: Session, table: SnapshotTable, block: bytes) -> None:
    columns = table.columns
    try:
        plain, odd = rows_of(block, columns)
    except (ValueError, KeyError) as error:
        raise CorruptStorage(f'the snapshot holds what is no row of table {table.name}: {error}') from error
    if table.name == SETTINGS:
        _refuse_rounded(plain, [column.name for column in columns])
    insert = f'INSERT INTO {table.name} ({table.column_names}) VALUES'
    session.execute_many(f'{insert} ({", ".join("?" for _ in columns)})', plain)
    for row in odd:
        marks = ', '.join('CAST(? AS TEXT)' if isinstance(value, StoredText) else '?' for value in row)
        session.execute(f'{insert} ({marks})', row)


def _refuse_rounded(settings: list[list[Any]], columns: list[str]) -> None:
    """See that no value of a setting is a bare number that SQLite, which takes it for one of its own, would round.

    :raises ricordi.errors.ValidationError: one is.
    """
    for row in settings:
        setting = dict(zip(columns, row, strict=True))
        value = setting.get('val')
        if isinstance(value, str) and _NUMBER.fullmatch(value) and not _is_kept(Decimal(value)):
            place = place_of(SETTINGS, setting['id'], 'val')
            raise ValidationError(f'{place} cannot be put into SQLite: it would round the number {value}')


def _is_kept(number: Decimal) -> bool:
    if number == number.to_integral_value() and abs(number) < 1 << 63:
        return True
    return Decimal(f'{float(number):.15g}') == number


_NUMBER = re.compile(r'-?\d+(\.\d+)?([eE][+-]?\d+)?')


def rows_of(block: bytes, columns: Sequence[PartColumn]) -> tuple[list[list[Any]], list[list[Any]]]:
    """The rows of some lines as SQLite takes them: those of texts and integers alone, and the odd ones.

    :raises ValueError: a line breaks the grammar, or has not as many fields as there are columns.
    :raises KeyError: a field is no boolean.
    """
    plain: list[list[Any]] = []
    odd: list[list[Any]] = []
    booleans = [n for n, column in enumerate(columns) if column.kind is ValueKind.BOOL]
    nullable = [n for n, column in enumerate(columns) if column.nullable]
    has_escapes = block.count(b'\\') != block.count(b'\t\\N')
    for line in block.decode().split('\n')[:-1]:
        fields: list[Any] = line.split('\t')
        if len(fields) != len(columns):
            raise ValueError(f'a line has {len(fields)} fields instead of {len(columns)}')
        is_odd = has_escapes and '\t\\.' in line
        if has_escapes and '\\' in line:
            fields = [field if '\\' not in field else decode_field(field) for field in fields]
        else:
            for n in nullable:
                if fields[n] == NULL:
                    fields[n] = None
        for n in booleans:
            fields[n] = _BOOLEANS[fields[n]] if isinstance(fields[n], str) else fields[n]
        (odd if is_odd else plain).append(fields)
    return plain, odd
