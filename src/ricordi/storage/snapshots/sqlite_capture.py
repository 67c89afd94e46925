"""An SQLite database at one moment: a copy of its file that nobody else sees, or a transaction that reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from uuid import uuid4

from ricordi.backend.snapshots import DatabaseSnapshot, Misfit, Piece, Source, TablePart
from ricordi.files import TemporaryFolder
from ricordi.model.copy_text import StoredText, encode_row
from ricordi.storage import object_keys, schema
from ricordi.storage.session import Parameters, Session
from ricordi.storage.snapshots.cutting import Batch, SnapshotLimits, cut
from ricordi.storage.snapshots.misfits import Misfits
from ricordi.storage.snapshots.parts import PARTS, columns_of
from ricordi.storage.snapshots.sqlite_copy import begin_reading, copy_at_one_moment
from ricordi.storage.snapshots.sqlite_lines import lines_of, row_sql
from ricordi.storage.sqlite.dialect import SqliteDialect

_STREAM_ROWS = 1000


class UnchangingSqlite(SqliteDialect):
    """An SQLite database that does not change while it is read: rows need no copy before they are handed out."""

    def __init__(self, path: Path, place: str, *, is_ours: bool, busy_seconds: float) -> None:
        """
        :param place: what it is a copy of, in words.
        :param is_ours: whether the file is a copy, which nobody else knows.
        """
        super().__init__(path, read_only=is_ours, busy_seconds=busy_seconds)
        self._place = place
        self._is_ours = is_ours

    @property
    def place(self) -> str:
        return self._place

    @property
    def uri(self) -> str:
        return f'{super().uri}&immutable=1' if self._is_ours else super().uri

    def stream(self, session: Session, sql: str, parameters: Parameters) -> Iterator[tuple[Any, ...]]:
        with session.driver():
            cursor = session.raw.execute(sql, parameters)
            while rows := cursor.fetchmany(_STREAM_ROWS):
                yield from rows


class SqliteSnapshot(DatabaseSnapshot):
    """What an SQLite database holds, read from a copy of its file that has no name any more."""

    source: Source = 'sqlite'
    parts = PARTS
    sequences: dict[str, int] = {}

    def __init__(
        self,
        dialect: SqliteDialect,
        scratch: Path | None,
        limits: SnapshotLimits,
        copied: Callable[[], None] = lambda: None,
    ) -> None:
        """
        :param scratch: a folder for the copy; None for that of temporary files.
        :param copied: called when the first copy is made and the moment is still to come.
        """
        self._limits = limits
        self._misfits = Misfits(limits.most_misfits)
        self._session = _opened(dialect, scratch, limits, copied)
        try:
            self.schema = schema.read_version(self._session)
        except BaseException:
            self.close()
            raise

    def pieces(self, part: TablePart) -> Iterator[Piece]:
        return cut(self._batches(part), part.width, self._limits.piece_bytes)

    def _batches(self, part: TablePart) -> Iterator[Batch]:
        columns = columns_of(part)
        for first, last, rows in self._bare_rows(part):
            lines = lines_of(rows, len(columns), last)
            if lines is None:
                yield from self._looked_at(part, first, last)
            else:
                self._misfits.look_at(part.table, columns, lines)
                yield Batch(first, len(rows), lines)

    def _bare_rows(self, part: TablePart) -> Iterator[tuple[int, int, list[bytes | None]]]:
        """First and last primary key of some rows, and the rows as `row_sql` gives them."""
        most, width = self._limits.batch_bytes, part.width
        rows: list[bytes | None] = []
        size = first = last = bound = 0
        with self._session.driver():
            for pk, row in self._session.raw.execute(row_sql(part)):
                if rows and (pk >= bound or size > most):
                    yield first, last, rows
                    rows, size = [], 0
                if not rows:
                    first, bound = pk, (pk // width + 1) * width
                rows.append(row)
                size += 0 if row is None else len(row)
                last = pk
        if rows:
            yield first, last, rows

    def _looked_at(self, part: TablePart, first: int, last: int) -> Iterator[Batch]:
        """Rows of which one at least has to be looked at value by value."""
        columns = columns_of(part)
        kinds = [column.kind for column in columns]
        pk = size = 0
        lines: list[bytes] = []
        for values in self._values(part, first, last):
            if size > self._limits.batch_bytes:
                yield Batch(pk, len(lines), b''.join(lines))
                lines, size = [], 0
            if not lines:
                pk = values[0]
            lines.append(encode_row(values, kinds))
            size += len(lines[-1])
            self._misfits.look_closely(part.table, columns, lines[-1])
        yield Batch(pk, len(lines), b''.join(lines))

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

    def close(self) -> None:
        self._session.close()


def _fetched(raw: Any, cursor: Any) -> tuple[Any, ...] | None:
    raw.text_factory = StoredText
    try:
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row
    finally:
        raw.text_factory = str


def _opened(
    dialect: SqliteDialect, scratch: Path | None, limits: SnapshotLimits, copied: Callable[[], None]
) -> Session:
    """A session on a copy of the database; or on the database itself, in a transaction, where it is in WAL mode."""
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryFolder('snapshot')) if scratch is None else scratch
        target = folder / f'.ricordi-snapshot-{uuid4().hex}.sqlite'
        stack.callback(target.unlink, missing_ok=True)
        own = SqliteDialect(dialect.path, busy_seconds=dialect.busy_seconds)
        with closing(Session(own)) as session:
            is_copied = copy_at_one_moment(session, target, limits, copied)
        path = target if is_copied else dialect.path
        unchanging = UnchangingSqlite(path, own.place, is_ours=is_copied, busy_seconds=own.busy_seconds)
        opened = Session(unchanging)
        if not is_copied:
            begin_reading(opened)
        else:
            opened.execute('SELECT count(*) FROM sqlite_schema').fetchone()
        return opened
