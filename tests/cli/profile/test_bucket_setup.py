"""`ricordi profile setup ricordi.psql_bucket`: from nothing to a profile in a bucket, and back; no secret is shown."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

PERSON = ('--email', 'ada@example.org')
SECRET = 'ricsecret'


def profiles(home: Path) -> dict[str, Any]:
    return json.loads((home / 'config.json').read_text())['profiles']


@pytest.fixture
def place(postgres: Any, object_store: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[str, ...]:
    """Options that say where a new profile shall be; the credentials are in the environment."""
    monkeypatch.setenv('AWS_ACCESS_KEY_ID', object_store.access_key)
    monkeypatch.setenv('AWS_SECRET_ACCESS_KEY', object_store.secret_key)
    monkeypatch.setenv('AWS_SHARED_CREDENTIALS_FILE', str(tmp_path / 'none'))
    monkeypatch.setenv('AWS_CONFIG_FILE', str(tmp_path / 'none'))
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'caches'))
    return ('--admin-uri', postgres.uri(), '--endpoint-url', object_store.endpoint)


def bucket_is_there(object_store: Any, name: str) -> bool:
    from ricordi.backend.bucket import BucketLocation
    from ricordi.repository.bucket.making import is_bucket

    location = BucketLocation(
        {}, name, endpoint=object_store.endpoint, access_key_id=object_store.access_key, secret_access_key=SECRET
    )
    return is_bucket(location)


def roles_and_databases(postgres: Any) -> set[str]:
    with psycopg.connect(postgres.uri()) as connection:
        query = 'SELECT rolname FROM pg_roles UNION SELECT datname FROM pg_database'
        return {name for (name,) in connection.execute(query)}


def test_database_and_bucket_are_made_used_and_deleted_again(
    run_here: Callable[..., Any], empty_home: Path, place: tuple[str, ...], postgres: Any, object_store: Any
) -> None:
    before = roles_and_databases(postgres)
    setup = ('profile', 'setup', 'ricordi.psql_bucket', '-p', 'grp', *PERSON, *place, '--bucket-name', 'made-here')
    missing = run_here(*setup, '-n')
    assert (missing.returncode, roles_and_databases(postgres)) == (3, before), missing.stderr
    assert 'add --make-bucket' in missing.stderr
    done = run_here(*setup, '--make-bucket', '-n')
    assert done.returncode == 0, done.stderr
    config = profiles(empty_home)['grp']['storage']['config']
    assert config['bucket_name'] == 'made-here'
    assert not {'access_key_id', 'secret_access_key', 'repository_uri'} & config.keys()
    for verb in (
        ('status',),
        ('storage', 'info', '--detailed'),
        ('storage', 'verify', '--read'),
        ('storage', 'usage'),
        ('storage', 'maintain', '--full', '--yes', '--grace', '0'),
        ('storage', 'version'),
        ('storage', 'migrate', '--yes'),
    ):
        told = run_here(*verb)
        assert told.returncode == 0, (verb, told.stderr)
    assert 's3://made-here at http://127.0.0.1' in run_here('status').stdout
    assert run_here('profile', 'use-backend', 'grp', 'core').returncode == 1
    gone = run_here('profile', 'delete', 'grp', '--delete-data', '--yes', '--admin-uri', postgres.uri())
    assert gone.returncode == 0, gone.stderr
    assert 'made-here' in gone.stderr
    assert roles_and_databases(postgres) == before
    assert (object_store.names('made-here'), bucket_is_there(object_store, 'made-here')) == ([], True)
    object_store.remove_bucket('made-here')


def test_a_setup_that_fails_leaves_neither_bucket_nor_database_behind(
    run_here: Callable[..., Any], reference_home: Path, place: tuple[str, ...], postgres: Any, object_store: Any
) -> None:
    before = roles_and_databases(postgres)
    taken = ('profile', 'setup', 'ricordi.psql_bucket', '-p', 'mixed', *PERSON, *place, '--bucket-name', 'not-kept')
    done = run_here(*taken, '--make-bucket', '-n')
    assert done.returncode != 0, done.stderr
    assert roles_and_databases(postgres) == before
    assert not bucket_is_there(object_store, 'not-kept')


def test_a_grace_is_for_buckets_alone(run_here: Callable[..., Any], reference_home: Path) -> None:
    done = run_here('-p', 'mixed', 'storage', 'maintain', '--grace', '1h')
    assert (done.returncode, 'in a bucket' in done.stderr) == (2, True)


def test_a_secret_is_kept_only_where_that_is_asked_for_and_never_shown(
    run_here: Callable[..., Any], empty_home: Path, bucket_config: Callable[[], dict[str, Any]]
) -> None:
    config = bucket_config()
    options = [word for key, value in config.items() for word in (f'--{key.replace("_", "-")}', str(value))]
    setup = ('profile', 'setup', 'ricordi.psql_bucket', '-p', 'grp', *PERSON, *options, '-n')
    refused = run_here(*setup)
    assert (refused.returncode, '--keep-secret' in refused.stderr, SECRET in refused.stderr) == (2, True, False)
    done = run_here(*setup, '--keep-secret')
    assert done.returncode == 0, done.stderr
    assert profiles(empty_home)['grp']['storage']['config']['secret_access_key'] == SECRET
    for verb in (
        ('profile', 'show', 'grp'),
        ('profile', 'show', 'grp', '--format', 'json'),
        ('profile', 'list', '--format', 'json'),
        ('status', '--format', 'json'),
        ('storage', 'info', '--format', 'json'),
        ('config', 'list'),
    ):
        shown = run_here(*verb)
        assert shown.returncode == 0, (verb, shown.stderr)
        assert SECRET not in shown.stdout + shown.stderr, verb
    assert '"secret_access_key": "****' in run_here('profile', 'show', 'grp', '--format', 'json').stdout
    path = empty_home / 'config.json'
    path.write_text(path.read_text().replace(f'"{config["endpoint_url"]}"', '"http://127.0.0.1:1"'))
    lost = run_here('--debug', '-v', 'status')
    assert lost.returncode == 3, lost.stdout
    assert SECRET not in lost.stdout + lost.stderr


@pytest.mark.parametrize(
    ('option', 'value'),
    [
        ('--endpoint-url', 's3.example.org'),
        ('--endpoint-url', 'http://ada:hush@s3.example.org'),
        ('--bucket-name', 's3://group'),
        ('--prefix', 'a//b'),
        ('--cache-bytes', 'much'),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_made(
    run_here: Callable[..., Any], empty_home: Path, option: str, value: str
) -> None:
    words = {'--bucket-name': 'group', '--admin-uri': 'postgresql://postgres@127.0.0.1:1/postgres', option: value}
    options = [word for pair in words.items() for word in pair]
    done = run_here('profile', 'setup', 'ricordi.psql_bucket', '-p', 'grp', *PERSON, *options, '--make-bucket', '-n')
    assert done.returncode == 2, done.stderr
    assert 'hush' not in done.stderr
    assert not (empty_home / 'config.json').exists() or not profiles(empty_home)


def test_where_the_environment_says_that_the_store_is_is_kept_in_the_profile(
    run_here: Callable[..., Any],
    empty_home: Path,
    place: tuple[str, ...],
    postgres: Any,
    object_store: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('AWS_ENDPOINT_URL', object_store.endpoint)
    monkeypatch.setenv('AWS_REGION', 'eu-central-1')
    setup = ('profile', 'setup', 'ricordi.psql_bucket', '-p', 'kept', *PERSON, *place[:2], '--bucket-name', 'kept-here')
    done = run_here(*setup, '--make-bucket', '-n')
    assert done.returncode == 0, done.stderr
    config = profiles(empty_home)['kept']['storage']['config']
    assert (config['endpoint_url'], config['region']) == (object_store.endpoint, 'eu-central-1')
    monkeypatch.setenv('AWS_ENDPOINT_URL', 'http://127.0.0.1:1')
    monkeypatch.delenv('AWS_REGION')
    assert run_here('storage', 'verify', '--read').returncode == 0
    gone = run_here('profile', 'delete', 'kept', '--delete-data', '--yes', '--admin-uri', postgres.uri())
    assert gone.returncode == 0, gone.stderr


def test_an_address_in_the_environment_that_is_none_is_refused(
    run_here: Callable[..., Any], empty_home: Path, place: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('AWS_ENDPOINT_URL', 'store.example.org')
    setup = ('profile', 'setup', 'ricordi.psql_bucket', '-p', 'no', *PERSON, *place[:2], '--bucket-name', 'no')
    done = run_here(*setup, '--make-bucket', '-n')
    assert (done.returncode, (empty_home / 'config.json').exists()) == (2, False)
    assert 'must look like https://' in done.stderr
