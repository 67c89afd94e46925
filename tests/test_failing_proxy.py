"""The proxy lets fail what it is told, once or from then on, and hands on all else unchanged."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from failing_proxy import ALTERED, CUT_ANSWER, EXPIRED, INTERNAL_ERROR, SHORTENED, FailingProxy, running_proxy
from object_stores import ObjectStoreServer

obstore = pytest.importorskip('obstore')


@pytest.fixture
def proxy(object_store: ObjectStoreServer) -> Iterator[FailingProxy]:
    with running_proxy(object_store.endpoint) as started:
        yield started


def test_requests_pass_and_are_told_by_kind(
    object_store: ObjectStoreServer, proxy: FailingProxy, new_bucket: Callable[[], str]
) -> None:
    client = object_store.client(new_bucket(), endpoint=proxy.endpoint)
    obstore.put(client, 'a', b'0123456789', use_multipart=False)
    assert bytes(obstore.get(client, 'a').bytes()) == b'0123456789'
    assert bytes(obstore.get_range(client, 'a', start=2, length=3)) == b'234'
    assert obstore.head(client, 'a')['size'] == 10
    assert [one['path'] for page in obstore.list(client) for one in page] == ['a']
    obstore.put(client, 'b', iter([b'x' * 5_300_000] * 2), use_multipart=True, chunk_size=5_300_000)
    obstore.delete(client, 'a')
    obstore.delete(client, ['a', 'b'])
    told = ['put', 'get', 'range', 'head', 'list', 'begin', 'part', 'part', 'end', 'delete', 'delete']
    assert proxy.kinds == told


def test_a_fault_comes_at_its_request_alone_or_lasts(
    object_store: ObjectStoreServer, proxy: FailingProxy, new_bucket: Callable[[], str]
) -> None:
    client = object_store.client(new_bucket(), endpoint=proxy.endpoint, retry_config={'max_retries': 0})
    obstore.put(client, 'a', b'0123456789', use_multipart=False)

    def read() -> bytes:
        return bytes(obstore.get(client, 'a').bytes())

    proxy.fail(ALTERED, at=2)
    assert [read(), read(), read()] == [b'0123456789', b'0123446789', b'0123456789']
    proxy.fail(SHORTENED)
    assert read() == b'01234'
    for fault in (INTERNAL_ERROR, CUT_ANSWER, EXPIRED):
        proxy.fail(fault)
        with pytest.raises(Exception, match=fault.code or 'error'):
            read()
        assert read() == b'0123456789'
    proxy.fail(EXPIRED, lasting=True)
    for _ in range(2):
        with pytest.raises(Exception, match='ExpiredToken'):
            read()
    proxy.clear()
    assert read() == b'0123456789'
