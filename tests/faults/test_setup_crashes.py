"""A setup that is killed, or that a disk fails, at any of its changes: all or nothing, and the next one ends well."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

HERE = Path(__file__).parent
LEAST_POINTS = {'sqlite': 70, 'presto': 70, 'psql': 40}
"""Fewer points than this, and the trap no longer lies under all that changes files."""
SETUP = ('--email', 'a@b.c', '-n')


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where there is one: a process that is killed cannot tell it from a disk."""
    memory = Path('/dev/shm')
    place = Path(tempfile.mkdtemp(prefix='ricordi-setups-', dir=memory if os.access(memory, os.W_OK) else None))
    yield place
    shutil.rmtree(place)


@pytest.mark.slow
@pytest.mark.parametrize('work', LEAST_POINTS)
def test_a_setup_that_is_cut_short_at_any_point_is_whole_or_nothing_and_the_next_one_ends_well(
    work: str, folder: Path, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> None:
    environment = {**os.environ, 'PYTHONPATH': str(HERE.parent)}
    if work == 'psql':
        server, database = (request.getfixturevalue(name) for name in ('postgres', 'new_database'))
        environment['CRASH_DATABASE'] = server.uri(database())
    command = [sys.executable, HERE / 'crash_setup.py', work, folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    record_property('counted', f'setup, {work}: {found["runs"]} runs, killed or failing at {found["points"]} changes')
    assert found['points'] >= LEAST_POINTS[work]
    assert found['runs'] >= 2 * found['points']


def start(*arguments: object) -> subprocess.Popen[str]:
    words = [sys.executable, '-m', 'ricordi', *map(str, arguments)]
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize('same_folder', [True, False])
@pytest.mark.parametrize('database', ['sqlite', 'psql'])
def test_of_several_setups_at_once_in_one_place_none_undoes_another(
    empty_home: Path,
    tmp_path: Path,
    run_cli: Callable[..., Any],
    request: pytest.FixtureRequest,
    database: str,
    same_folder: bool,
) -> None:
    if database == 'sqlite' and not same_folder:
        pytest.skip('a SQLite database lies in the folder itself')
    options: list[tuple[object, ...]] = [('core.sqlite_dos', '--filepath', tmp_path / 'data')] * 3
    if database == 'psql':
        server, new = (request.getfixturevalue(name) for name in ('postgres', 'new_database'))
        address = ('--database-hostname', server.host, '--database-port', server.port, '--database-name', new())
        shared = ('core.psql_dos', *address, '--database-username', 'postgres', '--database-password', 'none')
        folders = [tmp_path / ('data' if same_folder else f'data-{number}') for number in range(3)]
        options = [(*shared, '--repository-uri', path.as_uri()) for path in folders]
    running = [
        start('profile', 'setup', kind, '-p', f'p{number}', *rest, *SETUP)
        for number, (kind, *rest) in enumerate(options)
    ]
    ended = [(process.communicate()[1], process.returncode) for process in running]
    names = list(json.loads((empty_home / 'config.json').read_text())['profiles'])
    assert len(names) == sum(code == 0 for _, code in ended) >= 1
    assert same_folder <= (len(names) == 3), ended
    for told, code in ended:
        assert 'bug' not in told
        # 5: one who came while another made the storage in the same database
        assert code in (0, 5) or 'choose another' in told or 'name the folder' in told, told
    for name in names:
        done = run_cli('-p', name, 'storage', 'maintain', '--full', '--yes')
        assert done.returncode == 0, done.stderr
    left = [path for path in tmp_path.glob('data*') if path.name != 'data']
    assert len(left) == (0 if same_folder else 1), 'a setup that was refused has left a folder'


def test_a_folder_with_the_rests_of_a_container_takes_a_setup_and_one_with_other_files_is_left_alone(
    empty_home: Path, tmp_path: Path, run_cli: Callable[..., Any]
) -> None:
    (tmp_path / 'data' / 'container' / 'loose').mkdir(parents=True)
    (tmp_path / 'data' / 'container' / 'packs.idx').write_bytes(b'')
    (tmp_path / 'mine' / 'container').mkdir(parents=True)
    (tmp_path / 'mine' / 'container' / 'thesis.tex').write_text('mine')
    setup = ('profile', 'setup', 'core.sqlite_dos', *SETUP)
    assert run_cli(*setup, '-p', 'new', '--filepath', tmp_path / 'data').returncode == 0
    assert run_cli('storage', 'maintain', '--full', '--yes').returncode == 0
    refused = run_cli(*setup, '-p', 'other', '--filepath', tmp_path / 'mine')
    assert (refused.returncode, 'not empty' in refused.stderr) == (1, True)
    assert (tmp_path / 'mine' / 'container' / 'thesis.tex').read_text() == 'mine'


def test_what_a_killed_presto_and_a_killed_writer_have_left_goes_with_the_next_setup(
    empty_home: Path, run_cli: Callable[..., Any]
) -> None:
    assert run_cli('presto', '-p', 'first').returncode == 0
    repository = empty_home / 'repository'
    (used,) = repository.iterdir()
    draft, swap = empty_home / '.config.json.k1ll3d_x', empty_home / '.config.json.swp'
    draft.touch(), swap.touch()
    killed, kept = repository / f'sqlite_dos_{"a" * 32}', repository / f'sqlite_dos_{"b" * 32}'
    for folder in (killed, kept):
        shutil.copytree(used, folder)
        (folder / '.ricordi-setup').write_text('f' * 32)
    (repository / f'sqlite_dos_{"c" * 32}').mkdir()
    (kept / 'notes.txt').write_text('mine')
    assert run_cli('presto', '-p', 'second').returncode == 0
    assert not killed.exists()
    assert (kept / 'database.sqlite').exists()
    assert len(list(repository.iterdir())) == 3
    assert (draft.exists(), swap.exists()) == (False, True)


def test_role_and_database_of_a_killed_setup_go_with_the_next_one(
    empty_home: Path, run_cli: Callable[..., Any], postgres: Any
) -> None:
    from ricordi.storage.psql import provision as psql_provision

    administrator = psql_provision.Administrator(postgres.host, postgres.port, 'postgres')
    setup = ('profile', 'setup', 'core.psql_dos', *SETUP, '--admin-uri', postgres.uri())
    living = psql_provision.provided_database(administrator, 'ricordi_living', 'ricordi_living', 'secret')
    with living as finish, psycopg.connect(postgres.uri(), autocommit=True) as raw:
        raw.execute("CREATE ROLE ricordi_killed LOGIN PASSWORD 'x'")
        raw.execute(f"COMMENT ON ROLE ricordi_killed IS '{psql_provision.MARK}'".encode())
        raw.execute('CREATE DATABASE ricordi_killed OWNER ricordi_killed')
        done = run_cli(*setup, '-p', 'killed')
        assert done.returncode == 0, done.stderr
        assert run_cli('-p', 'killed', 'status').returncode == 0
        roles = raw.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'ricordi_%' ORDER BY 1").fetchall()
        assert {('ricordi_killed',), ('ricordi_living',)} <= set(roles)
        finish()
        assert run_cli(*setup, '-p', 'third').returncode == 0
        marks = raw.execute("SELECT count(*) FROM pg_shdescription WHERE description LIKE 'made by a setup%'")
        assert marks.fetchone() == (0,)
        for name in ('killed', 'living', 'third'):
            raw.execute(f'DROP DATABASE ricordi_{name} WITH (FORCE)'.encode())
            raw.execute(f'DROP ROLE ricordi_{name}'.encode())
