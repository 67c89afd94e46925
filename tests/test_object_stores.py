"""The object store of the tests keeps what it has acknowledged when it is killed: the proofs lean on that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from object_stores import ObjectStoreServer, running_store

obstore = pytest.importorskip('obstore')


def test_what_was_put_is_there_after_a_kill(tmp_path: Path) -> None:
    with running_store(tmp_path) as server:
        bucket = server.new_bucket()
        for number in range(20):
            obstore.put(server.client(bucket), f'one/{number:02}', b'%d' % number * 5000)
        server.kill()
        server.start()
        assert server.names(bucket) == [f'one/{number:02}' for number in range(20)]
        assert bytes(obstore.get(server.client(bucket), 'one/07').bytes()) == b'7' * 5000


def test_each_bucket_is_empty_and_goes_with_what_is_in_it(
    object_store: ObjectStoreServer, new_bucket: Callable[[], str]
) -> None:
    one, other = object_store.new_bucket(), new_bucket()
    obstore.put(object_store.client(one), 'a/b', b'x')
    assert object_store.names(one) == ['a/b']
    assert object_store.names(other) == []
    object_store.remove_bucket(one)
    with pytest.raises(Exception, match='NoSuchBucket'):
        object_store.names(one)
    obstore.put(object_store.client(other), 'c', b'x')
    assert object_store.names(other) == ['c']
