"""Packs go up while the next one is filled, and nothing is said of an object before its pack is in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deadlines import DEADLINE
from ricordi.errors import UnreachableStorage
from ricordi.repository.bucket.bucket import BucketRepository
from ricordi.repository.bucket.publishing import PackDraft, Publisher


def pieces(number: int, first: int = 0) -> list[bytes]:
    return [b'%06d' % (first + one) * 100 for one in range(number)]


def test_the_next_pack_is_filled_while_one_goes_up(
    opened: Callable[..., BucketRepository], bucket: BucketRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(pack_bytes=5000, rows=1)
    filled, goes_up = threading.Event(), threading.Event()
    publish = Publisher.publish

    def wait_for_the_next(self: Publisher, draft: PackDraft) -> None:
        goes_up.set()
        assert filled.wait(DEADLINE)
        publish(self, draft)

    def contents() -> Iterator[bytes]:
        yield from pieces(10)
        assert goes_up.wait(DEADLINE)
        yield from pieces(5, first=10)
        filled.set()
        yield from pieces(5, first=15)

    monkeypatch.setattr(Publisher, 'publish', wait_for_the_next)
    keys = store.put_objects(contents())
    assert [store.get_object_content(key) for key in keys] == pieces(20)


def test_an_object_that_is_on_its_way_is_not_put_again(
    opened: Callable[..., BucketRepository], bucket: BucketRepository
) -> None:
    store = opened(pack_bytes=5000, rows=1)
    store.put_objects(pieces(10) * 3)
    info = store.get_info()
    assert (info['packed']['objects'], info['waste_bytes']) == (10, 0)


@pytest.mark.parametrize('number', [10, 14, 25])
def test_a_pack_that_could_not_be_put_is_told_and_no_key_is_given(
    opened: Callable[..., BucketRepository],
    bucket: BucketRepository,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    store = opened(pack_bytes=5000, rows=1)
    publish, calls = Publisher.publish, []

    def fail_once(self: Publisher, draft: PackDraft) -> Any:
        calls.append(draft)
        if len(calls) == 1:
            raise UnreachableStorage('the store is gone')
        return publish(self, draft)

    monkeypatch.setattr(Publisher, 'publish', fail_once)
    with pytest.raises(UnreachableStorage, match='the store is gone'):
        store.put_objects(pieces(number))
    assert not any(thread.name.startswith('publish') for thread in threading.enumerate())
    keys = store.put_objects(pieces(number))
    assert [store.get_object_content(key) for key in keys] == pieces(number)
