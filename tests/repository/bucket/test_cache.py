"""What was read is kept on this machine: bounded, checked, shared by processes, and never a reason to fail."""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ricordi.repository.bucket.bucket import BucketRepository
from ricordi.repository.bucket.cache import ReadCache


def hashed(number: int, size: int = 1000, seed: int = 0) -> list[tuple[bytes, bytes]]:
    source = random.Random(seed)
    contents = [source.randbytes(size) for _ in range(number)]
    return [(hashlib.sha256(content).digest(), content) for content in contents]


def test_what_was_read_is_not_asked_of_the_bucket_again(
    bucket: BucketRepository, opened: Callable[..., BucketRepository]
) -> None:
    contents = [content for _, content in hashed(30)]
    keys = bucket.put_objects(contents)
    first, second = opened(cached=True), opened(cached=True)
    assert first.get_object_content(keys[0]) == contents[0]
    assert {key: handle.read() for key, handle in first.iter_object_streams(keys[:20])} == dict(
        zip(keys[:20], contents[:20], strict=True)
    )
    asked = second.store.traffic
    assert [second.get_object_content(key) for key in keys[:20]] == contents[:20]
    assert len([*second.iter_object_streams(keys[:20])]) == 20
    assert second.store.traffic == asked
    assert {key: handle.read() for key, handle in second.iter_object_streams(keys)} == dict(
        zip(keys, contents, strict=True)
    )
    assert second.store.traffic.gets > asked.gets
    assert second.get_object_hash(keys[0]) == keys[0]


def test_the_oldest_go_where_it_is_full(tmp_path: Path) -> None:
    rows = hashed(100)
    cache = ReadCache(tmp_path / 'made', 20_000)
    for row in rows:
        cache.keep([row])
    kept = cache.get_many([hash for hash, _ in rows])
    assert 10 <= len(kept) <= 20
    assert kept == dict(rows[-len(kept) :])
    cache.drop([rows[-1][0]])
    assert cache.get(rows[-1][0]) is None
    assert ReadCache(tmp_path / 'made', 20_000).get(rows[-2][0]) == rows[-2][1]


def test_what_was_altered_there_is_not_handed_out(tmp_path: Path) -> None:
    ((hash, content),) = hashed(1)
    cache = ReadCache(tmp_path, 20_000)
    cache.keep([(hash, content)])
    with sqlite3.connect(tmp_path / 'objects.sqlite') as raw:
        raw.execute('UPDATE kept SET content = ?', (b'altered',))
    assert cache.get(hash) is None


@pytest.mark.parametrize('spoil', [b'no database at all' * 1000, b''])
def test_a_file_that_is_damaged_is_made_anew(tmp_path: Path, spoil: bytes) -> None:
    ((hash, content),) = hashed(1)
    (tmp_path / 'objects.sqlite').write_bytes(spoil)
    cache = ReadCache(tmp_path, 20_000)
    for _ in range(2):
        cache.keep([(hash, content)])
    assert cache.get(hash) == content


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path, bucket: Any) -> None:
    (tmp_path / 'file').write_bytes(b'')
    cache = ReadCache(tmp_path / 'file' / 'below', 20_000)
    ((hash, content),) = hashed(1)
    cache.keep([(hash, content)])
    assert cache.get(hash) is None


def test_a_forked_child_reads_by_connections_of_its_own(
    bucket: BucketRepository, opened: Callable[..., BucketRepository]
) -> None:
    (_, content), (_, other) = hashed(2)
    keys = bucket.put_objects([content])
    cached = opened(cached=True)
    assert cached.get_object_content(keys[0]) == content
    child = os.fork()
    if not child:
        good = cached.index.there([bytes.fromhex(keys[0])]) and cached.get_object_content(keys[0]) == content
        cached.close()
        os._exit(0 if good else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert cached.get_object_content(cached.put_object_from_bytes(other)) == other
