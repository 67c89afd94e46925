"""How objects are read: from the cache, from the database, else from packs; whatever comes is compared with its key."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import groupby, islice
from typing import Any, BinaryIO, NamedTuple, cast

from ricordi.errors import CorruptStorage, LostObject
from ricordi.repository.bucket.cache import ReadCache
from ricordi.repository.bucket.contract import ObjectIndex
from ricordi.repository.bucket.index import Placement, hashes_of, no_such_object
from ricordi.repository.bucket.limits import BucketLimits
from ricordi.repository.bucket.objects import PackStore
from ricordi.repository.bucket.passing_digest import PassingDigest
from ricordi.repository.bucket.publishing import pack_name
from ricordi.repository.bucket.range_stream import RangeStream
from ricordi.repository.bucket.read_ahead import ReadAhead
from ricordi.repository.container.compression import InflatedStream, decompress
from ricordi.repository.container.streams import BUFFER_BYTES, OTHER_BYTES, checked
from ricordi.repository.parallel import in_order

LOOKS = 5
"""So often the index is asked for the place of an object that was moved while it was read."""


class ReadObject(NamedTuple):
    """A small object that was read.

    :param content: as its key says, or what is wrong.
    :param stored: as it lies there.
    """

    place: Placement
    content: bytes | Exception
    stored: bytes | memoryview = b''


def content_in(place: Placement, stored: bytes | memoryview) -> bytes:
    """The content of an object of which the stored form was read.

    :raises ricordi.errors.CorruptStorage: it is not what its key says.
    """
    try:
        content = decompress(stored) if place.compressed else bytes(stored)
    except zlib.error as error:
        raise damaged(place, f'its zlib stream is damaged: {error}') from None
    if hashlib.sha256(content).digest() != place.hash:
        raise damaged(place, OTHER_BYTES)
    return content


def damaged(place: Placement, reason: str) -> CorruptStorage:
    """The error for an object that is not what its key says."""
    where = f'pack {place.pack} at byte {place.start}' if place.pack else 'the index'
    return CorruptStorage(f'object {place.key} in {where} is damaged: {reason}; restore it from a backup')


class InflatedPlacement(InflatedStream):
    """The content of a large compressed object; where its stream is damaged, the error says of which."""

    def __init__(self, source: BinaryIO, place: Placement) -> None:
        super().__init__(source, place.size)
        self._place = place

    def readinto(self, buffer: Any) -> int:
        try:
            return super().readinto(buffer)
        except LostObject:
            raise
        except CorruptStorage as error:
            raise damaged(self._place, str(error)) from None


class BucketReader:
    """Reads objects of one store."""

    def __init__(
        self, index: ObjectIndex, store: PackStore, cache: ReadCache, ahead: ReadAhead, limits: BucketLimits
    ) -> None:
        self._index = index
        self._store = store
        self._cache = cache
        self._ahead = ahead
        self._limits = limits

    # -- one --------------------------------------------------------------------------------------------------

    def content(self, key: str) -> bytes:
        """The whole content of an object; errors as of `RepositoryBackend.get_object_content`."""
        if (kept := self._kept(key)) is not None:
            return kept
        return self._beside(self.placement(key))

    def open(self, key: str) -> BinaryIO:
        """A stream over an object, as of `RepositoryBackend.open`."""
        if (kept := self._kept(key)) is not None:
            return io.BytesIO(kept)
        place = self.placement(key)
        return self.open_at(place) if self._is_large(place) else io.BytesIO(self._beside(place))

    def _kept(self, key: str) -> bytes | None:
        """What is at hand of an object that was read before, or along with another."""
        for hash in hashes_of([key]):
            content = self._ahead.get(hash)
            return self._cache.get(hash) if content is None else content
        return None

    def _is_large(self, place: Placement) -> bool:
        return place.inline is None and max(place.size, place.stored) > self._limits.large_bytes

    def _beside(self, place: Placement) -> bytes:
        """Content of an object that was just looked up; what lies behind it is read along where that is worth it."""
        length = self._ahead.length_at(place)
        if length and (near := self._index.behind(place, length)):  # nothing is there where all was moved meanwhile
            read = [(one.place, one.content) for one in self._read_window(near) if isinstance(one.content, bytes)]
            assert place.pack is not None
            self._ahead.keep(place.pack, read)
            self._keep((one.hash, content) for one, content in read)
            if (content := self._ahead.get(place.hash)) is not None:
                return content
        return self._content_at(place)

    def open_at(self, place: Placement) -> BinaryIO:
        """A stream over an object that was just looked up."""
        if not self._is_large(place):
            return io.BytesIO(self._content_at(place))
        limits = self._limits
        if place.compressed:
            raw = RangeStream(place, self._fetch, limits.read_bytes, limits.pieces_ahead)
            source = InflatedPlacement(cast(BinaryIO, raw), place)
            return checked(source, place.key, place.size, lambda reason: damaged(place, reason))
        digest = PassingDigest(place, lambda: damaged(place, OTHER_BYTES))
        plain = RangeStream(place, self._fetch, limits.read_bytes, limits.pieces_ahead, digest)
        return cast(BinaryIO, io.BufferedReader(plain, BUFFER_BYTES))

    def hash_of(self, key: str) -> str:
        """SHA-256 of an object as it is in the bucket now, whatever is kept of it here: it is `key`."""
        place = self.placement(key)
        if not self._is_large(place):
            return hashlib.sha256(self._from_store(place)).hexdigest()
        return self.hash_at(place)

    def hash_at(self, place: Placement) -> str:
        """SHA-256 of a large object, streamed; what is damaged is read once more, for the way may be what is bad.

        :raises ricordi.errors.CorruptStorage: it is not what its key says.
        """
        try:
            return self._once_hashed(place)
        except LostObject:
            raise
        except CorruptStorage:
            return self._once_hashed(place)

    def _once_hashed(self, place: Placement) -> str:
        digest = hashlib.sha256()
        with self.open_at(place) as handle:
            while piece := handle.read(1 << 20):
                digest.update(piece)
        return digest.hexdigest()

    def placement(self, key: str) -> Placement:
        """Where an object is.

        :raises ricordi.errors.MissingObject: it is not there.
        """
        place = self._index.find(key)
        if place is None:
            raise no_such_object(key, self._store.place)
        return place

    def _content_at(self, place: Placement) -> bytes:
        content = self._from_store(place)
        if place.inline is None:
            self._keep([(place.hash, content)])
        return content

    def _from_store(self, place: Placement) -> bytes:
        """Content from where it is; what is damaged is read once more, for the way may be what is bad."""
        try:
            return self._once_from_store(place)
        except LostObject:
            raise
        except CorruptStorage:
            return self._once_from_store(self.placement(place.key))

    def _once_from_store(self, place: Placement) -> bytes:
        if place.inline is not None:
            return content_in(place, place.inline)
        stored, place = self._fetch(place, 0, place.stored)
        return content_in(place, stored)

    def _fetch(self, place: Placement, start: int, length: int) -> tuple[bytes | memoryview, Placement]:
        """Bytes of the stored form of an object, wherever it is by now, and where that is."""
        for left in reversed(range(LOOKS)):
            try:
                if place.inline is not None:
                    return place.inline[start : start + length], place
                assert place.pack is not None
                return self._store.get_range(pack_name(place.pack), place.start + start, length), place
            except LostObject:
                before, place = place, self.placement(place.key)
                if not left or place[:3] == before[:3]:
                    raise
        raise AssertionError('the last look returns or raises')

    def _keep(self, contents: Iterable[tuple[bytes, bytes]]) -> None:
        self._cache.keep([(hash, content) for hash, content in contents if len(content) <= self._limits.cached_bytes])

    # -- many -------------------------------------------------------------------------------------------------

    def streams(self, keys: Iterable[str]) -> Iterator[tuple[str, BinaryIO]]:
        """Streams over many objects, in the order that is cheapest; see `RepositoryBackend.iter_object_streams`."""
        wanted = iter(keys)
        while some := list(islice(wanted, self._limits.rows)):
            hashes = hashes_of(some)
            kept = self._cache.get_many(hashes)
            for hash, content in kept.items():
                yield hash.hex(), io.BytesIO(content)
            lacking = [hash for hash in dict.fromkeys(hashes) if hash not in kept]
            places = self._index.find_many(lacking)
            self._check_found(some, len(lacking) == len(places), kept, places)
            yield from self.streams_at(places)

    def _check_found(self, keys: list[str], all_found: bool, kept: dict[bytes, bytes], places: list[Placement]) -> None:
        there = {hash.hex() for hash in kept} | {place.key for place in places}
        if not all_found or len(there) < len({*keys}):
            raise no_such_object(next(key for key in keys if key not in there), self._store.place)

    def streams_at(self, places: Sequence[Placement]) -> Iterator[tuple[str, BinaryIO]]:
        """Streams over objects that were just looked up: those in the database first, then pack by pack."""
        large = [place for place in places if max(place.size, place.stored) > self._limits.large_bytes]
        small = [place for place in places if max(place.size, place.stored) <= self._limits.large_bytes]
        for place, content, _ in self.contents(small):
            if isinstance(content, Exception):
                content = self._content_at(self.placement(place.key))  # moved meanwhile, or read badly
            yield place.key, io.BytesIO(content)
        for place in large:
            with self.open_at(place) as handle:
                yield place.key, handle

    def contents(self, places: Sequence[Placement], keep: bool = True) -> Iterator[ReadObject]:
        """Contents of small objects, some windows read ahead, or the error at its place.

        :param keep: whether they go into the cache.
        """
        yield from (_read(place, place.inline) for place in places if place.inline is not None)
        packed = sorted((place for place in places if place.pack), key=lambda place: (place.pack, place.start))
        windows = in_order(
            self._read_window, self._windows(packed), self._limits.windows_ahead, self._limits.windows_ahead
        )
        with closing(windows):
            for window in windows:
                if keep:
                    self._keep((one.place.hash, one.content) for one in window if isinstance(one.content, bytes))
                yield from window

    def _windows(self, places: list[Placement]) -> Iterator[list[Placement]]:
        """Objects of one pack that are fetched together."""
        for _, group in groupby(places, key=lambda place: place.pack):
            window: list[Placement] = []
            length = 0
            for place in group:
                if window and length + place.stored > self._limits.window_bytes:
                    yield window
                    window, length = [], 0
                window.append(place)
                length += place.stored
            yield window

    def _read_window(self, window: list[Placement]) -> list[ReadObject]:
        pack = window[0].pack
        assert pack is not None
        try:
            pieces = self._store.get_ranges(pack_name(pack), [(place.start, place.stored) for place in window])
        except CorruptStorage as error:  # gone, or cut: whose bytes are there is found one by one
            return [ReadObject(place, error) for place in window]
        return [_read(place, piece) for place, piece in zip(window, pieces, strict=True)]


def _read(place: Placement, stored: bytes | memoryview | None) -> ReadObject:
    try:
        return ReadObject(place, content_in(place, stored or b''), stored or b'')
    except CorruptStorage as error:
        return ReadObject(place, error)
