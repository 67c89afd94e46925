"""A database that goes away in the middle, and stores that cannot be had at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ricordi.backend.bucket import BucketLocation
from ricordi.errors import RicordiError, UnreachableStorage
from ricordi.repository.bucket.bucket import BucketRepository
from ricordi.repository.bucket.limits import BucketLimits

IMPATIENT = BucketLimits(tries=2, pause_seconds=0.01, retries=0, retry_seconds=1.0, request_seconds=5.0)
END_THEM = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()
"""


def test_what_is_asked_while_the_database_ends_all_connections_is_done(bucket: BucketRepository, raw: Any) -> None:
    deeds: list[Callable[[], Any]] = [
        lambda: bucket.put_object_from_bytes(b'one'),
        lambda: bucket.put_objects([b'many', b'of them']),
        lambda: bucket.get_object_content(bucket.put_object_from_bytes(b'one')),
        lambda: list(bucket.list_objects()),
        lambda: bucket.has_objects(['0' * 64]),
    ]
    for deed in deeds:
        raw.execute(END_THEM)
        deed()
    assert len(list(bucket.list_objects())) == 3


def test_a_publication_of_which_the_answer_was_lost_counts_once(bucket: BucketRepository, raw: Any) -> None:
    publish, calls = bucket.index.publish, []

    def publish_twice(*arguments: Any) -> bool:
        calls.append(publish(*arguments))
        raw.execute(END_THEM)
        calls.append(publish(*arguments))
        return calls[-1]

    bucket.index.publish = publish_twice  # type: ignore[method-assign]
    (key,) = bucket.put_objects([b'counts once'])
    assert calls == [True, True]
    assert bucket.get_object_content(key) == b'counts once'
    assert bucket.get_info()['packs'] == 1


@pytest.mark.parametrize(
    ('change', 'told'),
    [
        ({'secret_access_key': 'wrong-secret'}, 'SignatureDoesNotMatch'),
        ({'access_key_id': 'nobody'}, 'InvalidAccessKeyId'),
        ({'endpoint': 'http://127.0.0.1:1'}, 'check that the store runs'),
        ({'endpoint': 'no address'}, 'no address'),
    ],
)
def test_a_bucket_that_cannot_be_had_is_told_with_its_place_and_no_secret(
    location: BucketLocation, change: dict[str, Any], told: str
) -> None:
    there = replace(location, **change)
    with BucketRepository(there, IMPATIENT) as bucket, pytest.raises(RicordiError, match=told) as caught:
        bucket.initialise()
    assert (type(caught.value), caught.value.exit_code) == (UnreachableStorage, 3)
    assert there.place in str(caught.value)
    assert there.secret_access_key not in str(caught.value)
    assert there.secret_access_key not in repr(there)
    assert not BucketRepository(location).is_initialised


def test_a_database_that_cannot_be_had_is_told_with_its_place(location: BucketLocation) -> None:
    there = replace(location, database={**location.database, 'port': 1, 'password': 'a-secret'})
    with (
        BucketRepository(there, IMPATIENT) as bucket,
        pytest.raises(UnreachableStorage, match=r'127\.0\.0\.1:1') as caught,
    ):
        list(bucket.list_objects())
    assert 'a-secret' not in str(caught.value) + repr(there)
