"""`ricordi storage move`: the objects of a profile go into a bucket and come back, and are the same everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ricordi import orm
from ricordi.config import load_config
from ricordi.errors import CorruptStorage, UnreachableStorage
from ricordi.manager.opening import use_storage
from ricordi.repository.bucket.putting import PackFilling
from ricordi.services import moving


@pytest.fixture
def to_bucket(
    object_store: Any, new_bucket: Callable[[], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> tuple[str, ...]:
    """Options that name an empty bucket; the credentials are in the environment."""
    monkeypatch.setenv('AWS_ACCESS_KEY_ID', object_store.access_key)
    monkeypatch.setenv('AWS_SECRET_ACCESS_KEY', object_store.secret_key)
    for name in ('AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE', 'XDG_CACHE_HOME'):
        monkeypatch.setenv(name, str(tmp_path / name))
    return ('--to', f's3://{new_bucket()}/group', '--endpoint-url', object_store.endpoint)


@contextmanager
def opened(name: str) -> Iterator[Any]:
    with use_storage(load_config().get_profile(name)) as storage:
        yield storage


def objects_of(name: str) -> dict[str, bytes]:
    """The content of all objects, by key."""
    with opened(name) as storage:
        repository = storage.repository
        return {key: repository.get_object_content(key) for key in repository.list_objects()}


def store_file(name: str, content: bytes) -> str:
    """The key of a new node's file."""
    with opened(name) as storage:
        orm.SinglefileData.from_bytes(content, 'new', backend=storage).store()
        return str(storage.repository.put_object_from_bytes(content))


def storage_of(home: Path, name: str) -> dict[str, Any]:
    return json.loads((home / 'config.json').read_text())['profiles'][name]['storage']


def test_objects_go_into_a_bucket_and_come_back(
    run_here: Callable[..., Any], reference_home: Path, psql_profile: str, to_bucket: tuple[str, ...], tmp_path: Path
) -> None:
    before, config = objects_of(psql_profile), storage_of(reference_home, psql_profile)
    told = run_here('storage', 'move', psql_profile, *to_bucket, '--dry-run', '--format', 'json')
    assert json.loads(told.stdout)['objects'] == len(before)
    assert storage_of(reference_home, psql_profile) == config

    done = run_here('storage', 'move', psql_profile, *to_bucket)
    assert (done.returncode, f'Copied {len(before)} objects' in done.stdout) == (0, True), done
    assert storage_of(reference_home, psql_profile)['backend'] == 'ricordi.psql_bucket'
    assert objects_of(psql_profile) == before
    again = run_here('storage', 'move', psql_profile, *to_bucket)
    assert (again.returncode, 'already' in again.stderr) == (1, True)
    new = store_file(psql_profile, b'stored in the bucket')
    with opened(psql_profile) as storage, pytest.raises(Exception, match='delete the nodes first'):
        storage.repository.delete_objects([new])

    back = run_here('storage', 'move', psql_profile, '--to', tmp_path / 'back')
    assert (back.returncode, f'Copied {len(before) + 1} objects' in back.stdout) == (0, True), back
    other = (to_bucket[0], f'{to_bucket[1]}/other', *to_bucket[2:])
    moved = run_here('storage', 'move', psql_profile, *other)
    assert (moved.returncode, f'Copied {len(before) + 1} objects' in moved.stdout) == (0, True), moved
    out = run_here('storage', 'move', psql_profile, '--to', tmp_path / 'out', '--erase-old', '--yes')
    assert (out.returncode, 'is empty now' in out.stdout) == (0, True), out
    assert objects_of(psql_profile) == {**before, new: b'stored in the bucket'}
    assert storage_of(reference_home, psql_profile)['backend'] == 'core.psql_dos'
    assert store_file(psql_profile, b'stored in the container') in objects_of(psql_profile)
    assert run_here('-p', psql_profile, 'storage', 'verify', '--read').returncode == 0
    assert Path(config['config']['repository_uri'].removeprefix('file://')).exists()


def test_what_an_end_by_force_leaves_is_gone_on_with(
    reference_home: Path,
    psql_profile: str,
    to_bucket: tuple[str, ...],
    run_here: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, config = objects_of(psql_profile), storage_of(reference_home, psql_profile)

    def cut(self: Any) -> None:
        raise UnreachableStorage('the store is gone')

    with monkeypatch.context() as patch:
        patch.setattr(PackFilling, 'finish', cut)
        assert run_here('storage', 'move', psql_profile, *to_bucket).returncode == 3
    assert (storage_of(reference_home, psql_profile), objects_of(psql_profile)) == (config, before)
    kept = store_file(psql_profile, b'between two tries')
    with monkeypatch.context() as patch:
        real = moving.use_storage
        calls = iter([real])  # the second opening, that of the new storage, fails

        def fail(*arguments: Any, **named: Any) -> Any:
            return next(calls, lambda *_, **__: cut(None))(*arguments, **named)

        patch.setattr(moving, 'use_storage', fail)
        assert run_here('storage', 'move', psql_profile, *to_bucket).returncode == 3
    assert objects_of(psql_profile) == {**before, kept: b'between two tries'}
    with opened(psql_profile) as storage, pytest.raises(Exception, match='delete the nodes first'):
        storage.repository.delete_objects([kept])


def test_a_damaged_object_is_refused_and_nothing_is_changed(
    reference_home: Path, psql_profile: str, to_bucket: tuple[str, ...], run_here: Callable[..., Any]
) -> None:
    config = storage_of(reference_home, psql_profile)
    key = store_file(psql_profile, b'to be lost')
    with opened(psql_profile) as storage:
        storage.repository.delete_objects([key])
    done = run_here('storage', 'move', psql_profile, *to_bucket)
    assert (done.returncode, '1 × missing object' in done.stderr) == (CorruptStorage('').exit_code, True), done.stderr
    assert storage_of(reference_home, psql_profile) == config


@pytest.mark.parametrize(
    ('arguments', 'says'),
    [
        (('mixed', '--to', 's3://bucket'), 'PostgreSQL'),
        (('psql', '--to', 's3://'), 's3://BUCKET'),
        (('psql', '--to', 'https://bucket'), 'no folder'),
        (('psql', '--to', '/tmp/there', '--region', 'here'), '--region needs a bucket'),
        (('psql', '--to', '/tmp/there', '--make-bucket'), '--make-bucket needs a bucket'),
        (('psql', '--to', 's3://bucket/../other'), 'no folder in a bucket'),
    ],
)
def test_what_cannot_be_is_refused(
    reference_home: Path, psql_profile: str, run_here: Callable[..., Any], arguments: tuple[str, ...], says: str
) -> None:
    name = psql_profile if arguments[0] == 'psql' else arguments[0]
    done = run_here('storage', 'move', name, *arguments[1:], '--dry-run')
    assert done.returncode in (1, 2), done.stderr
    assert says in done.stderr
