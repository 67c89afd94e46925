"""Fixtures of the contract suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ricordi.access import ProfileAccessManager
from ricordi.backend.storage import StorageBackend
from ricordi.config.profile import Profile
from ricordi.manager.backends import repository_at, storage_class

pytest.register_assert_rewrite('contract.queries', 'contract.suite')


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'home' / '.aiida').mkdir(parents=True)
    monkeypatch.setenv('AIIDA_PATH', str(tmp_path / 'home'))


@pytest.fixture
def locked(storage: StorageBackend) -> Iterator[None]:
    """The profile of the storage is locked by this process."""
    with ProfileAccessManager(storage.profile).lock():
        yield


@pytest.fixture
def opened() -> Callable[..., Any]:
    """Opens the storage of a backend: `with opened('core.sqlite_dos', {…}, new=True) as storage`."""

    @contextmanager
    def open_storage(backend: str, config: dict[str, Any], new: bool) -> Iterator[StorageBackend]:
        process_control = {'backend': None, 'config': None}
        profile = Profile(
            'contract', {'storage': {'backend': backend, 'config': config}, 'process_control': process_control}
        )
        kind = storage_class(profile)
        repository = repository_at(kind.repository_location(profile))
        if new:
            kind.initialise(profile, repository)
        storage = kind.open(profile, repository)
        try:
            yield storage
        finally:
            storage.close()
            repository.close()

    return open_storage
