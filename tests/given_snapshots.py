"""What the tests of snapshots share: all pieces of one, and a snapshot made of given pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ricordi.backend.snapshots import DatabaseSnapshot, Misfit, Piece, Source, TablePart
from ricordi.storage.snapshots.parts import SETTINGS

Pieces = dict[TablePart, list[Piece]]


def all_pieces(snapshot: DatabaseSnapshot) -> Pieces:
    return {part: list(snapshot.pieces(part)) for part in snapshot.parts}


def without_settings(pieces: Pieces) -> Pieces:
    """The pieces but for the settings, which name the repository."""
    return {part: given for part, given in pieces.items() if part.table != SETTINGS}


def lines(pieces: Pieces, table: str, part: str = '') -> bytes:
    """All lines of a part."""
    return b''.join(piece.data for key, given in pieces.items() if key[:2] == (table, part) for piece in given)


@dataclass
class GivenSnapshot(DatabaseSnapshot):
    """A snapshot of pieces that are at hand, as from a backup repository."""

    given: Pieces
    source: Source = 'sqlite'
    schema: str = 'main_0002'
    sequences: Mapping[str, int] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[TablePart, ...]:  # type: ignore[override]
        return tuple(self.given)

    def pieces(self, part: TablePart) -> Iterator[Piece]:
        return iter(self.given[part])

    def named_keys(self) -> Iterator[str]:
        return iter(())

    def misfits(self, most: int) -> list[Misfit]:
        return []

    def close(self) -> None:
        pass
