"""What reading asks of the bucket: neighbours come along, large objects arrive ahead, and all of it is checked."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from ricordi.errors import CorruptStorage, MissingObject
from ricordi.repository.bucket.bucket import BucketRepository
from ricordi.repository.bucket.index import Placement
from ricordi.repository.bucket.passing_digest import PassingDigest
from ricordi.repository.bucket.publishing import pack_name
from ricordi.repository.bucket.range_stream import RangeStream

SIZE = 1000
CONTENT = random.Random(1).randbytes(100_000)
AT_ONCE = 8000


@pytest.fixture
def contents() -> list[bytes]:
    return [random.Random(number).randbytes(SIZE) for number in range(40)]


@pytest.fixture
def reader(bucket: BucketRepository, opened: Callable[..., Any], contents: list[bytes]) -> BucketRepository:
    """Another host, to which objects are near that lie up to 3,000 bytes away; `contents` are in one pack."""
    bucket.put_objects_into_pack(contents)
    opened_there: BucketRepository = opened(near_bytes=3000, ahead_bytes=12_000, ahead_seconds=600.0)
    return opened_there


def keys_of(contents: list[bytes]) -> list[str]:
    return [hashlib.sha256(content).hexdigest() for content in contents]


def test_who_reads_one_after_the_other_is_given_neighbours_along(
    reader: BucketRepository, contents: list[bytes]
) -> None:
    assert [reader.get_object_content(key) for key in keys_of(contents)] == contents
    # one alone, then 3, 6, 12, 12 and the rest
    assert (reader.store.traffic.gets, reader.store.traffic.received) == (6, 40 * SIZE)


def test_who_reads_here_and_there_is_given_no_more_than_asked_for(
    reader: BucketRepository, contents: list[bytes]
) -> None:
    far = contents[::8]
    assert [reader.get_object_content(key) for key in keys_of(far)] == far
    assert (reader.store.traffic.gets, reader.store.traffic.received) == (5, 5 * SIZE)


def test_what_came_along_is_no_longer_given_once_it_is_deleted(reader: BucketRepository, contents: list[bytes]) -> None:
    keys = keys_of(contents)
    assert [reader.get_object_content(key) for key in keys[:2]] == contents[:2]
    reader.delete_objects([keys[2]])
    with pytest.raises(MissingObject):
        reader.get_object_content(keys[2])


def test_what_came_along_long_ago_is_looked_up_again(
    bucket: BucketRepository, opened: Callable[..., Any], contents: list[bytes]
) -> None:
    keys = bucket.put_objects_into_pack(contents)
    reader = opened(near_bytes=3000, ahead_bytes=12_000, ahead_seconds=0.0)
    assert [reader.get_object_content(key) for key in keys[:2]] == contents[:2]
    bucket.delete_objects([keys[2]])
    with pytest.raises(MissingObject):
        reader.get_object_content(keys[2])


def test_a_pack_that_is_given_up_between_the_look_at_an_object_and_that_at_its_neighbours_is_no_error(
    reader: BucketRepository, bucket: BucketRepository, maintain: Callable[..., Any], contents: list[bytes]
) -> None:
    keys, behind = keys_of(contents), reader.index.behind
    asked: list[int] = []

    def behind_when_all_was_moved(place: Placement, length: int) -> list[Placement]:
        if not asked:
            maintain(bucket, full=True, repack='all')
        asked.append(length)
        return behind(place, length)

    reader.index.behind = behind_when_all_was_moved  # type: ignore[method-assign]
    assert [reader.get_object_content(key) for key in keys] == contents
    assert asked


def test_a_damaged_neighbour_keeps_nobody_from_the_others(
    bucket: BucketRepository, reader: BucketRepository, contents: list[bytes]
) -> None:
    keys = keys_of(contents)
    place = bucket.index.find(keys[2])
    assert place is not None
    assert place.pack is not None
    data = bytearray(bucket.store.get(pack_name(place.pack)))
    data[place.start] ^= 1
    bucket.store.put(pack_name(place.pack), data)
    assert [reader.get_object_content(key) for key in keys[:2]] == contents[:2]
    with pytest.raises(CorruptStorage, match=keys[2]):
        reader.get_object_content(keys[2])
    assert [reader.get_object_content(key) for key in keys[3:]] == contents[3:]


class Fetches:
    """What is fetched of an object, noted."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.place = Placement(hashlib.sha256(CONTENT).digest(), None, 0, len(CONTENT), len(CONTENT), False)
        self.asked: list[tuple[int, int]] = []

    def fetch(self, place: Placement, start: int, length: int) -> tuple[bytes, Placement]:
        self.asked.append((start, length))
        return self.content[start : start + length], place

    def stream(self) -> RangeStream:
        digest = PassingDigest(self.place, lambda: CorruptStorage('damaged'))
        return RangeStream(self.place, self.fetch, AT_ONCE, 2, digest)


def test_a_stream_begins_with_little_and_fetches_each_byte_once() -> None:
    fetches = Fetches()
    with closing(fetches.stream()) as stream:
        assert stream.read(10) == CONTENT[:10]
        assert (0, AT_ONCE // 4) in fetches.asked
        assert len(fetches.asked) <= 2
        assert stream.readall() == CONTENT[10:]
        assert stream.read(1) == stream.readall() == b''
    assert sum(length for _, length in fetches.asked) == len(CONTENT)
    assert max(length for _, length in fetches.asked) == AT_ONCE


def test_a_jump_in_a_stream_fetches_little() -> None:
    fetches = Fetches()
    with closing(fetches.stream()) as stream:
        stream.seek(50_000)
        assert stream.read(100) == CONTENT[50_000:50_100]
        assert fetches.asked == [(50_000, AT_ONCE // 8)]


def test_the_end_of_a_stream_that_is_not_what_its_key_says_is_never_handed_out() -> None:
    damaged = bytearray(CONTENT)
    damaged[5] ^= 1
    with closing(Fetches(bytes(damaged)).stream()) as stream:
        passed = 0
        with pytest.raises(CorruptStorage):  # noqa: PT012 - as far as it goes
            while piece := stream.read(3000):
                passed += len(piece)
        assert len(CONTENT) - AT_ONCE <= passed < len(CONTENT)
        with pytest.raises(CorruptStorage):
            stream.read(1)
        stream.seek(0)
        with pytest.raises(CorruptStorage):
            stream.readall()


def test_an_error_of_what_is_fetched_ahead_comes_when_it_is_its_turn() -> None:
    class Failing(Fetches):
        def fetch(self, place: Placement, start: int, length: int) -> tuple[bytes, Placement]:
            if start >= 40_000:
                raise CorruptStorage('cut')
            return super().fetch(place, start, length)

    with closing(Failing().stream()) as stream:
        head = b''
        with pytest.raises(CorruptStorage, match='cut'):  # noqa: PT012 - as far as it goes
            while piece := stream.read(3000):
                head += piece
        assert head == CONTENT[: len(head)]
        assert len(head) >= 40_000 - AT_ONCE
