"""Storages for the services: new ones on each database, and the reference data that AiiDA made."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from prepared import initialised_database, lay_repository
from ricordi.backend.rows import EntityKind
from ricordi.config.profile import Profile
from ricordi.manager import get_config, initialise_storage, use_storage
from ricordi.repository.container.container import Container
from ricordi.storage.psql.dos import PsqlDosStorage
from ricordi.storage.sqlite.dos import SqliteDosStorage

DATA = Path(__file__).parents[1] / 'data'
CLASSES: dict[str, Any] = {'core.sqlite_dos': SqliteDosStorage, 'core.psql_dos': PsqlDosStorage}
EMAIL = 'verdi@opera.net'


def profile_of(backend: str, config: Mapping[str, Any], email: str = EMAIL) -> Profile:
    """A profile in memory."""
    return Profile(
        'test',
        {
            'default_user_email': email,
            'storage': {'backend': backend, 'config': config},
            'process_control': {'backend': None, 'config': None},
        },
    )


def open_storage(profile: Profile) -> Any:
    """The storage of a profile, with its container."""
    kind = CLASSES[profile.storage_backend]
    return kind.open(profile, Container(kind.repository_location(profile).path))


@pytest.fixture(params=['sqlite', 'psql'])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """A new storage with a default user (pk 1), on each database in turn."""
    config: dict[str, Any] = {'filepath': str(tmp_path / 'storage')}
    if request.param == 'psql':
        postgres = request.getfixturevalue('postgres')
        database = request.getfixturevalue('new_database')(initialised_database(postgres))
        config = postgres.storage_config(database, tmp_path / 'repository')
        lay_repository(tmp_path / 'repository')
    profile = profile_of(f'core.{request.param}_dos', config)
    kind = CLASSES[profile.storage_backend]
    if request.param == 'sqlite':
        with Container(kind.repository_location(profile).path) as repository:
            kind.initialise(profile, repository)
    made = open_storage(profile)
    made.claim_repository()
    made.insert(EntityKind.USER, [{'email': EMAIL}])
    yield made
    made.close()
    made.repository.close()


@pytest.fixture
def reference_storage(tmp_path: Path) -> Iterator[Any]:
    """The reference profile `mixed`, as AiiDA made it."""
    with tarfile.open(DATA / 'mixed.tar.gz') as archive:
        archive.extractall(tmp_path / 'mixed', filter='data')
    (database,) = (tmp_path / 'mixed').rglob('database.sqlite')
    made = open_storage(profile_of('core.sqlite_dos', {'filepath': str(database.parent)}, 'alice@example.org'))
    yield made
    made.close()
    made.repository.close()


@dataclass(frozen=True)
class Fill:
    """Puts rows into a storage."""

    storage: Any

    def nodes(self, *types: str, **fields: Any) -> list[int]:
        """Nodes of these types, with the same further fields; returns their pks."""
        rows = [{'node_type': name, 'user_pk': 1, **fields} for name in types]
        return self.storage.insert(EntityKind.NODE, rows)

    def links(self, links: Sequence[tuple[int, int, str]]) -> None:
        """Links (source, target, type)."""
        rows = [
            {'input_pk': source, 'output_pk': target, 'type': kind, 'label': f'l{number}'}
            for number, (source, target, kind) in enumerate(links)
        ]
        self.storage.insert(EntityKind.LINK, rows)

    def group(self, label: str, pks: Sequence[int] = (), **fields: Any) -> int:
        """A group with members; returns its pk."""
        fields = {'type_string': 'core', 'user_pk': 1, **fields}
        (pk,) = self.storage.insert(EntityKind.GROUP, [{'label': label, **fields}])
        self.storage.add_nodes_to_group(pk, pks)
        return pk


@pytest.fixture
def fill() -> Callable[[Any], Fill]:
    """What puts rows into a storage: `fill(storage).nodes('data.core.int.Int.')`."""
    return Fill


# archives ----------------------------------------------------------------------------------------------------


@pytest.fixture(params=['core.sqlite_dos', 'core.psql_dos'])
def empty(
    request: pytest.FixtureRequest, tmp_path: Path, empty_home: Path, new_profile: Callable[..., Profile]
) -> Profile:
    """An empty profile on each database in turn."""
    return new_profile(request.param)


@pytest.fixture
def new_profile(request: pytest.FixtureRequest, tmp_path: Path, empty_home: Path) -> Callable[..., Profile]:
    """Makes empty profiles with a user of their own."""

    def make(backend: str = 'core.sqlite_dos', name: str = 'empty') -> Profile:
        storage_config: dict[str, Any] = {'filepath': str(tmp_path / name)}
        if backend == 'core.psql_dos':
            postgres = request.getfixturevalue('postgres')
            database = request.getfixturevalue('new_database')(initialised_database(postgres))
            storage_config = postgres.storage_config(database, tmp_path / name)
            lay_repository(tmp_path / name)
        config = get_config(create=True)
        profile = config.create_profile(name, backend, storage_config)
        if backend != 'core.psql_dos':
            initialise_storage(profile)
        with use_storage(profile) as storage:
            storage.claim_repository()
            storage.insert(EntityKind.USER, [{'email': 'me@example.org'}])
        profile.default_user_email = 'me@example.org'
        config.store()
        return profile

    return make


@pytest.fixture
def sqlite(new_profile: Callable[..., Profile]) -> Profile:
    """An empty profile on SQLite."""
    return new_profile()
