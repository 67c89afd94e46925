"""`core.sqlite_zip` keeps the part of the contract that is about reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.suite import ReadOnlyContract

ARCHIVE = Path(__file__).parents[1] / 'data' / 'reference.aiida'


class TestSqliteZip(ReadOnlyContract):
    @pytest.fixture
    def storage(self, opened: Callable[..., Any]) -> Iterator[Any]:
        with opened('core.sqlite_zip', {'filepath': str(ARCHIVE)}, new=False) as storage:
            yield storage
