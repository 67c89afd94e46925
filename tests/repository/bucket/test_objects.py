"""Putting, reading, asking for and deleting objects of a store in a bucket."""

from __future__ import annotations

import hashlib
import io
import random
import tracemalloc
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

import pytest

from ricordi.errors import CorruptStorage, InvalidOperation, MissingObject
from ricordi.repository.bucket.bucket import BucketRepository
from ricordi.repository.bucket.uploading import upload_in_parts

NOWHERE = '0' * 64


def key_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def some_contents(number: int, seed: int = 0) -> list[bytes]:
    """Different ones of all sizes that matter: empty, inline, packed, some that shrink."""
    source = random.Random(seed)
    sizes = [0, 1, 999, 1000, 1001, 15_000, *(source.randrange(1, 3000) for _ in range(number - 6))]
    return [source.randbytes(size) if index % 2 else (b'%d ' % index * size)[:size] for index, size in enumerate(sizes)]


def test_single_objects_come_back_wherever_they_are_kept(bucket: BucketRepository) -> None:
    contents = [b'', b'small', bytes(1000), b'x' * 1001, random.Random(1).randbytes(70_000)]
    keys = [bucket.put_object_from_bytes(content) for content in contents]
    assert keys == [key_of(content) for content in contents]
    assert [bucket.get_object_content(key) for key in keys] == contents
    assert [bucket.get_object_size(key) for key in keys] == [len(content) for content in contents]
    assert bucket.get_info()['loose']['objects'] == 3
    assert bucket.get_info()['packs'] == 2


def test_many_are_put_into_few_packs_and_each_only_once(bucket: BucketRepository, opened: Callable[..., Any]) -> None:
    contents = some_contents(60)
    inline = bucket.put_object_from_bytes(contents[2])
    keys = bucket.put_objects([*contents, *(io.BytesIO(content) for content in contents)])
    assert keys == [key_of(content) for content in contents] * 2
    assert bucket.put_objects(contents) == keys[:60]
    elsewhere = opened()
    assert sorted(elsewhere.list_objects()) == list(elsewhere.list_objects()) == sorted(set(keys))
    assert {key: handle.read() for key, handle in elsewhere.iter_object_streams(keys)} == dict(
        zip(keys, contents * 2, strict=True)
    )
    info = bucket.get_info(detailed=True)
    assert info['loose']['objects'] == 1
    assert inline in keys
    assert info['packs'] == 2 == len(info['pack_list'])
    assert info['waste_bytes'] == 0


def test_objects_are_compressed_where_that_is_asked_for_and_pays(bucket: BucketRepository) -> None:
    contents = [b'shrinks ' * 1000, random.Random(3).randbytes(5000)]
    keys = bucket.put_objects_into_pack(contents, 'auto')
    sizes = {one.key: one for one in bucket.object_sizes()}
    assert sizes[keys[0]].stored < 500
    assert sizes[keys[1]].stored == 5000
    assert [sizes[key].content for key in keys] == [8000, 5000]
    assert [bucket.get_object_content(key) for key in keys] == contents
    assert list(bucket.sizes_of(keys)) == sorted(sizes.values())
    assert bucket.content_bytes(sorted(keys)) == 13_000


@pytest.mark.parametrize('compress', ['no', 'yes'])
def test_a_large_object_is_streamed_up_and_down_and_can_be_jumped_in(bucket: BucketRepository, compress: Any) -> None:
    content = random.Random(5).randbytes(30_000) * 4
    (key,) = bucket.put_objects_into_pack([io.BytesIO(content)], compress)
    assert key == key_of(content)
    with bucket.open(key) as handle:
        assert handle.read() == content
    with bucket.open(key) as handle:
        assert handle.seek(70_000) == 70_000
        assert handle.read(100) == content[70_000:70_100]
        handle.seek(-10, io.SEEK_END)
        assert handle.read() == content[-10:]
        handle.seek(0)
        assert b''.join(iter(lambda: handle.read(7001), b'')) == content
    assert bucket.get_object_hash(key) == key
    packs = bucket.get_info()['packs']
    assert bucket.put_object_from_filelike(io.BytesIO(content)) == key
    info = bucket.get_info()
    assert (info['packs'], info['packs_out_of_use']) == (packs, 0)


class Endless(io.RawIOBase):
    """A stream of so many mebibytes that nobody holds in memory."""

    def __init__(self, mebibytes: int) -> None:
        self.left = mebibytes << 20

    def read(self, size: int = -1) -> bytes:
        self.left -= (length := min(size, self.left, 1 << 20))
        return bytes(length)


def test_a_large_stream_takes_memory_that_does_not_grow_with_it(opened: Callable[..., BucketRepository]) -> None:
    bucket = opened(large_bytes=1 << 20, part_bytes=5 << 20, parts_at_once=1, read_bytes=1 << 20)
    bucket.initialise()
    tracemalloc.start()
    try:
        key = bucket.put_object_from_filelike(Endless(20))
        with bucket.open(key) as handle:
            assert sum(len(piece) for piece in iter(lambda: handle.read(1 << 20), b'')) == 20 << 20
        assert tracemalloc.get_traced_memory()[1] < 15 << 20
    finally:
        tracemalloc.stop()


