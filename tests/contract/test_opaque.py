"""What stands in other tests for a storage of somebody else keeps the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contract.opaque import opaque_storage
from contract.suite import StorageContract
from ricordi.repository.container.container import Container
from ricordi.storage.sql_storage import SqlStorage


class TestOpaqueStorage(StorageContract):
    @pytest.fixture
    def storage(self, opened: Callable[..., Any]) -> Iterator[Any]:
        with opened('core.sqlite_temp', {}, new=True) as inner:
            yield opaque_storage(inner)


def test_it_is_known_by_its_contract_alone(opened: Callable[..., Any], tmp_path: Any) -> None:
    with opened('core.sqlite_dos', {'filepath': str(tmp_path / 'storage')}, new=True) as inner:
        storage = opaque_storage(inner)
        assert isinstance(inner, SqlStorage)
        assert not isinstance(storage, SqlStorage)
        assert isinstance(inner.repository, Container)
        assert not isinstance(storage.repository, Container)
        assert not hasattr(storage, 'session')
