"""`core.sqlite_dos` keeps the contract."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.suite import ReferenceContract, StorageContract
from contract.usage import UsageContract

DATA = Path(__file__).parents[1] / 'data'


class TestSqliteDos(StorageContract, UsageContract):
    @pytest.fixture
    def storage(self, opened: Callable[..., Any], tmp_path: Path) -> Iterator[Any]:
        with opened('core.sqlite_dos', {'filepath': str(tmp_path / 'storage')}, new=True) as storage:
            yield storage


class TestSqliteDosOfAiida(ReferenceContract):
    @pytest.fixture
    def storage(self, opened: Callable[..., Any], tmp_path: Path) -> Iterator[Any]:
        with tarfile.open(DATA / 'loose.tar.gz') as archive:
            archive.extractall(tmp_path, filter='data')
        with opened('core.sqlite_dos', {'filepath': str(tmp_path / 'loose')}, new=False) as storage:
            yield storage
