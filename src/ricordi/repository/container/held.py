"""Objects out of a container as they lie in it, on their way elsewhere."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from ricordi.backend.objects import HeldObject, OneOfRepository, StoredForm, ZlibPieces
from ricordi.backend.repository import KnownObject
from ricordi.errors import CorruptStorage
from ricordi.repository.container.compression import decompress
from ricordi.repository.container.index import PackedObject
from ricordi.repository.container.loose import chunks_of
from ricordi.repository.container.pack_windows import content_of, is_large
from ricordi.repository.container.streams import PackSlice
from ricordi.repository.container.zlib_pieces import CheckedZlibPieces
from ricordi.repository.limits import Limits

if TYPE_CHECKING:
    from ricordi.repository.container.container import Container


def objects_as_they_lie(container: Container, keys: Iterable[str]) -> Iterator[HeldObject]:
    """Objects of a container on their way elsewhere: loose ones first, then pack by pack from front to back."""
    with closing(container.new_index()) as index:
        for key, row in index.by_place(keys):
            if row is not None:
                yield PackedOnItsWay(container, row)
            else:  # loose, or nobody knows where
                yield OneOfRepository(container, key)


class PackedOnItsWay(HeldObject):
    """An object in a pack, taken over in the form that it has there."""

    __slots__ = ('container', 'row')

    def __init__(self, container: Container, row: PackedObject) -> None:
        self.container = container
        self.row = row

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


class Stretch(NamedTuple):
    """Small objects that lie one right behind the other in a pack, each compared with its key.

    :param data: their bytes, as they lie.
    :param rows: which of them is where in `data`; the number of the pack says nothing.
    :param size: bytes of content of all.
    """

    data: bytes | memoryview
    rows: list[PackedObject]
    size: int


def stretches_of(batch: Iterable[KnownObject], limits: Limits) -> Iterator[Stretch | KnownObject]:
    """A batch in its order: objects that follow one another in a pack, read at once, and all others as they are.

    A damaged one comes as it is: who reads it alone is told what is wrong.
    """
    for group in _neighbours(batch, limits):
        if len(group) == 1 or not isinstance(group[0], PackedOnItsWay):
            yield from group
        else:
            yield from _read_together(cast(list[PackedOnItsWay], group))


def _neighbours(objects: Iterable[KnownObject], limits: Limits) -> Iterator[list[KnownObject]]:
    """Objects in groups: small ones that follow one another in a pack without a gap, and each other one alone."""
    group: list[KnownObject] = []
    start, end, place = 0, 0, None
    for one in objects:
        here = None
        if isinstance(one, PackedOnItsWay) and not is_large(one.row, limits):
            _, _, _, offset, length, pack_id = one.row
            here = (one.container, pack_id)
        if group and (here is None or here != place or offset != end or end + length - start > limits.window_bytes):
            yield group
            group = []
        if here is not None and not group:
            start = offset
        group.append(one)
        if here is not None:
            end = offset + length
        place = here
    if group:
        yield group


def _read_together(neighbours: list[PackedOnItsWay]) -> Iterator[Stretch | KnownObject]:
    """Read neighbours at once, and compare each with its key."""
    first, last = neighbours[0].row, neighbours[-1].row
    start, end = first.offset, last.offset + last.length
    try:
        stored = memoryview(neighbours[0].container.read_stored(first._replace(length=end - start)))
    except (OSError, CorruptStorage):
        yield from neighbours
        return
    rows: list[PackedObject] = []
    begin = total = 0
    for one in neighbours:
        key, compressed, _, offset, length, pack_id = row = one.row
        try:
            size = len(content_of(row, stored[offset - start : offset - start + length]))
        except zlib.error:
            if rows:
                yield Stretch(stored[begin : offset - start], rows, total)
            yield one
            rows, begin, total = [], offset - start + length, 0
        else:
            rows.append(PackedObject(key, compressed, size, offset - start - begin, length, pack_id))
            total += size
    if rows:
        yield Stretch(stored[begin:], rows, total)
