"""One storage under several names: whoever has it open by one of them is met by who wants it alone by another."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ricordi.config import load_config
from ricordi.manager import use_storage

Run = Callable[..., subprocess.CompletedProcess[str]]

WRITER = """
import sys
from ricordi.backend.rows import EntityKind, UserRow
from ricordi.manager import use_storage
from ricordi.services.profiles.profiles import find_profile
with use_storage(find_profile(sys.argv[1]), purpose='a long import') as storage:
    key = storage.repository.put_object_from_bytes(b'an object whose row comes later')
    print('put', flush=True)
    input()
    user = next(iter(storage.find(UserRow, limit=1))).pk
    storage.insert(EntityKind.NODE, [{'user_pk': user, 'node_type': 'data.core.singlefile.SinglefileData.',
        'repository_metadata': {'o': {'file': {'k': key}}}}])
    print(key, flush=True)
"""
USER_ID = 65534


@pytest.fixture(params=['sqlite', 'psql'])
def profile(request: pytest.FixtureRequest, reference_home: Path) -> str:
    """A profile of each backend."""
    return 'mixed' if request.param == 'sqlite' else request.getfixturevalue('psql_profile')


def add_alias(home: Path, profile: str, through_link: bool) -> str:
    """The same storage under a second name."""
    path = home / 'config.json'
    config = json.loads(path.read_text())
    copied = json.loads(json.dumps(config['profiles'][profile]))
    copied['PROFILE_UUID'] = '0' * 32
    if through_link:
        link = home / 'link'
        storage = copied['storage']['config']
        key = 'filepath' if 'filepath' in storage else 'repository_uri'
        link.symlink_to(storage[key].removeprefix('file://'))
        storage[key] = link.as_uri() if key == 'repository_uri' else str(link)
    config['profiles']['alias'] = copied
    path.write_text(json.dumps(config))
    return 'alias'


@pytest.fixture(params=['a second name', 'a symbolic link', 'a copied configuration'])
def other_way(request: pytest.FixtureRequest, reference_home: Path, profile: str, tmp_path: Path) -> tuple[str, Path]:
    """The name and the configuration folder by which somebody else reaches the same storage."""
    if request.param == 'a copied configuration':
        home = tmp_path / 'copy' / '.aiida'
        home.mkdir(parents=True)
        shutil.copy(reference_home / 'config.json', home)
        return profile, home
    return add_alias(reference_home, profile, request.param == 'a symbolic link'), reference_home


@pytest.fixture
def alias(profile: str, reference_home: Path) -> str:
    """A second name of the storage, that is there before anybody uses it."""
    return add_alias(reference_home, profile, through_link=False)


@pytest.fixture
def writer(profile: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has put an object, of which the row comes when it is told."""
    with subprocess.Popen(
        [sys.executable, '-c', WRITER, profile], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == 'put\n'
        yield process
        process.kill()


def finish(writer: subprocess.Popen[str]) -> str:
    out, _ = writer.communicate('\n', timeout=240)
    assert writer.returncode == 0
    return out.strip()


def test_full_maintenance_by_another_name_is_refused_while_somebody_writes_and_names_them(
    run_cli: Run, writer: subprocess.Popen[str], other_way: tuple[str, Path], profile: str
) -> None:
    name, home = other_way
    there = {**os.environ, 'AIIDA_PATH': str(home)}
    done = run_cli('-p', name, 'storage', 'maintain', '--full', '--yes', env=there)
    assert (done.returncode, done.stdout) == (5, '')
    for told in (f'process {writer.pid} on {os.uname().nodename}', 'user ', 'command `', 'since ', 'a long import'):
        assert told in done.stderr
    assert f'"pid": {writer.pid}' in run_cli('-p', name, 'storage', 'locks', '--format', 'json', env=there).stdout
    key = finish(writer)
    assert run_cli('-p', name, 'storage', 'maintain', '--full', '--yes', '--wait', '240', env=there).returncode == 0
    report = json.loads(run_cli('-p', profile, 'storage', 'maintain', '--full', '--dry-run', '--format', 'json').stdout)
    assert key
    assert report['problems'] == []


def test_data_that_somebody_has_open_by_another_name_is_not_deleted(
    run_cli: Run, writer: subprocess.Popen[str], profile: str, tmp_path: Path, reference_home: Path
) -> None:
    home = tmp_path / 'copy' / '.aiida'
    home.mkdir(parents=True)
    shutil.copy(reference_home / 'config.json', home)
    done = run_cli('profile', 'delete', '--delete-data', '--yes', profile, env={**os.environ, 'AIIDA_PATH': str(home)})
    assert done.returncode == 5
    assert f'process {writer.pid} ' in done.stderr
    assert finish(writer)
    assert run_cli('-p', profile, 'status').returncode == 0


def test_a_storage_in_use_can_be_given_a_second_name(run_cli: Run, reference_home: Path) -> None:
    folder = reference_home / 'repository' / 'mixed'
    with subprocess.Popen(
        [sys.executable, '-c', WRITER, 'mixed'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == 'put\n'
        words = ('profile', 'setup', 'core.sqlite_dos', '-p', 'second', '--email', 'a@b.c', '-n', '--filepath', folder)
        assert run_cli(*map(str, words)).returncode == 0
        assert run_cli('-p', 'second', 'storage', 'maintain', '--full', '--yes').returncode == 5
        assert finish(writer)


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can become another user')
def test_another_user_who_may_only_read_keeps_the_owner_from_removing_anything(
    run_cli: Run, reference_home: Path, tmp_path: Path
) -> None:
    """They have a configuration folder of their own, in which the owner can look for nothing."""
    theirs = tmp_path / 'theirs' / '.aiida'
    theirs.mkdir(parents=True)
    shutil.copy(reference_home / 'config.json', theirs)
    for path in (theirs.parent, theirs, theirs / 'config.json'):
        os.chown(path, USER_ID, USER_ID)
    for path in [*reference_home.rglob('*'), *tmp_path.parents, tmp_path, reference_home, reference_home.parent]:
        if path.owner() == 'root':
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
    with use_storage(load_config().get_profile('mixed')):
        pass  # what is imported on the way may be unreadable for them
    (reads, says), (hears, tells) = os.pipe(), os.pipe()
    reader = os.fork()
    if reader == 0:
        os.setgid(USER_ID)
        os.setuid(USER_ID)
        os.environ['AIIDA_PATH'] = str(theirs)
        with warnings.catch_warnings(), use_storage(load_config().get_profile('mixed')):
            os.write(says, b'in')
            os.read(hears, 1)
        os._exit(0)
    try:
        assert os.read(reads, 2) == b'in'
        done = run_cli('-p', 'mixed', 'storage', 'maintain', '--full', '--yes')
        assert done.returncode == 5
        assert f'process {reader}, user ' in done.stderr
    finally:
        os.write(tells, b'.')
        os.waitpid(reader, 0)
    assert run_cli('-p', 'mixed', 'storage', 'maintain', '--full', '--yes').returncode == 0


# deleting --------------------------------------------------------------------------------------------------


def test_data_that_another_profile_names_is_not_deleted_unless_that_one_goes_too(
    run_cli: Run, profile: str, reference_home: Path
) -> None:
    add_alias(reference_home, profile, through_link=True)
    for words in (['--yes'], ['--dry-run']):
        done = run_cli('profile', 'delete', '--delete-data', profile, *words)
        assert done.returncode == 1
        assert "'alias'" in done.stderr
    assert run_cli('-p', 'alias', 'status').returncode == 0
    assert run_cli('profile', 'delete', '--delete-data', '--yes', profile, 'alias').returncode == 0
    left = json.loads((reference_home / 'config.json').read_text())['profiles']
    assert not {profile, 'alias'} & set(left)
    assert not (reference_home / 'repository' / profile / 'container').exists()


def test_the_data_of_a_storage_behind_a_link_is_deleted_with_the_link(
    run_cli: Run, reference_home: Path, tmp_path: Path
) -> None:
    folder, elsewhere = reference_home / 'repository' / 'mixed', tmp_path / 'larger disk'
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    done = run_cli('profile', 'delete', '--delete-data', '--yes', 'mixed')
    assert done.returncode == 0, done.stderr
    assert not elsewhere.exists()
    assert not os.path.lexists(folder)
    assert 'mixed' not in json.loads((reference_home / 'config.json').read_text())['profiles']


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can mount')
def test_the_folder_that_a_disk_is_mounted_at_stays_and_is_told_when_its_data_is_deleted(
    run_cli: Run, reference_home: Path, tmp_path: Path
) -> None:
    folder, elsewhere = reference_home / 'repository' / 'mixed', tmp_path / 'disk'
    folder.rename(elsewhere)
    folder.mkdir()
    if subprocess.run(['mount', '--bind', elsewhere, folder], capture_output=True).returncode:
        pytest.skip('nothing may be mounted here')
    try:
        done = run_cli('profile', 'delete', '--delete-data', '--yes', 'mixed')
        assert done.returncode == 0, done.stderr
        assert f'folder {folder}' in done.stderr
        assert not any(elsewhere.iterdir())
    finally:
        subprocess.run(['umount', folder], check=True)
    assert 'mixed' not in json.loads((reference_home / 'config.json').read_text())['profiles']


def test_a_name_goes_without_its_data_though_the_storage_is_in_use_by_another_name(
    run_cli: Run, alias: str, writer: subprocess.Popen[str], profile: str
) -> None:
    assert run_cli('profile', 'delete', '--keep-data', '--yes', profile).returncode == 5
    assert run_cli('profile', 'delete', '--keep-data', '--yes', 'alias').returncode == 0
    assert finish(writer)


PERSON = ('--email', 'ada@example.org', '-n')


def server_holds(postgres: Any) -> set[str]:
    import psycopg

    with psycopg.connect(postgres.uri()) as connection:
        rows = connection.execute('SELECT rolname FROM pg_roles UNION SELECT datname FROM pg_database').fetchall()
    return {row[0] for row in rows}


def test_what_stays_of_a_postgresql_profile_is_told(run_cli: Run, empty_home: Path, postgres: Any) -> None:
    before = server_holds(postgres)
    run_cli('profile', 'setup', 'core.psql_dos', '-p', 'stays', *PERSON, '--admin-uri', postgres.uri())
    done = run_cli('profile', 'delete', '--delete-data', '--yes', 'stays')
    assert done.returncode == 0
    for told in ("database 'ricordi_stays'", "role 'ricordi_stays'", '--admin-uri'):
        assert told in done.stderr
    assert server_holds(postgres) - before == {'ricordi_stays'}


def test_an_administrator_removes_what_the_setup_has_made(run_cli: Run, empty_home: Path, postgres: Any) -> None:
    before = server_holds(postgres)
    run_cli('profile', 'setup', 'core.psql_dos', '-p', 'goes', *PERSON, '--admin-uri', postgres.uri())
    assert server_holds(postgres) != before
    done = run_cli('profile', 'delete', '--delete-data', '--yes', 'goes', '--admin-uri', postgres.uri())
    assert done.returncode == 0
    assert "Removed as well: database 'ricordi_goes', role 'ricordi_goes'." in done.stderr
    assert 'Still there' not in done.stderr
    assert server_holds(postgres) == before


def test_an_administrator_removes_nothing_that_no_setup_has_made(
    run_cli: Run, psql_profile: str, reference_home: Path, postgres: Any
) -> None:
    before = server_holds(postgres)
    done = run_cli('profile', 'delete', '--delete-data', '--yes', 'psql', '--admin-uri', postgres.uri())
    assert done.returncode == 0
    assert 'not made by a setup' in done.stderr
    assert server_holds(postgres) == before


def test_an_administrator_leaves_a_database_that_holds_more_than_the_profile(
    run_cli: Run, empty_home: Path, postgres: Any
) -> None:
    import psycopg

    run_cli('profile', 'setup', 'core.psql_dos', '-p', 'more', *PERSON, '--admin-uri', postgres.uri())
    with psycopg.connect(postgres.uri('ricordi_more')) as connection:
        connection.execute('CREATE TABLE notes (text text)')
    done = run_cli('profile', 'delete', '--delete-data', '--yes', 'more', '--admin-uri', postgres.uri())
    assert done.returncode == 0
    assert 'holds more than the profile' in done.stderr
    with psycopg.connect(postgres.uri('ricordi_more')) as connection:
        assert connection.execute('SELECT count(*) FROM notes').fetchone() == (0,)


def test_an_administrator_of_another_server_is_refused_before_anything_is_deleted(
    run_cli: Run, psql_profile: str, postgres: Any, reference_home: Path
) -> None:
    uri = f'postgresql://postgres:secret@{postgres.host}:1/postgres'
    done = run_cli('profile', 'delete', '--delete-data', '--yes', 'psql', '--admin-uri', uri)
    assert done.returncode == 3
    assert 'secret' not in done.stderr
    assert run_cli('-p', 'psql', 'status').returncode == 0
    assert run_cli('profile', 'delete', '--keep-data', '--yes', 'psql', '--admin-uri', uri).returncode == 2
