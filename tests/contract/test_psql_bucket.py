"""`ricordi.psql_bucket` keeps the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contract.suite import StorageContract
from contract.usage import UsageContract
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.errors import CorruptStorage
from ricordi.storage.psql.bucket import PsqlBucketStorage


@pytest.fixture(scope='module')
def bucket(object_store: Any) -> Iterator[str]:
    """A bucket that all tests share."""
    name = object_store.new_bucket()
    yield name
    object_store.remove_bucket(name)


class TestPsqlBucket(StorageContract, UsageContract):
    @pytest.fixture
    def storage(
        self,
        opened: Any,
        bucket: str,
        bucket_config: Callable[..., dict[str, object]],
        every_bucket_has: Callable[..., None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> Iterator[Any]:
        every_bucket_has(grace_seconds=0)
        monkeypatch.setattr(PsqlBucketStorage, 'grace_seconds', 0)
        with opened('ricordi.psql_bucket', bucket_config(bucket), new=True) as storage:
            yield storage

    def test_a_missing_object_is_told_with_its_nodes(
        self, storage: Any, add: Callable[..., Any], locked: None, unguarded: None
    ) -> None:
        """Here none comes about unless somebody switches off what keeps them; then nothing is removed at all."""
        garbage = storage.repository.put_object_from_bytes(b'garbage')
        add(repository_metadata={'o': {'gone.txt': {'k': 'd' * 64}}})
        with pytest.raises(CorruptStorage, match='triggers'):
            storage.maintain(MaintenanceOptions(full=True))
        assert storage.repository.has_object(garbage)

    @pytest.fixture
    def unguarded(self, storage: Any) -> None:
        storage.session.execute('ALTER TABLE db_dbnode DISABLE TRIGGER USER')
