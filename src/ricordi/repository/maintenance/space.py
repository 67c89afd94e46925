"""How much free disk the steps of a maintenance need: copies that are made before the old ones go, rows of the index.

What frees room comes first, and what it gave back counts for what follows. A step that has little room takes less at a
time.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

from ricordi.backend.maintenance import CompressMode
from ricordi.repository.container.pack_writer import WHOLE_BATCH, Batch
from ricordi.repository.maintenance.inventory import PackInventory

INDEX_BYTES_PER_OBJECT = 400
JOURNAL_BYTES_PER_ROW = 2 * 4200
"""A row that goes may change a page of the table and one of its index."""
LEAST_JOURNAL_BYTES = 128 * 1024
"""With so much free disk some rows can be removed from the index; then the next ones."""
LEAST_BATCH = Batch(1 << 20, 1000)


class PackingRoom(NamedTuple):
    """What packing may do with the room there is.

    :param batch: how much is packed before its loose copies go.
    :param largest: bytes of the largest object that fits; -1 where none does.
    """

    batch: Batch
    largest: int


AMPLE_ROOM = PackingRoom(WHOLE_BATCH, 1 << 62)


class Packing(NamedTuple):
    """What is to be packed: objects, their bytes in all, bytes of the largest."""

    objects: int
    bytes: int
    largest: int

    def needs(self) -> int:
        """Bytes of free disk with which all of it is packed at full speed."""
        return self._with(WHOLE_BATCH, self.largest) + INDEX_BYTES_PER_OBJECT * self.objects

    def needs_at_least(self) -> int:
        """Bytes of free disk with which all of it can be packed."""
        rows = INDEX_BYTES_PER_OBJECT * min(self.objects, 2 * LEAST_BATCH.objects)
        return self._with(LEAST_BATCH, self.largest) + rows

    def room(self, free: int) -> PackingRoom:
        """How to pack with so many bytes of free disk."""
        if free >= self.needs():
            return AMPLE_ROOM
        rows = INDEX_BYTES_PER_OBJECT * min(self.objects, 2 * LEAST_BATCH.objects)
        largest = free - rows - self._with(LEAST_BATCH, 0)
        if largest < 0:
            return PackingRoom(LEAST_BATCH, -1)
        spare = (largest - min(largest, self.largest)) // 2
        batch = Batch(min(WHOLE_BATCH.bytes, LEAST_BATCH.bytes + spare), LEAST_BATCH.objects)
        return PackingRoom(batch, largest)

    def _with(self, batch: Batch, largest: int) -> int:
        # The files of one batch are on their way out while the next is written; of small ones, which do not overlap,
        # each may be the larger by what the reader threads hand over at once.
        return min(self.bytes, 2 * batch.bytes + largest)


def repack_needs(pack: PackInventory, mode: CompressMode) -> int:
    """Bytes of free disk to rewrite one pack: what is copied of it, before the old file goes."""
    live = pack.length - pack.garbage.bytes
    # What garbage is, uncompressed, is not counted: so of the content no more is known than its size with it.
    copied = max(live, pack.size - pack.garbage.bytes) if mode in ('no', 'auto') and pack.compressed else live
    return copied + INDEX_BYTES_PER_OBJECT * (pack.objects - pack.garbage.objects)


def vacuum_needs(index: Path, live_bytes: int) -> int:
    """Bytes of free disk beside an index to rebuild it: the log holds it anew, and perhaps a temporary file."""
    temporary = Path(tempfile.gettempdir())
    return live_bytes * (2 if temporary.stat().st_dev == index.stat().st_dev else 1)


def rows_at_once(free: int) -> int:
    """How many rows may be removed in one transaction with so many bytes of free disk."""
    return max(1, (free - LEAST_JOURNAL_BYTES // 2) // JOURNAL_BYTES_PER_ROW)


class Balance:
    """Adds up steps that come one after the other: the most free disk that is asked for at any moment."""

    def __init__(self) -> None:
        self.needed = 0
        """Bytes of free disk there must be at the beginning."""
        self._gained = 0

    def add(self, need: int, gain: int = 0) -> None:
        """A step that needs room while it lasts, and has given some back when it is over."""
        self.needed = max(self.needed, need - self._gained)
        self._gained += gain
