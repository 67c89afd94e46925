"""`core.sqlite_temp` keeps the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contract.suite import StorageContract
from contract.usage import UsageContract


class TestSqliteTemp(StorageContract, UsageContract):
    @pytest.fixture
    def storage(self, opened: Callable[..., Any]) -> Iterator[Any]:
        with opened('core.sqlite_temp', {}, new=True) as storage:
            yield storage
