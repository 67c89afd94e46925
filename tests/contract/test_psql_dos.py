"""`core.psql_dos` keeps the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.suite import ReferenceContract, StorageContract
from contract.usage import UsageContract
from prepared import initialised_database, lay_repository, reference_database, unpack_psql_repository


class TestPsqlDos(StorageContract, UsageContract):
    @pytest.fixture
    def storage(self, opened: Any, tmp_path: Path, postgres: Any, new_database: Callable[..., str]) -> Iterator[Any]:
        database = new_database(initialised_database(postgres))
        lay_repository(tmp_path / 'repository')
        config = postgres.storage_config(database, tmp_path / 'repository')
        with opened('core.psql_dos', config, new=False) as storage:
            storage.claim_repository()
            yield storage


class TestPsqlDosOfAiida(ReferenceContract):
    dropped_extras = ('_aiida_hash',)

    @pytest.fixture
    def storage(self, opened: Any, tmp_path: Path, postgres: Any, new_database: Callable[..., str]) -> Iterator[Any]:
        database = new_database(reference_database(postgres))
        repository = unpack_psql_repository(tmp_path)
        with opened('core.psql_dos', postgres.storage_config(database, repository), new=False) as storage:
            yield storage
