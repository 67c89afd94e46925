"""Requests about a bucket as a whole."""

from __future__ import annotations

import sys

import pytest

from object_stores import ObjectStoreServer
from ricordi.backend.bucket import BucketLocation
from ricordi.errors import UnreachableStorage
from ricordi.repository.bucket.limits import USUAL
from ricordi.repository.bucket.making import is_bucket, make_bucket
from ricordi.repository.bucket.objects import PackStore, open_client

pytest.importorskip('obstore')


def test_credentials_that_nobody_has_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('AWS_METADATA_ENDPOINT', 'http://127.0.0.1:1')
    place = BucketLocation({}, 'bucket', endpoint='http://127.0.0.1:1')
    with pytest.raises(UnreachableStorage, match='no credentials were found'):
        is_bucket(place, USUAL._replace(retries=0))


def test_a_key_without_its_secret_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('AWS_SECRET_ACCESS_KEY', raising=False)
    place = BucketLocation({}, 'bucket', endpoint='http://127.0.0.1:1', access_key_id='key')
    with pytest.raises(UnreachableStorage, match='an access key without its secret'):
        is_bucket(place)


def test_a_name_that_no_bucket_can_have_is_told(object_store: ObjectStoreServer) -> None:
    place = BucketLocation(
        {},
        'ab',
        '',
        object_store.endpoint,
        access_key_id=object_store.access_key,
        secret_access_key=object_store.secret_key,
    )
    with pytest.raises(UnreachableStorage, match='no bucket can have that name: take 3 to 63'):
        make_bucket(place)


def test_a_package_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ('obstore', 'obstore.exceptions', 'obstore.store'):
        monkeypatch.setitem(sys.modules, name, None)
    place = BucketLocation({}, 'bucket', endpoint='http://127.0.0.1:1', access_key_id='key', secret_access_key='secret')
    with pytest.raises(UnreachableStorage, match='the package obstore, which is missing'):
        is_bucket(place)
    with pytest.raises(UnreachableStorage, match='the package obstore, which is missing'):
        PackStore(lambda: open_client(place, USUAL), '', place.place, USUAL)