def test_text_is_refused_and_nothing_is_kept(bucket: BucketRepository) -> None:
    with pytest.raises(TypeError, match='stream of bytes'):
        bucket.put_object_from_filelike(io.StringIO('text'))
    assert list(bucket.list_objects()) == []


def test_an_error_of_the_stream_that_is_put_is_raised_as_it_is(bucket: BucketRepository) -> None:
    class Breaking(io.RawIOBase):
        reads = 0

        def read(self, size: int = -1) -> bytes:
            self.reads += 1
            if self.reads > 3:
                raise ZeroDivisionError('as it is')
            return b'x' * 20_000

    with pytest.raises(ZeroDivisionError, match='as it is'):
        bucket.put_object_from_filelike(Breaking())
    assert list(bucket.list_objects()) == []


def test_what_is_not_there_is_told_by_its_key(bucket: BucketRepository) -> None:
    key = bucket.put_object_from_bytes(b'there')
    for ask in (bucket.get_object_content, bucket.open, bucket.get_object_size, bucket.get_object_hash):
        for absent in (NOWHERE, 'no key'):
            with pytest.raises(MissingObject, match=absent):
                ask(absent)
    assert bucket.has_objects([NOWHERE, key, 'no key', key]) == [False, True, False, True]
    with pytest.raises(MissingObject, match=NOWHERE):
        list(bucket.iter_object_streams([key, NOWHERE]))


def test_what_is_deleted_is_gone_for_every_host(bucket: BucketRepository, opened: Callable[..., Any]) -> None:
    cached = opened(cached=True)
    keys = bucket.put_objects(some_contents(10))
    assert cached.get_object_content(keys[5]) == bucket.get_object_content(keys[5])
    cached.delete_objects([*keys[4:], NOWHERE])
    assert bucket.has_objects(keys) == [True] * 4 + [False] * 6
    for store in (bucket, cached):
        with pytest.raises(MissingObject):
            store.get_object_content(keys[5])


def damage(bucket: BucketRepository, key: str) -> None:
    """Flip the first byte of an object in its pack."""
    import obstore

    from ricordi.repository.bucket.publishing import pack_name

    place = bucket.index.find(key)
    assert place is not None
    assert place.pack is not None
    path = f'{bucket.uuid}/{pack_name(place.pack)}'
    client = bucket._client()
    data = bytearray(obstore.get(client, path).bytes())
    data[place.start] ^= 1
    obstore.put(client, path, bytes(data))


@pytest.mark.parametrize('compress', ['no', 'yes'])
@pytest.mark.parametrize('size', [5000, 40_000])
def test_wrong_bytes_are_never_handed_out(bucket: BucketRepository, size: int, compress: Any) -> None:
    content = random.Random(7).randbytes(size // 2) * 2
    key, sound = bucket.put_objects_into_pack([io.BytesIO(content), b'sound' * 500], compress)
    damage(bucket, key)

    def by_stream() -> None:
        with bucket.open(key) as handle:
            handle.read()

    def by_many() -> None:
        for _, handle in bucket.iter_object_streams([key]):
            handle.read()

    for read in (lambda: bucket.get_object_content(key), by_stream, by_many, lambda: bucket.get_object_hash(key)):
        with pytest.raises(CorruptStorage, match=key):
            read()
    assert bucket.get_object_content(sound) == b'sound' * 500


def test_a_store_is_made_once_and_erased_with_all_that_is_in_the_bucket(
    bucket: BucketRepository, opened: Callable[..., BucketRepository], object_store: Any
) -> None:
    with pytest.raises(InvalidOperation, match='already'):
        opened().initialise()
    uuid = bucket.uuid
    assert uuid == opened().uuid
    bucket.put_objects(some_contents(10))
    assert object_store.names(bucket.location.bucket, uuid)
    bucket.erase()
    assert not bucket.is_initialised
    assert object_store.names(bucket.location.bucket, uuid) == []
    bucket.erase()
    bucket.initialise()
    assert bucket.uuid != uuid
    assert list(bucket.list_objects()) == []


def test_objects_go_from_one_bucket_into_another(
    bucket: BucketRepository, new_store: Callable[[], BucketRepository]
) -> None:
    contents: Iterable[bytes | BinaryIO] = [*some_contents(40), io.BytesIO(bytes(90_000))]
    keys = bucket.put_objects(contents)
    other = new_store()
    other.put_objects(some_contents(40)[:8])
    told: list[int] = []
    unusable: list[str] = []
    wanted = sorted({*keys, NOWHERE})
    other.put_known_objects(lambda: bucket.known_objects(wanted), told.append, lambda key, reason: unusable.append(key))
    assert unusable == [NOWHERE]
    assert list(other.list_objects()) == sorted(set(keys))
    assert {key: handle.read() for key, handle in other.iter_object_streams(keys)} == {
        key: bucket.get_object_content(key) for key in keys
    }
    assert sum(told) == bucket.content_bytes(sorted(set(keys[8:])))


def test_a_store_that_tells_of_an_upload_only_when_it_is_asked_is_not_read_back(
    bucket: BucketRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ricordi.repository.bucket import objects

    monkeypatch.setattr(objects, 'upload_in_parts', lambda *words: upload_in_parts(*words) and '')
    bucket.put_object_from_filelike(io.BytesIO(bytes(30_000)))
    assert (bucket.store.traffic.gets, bucket.store.traffic.received) == (1, 0)
