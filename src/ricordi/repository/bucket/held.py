"""Objects out of a bucket as they lie in it, on their way elsewhere, many fetched at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from ricordi.backend.objects import HeldObject, OneOfRepository, StoredForm
from ricordi.repository.bucket.index import Placement, hashes_of

if TYPE_CHECKING:
    from ricordi.repository.bucket.packed_repository import PackedRepository


def objects_in_bucket(bucket: PackedRepository, keys: Iterable[str]) -> Iterator[HeldObject]:
    """Objects of a bucket on their way elsewhere, pack by pack; a window of each is held in memory, and no more."""
    wanted = iter(keys)
    while some := list(islice(wanted, bucket.limits.rows)):
        places = bucket.index.find_many(hashes_of(some))
        there = {place.key for place in places}
        yield from (OneOfRepository(bucket, key) for key in some if key not in there)
        large = [place for place in places if max(place.size, place.stored) > bucket.limits.large_bytes]
        yield from (OneOfRepository(bucket, place.key) for place in large)
        apart = {*large}
        for one in bucket.reader.contents([place for place in places if place not in apart]):
            yield FetchedObject(bucket, one.place, one.content)


class FetchedObject(HeldObject):
    """An object that was read, or could not be read where it was."""

    def __init__(self, bucket: PackedRepository, place: Placement, content: bytes | Exception) -> None:
        self._bucket = bucket
        self._place = place
        self._content = content

    @property
    def key(self) -> str:
        return self._place.key

    @property
    def size(self) -> int:
        return self._place.size

    def stored(self, largest: int) -> StoredForm | None:
        if self._place.size > largest:
            return None
        content = self._content
        if not isinstance(content, bytes):  # moved meanwhile, or read badly; or it is damaged, which is told then
            content = self._bucket.get_object_content(self.key)
        return StoredForm(content, len(content))

    def open(self) -> BinaryIO:
        return self._bucket.open(self.key)
