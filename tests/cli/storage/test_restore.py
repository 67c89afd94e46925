"""`storage restore`: what it prints, what it asks for, how it ends."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import obstore
import psycopg
import pytest

from ricordi.cli.main import run as run_ricordi
from ricordi.config import load_config

DATA = Path(__file__).parents[2] / 'data'
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def backup(tmp_path: Path, empty_home: Path) -> Path:
    """A folder that `verdi storage backup` made."""
    with tarfile.open(DATA / 'verdi_backup_sqlite.tar.gz') as archive:
        archive.extractall(tmp_path, filter='data')
    return tmp_path / 'verdi_backup_sqlite'


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command here: exit code, stdout, stderr."""

    def words(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run_ricordi(['storage', 'restore', *map(str, arguments)])
        return code, *capsys.readouterr()

    return words


def test_a_person_is_told_what_was_restored(run: Run, backup: Path, tmp_path: Path) -> None:
    code, out, _ = run(backup, 'back', '--filepath', tmp_path / 'data')
    assert code == 0
    assert 'Restored profile `back` from backup_' in out
    assert 'profile `loose`, made by verdi' in out
    assert '74 nodes, 207 rows in all, 23 objects (868 kB)' in out
    assert 'default user: alice@example.org' in out
    assert (tmp_path / 'data' / 'database.sqlite').exists()
    assert run(backup, 'again', '-q')[:2] == (0, '')


def test_a_program_is_told_what_was_restored(run: Run, backup: Path) -> None:
    code, out, _ = run(backup, 'back', '--broker', 'core.zeromq', '--format', 'json')
    told = json.loads(out)
    assert (code, told['exit_code'], told['profile'], told['storage']) == (0, 0, 'back', 'core.sqlite_dos')
    assert (told['made_by'], told['of_profile'], told['default_user']) == ('verdi', 'loose', 'alice@example.org')
    assert (told['rows']['db_dbnode'], told['objects'], told['problems']) == (74, 23, [])
    assert load_config().get_profile('back').dictionary['process_control']['backend'] == 'core.zeromq'


def test_missing_objects_are_named_with_their_nodes_and_the_profile_stays(run: Run, backup: Path) -> None:
    (pack,) = backup.glob('backup_*/container/packs/0')
    pack.unlink()
    code, out, err = run(backup, 'back')
    assert code == 6
    assert 'Restored profile `back`' in out
    assert '23 objects missing or damaged in the backup; the profile was restored without them:' in err
    assert '    node ' in err
    code, out, err = run(backup, '--rehearse', '--format', 'json')
    told = json.loads(out)
    assert (code, told['succeeded'], told['problem_count'], told['exit_code']) == (6, False, 23, 6)
    assert 'a restore would go on without them' in err


def test_a_rehearsal_needs_no_name_and_makes_no_profile(run: Run, backup: Path, empty_home: Path) -> None:
    code, out, _ = run(backup, '--rehearse')
    assert code == 0
    assert 'The rehearsal succeeded: backup_' in out
    assert 'all rows compared with the backup; nothing of it is left' in out
    assert not empty_home.exists()


@pytest.mark.parametrize(
    ('words', 'told'),
    [
        ((), 'missing argument NAME'),
        (('back', '--admin-uri', 'nonsense'), 'must look like postgresql://'),
        (('back', '--storage', 'core.sqlite_dos', '--database-name', 'x'), '--database-name needs --storage'),
        (('back', '--storage', 'core.psql_dos', '--filepath', 'x'), '--filepath needs --storage core.sqlite_dos'),
        (('back', '--storage', 'core.psql_dos', '--bucket-name', 'x'), 'needs --storage ricordi.psql_bucket'),
        (('back', '--storage', 'ricordi.psql_bucket', '--repository-uri', 'x'), 'needs --storage core.psql_dos'),
        (('back', '--storage', 'core.psql_dos'), 'missing: --database-username'),
        (('--rehearse', '--storage', 'core.psql_dos'), 'leave --storage out'),
    ],
)
def test_what_cannot_be_meant_ends_with_2(run: Run, backup: Path, words: tuple[str, ...], told: str) -> None:
    code, _, err = run(backup, *words)
    assert (code, told in err) == (2, True), err


def test_no_time_ends_with_7_and_leaves_nothing(run: Run, backup: Path) -> None:
    code, _, err = run(backup, 'back', '--max-runtime', '0s')
    assert code == 7
    assert 'what was restored so far is removed' in err
    assert load_config().profile_names == []


def test_a_place_that_is_none_ends_with_3_and_an_unclear_snapshot_names_the_way_out(run: Run, tmp_path: Path) -> None:
    code, _, err = run(tmp_path, 'back')
    assert (code, 'holds no backup' in err) == (3, True)


def test_an_administrator_makes_the_database_and_it_goes_again_where_nothing_comes_of_it(
    run: Run, backup: Path, postgres: Any
) -> None:
    def databases() -> set[str]:
        with psycopg.connect(postgres.uri()) as connection:
            return {name for (name,) in connection.execute('SELECT datname FROM pg_database')}

    before = databases()
    words = ('--admin-uri', postgres.uri(), '-n')
    assert run(backup, 'undone', *words, '--max-runtime', '0s')[0] == 7
    assert databases() == before
    code, out, err = run(backup, 'back', *words)
    assert code == 0, err
    assert '74 nodes' in out
    assert databases() == before | {'ricordi_back'}
    assert load_config().get_profile('back').storage_backend == 'core.psql_dos'
    deleted = run_ricordi(['profile', 'delete', 'back', '--delete-data', '--yes', '--admin-uri', postgres.uri()])
    assert (deleted, databases()) == (0, before)


@pytest.fixture
def into_bucket(postgres: Any, object_store: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[str, ...]:
    """Options that say where a profile in a bucket shall be; the credentials are in the environment."""
    monkeypatch.setenv('AWS_ACCESS_KEY_ID', object_store.access_key)
    monkeypatch.setenv('AWS_SECRET_ACCESS_KEY', object_store.secret_key)
    for name in ('AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE', 'XDG_CACHE_HOME'):
        monkeypatch.setenv(name, str(tmp_path / name))
    words = ('--admin-uri', postgres.uri(), '--endpoint-url', object_store.endpoint, '--bucket-name', 'restored')
    return (*words, '--make-bucket', '--cache-bytes', '0', '-n')


def test_a_backup_is_restored_into_a_bucket_which_a_repair_mends_from_it(
    run: Run, backup: Path, into_bucket: tuple[str, ...], postgres: Any, object_store: Any
) -> None:
    """Also where the database lost all that it knew of the bucket, and an object is damaged there besides."""

    def ends(*words: object) -> int:
        return run_ricordi(['-p', 'grp', '-q', *map(str, words)])

    assert run(backup, 'grp', *into_bucket, '--max-runtime', '0s')[0] == 7
    assert load_config().profile_names == []
    code, out, err = run(backup, 'grp', *into_bucket)
    assert (code, '74 nodes, 207 rows in all, 23 objects' in out) == (0, True), err
    assert load_config().get_profile('grp').storage_backend == 'ricordi.psql_bucket'
    assert ends('storage', 'verify', '--read') == 0
    (pack,) = (name for name in object_store.names('restored') if '/packs/' in name)
    content = bytearray(obstore.get(object_store.client('restored'), pack).bytes())
    content[10] ^= 1
    obstore.put(object_store.client('restored'), pack, bytes(content))
    with psycopg.connect(postgres.uri('ricordi_grp'), autocommit=True) as connection:
        connection.execute('DROP SCHEMA ricordi_bucket CASCADE')
    assert ends('storage', 'verify') == 3
    assert ends('storage', 'repair', '--yes') == 6
    assert ends('storage', 'maintain', '--full', '--yes') == 6
    assert ends('storage', 'repair', '--from', 'grp', '--yes') == 2
    assert ends('storage', 'repair', '--from', backup, '--yes') == 0
    assert ends('storage', 'verify', '--read') == 0
    assert ends('storage', 'maintain', '--full', '--yes') == 0
    assert run_ricordi(['profile', 'delete', 'grp', '--delete-data', '--yes', '--admin-uri', postgres.uri()]) == 0
    object_store.remove_bucket('restored')
