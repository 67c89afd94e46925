"""Undoing a repack of a pack that cannot go: its rows name it again, and their copies in other packs give room back."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ricordi.repository.container.index import PackedObject
from ricordi.repository.container.objects import ObjectStore


def moved_back(container: ObjectStore, pack_id: int, origins: Sequence[PackedObject]) -> int:
    """Have the index name the places in a pack where objects lay, and cut off what was appended for them elsewhere.

    For one who holds the packer lock and the exclusive lock of the profile, and has no pack open for writing.

    :param origins: the rows as they were; the bytes that they name are in their place still, and sound.
    :returns: the bytes of disk given back.
    """
    begins: dict[int, int] = {}
    for row in container.index.find_many([origin.key for origin in origins]):
        if row.pack_id != pack_id:
            begins[row.pack_id] = min(row.offset, begins.get(row.pack_id, row.offset))
    with container.index.transaction():
        container.index.move(origins)
    # Only now, that the rows are durable: until then they have named what goes.
    freed = sum(_cut(container, other, begin) for other, begin in begins.items())
    container.let_go_of_packs()
    return freed


def _cut(container: ObjectStore, pack_id: int, begin: int) -> int:
    """Cut a pack where the first copy began, or behind what rows name beyond; returns the bytes freed."""
    packs, summary = container.layout.opened.packs, container.index.packs().get(pack_id)
    end = begin if summary is None else max(begin, summary.end)
    descriptor = packs.open_linked(str(pack_id), os.O_RDWR)
    try:
        status = os.fstat(descriptor)
        if status.st_size <= end or status.st_nlink > 1:
            return 0
        os.ftruncate(descriptor, end)
    finally:
        os.close(descriptor)
    if not end:
        packs.unlink(str(pack_id))
        packs.sync()
    return status.st_size - end
