"""What the objects of a container take on disk, told by the index and the sizes of loose files; content is not read."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from ricordi.backend.usage import ObjectSize
from ricordi.model.file_trees import is_key
from ricordi.repository.container.index import COLUMNS, PackedObject
from ricordi.repository.container.objects import ObjectStore


def object_sizes(container: ObjectStore) -> Iterator[ObjectSize]:
    """All objects, ascending by key, in constant memory; what the index says that cannot be is passed over."""
    prefix_length = container.config.loose_prefix_len
    for first in '0123456789abcdef':
        # loose first: what a packer moves in between is found in the index then, not in neither
        loose = [ObjectSize(key, size, size) for key, size in container.layout.loose_objects(prefix_length, first)]
        packed = _packed(container, first)
        yield from joined(heapq.merge(loose, packed)) if loose else packed


def sizes_of(container: ObjectStore, keys: Iterable[str]) -> Iterator[ObjectSize]:
    """Those of some objects, as far as they are there, in no particular order."""
    wanted = {key for key in keys if is_key(key)}
    loose = {}
    for key in wanted:
        with suppress(FileNotFoundError):
            loose[key] = Path(container.loose_path(key)).stat().st_size
    for row in container.index.find_many(wanted):
        if row.is_possible:
            yield ObjectSize(row.key, row.length + loose.pop(row.key, 0), row.size)
    for key, size in loose.items():
        yield ObjectSize(key, size, size)


def joined(sizes: Iterable[ObjectSize]) -> Iterator[ObjectSize]:
    """Of sizes that ascend by key: those of one object as one."""
    before: ObjectSize | None = None
    for size in sizes:
        if before is not None and size.key == before.key:
            before = before._replace(stored=before.stored + size.stored)
            continue
        if before is not None:
            yield before
        before = size
    if before is not None:
        yield before


def _packed(container: ObjectStore, first: str) -> Iterator[ObjectSize]:
    source, end = 'db_object WHERE hashkey < ?', chr(ord(first) + 1)
    rows = map(PackedObject._make, container.index.ascending(COLUMNS, source, (end,), key='hashkey', after=first))
    return (ObjectSize(row.key, row.length, row.size) for row in rows if row.is_possible)
