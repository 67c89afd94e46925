"""Copies of objects where they lie, read and compared with their keys; nothing is asked of the index or the cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO, cast

from ricordi.errors import CorruptStorage, NotExistent
from ricordi.repository.bucket.index import Placement
from ricordi.repository.bucket.publishing import pack_name
from ricordi.repository.bucket.range_stream import Piece, RangeStream
from ricordi.repository.bucket.reading import InflatedPlacement, content_in, damaged
from ricordi.repository.container.streams import checked

if TYPE_CHECKING:
    from ricordi.repository.bucket.bucket import BucketRepository

CHUNK_BYTES = 1 << 20


def open_copy(bucket: BucketRepository, place: Placement) -> BinaryIO:
    """A stream over what lies in a place, which ends in an error where it is not what the key says."""

    def fetch(place: Placement, start: int, length: int) -> tuple[Piece, Placement]:
        assert place.pack is not None
        return bucket.store.get_range(pack_name(place.pack), place.start + start, length), place

    raw = RangeStream(place, fetch, bucket.limits.read_bytes, bucket.limits.pieces_ahead)
    source = InflatedPlacement(cast(BinaryIO, raw), place) if place.compressed else raw
    return checked(source, place.key, place.size, lambda reason: damaged(place, reason))


def content_of(bucket: BucketRepository, place: Placement) -> bytes:
    """The content of a small object that lies in a place.

    :raises ricordi.errors.CorruptStorage: it is not what the key says.
    """
    if place.inline is not None:
        return content_in(place, place.inline)
    assert place.pack is not None
    return content_in(place, bucket.store.get_range(pack_name(place.pack), place.start, place.stored))


def faults_of(bucket: BucketRepository, places: Sequence[Placement]) -> Iterator[tuple[Placement, str]]:
    """Of each place what is wrong with what lies there, or an empty text. What seems wrong is read once more."""
    large = [place for place in places if place.is_above(bucket.limits.large_bytes)]
    small = [place for place in places if not place.is_above(bucket.limits.large_bytes)]
    for one in bucket.reader.contents(small, keep=False):
        yield one.place, fault_of(bucket, one.place) if isinstance(one.content, Exception) else ''
    for place in large:
        yield place, fault_of(bucket, place)


def fault_of(bucket: BucketRepository, place: Placement) -> str:
    """What is wrong with what lies in a place; empty: nothing."""
    try:
        if not place.is_above(bucket.limits.large_bytes):
            content_of(bucket, place)
        else:
            with closing(open_copy(bucket, place)) as handle:
                while handle.read(CHUNK_BYTES):
                    pass
    except (CorruptStorage, NotExistent) as error:
        return str(error).partition('; ')[0]
    return ''
