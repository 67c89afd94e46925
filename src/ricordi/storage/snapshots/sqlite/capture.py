"""An SQLite database at one moment: a copy of its file that nobody else sees, or a transaction that reads it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ricordi.backend.snapshots import DatabaseSnapshot, Misfit, Piece, Source, TablePart
from ricordi.files import TemporaryFolder
from ricordi.model.copy_text import StoredText, encode_row, is_odd
from ricordi.storage import object_keys, schema
from ricordi.storage.lost_rows import lost_names
from ricordi.storage.session import Session
from ricordi.storage.snapshots.cutting import RowBatch, SnapshotLimits, cut
from ricordi.storage.snapshots.misfits import LARGEST_INTEGER, Misfits, may_misfit
from ricordi.storage.snapshots.parts import PARTS, columns_of
from ricordi.storage.snapshots.sqlite.copy import begin_reading, copy_at_one_moment, digest_of_file
from ricordi.storage.snapshots.sqlite.lines import joined, lines_of, row_sql

if TYPE_CHECKING:
    from ricordi.storage.sqlite.dialect import SqliteDialect


class SqliteSnapshot(DatabaseSnapshot):
    """What an SQLite database holds, read from a copy of its file that has no name any more."""

    source: Source = 'sqlite'
    parts = PARTS
    sequences: dict[str, int] = {}

    def __init__(
        self,
        dialect: SqliteDialect,
        scratch: Path | None,
        limits: SnapshotLimits | None = None,
        copied: Callable[[], None] = lambda: None,
    ) -> None:
        """
        :param scratch: a folder for the copy; None for that of temporary files.
        :param copied: called when the first copy is made and the moment is still to come.
        """
        self._limits = limits = limits or SnapshotLimits()
        self._misfits = Misfits(limits.most_misfits)
        self._session, self._copy = _opened(dialect, scratch, limits, copied)
        try:
            self.schema = schema.read_version(self._session)
        except BaseException:
            self.close()
            raise

    @cached_property
    def state(self) -> str:
        """The digest of the file, where it is all there is: neither a counter nor a time in it, which a copy of an
        older file may have too."""
        return '' if self._copy is None else f'sqlite {digest_of_file(self._copy)}'

    def pieces(self, part: TablePart) -> Iterator[Piece]:
        return cut(self._batches(part), part.width, self._limits.piece_bytes)

    def _batches(self, part: TablePart) -> Iterator[RowBatch]:
        columns = columns_of(part)
        for first, last, rows, nulls in self._joined_rows(part):
            text = None if last > LARGEST_INTEGER else joined(rows, nulls, len(columns))
            if text is None:
                yield from self._looked_at(part, first, last)
                continue
            lines = lines_of(text)
            if may_misfit(text):
                self._misfits.look_at(part.table, columns, lines)
            yield RowBatch(first, len(rows), lines)

    def _joined_rows(self, part: TablePart) -> Iterator[tuple[int, int, list[bytes | None], int]]:
        """First and last primary key of some rows, the rows as `row_sql` gives them, and how many nulls they have."""
        most, width = self._limits.batch_bytes, part.width
        rows: list[bytes | None] = []
        size = first = last = bound = nulls = 0
        with self._session.driver():
            for pk, row, none in self._session.raw.execute(row_sql(part)):
                if rows and (pk >= bound or size > most):
                    yield first, last, rows, nulls
                    rows, size, nulls = [], 0, 0
                if not rows:
                    first, bound = pk, (pk // width + 1) * width
                rows.append(row)
                size += 0 if row is None else len(row)
                nulls += none
                last = pk
        if rows:
            yield first, last, rows, nulls

    def _looked_at(self, part: TablePart, first: int, last: int) -> Iterator[RowBatch]:
        """Rows of which one at least has to be looked at value by value."""
        columns = columns_of(part)
        kinds = [column.kind for column in columns]
        pk = size = 0
        lines: list[bytes] = []
        for values in self._values(part, first, last):
            if size > self._limits.batch_bytes:
                yield _batch(pk, lines)
                lines, size = [], 0
            if not lines:
                pk = values[0]
            lines.append(encode_row(values, kinds))
            size += len(lines[-1])
            self._misfits.look_closely(part.table, columns, lines[-1])
        yield _batch(pk, lines)

    def _values(self, part: TablePart, first: int, last: int) -> Iterator[list[Any]]:
        raw = self._session.raw
        names = ', '.join(f'"{name}"' for name in part.columns)
        with self._session.driver():
            cursor = raw.execute(
                f'SELECT {names} FROM {part.table} WHERE id BETWEEN ? AND ? ORDER BY id', (first, last)
            )
            while (row := _fetched(raw, cursor)) is not None:
                yield list(row)

    def named_keys(self) -> Iterator[str]:
        return object_keys.named_keys(self._session)

    def misfits(self, most: int) -> list[Misfit]:
        return self._misfits.found[:most]

    def lost_rows(self) -> str:
        return lost_names(self._session)

    def close(self) -> None:
        self._session.close()
        if self._copy is not None:
            os.close(self._copy)  # no name and no other user: no lock is lost by that
            self._copy = None


def _batch(first: int, lines: list[bytes]) -> RowBatch:
    return RowBatch(first, len(lines), b''.join(lines), sum(map(is_odd, lines)))


def _fetched(raw: Any, cursor: Any) -> tuple[Any, ...] | None:
    raw.text_factory = StoredText
    try:
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row
    finally:
        raw.text_factory = str


def _opened(
    dialect: SqliteDialect, scratch: Path | None, limits: SnapshotLimits, copied: Callable[[], None]
) -> tuple[Session, int | None]:
    """A session on a copy of the database, and a descriptor of that file; or on the database itself, in a transaction,
    where it is in WAL mode."""
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryFolder('snapshot')) if scratch is None else scratch
        target = folder / f'.ricordi-snapshot-{uuid4().hex}.sqlite'
        stack.callback(target.unlink, missing_ok=True)
        with closing(Session(dialect)) as session:
            is_copied = copy_at_one_moment(dialect.path, session, target, limits, copied)
        opened = Session(dialect.unchanging(target if is_copied else None))
        if not is_copied:
            begin_reading(opened)
            return opened, None
        opened.execute('SELECT count(*) FROM sqlite_schema').fetchone()
        return opened, os.open(target, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
