"""On what is healthy a verification finds nothing, whoever made it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.storage.verification.conftest import fill, verified

from ricordi.config import load_config
from ricordi.repository.archive.zip import ZipRepository
from ricordi.repository.sandbox import SandboxRepository
from ricordi.storage.sqlite.temp import SqliteTempStorage
from ricordi.storage.sqlite.zip import SqliteZipStorage

THOROUGHLY = pytest.mark.parametrize('thorough', [False, True])


@THOROUGHLY
def test_a_new_storage_has_no_finding(storage: Any, thorough: bool) -> None:
    assert verified(storage, thorough) == []


@THOROUGHLY
def test_a_storage_that_keeps_all_rules_has_no_finding(filled: Any, thorough: bool) -> None:
    assert verified(filled, thorough) == []


@THOROUGHLY
def test_storages_that_aiida_made_have_no_finding(reference: Any, thorough: bool) -> None:
    assert verified(reference, thorough) == []


@pytest.mark.parametrize('name', ['loose', 'mixed', 'aborted_before_commit', 'aborted_after_remove'])
def test_all_sqlite_storages_of_aiida_have_no_finding(
    reference_home: Path, opened: Callable[[Any], Any], name: str
) -> None:
    profile = load_config().get_profile(name)
    assert verified(opened(profile), thorough=True) == []


def test_an_archive_of_aiida_has_no_finding(make_profile: Callable[..., Any]) -> None:
    path = Path(__file__).parents[2] / 'data' / 'reference.aiida'
    profile = make_profile('core.sqlite_zip', {'filepath': str(path)})
    storage = SqliteZipStorage.open(profile, ZipRepository(path))
    try:
        assert verified(storage, thorough=True) == []
    finally:
        storage.close()


def test_a_throw_away_storage_has_no_finding(make_profile: Callable[..., Any]) -> None:
    storage = SqliteTempStorage.open(make_profile('core.sqlite_temp', {}), SandboxRepository())
    try:
        fill(storage)
        assert verified(storage, thorough=True) == []
    finally:
        storage.close()


def test_nothing_is_written_and_the_storage_can_be_used_meanwhile(filled: Any) -> None:
    from ricordi.backend.rows import EntityKind, NodeRow

    findings = filled.verify_database()
    with filled.transaction():
        filled.update(EntityKind.NODE, 1, {'label': 'new'})
        assert list(findings) == []
    assert filled.get(NodeRow, 1).label == 'new'
