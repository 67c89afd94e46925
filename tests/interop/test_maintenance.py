"""After `ricordi storage maintain --full` AiiDA reads every byte that it read before, and works on in that storage."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from aiida_process import run_in_aiida
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.backend.rows import EntityKind
from ricordi.manager import get_config, initialise_storage, maintain_storage, use_storage

DATA = Path(__file__).parent.parent / 'data'
CLI = Callable[..., subprocess.CompletedProcess[str]]
Dump = Callable[..., str]

WORK_ON = """
import io, sys
from aiida import load_profile, orm
from aiida.manage import get_manager
load_profile(sys.argv[1])
orm.SinglefileData(io.BytesIO(b'stored by AiiDA after Ricordi')).store()
storage = get_manager().get_profile_storage()
storage.maintain(full=False, dry_run=False)
storage.maintain(full=True, dry_run=False)
errors = vars(storage.get_repository()._container.validate())
assert not any(errors.values()), errors
contents = [node.get_content(mode='rb') for node in orm.QueryBuilder().append(orm.SinglefileData).all(flat=True)]
assert b'stored by AiiDA after Ricordi' in contents
"""


def run_aiida(python: str, home: Path, script: str, *args: str) -> None:
    done = run_in_aiida(python, ['-c', script, *args], {**os.environ, 'AIIDA_PATH': str(home)})
    assert done.returncode == 0, done.stderr


def without_hashes(dump: str) -> object:
    """A dump as JSON, without the extra that an import drops."""
    content = json.loads(dump)
    for node in content['nodes']:
        node['extras'].pop('_aiida_hash', None)
    return content


@pytest.fixture
def psql_home(tmp_path: Path, postgres, new_database, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration folder with the profile `psql_dos` over the reference database."""
    import psycopg

    database = new_database()
    with psycopg.connect(postgres.uri(database)) as connection:
        connection.execute((DATA / 'psql_dos.sql').read_bytes())
    home = tmp_path / '.aiida'
    for folder in ('access', 'repository'):
        (home / folder).mkdir(parents=True)
    with tarfile.open(DATA / 'psql_dos.tar.gz') as tar:
        tar.extractall(home / 'repository', filter='data')
    profile = {
        'PROFILE_UUID': '7' * 32,
        'default_user_email': 'alice@example.org',
        'storage': {
            'backend': 'core.psql_dos',
            'config': postgres.storage_config(database, home / 'repository' / 'psql_dos'),
        },
        'process_control': {'backend': None, 'config': None},
        'test_profile': False,
        'options': {},
    }
    version = {'CURRENT': 9, 'OLDEST_COMPATIBLE': 9}
    config = {'CONFIG_VERSION': version, 'default_profile': 'psql_dos', 'profiles': {'psql_dos': profile}}
    (home / 'config.json').write_text(json.dumps(config))
    (home / 'config.json').chmod(0o600)
    monkeypatch.setenv('AIIDA_PATH', str(home))
    return home


@pytest.mark.interop
@pytest.mark.parametrize(
    ('profile', 'expected', 'options'),
    [
        ('loose', 'reference', ('--compress',)),
        ('mixed', 'mixed', ()),
        ('mixed', 'mixed', ('--repack', 'all', '--compress', 'no')),
        ('aborted_before_commit', 'mixed', ()),
        ('aborted_after_remove', 'mixed', ()),
    ],
)
def test_aiida_reads_the_same_after_full_maintenance_and_works_on(
    reference_home: Path, run_cli: CLI, aiida_dump: Dump, aiida_python: str, profile: str, expected: str, options: tuple
) -> None:
    done = run_cli('-p', profile, 'storage', 'maintain', '--full', '--yes', *options)
    assert done.returncode == 0, done.stderr
    assert aiida_dump(reference_home, profile) == (DATA / f'{expected}.dump.json').read_text()
    run_aiida(aiida_python, reference_home, WORK_ON, profile)
    after = run_cli('-p', profile, 'storage', 'maintain', '--full', '--yes', '--format', 'json')
    assert after.returncode == 0, after.stderr
    aiida_dump(reference_home, profile)


@pytest.mark.interop
def test_aiida_reads_the_same_after_full_maintenance_on_postgresql(
    psql_home: Path, run_cli: CLI, aiida_dump: Dump, aiida_python: str
) -> None:
    done = run_cli('-p', 'psql_dos', 'storage', 'maintain', '--full', '--yes', '--repack', 'all')
    assert done.returncode == 0, done.stderr
    read = aiida_dump(psql_home, 'psql_dos')
    assert without_hashes(read) == without_hashes((DATA / 'reference.dump.json').read_text())
    run_aiida(aiida_python, psql_home, WORK_ON, 'psql_dos')
    assert run_cli('-p', 'psql_dos', 'storage', 'maintain', '--full', '--yes').returncode == 0


@pytest.mark.interop
@pytest.mark.parametrize('backend', ['core.sqlite_dos', 'core.psql_dos'])
def test_aiida_accepts_a_storage_that_ricordi_made(
    backend: str, tmp_path: Path, empty_home: Path, aiida_python: str, aiida_dump: Dump, request: pytest.FixtureRequest
) -> None:
    config = get_config(create=True)
    if backend == 'core.sqlite_dos':
        storage_config = {'filepath': str(tmp_path / 'new')}
    else:
        postgres, new_database = request.getfixturevalue('postgres'), request.getfixturevalue('new_database')
        storage_config = postgres.storage_config(new_database(), tmp_path / 'new')
    profile = config.create_profile('new', backend, storage_config)
    initialise_storage(profile)
    with use_storage(profile) as storage:
        key = storage.repository.put_objects([b'content ' * 1000, b'', b'x'])[0]
        storage.insert(
            EntityKind.USER, [{'email': 'a@example.org', 'first_name': 'A', 'last_name': '', 'institution': ''}]
        )
    config.set_default_user_email(profile, 'a@example.org')
    config.store()
    assert len(key) == 64
    run_aiida(aiida_python, empty_home, WORK_ON, 'new')
    report = maintain_storage(profile, MaintenanceOptions(full=True, repack='all'))
    assert report.after is not None
    assert report.after.packed.objects == 1, 'the three objects that no node names are garbage, the one of AiiDA is not'
    assert json.loads(aiida_dump(empty_home, 'new'))['nodes']
