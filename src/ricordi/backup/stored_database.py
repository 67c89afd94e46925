"""The database of a snapshot, read back from the place that holds it."""

from __future__ import annotations

from collections.abc import Iterator

from ricordi.backend.repository import RepositoryBackend
from ricordi.backend.snapshots import DatabaseSnapshot, Misfit, Piece, TablePart
from ricordi.backup.key_spool import KeySpool
from ricordi.backup.pieces import FILE_TREES, keys_named_in, pieces_ahead, pieces_in
from ricordi.backup.records import SnapshotRecord


class StoredDatabase(DatabaseSnapshot):
    """A database as a snapshot in a backup repository has it: each piece is compared with its key when it is read."""

    def __init__(self, record: SnapshotRecord, store: RepositoryBackend) -> None:
        self._record = record
        self._store = store
        self._lists = {one.part: one.lists for one in record.parts}
        self.source = record.source
        self.schema = record.schema
        self.parts = tuple(self._lists)
        self.sequences = record.sequences

    def pieces(self, part: TablePart) -> Iterator[Piece]:
        for lists in self._lists[part]:
            for _, piece in pieces_ahead(self._store, pieces_in(self._store, lists)):
                yield piece()

    def named_keys(self) -> Iterator[str]:
        with KeySpool() as spool:
            for part in self.parts:
                if FILE_TREES in part.columns:
                    spool.add(key for piece in self.pieces(part) for key in keys_named_in(piece.data, part))
            yield from spool.ascending()

    def misfits(self, most: int) -> list[Misfit]:
        """What PostgreSQL would refuse, as it was noted when the snapshot was made."""
        return list(self._record.misfits[:most])

    def close(self) -> None:
        """Nothing is held."""
