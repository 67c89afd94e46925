"""A storage to work in: new, on each database in turn, with a default user; and the reference data that AiiDA made."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from prepared import initialised_database, lay_repository
from ricordi import orm
from ricordi.backend.context import default_backend
from ricordi.config.profile import Profile
from ricordi.repository.container.container import Container
from ricordi.storage.psql.dos import PsqlDosStorage
from ricordi.storage.sqlite.dos import SqliteDosStorage

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
    """Makes storages with a default user: `new_storage()`, `new_storage('psql', config)`.

    The database of such a configuration is a copy of `prepared.initialised_database`.
    """
    made = []

    def make(kind: str = 'sqlite', config: dict[str, Any] | None = None) -> Any:
        backend = f'core.{kind}_dos'
        profile = make_profile(backend, config or {'filepath': str(tmp_path / f'storage{len(made)}')})
        location = CLASSES[backend].repository_location(profile)
        if kind == 'psql':
            lay_repository(location.path.parent)
        else:
            with Container(location.path) as repository:
                CLASSES[backend].initialise(profile, repository)
        storage = open_storage(profile)
        made.append(storage)
        storage.claim_repository()
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
        database = request.getfixturevalue('new_database')(initialised_database(postgres))
        config = postgres.storage_config(database, tmp_path / 'repository')
    with loaded(new_storage(request.param, config)) as made:
        yield made


@pytest.fixture
def sqlite_storage(new_storage: Callable[..., Any]) -> Iterator[Any]:
    """A new SQLite storage, loaded: for what does not touch the database."""
    with loaded(new_storage()) as made:
        yield made


@pytest.fixture
def elsewhere(storage: Any) -> Iterator[Any]:
    """The storage as another program has it open: what is changed there, handles here do not know of."""
    opened = open_storage(storage.profile)
    yield opened
    opened.close()
    opened.repository.close()


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


# reading everything ----------------------------------------------------------------------------------------


def read_everything() -> dict[str, Any]:
    """What the frontend reads in the loaded storage, in the form of `tests/interop/aiida_dump.py`."""
    nodes, groups = orm.Node.collection.all(), orm.Group.collection.all()
    found: dict[str, Any] = {
        'users': [_fields(one, 'email first_name last_name institution') for one in orm.User.collection.all()],
        'computers': [
            _fields(one, 'uuid label hostname description scheduler_type transport_type metadata')
            for one in orm.Computer.collection.all()
        ],
        'nodes': [_node(node) for node in nodes],
        'groups': [
            {**_fields(one, 'uuid label type_string description time'), 'extras': one.base.extras.all} for one in groups
        ],
        'comments': [_fields(one, 'uuid ctime mtime content') for one in orm.Comment.collection.all()],
        'logs': [_fields(one, 'uuid time loggername levelname message metadata') for one in orm.Log.collection.all()],
        'node_user': [[node.uuid, node.user.email] for node in nodes],
        'node_computer': [[node.uuid, node.computer.uuid] for node in nodes if node.computer],
        'links': [
            [source.uuid, node.uuid, link_type.value, label]
            for node in nodes
            for source, link_type, label in node.base.links.get_incoming()
        ],
        'group_nodes': [[group.uuid, node.uuid] for group in groups for node in group.nodes],
        'node_comments': [[node.uuid, one.uuid] for node in nodes for one in node.base.comments.all()],
        'node_logs': [[node.uuid, one.uuid] for node in nodes for one in orm.Log.collection.get_logs_for(node)],
        'authinfos': [
            [one.computer.uuid, one.user.email, one.enabled, one.get_auth_params(), one.get_metadata()]
            for one in orm.AuthInfo.collection.all()
        ],
        'objects': {key: value for node in nodes for key, value in _objects(node)},
    }
    for value in found.values():
        if isinstance(value, list):
            value.sort(key=lambda row: json.dumps(row, sort_keys=True))
    return found


def _fields(entity: Any, names: str) -> dict[str, Any]:
    values = {name: getattr(entity, name) for name in names.split()}
    return {name: str(value) if isinstance(value, datetime) else value for name, value in values.items()}


def _node(node: Any) -> dict[str, Any]:
    return {
        **_fields(node, 'uuid node_type process_type label description ctime mtime'),
        'attributes': node.base.attributes.all,
        'extras': node.base.extras.all,
        'repository_metadata': node.base.repository.metadata,
    }


def _objects(node: Any) -> Iterator[tuple[str, list[Any]]]:
    repository = node.base.repository
    for path in repository.glob():
        entry = repository.get_object(path)
        if entry.is_file():
            content = repository.get_object_content(path, 'rb')
            assert repository.get_object_size(path) == len(content)
            yield entry.key, [hashlib.sha256(content).hexdigest(), len(content)]


@pytest.fixture(name='read_everything')
def _read_everything() -> Callable[[], dict[str, Any]]:
    """What the frontend reads in the loaded storage, in the form of the oracle."""
    return read_everything


# counting statements ---------------------------------------------------------------------------------------


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
