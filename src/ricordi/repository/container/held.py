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
from ricordi.repository.container.pack_windows import are_plain_and_sound, content_of, is_large
from ricordi.repository.container.streams import PackSlice
from ricordi.repository.container.zlib_pieces import CheckedZlibPieces
from ricordi.repository.limits import Limits

if TYPE_CHECKING:
    from ricordi.repository.container.container import Container


class Neighbours(NamedTuple):
    """Small objects of a container that lie one right behind the other in a pack, not read yet."""

    container: Container
    rows: list[PackedObject]


class ObjectsAsTheyLie:
    """Objects of a container on their way elsewhere: loose ones first, then pack by pack from front to back."""

    def __init__(self, container: Container, keys: Iterable[str]) -> None:
        """
        :param keys: distinct, ascending; asked once.
        """
        self._container = container
        self._keys = keys

    def __iter__(self) -> Iterator[HeldObject]:
        for rows in self._rows():
            yield from (self._one(key, row) for key, row in rows)

    def batches(self, limits: Limits) -> Iterator[Neighbours | HeldObject]:
        """The same objects in the same order, those together that can be read at once: for very many of them."""
        together: list[PackedObject] = []
        start, end, place = 0, -1, -1
        for rows in self._rows():
            for key, row in rows:
                is_one = row is None or is_large(row, limits)
                follows = row is not None and row.offset == end and row.pack_id == place
                is_full = len(together) >= limits.put_objects or end - start > limits.flush_bytes
                if together and (is_one or not follows or is_full):
                    yield Neighbours(self._container, together)
                    together = []
                if row is None or is_one:
                    yield self._one(key, row)
                    continue
                if not together:
                    start, place = row.offset, row.pack_id
                together.append(row)
                end = row.offset + row.length
        if together:
            yield Neighbours(self._container, together)

    def _rows(self) -> Iterator[list[tuple[str, PackedObject | None]]]:
        with closing(self._container.new_index()) as index:
            yield from index.blocks_by_place(self._keys)

    def _one(self, key: str, row: PackedObject | None) -> HeldObject:
        if row is None:  # loose, or nobody knows where
            return OneOfRepository(self._container, key)
        return PackedOnItsWay(self._container, row)


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
    :param rows: which of them is where; the number of the pack says nothing.
    :param size: bytes of content of all.
    :param start: the offset at which `data` begins.
    """

    data: bytes | memoryview
    rows: list[PackedObject]
    size: int
    start: int


def stretches_of(batch: Iterable[KnownObject], limits: Limits) -> Iterator[Stretch | KnownObject]:
    """A batch in its order: objects that follow one another in a pack, read at once, and all others as they are.

    A damaged one comes as it is: who reads it alone is told what is wrong.
    """
    for group in _neighbours(batch, limits):
        if len(group) == 1 or not isinstance(group[0], PackedOnItsWay):
            yield from group
        else:
            packed = cast(list[PackedOnItsWay], group)
            yield from read_together(Neighbours(packed[0].container, [one.row for one in packed]))


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


def read_together(neighbours: Neighbours) -> Iterator[Stretch | HeldObject]:
    """Read neighbours at once, and compare each with its key; one that is not what its key says comes as it is."""
    container, rows = neighbours
    start, end = rows[0].offset, rows[-1].offset + rows[-1].length
    try:
        stored = container.read_stored(rows[0]._replace(length=end - start))
    except (OSError, CorruptStorage):
        yield from (PackedOnItsWay(container, row) for row in rows)
        return
    if are_plain_and_sound(rows, memoryview(stored), start):
        yield Stretch(stored, rows, end - start, start)
    else:
        yield from _sound_stretches(container, rows, memoryview(stored), start)


def _sound_stretches(
    container: Container, neighbours: list[PackedObject], stored: memoryview, start: int
) -> Iterator[Stretch | HeldObject]:
    rows: list[PackedObject] = []
    begin = total = 0
    for row in neighbours:
        place = row.offset - start
        try:
            size = len(content_of(row, stored[place : place + row.length]))
        except zlib.error:
            if rows:
                yield Stretch(stored[begin:place], rows, total, start + begin)
            yield PackedOnItsWay(container, row)
            rows, begin, total = [], place + row.length, 0
        else:
            rows.append(row if size == row.size else row._replace(size=size))
            total += size
    if rows:
        yield Stretch(stored[begin:], rows, total, start + begin)
