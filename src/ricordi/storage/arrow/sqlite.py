"""Rows of SQLite for tables: kept in a temporary table, from which SQLite itself joins the values of each column.

The statement of the query ends before the first row is given out, as that of `spooled` does: it keeps no writer
waiting. To hand over one long text for a column of many rows costs a fraction of a Python object for each value.
"""

from __future__ import annotations

import itertools
import os
import weakref
from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from ricordi.errors import StorageError
from ricordi.storage.arrow.batch import FULL_BATCH, RawBatch, TableSource
from ricordi.storage.query.sqlite import first_found

if TYPE_CHECKING:
    from ricordi.storage.session import Parameters, Session

_BETWEEN = '\x1f'
_COLUMNS_AT_A_TIME = 50
_PREFIX = 'ricordi_rows_'
_PAGE_BYTES = 16384
_numbers = itertools.count(1)
_in_use = set[str]()


class SqliteTable(TableSource):
    """The rows of a query in a temporary table."""

    def __init__(self, session: Session, sql: str, parameters: Parameters, plain: Sequence[bool], size: int) -> None:
        """
        :param plain: for each column, whether its text is wanted.
        :param size: rows of a batch.
        """
        self.session = session
        self.plain = [place for place, one in enumerate(plain) if one]
        with session.driver():
            schema = _attached(session)
            place = schema or 'temp'
            self.name = f'{place}.{_PREFIX}{next(_numbers)}'
            letting_go = f'DETACH {schema}' if schema else f'DROP TABLE IF EXISTS {self.name}'
            self._finalizer = weakref.finalize(self, _let_go, session, schema, letting_go)
            self._finalizer.atexit = False
            try:
                session.execute(f'CREATE TABLE {self.name} ({", ".join(f"c{i}" for i in range(len(plain)))})')
                self.count = session.execute(f'INSERT INTO {self.name} {sql}', parameters).rowcount
                pages = session.execute(f'PRAGMA {place}.page_count').fetchone()[0]
                page = session.execute(f'PRAGMA {place}.page_size').fetchone()[0]
            except BaseException:
                self.close()
                raise
        weight = pages * page // max(self.count, 1)
        self.size = max(1, min(size, FULL_BATCH // max(weight, 1)))

    def batches(self) -> Iterator[RawBatch]:
        for first in range(1, self.count + 1, self.size):
            yield SqliteBatch(self, first, min(self.size, self.count + 1 - first))

    def close(self) -> None:
        self._finalizer()


def _let_go(session: Session, schema: str | None, statement: str) -> None:
    if session.pid == os.getpid():
        with suppress(*session.dialect.driver_errors):  # a connection that is gone has taken it along
            session.raw.execute(statement)
    if schema:
        _in_use.discard(schema)


def _attached(session: Session) -> str | None:
    """A database of its own for rows, without a name on disk; None where there can be none: inside a transaction, or
    beside as many as a connection takes.

    To let go of it costs nothing, where a table that is dropped is gone through page by page.
    """
    raw, errors = session.raw, session.dialect.driver_errors
    if raw.in_transaction:
        return None
    for _, name, _ in raw.execute('PRAGMA database_list').fetchall():
        if name.startswith(_PREFIX) and name not in _in_use:  # it was closed inside a transaction, where it had to stay
            with suppress(*errors):
                raw.execute(f'DETACH {name}')
    schema = f'{_PREFIX}{next(_numbers)}'
    try:
        raw.execute(f"ATTACH '' AS {schema}")
    except errors:
        return None
    _in_use.add(schema)
    for setting in (f'page_size = {_PAGE_BYTES}', 'journal_mode = OFF', 'synchronous = OFF'):
        raw.execute(f'PRAGMA {schema}.{setting}').fetchall()
    return schema


class SqliteBatch(RawBatch):
    """Rows of a temporary table that follow each other."""

    def __init__(self, table: SqliteTable, first: int, rows: int) -> None:
        super().__init__(rows)
        self._table = table
        self._where = f'FROM {table.name} WHERE rowid BETWEEN {first} AND {first + rows - 1}'
        self._texts: dict[int, tuple[int, Any]] | None = None

    def text(self, place: int) -> Any:
        if self._texts is None:
            self._texts = self._joined()
        present, joined = self._texts.pop(place, (1, None))
        if not present:
            return pa.nulls(self.rows, pa.string())
        if present < self.rows or type(joined) is not str:
            return None
        parts = pc.split_pattern(_array_of_one(joined), _BETWEEN).values
        return parts if len(parts) == self.rows else None  # one of the texts holds what should lie between them

    def values(self, place: int) -> list[Any]:
        return [value for (value,) in self._ask(f'c{place}')]

    def json_text(self, place: int, decode: Any) -> Any:
        text = self.text(place)
        if text is None or decode is not first_found:
            return text
        # `[value,null]`, unless a second way leads to another value
        if not pc.all(pc.ends_with(text, ',null]')).as_py():
            return text if text.null_count == self.rows else None
        return pc.utf8_slice_codeunits(text, 1, -len(',null]'))

    def _joined(self) -> dict[int, tuple[int, Any]]:
        """For each plain column how many values there are, and their texts; nothing where they are too long for one."""
        try:
            return dict(self._join())
        except StorageError:
            return {}

    def _join(self) -> Iterator[tuple[int, tuple[int, Any]]]:
        plain = self._table.plain
        for first in range(0, len(plain), _COLUMNS_AT_A_TIME):
            some = plain[first : first + _COLUMNS_AT_A_TIME]
            columns = ', '.join(f"count(c{place}), group_concat(c{place}, '{_BETWEEN}')" for place in some)
            (row,) = self._ask(columns)
            yield from zip(some, zip(row[::2], row[1::2], strict=True), strict=True)

    def _ask(self, columns: str) -> list[Any]:
        session = self._table.session
        with session.driver():
            found: list[Any] = session.execute(f'SELECT {columns} {self._where}').fetchall()
            return found


def _array_of_one(text: str) -> Any:
    """An array of one text. (`pyarrow.array` looks for pandas each time, where that is not installed.)"""
    data = text.encode()
    ends = array('i', (0, len(data)))
    return pa.StringArray.from_buffers(1, pa.py_buffer(ends), pa.py_buffer(data))
