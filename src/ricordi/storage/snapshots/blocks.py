"""The rows of a snapshot as they are put: those of a table whole, though a snapshot keeps them in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ricordi.backend.snapshots import DatabaseSnapshot, Piece, TablePart
from ricordi.errors import CorruptStorage, Interrupted
from ricordi.model.copy_text import pk_of
from ricordi.progress import Run
from ricordi.storage.snapshots.parts import COLUMNS, PartColumn


class SnapshotTable(NamedTuple):
    """A table of a snapshot.

    :param parts: in which its columns are kept.
    """

    name: str
    parts: tuple[TablePart, ...]

    @property
    def columns(self) -> list[PartColumn]:
        """Its columns, in the order of the lines of `blocks`."""
        first, *others = self.parts
        names = [*first.columns, *(name for part in others for name in part.columns[1:])]
        return [COLUMNS[self.name][name] for name in names]

    @property
    def column_names(self) -> str:
        """The same as SQL lists them."""
        return ', '.join(f'"{column.name}"' for column in self.columns)


Put = Callable[[DatabaseSnapshot, SnapshotTable], None]
"""Puts all rows of a table into a database."""


def tables_of(snapshot: DatabaseSnapshot) -> list[SnapshotTable]:
    """The tables of a snapshot, in an order in which rows can be put.

    :raises ricordi.errors.CorruptStorage: it has a table or a column that the schema does not have.
    """
    parts: dict[str, list[TablePart]] = {}
    for part in snapshot.parts:
        unknown = set(part.columns) - COLUMNS.get(part.table, {}).keys()
        if unknown or part.columns[0] != 'id':
            raise CorruptStorage(f'the snapshot has columns of table {part.table} that this program does not know')
        parts.setdefault(part.table, []).append(part)
    return [SnapshotTable(table, tuple(parts[table])) for table in COLUMNS if table in parts]


def blocks(snapshot: DatabaseSnapshot, table: SnapshotTable, run: Run) -> Iterator[bytes]:
    """The lines of whole rows, many at a time, by ascending primary key.

    :raises ricordi.errors.CorruptStorage: a piece does not hold what it should, or the parts do not hold the same rows.
    :raises ricordi.errors.Interrupted: the run was asked to end.
    """
    with run.step(f'put rows of {table.name}', None, 'rows'):
        streams = [_checked(snapshot, part) for part in table.parts]
        rows = (piece.data for piece in streams[0]) if len(streams) == 1 else _joined(table.name, streams)
        for block in rows:
            check_not_asked_to_end(run)
            yield block
            run.progress.advance(block.count(b'\n'))


def check_not_asked_to_end(run: Run) -> None:
    """
    :raises ricordi.errors.Interrupted: the run was asked to end.
    """
    if run.stop.reason:
        raise Interrupted(f'{run.stop.reason}: ended early; nothing was put into the database')


def _checked(snapshot: DatabaseSnapshot, part: TablePart) -> Iterator[Piece]:
    """The pieces of a part, each of which holds what it says."""
    last: int | None = None
    for piece in snapshot.pieces(part):
        data = piece.data
        if data.count(b'\n') != piece.rows or not data.endswith(b'\n') or not _begins_after(piece, last):
            raise CorruptStorage(
                f'the snapshot contradicts itself: {piece.rows} rows of table {part.table} from primary key '
                f'{piece.first} on are not there as they should be'
            )
        last = piece.first
        yield piece


def _begins_after(piece: Piece, last: int | None) -> bool:
    try:
        return pk_of(piece.data) == piece.first and (last is None or piece.first > last)
    except ValueError:
        return False


def _joined(table: str, streams: list[Iterator[Piece]]) -> Iterator[bytes]:
    """Rows of which each stream has some columns; pieces of the parts need not begin at the same rows."""
    waiting: list[list[bytes]] = [[] for _ in streams]
    while True:
        waiting = [lines or _lines(next(stream, None)) for lines, stream in zip(waiting, streams, strict=True)]
        together = min(map(len, waiting))
        if not together:
            break
        yield _rows(table, [lines[:together] for lines in waiting])
        waiting = [lines[together:] for lines in waiting]
    if any(waiting):
        raise _apart(table)


def _lines(piece: Piece | None) -> list[bytes]:
    return [] if piece is None else piece.data.split(b'\n')[:-1]


def _rows(table: str, parts: list[list[bytes]]) -> bytes:
    """The lines of rows of which each part has some columns."""
    rows, *others = parts
    pks = [line.partition(b'\t')[0] for line in rows]
    for part in others:
        parted = [line.partition(b'\t') for line in part]
        if [pk for pk, _, _ in parted] != pks:
            raise _apart(table)
        rows = [line + b'\t' + rest for line, (_, _, rest) in zip(rows, parted, strict=True)]
    return b'\n'.join(rows) + b'\n'


def _apart(table: str) -> CorruptStorage:
    return CorruptStorage(f'the snapshot contradicts itself: the parts of table {table} do not hold the same rows')
