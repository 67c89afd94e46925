"""`ricordi.psql_bucket`: its database keeps what nodes name, and full maintenance needs nobody to leave."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.backend.rows import EntityKind
from ricordi.config.profile import Profile
from ricordi.errors import GoneObject, InvalidOperation, UnreachableStorage
from ricordi.manager import initialise_storage, maintain_storage, storage_class, use_storage
from ricordi.manager.backends import repository_at
from ricordi.orm import SinglefileData, User
from ricordi.orm.nodes.storing import TRIES
from ricordi.storage import maintenance
from ricordi.storage.deletion import delete_data
from ricordi.storage.psql.bucket import PsqlBucketStorage

CONTENT = b'content of a file'
FULL = MaintenanceOptions(full=True)


def profile_on(config: dict[str, object], name: str = 'bucket') -> Profile:
    storage = {'backend': 'ricordi.psql_bucket', 'config': config}
    return Profile(name, {'storage': storage, 'process_control': {'backend': None, 'config': None}})


@pytest.fixture
def profile(
    empty_home: Path,
    bucket_config: Callable[[], dict[str, object]],
    every_bucket_has: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Profile:
    """A new storage without a node, that keeps what nobody names for no time at all."""
    empty_home.mkdir(parents=True)
    every_bucket_has(grace_seconds=0)
    monkeypatch.setattr(PsqlBucketStorage, 'grace_seconds', 0)
    made = profile_on(bucket_config())
    initialise_storage(made)
    return made


@pytest.fixture
def storage(profile: Profile) -> Iterator[Any]:
    with use_storage(profile) as storage:
        User('ada@example.org', backend=storage).store()
        yield storage


def new_node(storage: Any) -> SinglefileData:
    (owner,) = User.get_collection(storage).all()
    from io import BytesIO

    return SinglefileData(BytesIO(CONTENT), filename='file.txt', backend=storage, user=owner)


class Snatcher:
    """Takes all objects that no node names away, right before each of the next so many nodes is inserted."""

    def __init__(self, storage: Any, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = times
        self._storage, self._insert = storage, storage.insert
        monkeypatch.setattr(storage, 'insert', self)

    def __call__(self, kind: EntityKind, rows: Sequence[Any]) -> list[int]:
        if kind is EntityKind.NODE and self.left:
            self.left -= 1
            self._storage.repository.delete_objects(list(self._storage.repository.list_objects()))
        return self._insert(kind, rows)


def test_files_of_a_new_node_that_are_removed_before_it_is_there_are_put_anew(
    storage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    snatcher = Snatcher(storage, TRIES - 1, monkeypatch)
    node = new_node(storage).store()
    assert (snatcher.left, node.is_stored) == (0, True)
    assert node.get_content(mode='rb') == CONTENT


def test_a_node_whose_files_are_removed_time_and_again_is_refused_and_can_be_stored_later(
    storage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Snatcher(storage, TRIES, monkeypatch)
    node = new_node(storage)
    with pytest.raises(GoneObject, match='put its content anew'), storage.transaction():
        node.store()
    assert (node.is_stored, node.pk) == (False, None)
    assert node.store().get_content(mode='rb') == CONTENT


def test_full_maintenance_goes_on_beside_one_who_uses_the_profile(profile: Profile, storage: Any) -> None:
    node = new_node(storage).store()
    garbage = storage.repository.put_object_from_bytes(b'garbage')
    report = maintain_storage(profile, MaintenanceOptions(full=True))
    assert (report.problem_count, report.doubt) == (0, '')
    assert not storage.repository.has_object(garbage)
    assert node.get_content(mode='rb') == CONTENT
    assert maintain_storage(profile, MaintenanceOptions(full=True)).nothing_to_do


def test_a_copy_of_the_database_removes_nothing_from_the_bucket_of_the_first(
    profile: Profile, postgres: Any, new_database: Callable[[], str]
) -> None:
    with use_storage(profile) as storage:
        User('ada@example.org', backend=storage).store()
        new_node(storage).store()
        key = next(storage.named_keys())
    name = profile.storage_config['database_name']
    copy = new_database()
    with psycopg.connect(postgres.uri(), autocommit=True) as raw:
        raw.execute(f'DROP DATABASE {copy}'.encode())
        raw.execute(f'CREATE DATABASE {copy} TEMPLATE {name}'.encode())
    other = profile_on({**profile.storage_config, 'database_name': copy}, 'copy')
    with use_storage(other) as storage:
        storage.delete_nodes_and_connections([1])
    report = maintain_storage(other, MaintenanceOptions(full=True))
    assert 'is recorded as that of another database' in report.doubt
    assert 'is recorded as that of another database' in maintain_storage(other, MaintenanceOptions()).doubt
    with pytest.raises(InvalidOperation, match='recorded as those of another database'):
        delete_data(storage_class(other), other, repository_at(storage_class(other).repository_location(other)))
    with use_storage(profile) as storage:
        assert storage.repository.get_object_content(key) == CONTENT


def test_a_storage_whose_setup_was_killed_before_its_guard_is_guarded_when_it_is_opened(
    profile: Profile, postgres: Any
) -> None:
    with psycopg.connect(postgres.uri(profile.storage_config['database_name']), autocommit=True) as raw:
        raw.execute('DROP TABLE ricordi_bucket.node_references CASCADE')
        for function in ('keys_of', 'note_new_nodes', 'note_changed_node'):
            raw.execute(f'DROP FUNCTION ricordi_bucket.{function} CASCADE'.encode())
    with use_storage(profile) as storage:
        (user,) = storage.insert(
            EntityKind.USER, [{'email': 'a@b.c', 'first_name': '', 'last_name': '', 'institution': ''}]
        )
        row = {
            'node_type': 'data.core.dict.Dict.',
            'user_pk': user,
            'repository_metadata': {'o': {'a': {'k': 'f' * 64}}},
        }
        with pytest.raises(GoneObject, match='f' * 64):
            storage.insert(EntityKind.NODE, [row])


def test_a_database_without_its_store_is_told_from_one_without_nodes(profile: Profile, postgres: Any) -> None:
    with psycopg.connect(postgres.uri(profile.storage_config['database_name']), autocommit=True) as raw:
        raw.execute('DROP SCHEMA ricordi_bucket CASCADE')
    with pytest.raises(UnreachableStorage, match='no repository in the bucket s3://'), use_storage(profile):
        pass


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Grows each time the file trees of all nodes are looked at."""
    asked: list[Any] = []
    look = maintenance.unclear_trees
    monkeypatch.setattr(
        maintenance, 'unclear_trees', lambda session, guarded: asked.append(session) or look(session, guarded)
    )
    return asked


def test_file_trees_that_were_clear_are_not_looked_at_again_until_a_node_changes(
    storage: Any, looked: list[Any]
) -> None:
    node = new_node(storage).store()
    clean = storage.maintain(FULL).clean
    assert (clean is not None, len(looked)) == (True, 1)
    for options in (FULL, MaintenanceOptions(), MaintenanceOptions(dry_run=True), FULL):
        report = storage.maintain(options._replace(clean=clean))
        assert report.nothing_to_do
        clean = report.clean or clean
    assert len(looked) == 1
    assert storage.maintain(MaintenanceOptions()).clean is None  # which looks at none, and knew nothing of them
    with storage.session.transaction():
        storage.session.execute("UPDATE db_dbnode SET repository_metadata = '[]' WHERE id = %s", (node.pk,))
    report = storage.maintain(FULL._replace(clean=clean))
    assert (report.unclear_trees, report.clean, len(looked)) == (1, None, 2)
    assert list(storage.repository.list_objects())
