"""What the errors of an object store mean."""

from __future__ import annotations

import pytest
from psycopg import errors

from ricordi.errors import CorruptStorage, LostObject, UnwritableStorage
from ricordi.repository.bucket.failures import index_failure, store_failure


@pytest.mark.parametrize(
    'told',
    [
        'Generic S3 error: Server returned non-2xx status code: 416 Range Not Satisfiable: <Error><Code>InvalidRange'
        '</Code><Message>The requested range is not satisfiable</Message></Error>',
        'Generic S3 error: Server returned non-2xx status code: 416 Range Not Satisfiable: ',
    ],
)
def test_a_range_behind_the_end_is_damage_and_not_a_store_that_does_not_answer(told: str) -> None:
    failure = store_failure(Exception(told), 'bucket s3://some', 'read packs/1')
    assert isinstance(failure, CorruptStorage)
    assert not isinstance(failure, LostObject)


def test_an_index_that_takes_no_change_now_is_a_storage_that_refuses_and_not_one_that_can_only_be_read() -> None:
    failure = index_failure(errors.ReadOnlySqlTransaction('cannot execute INSERT'), 'database d')
    assert (type(failure), failure.exit_code) == (UnwritableStorage, 3)


def test_a_store_that_is_at_fault_itself_is_to_be_looked_into() -> None:
    told = store_failure(Exception('<Error><Code>InternalError</Code></Error>'), 'bucket s3://some', 'put packs/1')
    way = 'something is wrong in the store itself, perhaps its disk is full: see its log, then try again'
    assert str(told).endswith(f': InternalError; {way}')
