"""The object store of the tests: buckets are apart, and go with what is in them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from object_stores import ObjectStoreServer

obstore = pytest.importorskip('obstore')


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
