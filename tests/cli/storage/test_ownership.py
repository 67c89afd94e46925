"""One container serves one database: what may be another's is never tied to a new one in silence, and never removed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ricordi.config import Profile
from ricordi.manager import use_storage
from ricordi.services.profiles.profiles import find_profile

SETUP = ('--email', 'a@b.c', '-n')
FULL = ('storage', 'maintain', '--full', '--yes')
TYPE = 'data.core.singlefile.SinglefileData.'


def objects_of(profile: str) -> list[str]:
    with use_storage(find_profile(profile)) as storage:
        return list(storage.repository.list_objects())


def add_node(profile: str, content: bytes) -> str:
    """Store a file in a node, as any program does."""
    with use_storage(find_profile(profile)) as storage:
        key = storage.repository.put_object_from_bytes(content)
        tree = {'o': {'file': {'k': key}}}
        storage.insert('node', [{'node_type': TYPE, 'user_pk': 1, 'repository_metadata': tree}])
    return key


def add_garbage(profile: str) -> str:
    with use_storage(find_profile(profile)) as storage:
        return storage.repository.put_object_from_bytes(b'that no node names')


def rename_profile(home: Path, name: str, other: str, **storage_config: Any) -> None:
    """Write a second profile into the configuration by hand."""
    path = home / 'config.json'
    config = json.loads(path.read_text())
    profile = json.loads(json.dumps(config['profiles'][name]))
    profile['PROFILE_UUID'] = 'e' * 32
    profile['storage']['config'] |= storage_config
    config['profiles'][other] = profile
    path.write_text(json.dumps(config))


def options_of(profile: Profile, **other: Any) -> tuple[str, ...]:
    """The options by which a profile like this one is set up."""
    config = {**profile.storage_config, **other}
    config.pop('database_engine')
    return tuple(word for key, value in config.items() for word in (f'--{key.replace("_", "-")}', str(value)))


def copy_of(postgres: Any, database: str) -> str:
    """A copy of a database, as `createdb -T` makes it."""
    with psycopg.connect(postgres.uri(), autocommit=True) as raw:
        raw.execute(f'CREATE DATABASE {database}_copy TEMPLATE {database}'.encode())
    return f'{database}_copy'


@pytest.fixture
def copy_database(postgres: Any) -> Any:
    made: list[str] = []

    def copy(database: str) -> str:
        made.append(copy_of(postgres, database))
        return made[-1]

    yield copy
    with psycopg.connect(postgres.uri(), autocommit=True) as raw:
        for name in made:
            raw.execute(f'DROP DATABASE IF EXISTS {name} WITH (FORCE)'.encode())


# what goes on as before ------------------------------------------------------------------------------------


def test_the_garbage_of_an_ordinary_profile_that_aiida_made_goes_without_a_word(run_here, each_profile: str) -> None:
    key = add_garbage(each_profile)
    done = run_here('-p', each_profile, *FULL)
    assert (done.returncode, 'adopt' in done.stdout + done.stderr) == (0, False)
    assert key not in objects_of(each_profile)
    assert run_here('-p', each_profile, *FULL).returncode == 0


def test_a_storage_may_be_moved_copied_and_restored_as_a_whole(run_here, reference_home: Path) -> None:
    assert run_here('-p', 'mixed', *FULL).returncode == 0
    folder = reference_home / 'repository' / 'mixed'
    for change in (
        lambda: folder.rename(folder.with_name('moved')),
        lambda: shutil.copytree(folder, folder.with_name('copied')),
    ):
        key = add_garbage('mixed')
        change()
        for place in ('moved', 'copied'):
            if folder.with_name(place).exists():
                rename_profile(reference_home, 'mixed', place, filepath=str(folder.with_name(place)))
                done = run_here('-p', place, *FULL)
                assert done.returncode == 0, done.stderr
                assert key not in objects_of(place)
        if not folder.exists():
            folder.with_name('moved').rename(folder)


def test_one_storage_under_two_names_is_no_reason_for_doubt(run_here, each_profile: str, reference_home: Path) -> None:
    rename_profile(reference_home, each_profile, 'again')
    key = add_garbage('again')
    assert run_here('-p', each_profile, *FULL).returncode == 0
    assert key not in objects_of('again')


# a new database --------------------------------------------------------------------------------------------


def test_a_new_postgresql_database_is_not_tied_to_the_container_of_another_profile(
    run_here, each_profile: str, reference_home: Path, postgres: Any, new_database: Callable[[], str]
) -> None:
    before = objects_of(each_profile)
    profile = find_profile(each_profile)
    folder = (
        profile.repository_path
        if 'repository_uri' in profile.storage_config
        else Path(profile.storage_config['filepath'])
    )
    given = Profile(
        'g', {'storage': {'backend': 'core.psql_dos', 'config': postgres.storage_config(new_database(), folder)}}
    )
    done = run_here('profile', 'setup', 'core.psql_dos', '-p', 'new', *options_of(given), *SETUP)
    assert done.returncode == 1
    assert each_profile in done.stderr
    assert '--adopt' in done.stderr
    assert 'new' not in json.loads((reference_home / 'config.json').read_text())['profiles']
    assert objects_of(each_profile) == before
    assert (
        run_here('profile', 'setup', 'core.psql_dos', '-p', 'new', *options_of(given), '--adopt', *SETUP).returncode
        == 0
    )
    for name in ('new', each_profile):
        done = run_here('-p', name, *FULL)
        assert (done.returncode, objects_of(name)) == (6, before)
        assert '--adopt' in done.stderr


@pytest.mark.parametrize('maintained', [False, True])
def test_a_container_whose_sqlite_database_is_gone_is_not_emptied(
    run_here, reference_home: Path, maintained: bool
) -> None:
    folder = reference_home / 'repository' / 'mixed'
    if maintained:
        assert run_here('-p', 'mixed', *FULL).returncode == 0
    before = objects_of('mixed')
    (folder / 'database.sqlite').unlink()
    command = ('profile', 'setup', 'core.sqlite_dos', '-p', 'new', '--filepath', folder, *SETUP)
    done = run_here(*command)
    assert done.returncode == 1
    assert '--adopt' in done.stderr
    assert not (folder / 'database.sqlite').exists()
    assert run_here(*command, '--adopt').returncode == 0
    done = run_here('-p', 'new', *FULL, '--format', 'json')
    assert done.returncode == 6
    assert json.loads(done.stdout)['doubt']
    assert objects_of('new') == before
    assert run_here('-p', 'new', *FULL, '--adopt').returncode == 0  # a person has said it twice
    assert objects_of('new') == []


# a copy of the database ------------------------------------------------------------------------------------


@pytest.mark.parametrize('maintained', [False, True])
def test_a_copied_postgresql_database_that_names_the_same_container_removes_nothing(
    run_here, psql_profile: str, reference_home: Path, copy_database: Any, maintained: bool
) -> None:
    if maintained:
        assert run_here('-p', 'psql', *FULL).returncode == 0
    copy = copy_database(find_profile('psql').storage_config['database_name'])
    command = ('profile', 'setup', 'core.psql_dos', '-p', 'copy', *options_of(find_profile('psql'), database_name=copy))
    done = run_here(*command, *SETUP)
    assert (done.returncode, '--adopt' in done.stderr) == (1, True)
    rename_profile(reference_home, 'psql', 'copy', database_name=copy)
    key = add_node('copy', b'only the copy names this')
    other = add_node('psql', b'only the original names this')
    for name in ('psql', 'copy'):
        done = run_here('-p', name, *FULL)
        assert done.returncode == 6, name
        assert '--adopt' in done.stderr
        assert {key, other} <= set(objects_of(name))


@pytest.mark.parametrize('maintained', [False, True])
def test_a_copied_database_is_found_out_from_another_configuration_too(
    run_here, psql_profile: str, reference_home: Path, copy_database: Any, maintained: bool
) -> None:
    if maintained:
        assert run_here('-p', 'psql', 'storage', 'maintain').returncode == 0
    path = reference_home / 'config.json'
    config = json.loads(path.read_text())
    config['profiles'] = {'psql': config['profiles']['psql']}
    config['profiles']['psql']['storage']['config']['database_name'] = copy_database(
        find_profile('psql').storage_config['database_name']
    )
    key = add_node('psql', b'only the original names this')
    path.write_text(json.dumps(config))
    done = run_here('-p', 'psql', *FULL)
    assert done.returncode == 6
    assert key in objects_of('psql')
    assert 'last_maintained' in run_here('-p', 'psql', 'storage', 'info', '--format', 'json').stdout
    assert (
        json.loads(run_here('-p', 'psql', 'storage', 'info', '--format', 'json').stdout)['last_maintained']['full']
        is None
    )


@pytest.mark.parametrize('maintained', [False, True])
def test_a_copied_sqlite_folder_whose_container_is_a_link_to_the_original_removes_nothing(
    run_here, reference_home: Path, maintained: bool
) -> None:
    if maintained:
        assert run_here('-p', 'mixed', *FULL).returncode == 0
    folder = reference_home / 'repository' / 'mixed'
    copy = reference_home / 'repository' / 'copy'
    copy.mkdir()
    shutil.copy(folder / 'database.sqlite', copy)
    (copy / 'container').symlink_to(folder / 'container')
    key = add_node('mixed', b'only the original names this')
    done = run_here('profile', 'setup', 'core.sqlite_dos', '-p', 'copy', '--filepath', copy, *SETUP)
    assert (done.returncode, '--adopt' in done.stderr) == (1, True)
    rename_profile(reference_home, 'mixed', 'copy', filepath=str(copy))
    for name in ('copy', 'mixed'):
        assert run_here('-p', name, *FULL).returncode == 6
        assert key in objects_of('mixed')
    assert run_here('-p', 'mixed', 'status').returncode == 6


# a restored or moved database ------------------------------------------------------------------------------


def test_a_restored_database_is_taken_for_the_container_by_one_word(
    run_here, psql_profile: str, reference_home: Path, copy_database: Any, postgres: Any
) -> None:
    assert run_here('-p', 'psql', *FULL).returncode == 0
    database = find_profile('psql').storage_config['database_name']
    copy = copy_database(database)
    with psycopg.connect(postgres.uri(), autocommit=True) as raw:
        raw.execute(f'DROP DATABASE {database} WITH (FORCE)'.encode())
        raw.execute(f'ALTER DATABASE {copy} RENAME TO {database}'.encode())
    key = add_garbage('psql')
    plan = run_here('-p', 'psql', 'storage', 'maintain', '--full', '--dry-run')
    assert (plan.returncode, '--adopt' in plan.stdout) == (6, True)
    assert run_here('-p', 'psql', *FULL).returncode == 6
    assert key in objects_of('psql')
    assert run_here('-p', 'psql', *FULL, '--adopt').returncode == 0
    assert key not in objects_of('psql')
    add_garbage('psql')
    assert run_here('-p', 'psql', *FULL).returncode == 0


def test_a_database_file_that_was_put_back_is_told_as_that(run_here, reference_home: Path) -> None:
    database = reference_home / 'repository' / 'mixed' / 'database.sqlite'
    assert run_here('-p', 'mixed', *FULL).returncode == 0
    shutil.copy(database, database.with_suffix('.copy'))
    database.with_suffix('.copy').replace(database)
    key = add_garbage('mixed')
    done = run_here('-p', 'mixed', *FULL)
    assert done.returncode == 6
    assert 'it was replaced, or put back to an earlier state' in done.stdout
    assert 'another database' not in done.stdout
    assert 'what only nodes of the other one name is then removed for good' in done.stdout
    assert key in objects_of('mixed')


def test_adopting_is_for_full_maintenance_and_a_plan_with_it_writes_nothing(run_here, reference_home: Path) -> None:
    assert run_here('-p', 'mixed', 'storage', 'maintain', '--adopt').returncode == 2
    record = reference_home / 'repository' / 'mixed' / 'container' / 'ricordi-database.json'
    assert run_here('-p', 'mixed', 'storage', 'maintain', '--full', '--adopt', '--dry-run').returncode == 0
    assert not record.exists()


@pytest.mark.interop
def test_aiida_goes_on_working_with_a_container_that_has_a_record(run_here, aiida_dump, reference_home: Path) -> None:
    before = aiida_dump(reference_home, 'mixed')
    assert run_here('-p', 'mixed', *FULL).returncode == 0
    assert (reference_home / 'repository' / 'mixed' / 'container' / 'ricordi-database.json').exists()
    assert aiida_dump(reference_home, 'mixed') == before
