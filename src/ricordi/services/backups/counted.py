"""A snapshot that is passed on, its rows counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ricordi.backend.snapshots import DatabaseSnapshot, Misfit, Piece, TablePart


class CountedSnapshot(DatabaseSnapshot):
    """Passes a snapshot on, and counts its rows by table as they go by."""

    def __init__(
        self, snapshot: DatabaseSnapshot, schema: str = '', sequences: Mapping[str, int] | None = None
    ) -> None:
        """
        :param schema: what it is said to be of, if not what the snapshot says; so the sequences.
        """
        self._snapshot = snapshot
        self.source = snapshot.source
        self.schema = schema or snapshot.schema
        self.parts = snapshot.parts
        self.sequences = snapshot.sequences if sequences is None else sequences
        self.rows: dict[str, int] = {}
        self.bytes = 0

    def pieces(self, part: TablePart) -> Iterator[Piece]:
        counted = 0
        for piece in self._snapshot.pieces(part):
            counted += piece.rows
            self.bytes += len(piece.data)
            yield piece
        self.rows[part.table] = counted

    def named_keys(self) -> Iterator[str]:
        return self._snapshot.named_keys()

    def misfits(self, most: int) -> list[Misfit]:
        return self._snapshot.misfits(most)

    def close(self) -> None:
        """The snapshot is closed by whom it belongs to."""
