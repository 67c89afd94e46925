"""`core.psql_dos` keeps the contract."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from contract.suite import ReferenceContract, StorageContract
from contract.usage import UsageContract

DATA = Path(__file__).parents[1] / 'data'


class TestPsqlDos(StorageContract, UsageContract):
    @pytest.fixture
    def storage(self, opened: Any, tmp_path: Path, postgres: Any, new_database: Callable[[], str]) -> Iterator[Any]:
        config = postgres.storage_config(new_database(), tmp_path / 'repository')
        with opened('core.psql_dos', config, new=True) as storage:
            yield storage


class TestPsqlDosOfAiida(ReferenceContract):
    dropped_extras = ('_aiida_hash',)

    @pytest.fixture
    def storage(self, opened: Any, tmp_path: Path, postgres: Any, new_database: Callable[[], str]) -> Iterator[Any]:
        database = new_database()
        with psycopg.connect(postgres.uri(database), autocommit=True) as connection:
            connection.execute((DATA / 'psql_dos.sql').read_bytes())
        with tarfile.open(DATA / 'psql_dos.tar.gz') as archive:
            archive.extractall(tmp_path, filter='data')
        repository = next(tmp_path.rglob('container')).parent
        with opened('core.psql_dos', postgres.storage_config(database, repository), new=False) as storage:
            yield storage
