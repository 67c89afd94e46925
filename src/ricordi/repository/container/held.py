"""Objects out of a container as they lie in it, on their way elsewhere."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO, cast

from ricordi.backend.objects import HeldObject, OneOfRepository, StoredForm, ZlibPieces
from ricordi.errors import CorruptStorage
from ricordi.repository.container.compression import decompress
from ricordi.repository.container.index import PackedObject
from ricordi.repository.container.loose import chunks_of
from ricordi.repository.container.pack_windows import content_of
from ricordi.repository.container.streams import PackSlice
from ricordi.repository.container.zlib_pieces import CheckedZlibPieces
from ricordi.repository.limits import Limits

if TYPE_CHECKING:
    from ricordi.repository.container.container import Container


def objects_as_they_lie(container: Container, keys: Iterable[str]) -> Iterator[HeldObject]:
    """Objects of a container on their way elsewhere: loose ones first, then pack by pack from front to back."""
    with closing(container.new_index()) as index:
        for key, row in index.by_place(keys):
            if row is not None and row.is_possible:
                yield PackedOnItsWay(container, row)
            else:  # loose, or nobody knows where
                yield OneOfRepository(container, key)


class PackedOnItsWay(HeldObject):
    """An object in a pack, taken over in the form that it has there."""

    def __init__(self, container: Container, row: PackedObject) -> None:
        self.container = container
        self.row = row

    def follows(self, other: PackedOnItsWay) -> bool:
        """Whether it lies right behind another one."""
        ours, before = self.row, other.row
        return (
            ours.offset == before.offset + before.length
            and ours.pack_id == before.pack_id
            and self.container is other.container
        )

    @property
    def key(self) -> str:
        return self.row.key

    @property
    def size(self) -> int:
        return self.row.size

    def stored(self, largest: int) -> StoredForm | None:
        row = self.row
        if max(row.size, row.length) > largest:
            return None
        try:
            data = self.container.read_stored(row)
            content = decompress(data) if row.compressed else data
        except (FileNotFoundError, CorruptStorage, zlib.error):
            content = None
        if content is not None and hashlib.sha256(content).hexdigest() == row.key:
            return StoredForm(data, len(content), bool(row.compressed))
        # repacked meanwhile, or damaged: the container looks for a sound copy, and tells if there is none
        content = self.container.get_object_content(row.key)
        return StoredForm(content, len(content))

    def open(self) -> BinaryIO:
        return self.container.open(self.row.key)

    def pieces(self) -> ZlibPieces | None:
        row, container = self.row, self.container
        if not row.compressed:
            return None
        try:
            part = PackSlice(container.layout.pack_path(row.pack_id), row.offset, row.length)
        except (OSError, CorruptStorage):
            return None  # repacked meanwhile, or cut: the way by `open` finds out
        return CheckedZlibPieces(chunks_of(cast(BinaryIO, part)), container.limits.window_bytes)


def forms_read_together(batch: Iterable[object], limits: Limits) -> dict[str, StoredForm]:
    """By key those objects of a batch that follow one another in a pack, read at once, as far as they are sound."""
    packed = (one for one in batch if isinstance(one, PackedOnItsWay))
    return {
        key: form
        for neighbours in _neighbours(packed, limits)
        if len(neighbours) > 1
        for key, form in _sound_forms(neighbours)
    }


def _neighbours(objects: Iterable[PackedOnItsWay], limits: Limits) -> Iterator[list[PackedOnItsWay]]:
    """Small objects that follow one another in a pack without a gap, in groups that are read at once."""
    group: list[PackedOnItsWay] = []
    length = 0
    for one in objects:
        row = one.row
        if row.size > limits.large_bytes or row.length > limits.large_bytes:
            continue
        if group and (not one.follows(group[-1]) or length + row.length > limits.window_bytes):
            yield group
            group, length = [], 0
        group.append(one)
        length += row.length
    if group:
        yield group


def _sound_forms(neighbours: list[PackedOnItsWay]) -> Iterator[tuple[str, StoredForm]]:
    """Those whose bytes give their key; of the others it is found out one by one what is wrong."""
    first = neighbours[0]
    end = neighbours[-1].row.offset + neighbours[-1].row.length
    try:
        stored = memoryview(first.container.read_stored(first.row._replace(length=end - first.row.offset)))
    except (OSError, CorruptStorage):
        return
    for one in neighbours:
        begin = one.row.offset - first.row.offset
        data = stored[begin : begin + one.row.length]
        try:
            size = len(content_of(one.row, data))
        except zlib.error:
            continue
        yield one.key, StoredForm(data, size, bool(one.row.compressed))
