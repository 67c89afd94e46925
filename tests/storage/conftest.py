"""Storages to test: a new one on each database, and the reference data that AiiDA made."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from prepared import initialised_database, lay_repository, reference_database, unpack_psql_repository
from ricordi.config.profile import Profile
from ricordi.repository.container.container import Container
from ricordi.storage.psql.dos import PsqlDosStorage
from ricordi.storage.sqlite.dos import SqliteDosStorage

DATA = Path(__file__).parents[1] / 'data'
STORAGES = {'storage', 'psql_storage'}
CLASSES = {'core.sqlite_dos': SqliteDosStorage, 'core.psql_dos': PsqlDosStorage}


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration folder of the test's own: full maintenance asks whether the profile is locked."""
    (tmp_path / 'home' / '.aiida').mkdir(parents=True)
    monkeypatch.setenv('AIIDA_PATH', str(tmp_path / 'home'))


@pytest.fixture
def make_profile() -> Callable[..., Profile]:
    """Makes a profile in memory: `make_profile(backend, config)`."""

    def make(backend: str, config: dict[str, Any], name: str = 'test') -> Profile:
        process_control = {'backend': None, 'config': None}
        return Profile(name, {'storage': {'backend': backend, 'config': config}, 'process_control': process_control})

    return make


@pytest.fixture
def sqlite_profile(tmp_path: Path, make_profile: Callable[..., Profile]) -> Profile:
    """A profile whose SQLite storage does not exist yet."""
    return make_profile('core.sqlite_dos', {'filepath': str(tmp_path / 'storage')})


@pytest.fixture
def psql_profile(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    postgres: Any,
    new_database: Callable[..., str],
    make_profile: Callable[..., Profile],
) -> Profile:
    """A profile over a new PostgreSQL database: empty, or with the tables where the test has the storage made."""
    templates = (initialised_database(postgres),) if STORAGES & {*request.fixturenames} else ()
    return make_profile('core.psql_dos', postgres.storage_config(new_database(*templates), tmp_path / 'repository'))


@pytest.fixture(params=['sqlite', 'psql'])
def profile(request: pytest.FixtureRequest) -> Profile:
    """A profile without a storage, on each database in turn."""
    return request.getfixturevalue(f'{request.param}_profile')


@pytest.fixture
def of() -> SimpleNamespace:
    """What belongs to a profile: `of.repository(p)`, `of.initialise(p)`, `of.open(p)`, `of.kind(p)`."""

    def kind(profile: Profile) -> Any:
        return CLASSES[profile.storage_backend]

    def repository(profile: Profile) -> Container:
        path = kind(profile).repository_location(profile).path
        assert path is not None
        return Container(path)

    def initialise(profile: Profile) -> None:
        with repository(profile) as store:
            kind(profile).initialise(profile, store)

    def open_storage(profile: Profile) -> Any:
        return kind(profile).open(profile, repository(profile))

    return SimpleNamespace(kind=kind, repository=repository, initialise=initialise, open=open_storage)


def _new_storage(profile: Profile, of: SimpleNamespace) -> Iterator[Any]:
    if profile.storage_backend == 'core.psql_dos':
        lay_repository(of.kind(profile).repository_location(profile).path.parent)
    else:
        of.initialise(profile)
    storage = of.open(profile)
    storage.claim_repository()
    yield storage
    storage.close()
    storage.repository.close()


@pytest.fixture
def storage(profile: Profile, of: SimpleNamespace) -> Iterator[Any]:
    """A new, empty storage on each database in turn."""
    yield from _new_storage(profile, of)


@pytest.fixture
def sqlite_storage(sqlite_profile: Profile, of: SimpleNamespace) -> Iterator[Any]:
    """A new, empty SQLite storage."""
    yield from _new_storage(sqlite_profile, of)


@pytest.fixture
def make_sqlite_storage(
    tmp_path: Path, make_profile: Callable[..., Profile], of: SimpleNamespace
) -> Iterator[Callable[[], Any]]:
    """Makes more new, empty SQLite storages."""
    with ExitStack() as stack:

        def make() -> Any:
            config = {'filepath': str(tmp_path / f'storage-{uuid4().hex}')}
            return stack.enter_context(contextmanager(_new_storage)(make_profile('core.sqlite_dos', config), of))

        yield make


@pytest.fixture
def psql_storage(psql_profile: Profile, of: SimpleNamespace) -> Iterator[Any]:
    """A new, empty PostgreSQL storage."""
    yield from _new_storage(psql_profile, of)


@pytest.fixture
def reference_sqlite_profile(tmp_path: Path, make_profile: Callable[..., Profile]) -> Profile:
    """The reference storage that AiiDA made on SQLite."""
    with tarfile.open(DATA / 'mixed.tar.gz') as archive:
        archive.extractall(tmp_path / 'reference', filter='data')
    folder = next((tmp_path / 'reference').rglob('database.sqlite')).parent
    return make_profile('core.sqlite_dos', {'filepath': str(folder)}, 'mixed')


@pytest.fixture
def reference_psql_profile(
    tmp_path: Path, postgres: Any, new_database: Callable[..., str], make_profile: Callable[..., Profile]
) -> Profile:
    """The reference storage that AiiDA made on PostgreSQL."""
    database = new_database(reference_database(postgres))
    repository = unpack_psql_repository(tmp_path / 'reference')
    return make_profile('core.psql_dos', postgres.storage_config(database, repository), 'psql')


@pytest.fixture(params=['sqlite', 'psql'])
def reference(request: pytest.FixtureRequest, of: SimpleNamespace) -> Iterator[Any]:
    """The reference storage that AiiDA made, opened, on each database in turn."""
    storage = of.open(request.getfixturevalue(f'reference_{request.param}_profile'))
    yield storage
    storage.close()
