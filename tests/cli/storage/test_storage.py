"""`ricordi storage` through the installed command: info, version, migrate, maintain, on SQLite and PostgreSQL."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from deadlines import wait_until

USES_PROFILE = """
import sys, time
from ricordi.manager import open_storage
from ricordi.services.profiles.profiles import find_profile
storage = open_storage(find_profile(sys.argv[1]), purpose='a test')
print('in', flush=True)
time.sleep(600)
"""


def container(home: Path, profile: str) -> Path:
    return home / 'repository' / profile / 'container'


def loose_files(home: Path, profile: str) -> list[Path]:
    return [path for path in (container(home, profile) / 'loose').rglob('*') if path.is_file()]


@contextmanager
def user_of(profile: str) -> Iterator[subprocess.Popen[str]]:
    """A process of Ricordi that uses the profile."""
    process = subprocess.Popen([sys.executable, '-c', USES_PROFILE, profile], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == 'in\n'
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture(params=['sqlite', 'psql'])
def profile(request: pytest.FixtureRequest, reference_home: Path) -> str:
    """A profile of each backend, whose objects are all or partly loose."""
    return 'mixed' if request.param == 'sqlite' else request.getfixturevalue('psql_profile')


# info and version ------------------------------------------------------------------------------------------


def test_info_counts_what_the_storage_holds(run_cli, profile: str) -> None:
    done = run_cli('-p', profile, 'storage', 'info', '--format', 'json')
    assert (done.returncode, done.stderr) == (0, '')
    info = json.loads(done.stdout)
    assert info['profile'] == profile
    assert info['entities']['node'] in (74, 75)
    assert info['repository']['loose']['objects'] + info['repository']['packed']['objects'] in (23, 25)


def test_detailed_info_adds_tables_garbage_and_missing_objects(run_cli, reference_home: Path) -> None:
    info = json.loads(run_cli('-p', 'mixed', 'storage', 'info', '--detailed', '--format', 'json').stdout)
    assert info['database']['tables']['db_dbnode'] > 0
    assert info['repository']['garbage']['objects'] == 1
    assert info['repository']['missing'] == 0


def test_info_tells_when_the_storage_was_last_maintained(run_cli, reference_home: Path) -> None:
    def last() -> dict[str, str | None]:
        return json.loads(run_cli('-p', 'mixed', 'storage', 'info', '--format', 'json').stdout)['last_maintained']

    assert last() == {'live': None, 'full': None}
    run_cli('-p', 'mixed', 'storage', 'maintain', '--dry-run')
    run_cli('-p', 'mixed', 'storage', 'maintain', '--full', '--yes', '--max-runtime', '0')
    assert last() == {'live': None, 'full': None}
    run_cli('-p', 'mixed', 'storage', 'maintain')
    live = last()
    assert live['live'] is not None
    assert live['full'] is None
    run_cli('-p', 'mixed', 'storage', 'maintain', '--full', '--yes')
    assert last()['full'] is not None


def test_info_for_people_writes_sizes_with_their_unit(run_cli, reference_home: Path) -> None:
    lines = [line.split() for line in run_cli('-p', 'mixed', 'storage', 'info').stdout.splitlines()]
    assert ['entities.node', '75'] in lines
    assert any(line[0] == 'repository.packed.bytes' and line[2] == 'kB' for line in lines)


def test_version_names_the_schema(run_cli, profile: str) -> None:
    assert 'main_0002' in run_cli('-p', profile, 'storage', 'version').stdout
    version = json.loads(run_cli('-p', profile, 'storage', 'version', '--format', 'json').stdout)
    assert (version['profile'], version['version'], version['head']) == (profile, 'main_0002', 'main_0002')


# maintain --------------------------------------------------------------------------------------------------


def test_live_maintenance_packs_and_leaves_garbage_alone(run_cli, reference_home: Path) -> None:
    done = run_cli('-p', 'mixed', 'storage', 'maintain', '--format', 'json')
    assert (done.returncode, done.stderr) == (0, '')
    report = json.loads(done.stdout)
    assert (report['before']['loose']['objects'], report['after']['loose']['objects']) == (2, 0)
    assert report['after']['packed']['objects'] == 25
    assert loose_files(reference_home, 'mixed') == []


def test_full_maintenance_removes_garbage_and_a_second_one_finds_nothing_to_do(run_cli, profile: str) -> None:
    done = run_cli('-p', profile, 'storage', 'maintain', '--full', '--yes', '--format', 'json')
    assert (done.returncode, done.stderr) == (0, '')
    report = json.loads(done.stdout)
    assert report['after']['loose'] == {'objects': 0, 'bytes': 0}
    assert report['after']['garbage'] == {'objects': 0, 'bytes': 0}
    assert report['exit_code'] == 0
    again = run_cli('-p', profile, 'storage', 'maintain', '--full', '--yes')
    assert again.returncode == 0
    assert again.stdout.startswith(f'Nothing to do for profile `{profile}`')
    assert again.stdout.count('\n') == 1


def test_the_report_for_people_shows_before_and_after(run_cli, reference_home: Path) -> None:
    done = run_cli('-p', 'mixed', 'storage', 'maintain', '--full', '--force')
    assert done.returncode == 0
    assert 'Full maintenance of profile `mixed`.' in done.stdout
    for word in ('before', 'after', 'loose objects', 'garbage', 'waste in packs', 'files', 'remove garbage', 'time'):
        assert word in done.stdout
    assert '\x1b' not in done.stdout


def test_a_dry_run_plans_and_writes_nothing(run_cli, reference_home: Path) -> None:
    def tree() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in container(reference_home, 'mixed').rglob('*') if path.is_file()}

    before = tree()
    done = run_cli('-p', 'mixed', 'storage', 'maintain', '--full', '--dry-run', '--format', 'json')
    assert done.returncode == 0
    plan = json.loads(done.stdout)
    assert [step['name'] for step in plan['steps']][:2] == ['remove garbage', 'pack']
    assert plan['before']['garbage']['objects'] == 1
    assert (plan['after'], plan['seconds'], plan['dry_run']) == (None, None, True)
    after = tree()
    assert {path: after[path] for path in before} == before


@pytest.mark.parametrize('wreck', ['aborted_before_commit', 'aborted_after_remove'])
def test_what_an_aborted_repack_left_is_mended(run_cli, reference_home: Path, wreck: str) -> None:
    done = run_cli('-p', wreck, 'storage', 'maintain', '--full', '--yes', '--format', 'json')
    assert done.returncode == 0
    assert 'recover' in [step['name'] for step in json.loads(done.stdout)['steps']]
    assert not list((container(reference_home, wreck) / 'packs').glob('-1*'))


def test_quiet_prints_nothing(run_cli, reference_home: Path) -> None:
    done = run_cli('-q', '-p', 'mixed', 'storage', 'maintain', '--full', '--yes')
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')


def test_quiet_with_a_format_prints_the_report_all_the_same(run_cli, reference_home: Path) -> None:
    done = run_cli('-q', '-p', 'mixed', 'storage', 'maintain', '--format', 'json')
    assert json.loads(done.stdout)['exit_code'] == 0


@pytest.mark.parametrize('name', ['table', 'json', 'jsonl', 'csv', 'yaml'])
def test_every_format_has_a_report(run_cli, reference_home: Path, name: str) -> None:
    done = run_cli('-p', 'mixed', 'storage', 'maintain', '--format', name)
    assert (done.returncode, done.stderr) == (0, '')
    assert 'loose' in done.stdout


def test_repack_all_with_compression_gives_space_back(run_cli, reference_home: Path) -> None:
    options = ('--full', '--yes', '--repack', 'all', '--compress', '--format', 'json')
    report = json.loads(run_cli('-p', 'loose', 'storage', 'maintain', *options).stdout)
    assert report['options'] == {'repack': 'all', 'max_waste': 10.0, 'compress': 'auto'}
    assert report['freed_bytes'] > 400_000


def test_options_of_verdi_are_understood(run_cli, reference_home: Path) -> None:
    options = ('--full', '-f', '--no-repack', '--compress', '--no-incremental-cleanup', '--format', 'json')
    done = run_cli('-p', 'mixed', 'storage', 'maintain', *options)
    assert done.returncode == 0
    assert json.loads(done.stdout)['options'] == {'repack': 'none', 'max_waste': 10.0, 'compress': 'auto'}


# questions -------------------------------------------------------------------------------------------------


def test_a_full_maintenance_off_a_terminal_needs_yes_and_says_so(run_cli, reference_home: Path) -> None:
    done = run_cli('-p', 'mixed', 'storage', 'maintain', '--full')
    assert (done.returncode, done.stdout) == (2, '')
    assert '--yes' in done.stderr
    assert len(loose_files(reference_home, 'mixed')) == 2


@pytest.mark.parametrize(('answer', 'code', 'left'), [('y', 0, 0), ('yes', 0, 0), ('n', 1, 2), ('', 1, 2)])
def test_on_a_terminal_it_asks_and_no_is_the_default(
    run_in_terminal, reference_home: Path, answer: str, code: int, left: int
) -> None:
    run = run_in_terminal('-p', 'mixed', 'storage', 'maintain', '--full', answers={'Go on? [y/N]': f'{answer}\n'})
    assert run.returncode == code
    assert len(loose_files(reference_home, 'mixed')) == left


def test_ctrl_c_at_the_question_ends_with_130_and_changes_nothing(run_in_terminal, reference_home: Path) -> None:
    run = run_in_terminal('-p', 'mixed', 'storage', 'maintain', '--full', answers={'Go on? [y/N]': '\x03'})
    assert run.returncode == 130
    assert len(loose_files(reference_home, 'mixed')) == 2


# in use ----------------------------------------------------------------------------------------------------


def test_a_full_maintenance_of_a_profile_in_use_ends_with_5_and_names_the_user(run_cli, profile: str) -> None:
    with user_of(profile) as user:
        done = run_cli('-p', profile, 'storage', 'maintain', '--full', '--yes')
        assert (done.returncode, done.stdout) == (5, '')
        assert f'process {user.pid}' in done.stderr
        assert '--wait' in done.stderr
        assert run_cli('-p', profile, 'storage', 'maintain').returncode == 0


def test_waiting_for_the_lock_succeeds_when_the_user_leaves(run_cli, reference_home: Path) -> None:
    with user_of('mixed') as user:
        command = [
            sys.executable,
            '-m',
            'ricordi',
            '-p',
            'mixed',
            'storage',
            'maintain',
            '--full',
            '-y',
            '--wait',
            '500',
        ]
        waiting = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        wait_until((container(reference_home, 'mixed') / 'ricordi.gate').exists, 'it waits for the lock')
        assert waiting.poll() is None
        user.terminate()
        user.wait()
        out, _ = waiting.communicate(timeout=240)
    assert waiting.returncode == 0
    assert 'Full maintenance' in out


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_waiting_for_the_lock_ends_with_7(reference_home: Path, number: signal.Signals) -> None:
    with user_of('mixed'):
        command = [
            sys.executable,
            '-m',
            'ricordi',
            '-p',
            'mixed',
            'storage',
            'maintain',
            '--full',
            '-y',
            '--wait',
            '500',
        ]
        waiting = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        wait_until((container(reference_home, 'mixed') / 'ricordi.gate').exists, 'it waits for the lock')
        assert waiting.poll() is None
        waiting.send_signal(number)
        _, err = waiting.communicate(timeout=240)
    assert waiting.returncode == 7
    assert 'Traceback' not in err


def test_out_of_time_ends_with_7_and_leaves_everything_usable(run_cli, reference_home: Path) -> None:
    done = run_cli('-p', 'mixed', 'storage', 'maintain', '--full', '--yes', '--max-runtime', '0')
    assert done.returncode == 7
    assert '--max-runtime' in done.stderr
    assert run_cli('-p', 'mixed', 'storage', 'maintain', '--full', '--yes').returncode == 0


# what is wrong ---------------------------------------------------------------------------------------------


def test_a_missing_object_is_named_with_its_node_and_path_and_ends_with_6(run_cli, reference_home: Path) -> None:
    victim = loose_files(reference_home, 'mixed')[0]
    key = victim.parent.name + victim.name
    victim.unlink()
    done = run_cli('-p', 'mixed', 'storage', 'maintain', '--full', '--yes')
    assert done.returncode == 6
    assert f'missing {key}' in done.stdout
    assert 'node ' in done.stdout
    assert 'missing or damaged' in done.stderr
    quiet = run_cli('-q', '-p', 'mixed', 'storage', 'maintain', '--full', '--yes')
    assert (quiet.returncode, quiet.stdout) == (6, '')
    assert key in quiet.stderr


def test_a_container_that_is_gone_ends_with_3(run_cli, reference_home: Path) -> None:
    shutil.rmtree(container(reference_home, 'mixed'))
    for verb in (['info'], ['maintain'], ['maintain', '--full', '--yes']):
        done = run_cli('-p', 'mixed', 'storage', *verb)
        assert (done.returncode, done.stdout) == (3, '')
        assert str(container(reference_home, 'mixed')) in done.stderr


def test_a_database_that_is_gone_ends_with_3(run_cli, reference_home: Path) -> None:
    (reference_home / 'repository' / 'mixed' / 'database.sqlite').unlink()
    done = run_cli('-p', 'mixed', 'storage', 'info')
    assert (done.returncode, done.stdout) == (3, '')
    assert 'database.sqlite' in done.stderr


def test_a_server_that_is_down_ends_with_3_and_shows_no_password(
    run_cli, psql_profile: str, reference_home: Path
) -> None:
    path = reference_home / 'config.json'
    config = json.loads(path.read_text())
    config['profiles']['psql']['storage']['config'].update(database_port=1, database_password='very-secret')
    path.write_text(json.dumps(config))
    done = run_cli('-p', 'psql', 'storage', 'maintain')
    assert (done.returncode, done.stdout) == (3, '')
    assert '127.0.0.1:1' in done.stderr
    assert 'check that the server runs' in done.stderr
    assert 'very-secret' not in done.stderr


def test_an_unknown_backend_is_told_with_those_that_are_known(run_cli, reference_home: Path) -> None:
    path = reference_home / 'config.json'
    config = json.loads(path.read_text())
    config['profiles']['mixed']['storage']['backend'] = 'core.nosuch'
    path.write_text(json.dumps(config))
    done = run_cli('-p', 'mixed', 'storage', 'info')
    assert done.returncode == 1
    assert 'core.nosuch' in done.stderr
    assert 'core.sqlite_dos' in done.stderr


# migrate ---------------------------------------------------------------------------------------------------


def set_version(home: Path, version: str) -> None:
    with closing(sqlite3.connect(home / 'repository' / 'mixed' / 'database.sqlite')) as database, database:
        database.execute('UPDATE alembic_version SET version_num = ?', (version,))


def test_an_older_schema_is_refused_with_4_until_it_is_migrated(run_cli, reference_home: Path) -> None:
    set_version(reference_home, 'main_0001')
    done = run_cli('-p', 'mixed', 'storage', 'maintain')
    assert (done.returncode, done.stdout) == (4, '')
    assert 'storage migrate' in done.stderr
    assert run_cli('-p', 'mixed', 'storage', 'version').returncode == 4
    refused = run_cli('-p', 'mixed', 'storage', 'migrate')
    assert refused.returncode == 2
    assert '--yes' in refused.stderr
    assert run_cli('-p', 'mixed', 'storage', 'migrate', '--force').returncode == 0
    assert run_cli('-p', 'mixed', 'storage', 'version').returncode == 0
    assert run_cli('-p', 'mixed', 'storage', 'maintain').returncode == 0


def test_migrating_what_is_current_does_nothing_and_asks_nothing(run_cli, profile: str) -> None:
    done = run_cli('-p', profile, 'storage', 'migrate')
    assert (done.returncode, done.stdout) == (0, '')
    assert 'nothing to do' in done.stderr


def test_a_schema_from_the_future_is_refused_with_4(run_cli, reference_home: Path) -> None:
    set_version(reference_home, 'main_9999')
    for verb in (['info'], ['maintain'], ['migrate', '--yes']):
        assert run_cli('-p', 'mixed', 'storage', *verb).returncode == 4
