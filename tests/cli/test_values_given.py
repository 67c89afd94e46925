"""Values that a person gives: those that cannot be meant are told with their place, none selected is nothing to do."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ricordi.cli.failures import LONGEST_VALUE, shortened

Run = Callable[..., subprocess.CompletedProcess[str]]
COMPUTER = 'label: %s\nhostname: %s\ntransport: core.local\nscheduler: core.slurm\n'


@pytest.mark.parametrize(
    ('words', 'reason'),
    [
        (('user', 'configure', '--email', 'nope', '-n'), 'no email address'),
        (('presto', '--email', 'nope'), 'no email address'),
        (('presto', '-p', 'a/b'), 'cannot be the name of a profile'),
        (('group', 'relabel', 'numbers', ''), 'it is empty'),
        (('group', 'copy', 'numbers', 'a\tb'), 'control characters'),
        (('group', 'copy', '-n', 'numbers', ''), 'it is empty'),
        (('node', 'list', '--where', 'attributes. == 1'), 'a key is missing'),
        (('node', 'list', '-P', 'attributes..x'), 'a key is missing'),
    ],
    ids=lambda words: ' '.join(words[:3]) if isinstance(words, tuple) else '',
)
def test_what_can_never_be_meant_is_wrong_usage(
    run_here: Run, reference_home: Path, words: tuple[str, ...], reason: str
) -> None:
    done = run_here(*words)
    assert (done.returncode, done.stdout, reason in done.stderr) == (2, '', True), done.stderr


# files of answers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('content', 'key'),
    [
        (COMPUTER % ('[1, 2]', 'h'), 'label'),
        (COMPUTER % ('new', '{a: 1}'), 'hostname'),
        (COMPUTER % ('new', 'h') + 'mpiprocs_per_machine: -1', 'mpiprocs_per_machine'),
        (COMPUTER % ('new', 'h') + 'mpiprocs_per_machine: [1]', 'mpiprocs_per_machine'),
        (COMPUTER % ('new', 'h') + 'mpirun_command: [a, [b]]', 'mpirun_command'),
    ],
)
def test_a_wrong_value_in_a_file_is_told_with_key_and_file(
    run_here: Run, reference_home: Path, tmp_path: Path, content: str, key: str
) -> None:
    file = tmp_path / 'computer.yaml'
    file.write_text(content)
    done = run_here('computer', 'setup', '-n', '--config', file)
    assert (done.returncode, f'{file}: `{key}`' in done.stderr) == (2, True), done.stderr


def test_a_wrong_value_of_an_option_is_told_with_the_option(run_here: Run, reference_home: Path) -> None:
    given = ('-n', '-L', 'a', '-H', 'b', '-T', 'core.local', '-S', 'core.slurm', '--mpiprocs-per-machine', -1)
    done = run_here('computer', 'setup', *given)
    assert (done.returncode, '--mpiprocs-per-machine: -1 is no' in done.stderr) == (2, True)


def test_a_text_in_a_file_is_what_it_looks_like(run_here: Run, reference_home: Path, tmp_path: Path) -> None:
    file = tmp_path / 'computer.yaml'
    file.write_text(COMPUTER % ('007', 'no') + 'description: null\nmpirun_command: [mpirun, -np, "{num_machines}"]\n')
    assert run_here('computer', 'setup', '-n', '--config', file).returncode == 0
    shown = json.loads(run_here('computer', 'show', '007', '--format', 'json').stdout)
    assert (shown['label'], shown['hostname'], shown['description']) == ('007', 'no', '')
    assert shown['mpirun_command'] == 'mpirun -np {num_machines}'


def test_without_an_address_the_default_user_is_changed_also_with_n(run_here: Run, reference_home: Path) -> None:
    assert 'alice@example.org' in run_here('user', 'configure', '-n', '--first-name', 'Al').stderr
    users = json.loads(run_here('user', 'list', '--format', 'json').stdout)
    assert {user['email']: user['first_name'] for user in users}['alice@example.org'] == 'Al'


# nothing selected ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'words',
    [
        ('node', 'extras', 'set', '-', 'a=1'),
        ('node', 'extras', 'unset', '-', '-k', 'a'),
        ('node', 'label', '-', '-L', 'x'),
        ('node', 'graph', 'generate', '-'),
        ('node', 'delete', '-'),
        ('node', 'rehash', '-'),
        ('node', 'comment', 'add', 'text', '-N', '-'),
        ('group', 'add-nodes', '-G', 'numbers', '-'),
        ('group', 'remove-nodes', '-G', 'numbers', '-'),
        ('group', 'move-nodes', '-s', 'numbers', '-t', 'empty', '-'),
    ],
    ids=' '.join,
)
def test_where_no_node_was_selected_there_is_nothing_to_do(
    run_here: Run, reference_home: Path, words: tuple[str, ...]
) -> None:
    done = run_here(*words, stdin=' \n')
    assert (done.returncode, done.stdout, 'nothing to do' in done.stderr) == (0, '', True)
    assert run_here('-q', *words, stdin='').stderr == ''


@pytest.mark.parametrize('verb', ['show', 'attributes', 'label', 'tree', 'comment show'])
def test_where_no_node_was_selected_an_empty_list_is_shown(run_here: Run, reference_home: Path, verb: str) -> None:
    done = run_here('node', *verb.split(), '-', '--format', 'json', stdin='')
    assert (done.returncode, json.loads(done.stdout)) == (0, [])


def test_a_comment_that_an_option_took_for_a_node_is_told_the_way_out(run_here: Run, reference_home: Path) -> None:
    done = run_here('node', 'comment', 'add', '-N', 1, 'hello')
    assert (done.returncode, 'put `--` before' in done.stderr) == (2, True)


# what is told ----------------------------------------------------------------------------------------------


def test_what_was_set_is_reported_with_a_format(run_here: Run, reference_home: Path) -> None:
    done = run_here('node', 'label', 1, 2, '-L', 'a', '--yes', '--format', 'json')
    assert json.loads(done.stdout) == [{'pk': 1, 'label': 'a'}, {'pk': 2, 'label': 'a'}]
    done = run_here('group', 'description', 'numbers', 'x', '--format', 'json')
    assert json.loads(done.stdout)['description'] == 'x'


def test_a_list_without_groups_tells_what_hides_them(run_here: Run, reference_home: Path) -> None:
    assert run_here('user', 'set-default', 'carol@example.org').returncode == 0
    told = run_here('group', 'list').stderr
    assert '--all-users (-A)' in told
    assert '--all ' not in told
    assert run_here('group', 'list', '-s', 'nothing').stderr == 'No groups fit.\n'


def test_users_and_computers_are_filtered_by_name(run_here: Run, each_profile: str) -> None:
    def found(where: str) -> list[str]:
        done = run_here('-p', each_profile, 'node', 'list', '-q', '-O', 'pk', '--where', where)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    def by_option(*words: str) -> list[str]:
        return run_here('-p', each_profile, 'node', 'list', '-q', '-O', 'pk', *words).stdout.split()

    every = found('pk > 0')
    of_bob, here = by_option('-u', 'bob@example.org'), by_option('-Y', 'cluster')
    assert found('user == bob@example.org') == found("user like 'bob%'") == of_bob
    assert found('user != bob@example.org') == [pk for pk in every if pk not in of_bob]
    assert 0 < len(here) < len(every)
    assert found('computer == cluster') == found('computer in [cluster, nowhere]') == here
    assert found('computer == cluster or user == nobody') == here
    assert set(found('computer != cluster')) == set(found('not computer == null')) - set(here)


def test_labels_with_line_feeds_take_one_line(run_here: Run, reference_home: Path) -> None:
    import sqlite3

    with sqlite3.connect(reference_home / 'repository' / 'loose' / 'database.sqlite') as database:
        database.execute("UPDATE db_dbgroup SET label = 'num' || char(10) || 'bers' WHERE label = 'numbers'")
        database.execute("UPDATE db_dbcomputer SET label = 'local' || char(10) || 'host' WHERE label = 'localhost'")
    assert 'num\\nbers' in run_here('-q', 'group', 'list').stdout.splitlines()
    assert 'local\\nhost' in run_here('-q', 'computer', 'list', '-a').stdout.splitlines()
    assert 'num\\nbers' in run_here('group', 'delete', '--dry-run', 1).stdout


def test_long_values_are_cut_in_messages(run_here: Run, reference_home: Path) -> None:
    for value in ('x' * 100_000, 'a b ' * 25_000):
        for words in (('group', 'show', value), ('node', 'list', '--where', value), (value,)):
            done = run_here(*words)
            assert done.returncode in (1, 2)
            assert len(done.stderr) < 5 * LONGEST_VALUE
    assert shortened("AiiDA's own and verdi's " * 50) == "AiiDA's own and verdi's " * 50


def test_what_stands_between_two_long_values_is_told_whole() -> None:
    held = f'process 1, command `{"x " * 80}…`, since noon\n  - process 2, command `/bin/verdi`\n'
    assert shortened(held) == held
    long = f'`{"x" * 400}` and "{"y" * 400}", both'
    assert shortened(long) == f'`{"x" * LONGEST_VALUE}…` and "{"y" * LONGEST_VALUE}…", both'
