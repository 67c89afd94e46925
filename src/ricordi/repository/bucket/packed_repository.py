"""What all stores of objects in packs of a bucket do alike, whoever keeps the index of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import BinaryIO

from ricordi.backend.objects import HeldObject
from ricordi.backend.repository import KnownObject, RepositoryBackend
from ricordi.backend.usage import ObjectSize
from ricordi.repository.bucket.contract import ObjectIndex
from ricordi.repository.bucket.index import hashes_of
from ricordi.repository.bucket.limits import BucketLimits
from ricordi.repository.bucket.putting import Putter
from ricordi.repository.bucket.reading import BucketReader


class PackedRepository(RepositoryBackend):
    """Puts and reads objects by their index."""

    limits: BucketLimits
    index: ObjectIndex
    """What lies where."""

    @property
    @abstractmethod
    def reader(self) -> BucketReader:
        """What reads objects."""

    @property
    @abstractmethod
    def _putter(self) -> Putter:
        """What puts objects."""

    def put_object_from_filelike(self, handle: BinaryIO) -> str:
        return self._putter.put_stream(handle)

    def put_object_from_bytes(self, content: bytes) -> str:
        return self._putter.put_bytes(content)

    def put_objects(self, contents: Iterable[bytes | BinaryIO]) -> list[str]:
        return self._putter.put_many(contents)

    def put_known_objects(
        self,
        objects: Callable[[], Iterable[KnownObject]],
        told: Callable[[int], None],
        unusable: Callable[[str, str], None] | None = None,
    ) -> None:
        self._putter.put_known(objects(), told, unusable)

    def open(self, key: str) -> BinaryIO:
        return self.reader.open(key)

    def get_object_content(self, key: str) -> bytes:
        return self.reader.content(key)

    def get_object_size(self, key: str) -> int:
        return self.reader.placement(key).size

    def get_object_hash(self, key: str) -> str:
        return self.reader.hash_of(key)

    def iter_object_streams(self, keys: Iterable[str]) -> Iterator[tuple[str, BinaryIO]]:
        return self.reader.streams(keys)

    def known_objects(self, keys: Iterable[str]) -> Iterator[HeldObject]:
        from ricordi.repository.bucket.held import objects_in_bucket

        return objects_in_bucket(self, keys)

    def sizes_of(self, keys: Iterable[str]) -> Iterator[ObjectSize]:
        wanted = iter(keys)
        while some := list(islice(wanted, self.limits.rows)):
            places = sorted(self.index.find_many(hashes_of(some)))
            yield from (ObjectSize(place.key, place.stored, place.size) for place in places)

    def content_bytes(self, keys: Iterable[str]) -> int:
        return sum(one.content for one in self.sizes_of(keys))
