"""What snapshots name: their lists, their pieces, and the objects of their nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from ricordi.backend.repository import RepositoryBackend
from ricordi.backend.snapshots import TablePart
from ricordi.backup.pieces import FILE_TREES, keys_named_in, pieces_ahead, pieces_in
from ricordi.backup.records import PartRecord, PieceEntry, SnapshotRecord
from ricordi.errors import CorruptStorage, NotExistent
from ricordi.progress import Run

Read = TypeVar('Read')


class Naming:
    """The keys that snapshots name; a list or piece that several have is read once."""

    def __init__(self, store: RepositoryBackend, run: Run, unreadable: Callable[[str], None] | None = None) -> None:
        """
        :param unreadable: is told of each list or piece that cannot be read; None: the error is raised.
        """
        self._store = store
        self._run = run
        self._unreadable = unreadable
        self._seen: set[bytes] = set()

    def keys(self, records: Iterable[SnapshotRecord]) -> Iterator[str]:
        """Keys of lists, pieces and objects, in no order, some more than once.

        :raises ricordi.errors.CorruptStorage: a list or a piece is damaged.
        :raises ricordi.errors.NotExistent: one is not there.
        """
        for record in records:
            for part in record.parts:
                yield from self._of_part(part)

    def _of_part(self, record: PartRecord) -> Iterator[str]:
        names_objects = FILE_TREES in record.part.columns
        for lists in record.lists:
            if not self._is_new(lists.key):
                continue
            yield lists.key
            entries = self._read(lists.key, partial(pieces_in, self._store, lists)) or []
            for entry in entries:
                yield entry.key
            if names_objects:
                yield from self._in_pieces([one for one in entries if self._is_new(one.key)], record.part)

    def _in_pieces(self, entries: Sequence[PieceEntry], part: TablePart) -> Iterator[str]:
        for entry, piece in pieces_ahead(self._store, entries):
            if (read := self._read(entry.key, piece)) is not None:
                yield from keys_named_in(read.data, part)
            self._run.progress.advance(entry.rows)

    def _read(self, key: str, read: Callable[[], Read]) -> Read | None:
        try:
            return read()
        except (CorruptStorage, NotExistent):
            if self._unreadable is None:
                raise
            self._unreadable(key)
            return None

    def _is_new(self, key: str) -> bool:
        digest = bytes.fromhex(key)
        if digest in self._seen:
            return False
        self._seen.add(digest)
        return True
