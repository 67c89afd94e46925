"""A PostgreSQL database at one moment: one transaction that sees what was committed when it began."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from ricordi.backend.snapshots import DatabaseSnapshot, Misfit, Piece, Source, TablePart
from ricordi.model.fields import ValueKind
from ricordi.storage import object_keys, schema
from ricordi.storage.dialect import Dialect
from ricordi.storage.lost_rows import lost_names
from ricordi.storage.psql.copying import copied
from ricordi.storage.session import Session
from ricordi.storage.snapshots.cutting import RowBatch, SnapshotLimits, batches_of, cut
from ricordi.storage.snapshots.parts import COLUMNS, PARTS, PartColumn, columns_of

KEYS_AT_ONCE = 8192
"""A statement asks for the rows of so many primary keys."""

_FOR_A_SNAPSHOT = (
    "SET timezone = 'UTC'",
    "SET datestyle = 'ISO'",
    'SET jit = off',
    'SET statement_timeout = 0',
    'SET idle_in_transaction_session_timeout = 0',
    'SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY',
)


class PsqlSnapshot(DatabaseSnapshot):
    """What a PostgreSQL database holds, seen by a connection of its own whose transaction ends with it."""

    source: Source = 'postgresql'
    parts = PARTS

    def __init__(self, dialect: Dialect, limits: SnapshotLimits | None = None) -> None:
        self._limits = limits or SnapshotLimits()
        self._dialect = dialect
        self._readers: list[Session] = []
        self._held = ExitStack()
        with ExitStack() as opening:
            self._session = self._connected(opening)
            dialect.check_access(self._session.raw)
            opening.enter_context(self._session.transaction())
            (self._moment,) = self._session.execute('SELECT pg_export_snapshot()').fetchone()
            self.schema = schema.read_version(self._session)
            self.sequences = {table: last for table in COLUMNS if (last := self._last_given(table)) is not None}
            self._held = opening.pop_all()

    def _connected(self, stack: ExitStack) -> Session:
        session = Session(self._dialect)
        stack.callback(session.close)
        for statement in _FOR_A_SNAPSHOT:
            session.execute(statement)
        return session

    @contextmanager
    def _reader(self) -> Iterator[Session]:
        """A session that sees the same moment and that nobody else uses meanwhile; kept for the next one who asks.

        While the answer to a COPY comes in, a connection can be asked nothing else.
        """
        reader = self._readers.pop() if self._readers else self._new_reader()
        yield reader
        self._readers.append(reader)

    def _new_reader(self) -> Session:
        reader = self._connected(self._held)
        reader.execute('BEGIN')
        reader.execute(f"SET TRANSACTION SNAPSHOT '{self._moment}'")
        return reader

    def _last_given(self, table: str) -> int | None:
        (sequence,) = self._session.execute("SELECT pg_get_serial_sequence(%s, 'id')", (table,)).fetchone()
        if sequence is None:
            return None
        last, is_called = self._session.execute(f'SELECT last_value, is_called FROM {sequence}').fetchone()
        return int(last) if is_called else int(last) - 1

    def pieces(self, part: TablePart) -> Iterator[Piece]:
        return cut(self._batches(part), part.width, self._limits.piece_bytes)

    def _batches(self, part: TablePart) -> Iterator[RowBatch]:
        columns = ', '.join(map(_in_copy, columns_of(part)))
        next_pk = f'SELECT min(id) FROM {part.table} WHERE id >= %s'
        with self._reader() as reader:
            (pk,) = reader.execute(f'SELECT min(id) FROM {part.table}').fetchone()
            while pk is not None:
                begin = pk // KEYS_AT_ONCE * KEYS_AT_ONCE
                end = begin + KEYS_AT_ONCE
                rows = f'SELECT {columns} FROM {part.table} WHERE id >= {begin} AND id < {end} ORDER BY id'
                found = False
                for lines in self._copied(reader, f'COPY ({rows}) TO STDOUT'):
                    found = True
                    yield from batches_of(lines, part.width)
                pk = end if found else reader.execute(next_pk, (end,)).fetchone()[0]

    def _copied(self, reader: Session, statement: str) -> Iterator[list[bytes]]:
        with reader.driver(), reader.raw.cursor() as cursor:
            for text in copied(cursor, statement, None, KEYS_AT_ONCE, self._limits.batch_bytes):
                yield bytes(text).splitlines(keepends=True)

    def named_keys(self) -> Iterator[str]:
        return object_keys.named_keys(self._session)

    def misfits(self, most: int) -> list[Misfit]:
        return []

    def lost_rows(self) -> str:
        return lost_names(self._session)

    def close(self) -> None:
        self._held.close()


def _in_copy(column: PartColumn) -> str:
    if column.kind is not ValueKind.TIME:
        return f'"{column.name}"'
    # What AiiDA has no place for (infinity, before Christ, after the year 9999) stands as PostgreSQL writes it.
    name = f'"{column.name}"'
    return (
        f"CASE WHEN {name} >= '0001-01-01' AND {name} < '10000-01-01' "
        f"THEN to_char({name}, 'YYYY-MM-DD HH24:MI:SS.US') ELSE {name}::text END"
    )
