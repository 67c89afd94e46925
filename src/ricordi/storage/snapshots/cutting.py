"""Cuts the rows of a part into pieces, as the contract of snapshots has them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ricordi.backend.snapshots import Piece
from ricordi.model.copy_text import is_odd, pk_of


class SnapshotLimits(NamedTuple):
    """How much at once.

    :param piece_bytes: a piece is closed after the row with which it is larger.
    :param batch_bytes: rows that are looked at together.
    :param copy_at_once: bytes of an SQLite file that is copied while writers wait; a larger one is copied before, and
        what has changed meanwhile is put right while they wait.
    :param block_bytes: what is compared, and copied once more, at a time.
    :param most_misfits: how many are remembered.
    """

    piece_bytes: int = 8 << 20
    batch_bytes: int = 1 << 20
    copy_at_once: int = 16 << 20
    block_bytes: int = 256 << 10
    most_misfits: int = 1000


class RowBatch(NamedTuple):
    """Some rows of one part, all of which belong between the same multiples of its width.

    :param first: primary key of the first one.
    :param lines: their lines, as bytes.
    :param odd: how many of them are odd.
    """

    first: int
    rows: int
    lines: bytes
    odd: int = 0


def batches_of(lines: Sequence[bytes], width: int) -> Iterator[RowBatch]:
    """Lines of one part, none of them odd, apart at the multiples of its width.

    :param lines: by ascending primary key.
    """
    begin = 0
    while begin < len(lines):
        first = pk_of(lines[begin])
        end = bisect_left(lines, (first // width + 1) * width, begin, key=pk_of)
        yield RowBatch(first, end - begin, b''.join(lines[begin:end]))
        begin = end


def cut(batches: Iterable[RowBatch], width: int, piece_bytes: int) -> Iterator[Piece]:
    """The pieces of a part.

    :param batches: of its rows by ascending primary key.
    """
    piece = _OpenPiece()
    for batch in batches:
        if piece.rows and batch.first // width != piece.first // width:
            yield piece.closed()
            piece = _OpenPiece()
        if piece.size + len(batch.lines) <= piece_bytes:
            piece.add(batch)
            continue
        for line in batch.lines.splitlines(keepends=True):
            piece.add(RowBatch(pk_of(line), 1, line, int(is_odd(line))))
            if piece.size > piece_bytes:
                yield piece.closed()
                piece = _OpenPiece()
    if piece.rows:
        yield piece.closed()


class _OpenPiece:
    def __init__(self) -> None:
        self.first = self.rows = self.odd = self.size = 0
        self._lines: list[bytes] = []

    def add(self, batch: RowBatch) -> None:
        if not self.rows:
            self.first = batch.first
        self.rows += batch.rows
        self.size += len(batch.lines)
        self.odd += batch.odd
        self._lines.append(batch.lines)

    def closed(self) -> Piece:
        return Piece(self.first, self.rows, self.odd, b''.join(self._lines))
