"""`ricordi storage locks` and `unlock`: who uses a profile, and clearing what nobody can check."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deadlines import wait_until

HOLDS = """
import sys, time
from ricordi.access import ProfileAccessManager
from ricordi.services.profiles.profiles import find_profile
access = ProfileAccessManager(find_profile('mixed'))
if sys.argv[1] == 'lock':
    with access.lock(purpose='a test'):
        print('in', flush=True)
        time.sleep(600)
access.request_access('a test')
print('in', flush=True)
time.sleep(600)
"""


@pytest.fixture
def holder(request: pytest.FixtureRequest, reference_home: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has access to the profile `mixed`, or its lock."""
    process = subprocess.Popen([sys.executable, '-c', HOLDS, request.param], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == 'in\n'
    yield process
    process.kill()
    process.wait()


def test_nobody_is_told_on_stderr(run_cli, reference_home: Path) -> None:
    done = run_cli('-p', 'mixed', 'storage', 'locks')
    assert (done.returncode, done.stdout) == (0, '')
    assert done.stderr == 'Nobody uses profile `mixed`.\n'
    assert run_cli('-p', 'mixed', 'storage', 'locks', '--format', 'json').stdout == '[]\n'


@pytest.mark.parametrize('holder', ['access', 'lock'], indirect=True)
def test_a_living_user_is_shown_with_pid_host_user_command_time_and_purpose(run_cli, holder, request) -> None:
    rows = json.loads(run_cli('-p', 'mixed', 'storage', 'locks', '--format', 'json').stdout)
    row = next(row for row in rows if row['pid'] == holder.pid)
    assert row['kind'] in request.node.callspec.params['holder']
    assert (row['state'], row['purpose'], row['host']) == ('live', 'a test', os.uname().nodename)
    assert sys.executable in row['command'] or 'python' in row['command']
    assert row['since'].count(':') >= 2
    table = run_cli('-p', 'mixed', 'storage', 'locks').stdout
    assert str(holder.pid) in table


@pytest.mark.parametrize('holder', ['lock'], indirect=True)
def test_a_locked_profile_ends_every_use_with_5_and_says_who_holds_it(run_cli, holder) -> None:
    for verb in (['info'], ['maintain'], ['maintain', '--full', '--yes']):
        done = run_cli('-p', 'mixed', 'storage', *verb)
        assert (done.returncode, done.stdout) == (5, '')
        assert f'process {holder.pid}' in done.stderr
        assert 'a test' in done.stderr


@pytest.mark.parametrize('holder', ['lock'], indirect=True)
def test_unlock_leaves_a_living_lock_and_ends_with_5(run_cli, holder) -> None:
    done = run_cli('-p', 'mixed', 'storage', 'unlock', '--yes')
    assert done.returncode == 5
    assert f'process {holder.pid}' in done.stderr
    assert run_cli('-p', 'mixed', 'storage', 'info').returncode == 5


def test_the_lock_of_a_process_that_was_killed_is_no_obstacle_and_can_be_cleared(run_cli, reference_home: Path) -> None:
    folder = reference_home / 'access' / 'mixed'
    folder.mkdir(parents=True)
    (folder / '999999.lock').touch()
    assert run_cli('-p', 'mixed', 'storage', 'unlock', '--dry-run').returncode == 0
    assert (folder / '999999.lock').exists()
    done = run_cli('-p', 'mixed', 'storage', 'unlock')
    assert (done.returncode, done.stdout) == (0, '')
    assert 'Cleared' in done.stderr
    assert not (folder / '999999.lock').exists()


def end_as_on_another_host(holder: subprocess.Popen[str], home: Path) -> None:
    """End the holder, and leave its records as if they had been written on another host."""
    folder = home / 'access' / 'mixed'
    records = {path: path.read_text() for path in folder.iterdir() if path.suffix in ('.json', '.lock')}
    holder.kill()
    holder.wait()
    wait_until(
        lambda: not any(path.exists() for path in records), 'whoever looks after a killed lock removes its records'
    )
    for path, text in records.items():
        if path.suffix == '.json':
            text = json.dumps({**json.loads(text), 'host': 'far', 'boot': '1', 'machine': '2'})
        path.write_text(text)


@pytest.mark.parametrize('holder', ['lock'], indirect=True)
def test_a_lock_of_another_host_is_cleared_by_a_person_only(
    run_cli, run_in_terminal, holder, reference_home: Path
) -> None:
    end_as_on_another_host(holder, reference_home)
    done = run_cli('-p', 'mixed', 'storage', 'maintain')
    assert done.returncode == 5
    assert 'on far' in done.stderr
    refused = run_cli('-p', 'mixed', 'storage', 'unlock')
    assert refused.returncode == 2
    assert '--yes' in refused.stderr
    assert run_in_terminal('-p', 'mixed', 'storage', 'unlock', answers={'Clear? [y/N]': 'n\n'}).returncode == 1
    assert run_cli('-p', 'mixed', 'storage', 'maintain').returncode == 5
    run = run_in_terminal('-p', 'mixed', 'storage', 'unlock', answers={'Clear? [y/N]': 'y\n'})
    assert run.returncode == 0
    assert 'on far' in run.screen
    assert run_cli('-p', 'mixed', 'storage', 'maintain').returncode == 0


def test_sessions_on_the_database_server_are_users_too(run_cli, psql_profile: str, reference_home: Path) -> None:
    import psycopg

    config = json.loads((reference_home / 'config.json').read_text())['profiles']['psql']['storage']['config']
    address = f'postgresql://postgres@{config["database_hostname"]}:{config["database_port"]}/{config["database_name"]}'
    with psycopg.connect(address, application_name='another program') as connection:
        rows = json.loads(run_cli('-p', 'psql', 'storage', 'locks', '--format', 'json').stdout)
        assert [(row['kind'], row['command'], row['pid']) for row in rows] == [
            ('session', 'another program', connection.info.backend_pid)
        ]
        done = run_cli('-p', 'psql', 'storage', 'maintain', '--full', '--yes')
        assert done.returncode == 5
        assert 'another program' in done.stderr
