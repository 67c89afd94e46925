"""A storage to work in: new, on each database in turn, with a default user; and the reference data that AiiDA made."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ricordi import orm
from ricordi.backend.context import default_backend
from ricordi.config.profile import Profile
from ricordi.repository.container import Container
from ricordi.storage.psql_dos import PsqlDosStorage
from ricordi.storage.sqlite_dos import SqliteDosStorage

DATA = Path(__file__).parents[1] / 'data'
CLASSES: dict[str, Any] = {'core.sqlite_dos': SqliteDosStorage, 'core.psql_dos': PsqlDosStorage}
EMAIL = 'verdi@opera.net'


def make_profile(backend: str, config: dict[str, Any], email: str = EMAIL) -> Profile:
    return Profile(
        'test',
        {
            'default_user_email': email,
            'storage': {'backend': backend, 'config': config},
            'process_control': {'backend': None, 'config': None},
        },
    )


def open_storage(profile: Profile) -> Any:
    kind = CLASSES[profile.storage_backend]
    return kind.open(profile, Container(kind.repository_location(profile).path))


@contextmanager
def loaded(storage: Any) -> Iterator[Any]:
    """Make `storage` the one that is used when none is given; closed at the end."""
    before = default_backend[:]
    default_backend[:] = [lambda: storage]
    try:
        yield storage
    finally:
        default_backend[:] = before
        storage.close()
        storage.repository.close()


@pytest.fixture
def new_storage(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Makes storages with a default user: `new_storage('sqlite')`, `new_storage('psql', database)`."""
    made = []

    def make(kind: str = 'sqlite', config: dict[str, Any] | None = None) -> Any:
        backend = f'core.{kind}_dos'
        profile = make_profile(backend, config or {'filepath': str(tmp_path / f'storage{len(made)}')})
        location = CLASSES[backend].repository_location(profile)
        with Container(location.path) as repository:
            CLASSES[backend].initialise(profile, repository)
        storage = open_storage(profile)
        made.append(storage)
        orm.User(EMAIL, 'Giuseppe', 'Verdi', backend=storage).store()
        return storage

    yield make
    for storage in made:
        storage.close()
        storage.repository.close()


@pytest.fixture(params=['sqlite', 'psql'])
def storage(request: pytest.FixtureRequest, tmp_path: Path, new_storage: Callable[..., Any]) -> Iterator[Any]:
    """A new storage, loaded, on each database in turn."""
    config = None
    if request.param == 'psql':
        postgres = request.getfixturevalue('postgres')
        database = request.getfixturevalue('new_database')()
        config = postgres.storage_config(database, tmp_path / 'repository')
    with loaded(new_storage(request.param, config)) as made:
        yield made


@pytest.fixture
def sqlite_storage(new_storage: Callable[..., Any]) -> Iterator[Any]:
    """A new SQLite storage, loaded: for what does not touch the database."""
    with loaded(new_storage()) as made:
        yield made


@pytest.fixture(scope='session')
def reference() -> Any:
    """What AiiDA reads in the reference profile `mixed`."""
    return json.loads((DATA / 'mixed.dump.json').read_text('utf-8'))


@pytest.fixture
def reference_storage(tmp_path: Path) -> Iterator[Any]:
    """The reference profile `mixed`, as AiiDA made it, loaded."""
    with tarfile.open(DATA / 'mixed.tar.gz') as archive:
        archive.extractall(tmp_path / 'mixed', filter='data')
    (database,) = (tmp_path / 'mixed').rglob('database.sqlite')
    profile = make_profile('core.sqlite_dos', {'filepath': str(database.parent)}, 'alice@example.org')
    with loaded(open_storage(profile)) as storage:
        yield storage


class StatementCounter:
    """Counts the statements that go to the database of a storage."""

    def __init__(self, storage: Any) -> None:
        self.statements: list[str] = []
        self._session = storage.session
        self._execute = self._session.execute
        self._execute_many = self._session.execute_many

    def __enter__(self) -> StatementCounter:
        def execute(sql: str, parameters: Any = ()) -> Any:
            self.statements.append(sql)
            return self._execute(sql, parameters)

        def execute_many(sql: str, rows: Any) -> Any:
            self.statements.append(sql)
            return self._execute_many(sql, rows)

        self._session.execute = execute
        self._session.execute_many = execute_many
        return self

    def __exit__(self, *exc: object) -> None:
        del self._session.execute, self._session.execute_many

    def of(self, verb: str) -> list[str]:
        """The statements that begin with a verb."""
        return [sql for sql in self.statements if sql.lstrip().upper().startswith(verb)]


@pytest.fixture
def count_statements() -> type[StatementCounter]:
    """Counts statements: `with count_statements(storage) as counted: …; counted.of('UPDATE')`."""
    return StatementCounter
