"""`ricordi computer`: list, show, relabel, enable, disable, delete."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def computer(run_here: Run, each_profile: str) -> Run:
    """Runs a verb of `computer` on each profile."""
    return lambda *words, **kwargs: run_here('-p', each_profile, 'computer', *words, **kwargs)


def listed(computer: Run, *words: object) -> dict[str, dict]:
    done = computer('list', *words, '--format', 'json')
    assert (done.returncode, done.stderr) == (0, '')
    return {row['label']: row for row in json.loads(done.stdout)}


def shown(computer: Run, label: object) -> dict:
    done = computer('show', label, '--format', 'json')
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# list and show ---------------------------------------------------------------------------------------------


def test_computers_that_can_be_used_are_listed_and_on_request_the_others(computer: Run) -> None:
    usable, every = listed(computer), listed(computer, '--all')
    assert set(usable) == {'cluster', 'localhost'}
    assert set(every) == {'bare', 'cluster', 'localhost'}
    assert (every['bare']['configured'], every['bare']['enabled']) == (False, False)
    assert every['cluster'] == usable['cluster']
    assert usable['cluster']['hostname'] == 'login.cluster.example.org'


def test_raw_and_quiet_lists_are_bare_labels(computer: Run) -> None:
    assert computer('list', '-r').stdout == 'cluster\nlocalhost\n'
    assert computer('list', '-q', '-a').stdout == 'bare\ncluster\nlocalhost\n'


def test_a_star_marks_what_is_enabled(computer: Run) -> None:
    rows = [line.split() for line in computer('list', '-a').stdout.splitlines()]
    assert {row[1] for row in rows if row[0] == '*'} == {'cluster', 'localhost'}


@pytest.mark.parametrize('as_named', ['label', 'pk', 'uuid'])
def test_a_computer_is_named_by_label_pk_or_uuid(computer: Run, as_named: str) -> None:
    row = listed(computer)['cluster']
    found = shown(computer, row[as_named])
    assert found['uuid'] == row['uuid']
    assert found['prepend_text'] == 'module load x\nexport A=1'
    assert (found['default_memory_per_machine'], found['mpiprocs_per_machine']) == (1024, None)


def test_a_table_shows_texts_of_many_lines(computer: Run) -> None:
    lines = computer('show', 'cluster').stdout.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith('Prepend text'))
    assert lines[place].endswith('module load x')
    assert lines[place + 1].strip() == 'export A=1'


def test_a_computer_that_is_not_there_is_refused_with_a_guess(computer: Run) -> None:
    done = computer('show', 'clutser')
    assert (done.returncode, done.stdout) == (1, '')
    assert 'did you mean `cluster`?' in done.stderr


# changes ---------------------------------------------------------------------------------------------------


def test_a_computer_is_relabelled_unless_the_label_is_taken(computer: Run) -> None:
    assert computer('relabel', 'bare', 'naked').returncode == 0
    assert 'naked' in listed(computer, '-a')
    for label, code, reason in (
        ('cluster', 1, 'already'),
        ('naked', 1, 'already'),
        (' ', 2, 'empty'),
        ('a\nb', 2, 'control characters'),
    ):
        done = computer('relabel', 'naked', label)
        assert (done.returncode, reason in done.stderr) == (code, True), done.stderr


def test_a_computer_is_disabled_and_enabled_for_a_user(computer: Run) -> None:
    assert 'is now disabled' in computer('disable', 'cluster', 'alice@example.org').stderr
    assert 'cluster' not in listed(computer)
    assert listed(computer, '-a')['cluster']['configured']
    assert 'was already disabled' in computer('disable', 'cluster').stderr
    assert 'is now enabled' in computer('enable', 'cluster').stderr
    assert 'cluster' in listed(computer)


def test_one_who_has_no_configuration_cannot_be_enabled(computer: Run) -> None:
    done = computer('enable', 'cluster', 'bob@example.org')
    assert done.returncode == 1
    assert 'is not configured for bob@example.org' in done.stderr
    assert 'computer configure core.ssh cluster' in done.stderr
    assert 'did you mean `bob@example.org`?' in computer('enable', 'cluster', 'bob@example.com').stderr


def test_a_computer_without_nodes_is_deleted_with_its_configurations(computer: Run) -> None:
    assert 'add --yes' in computer('delete', 'localhost').stderr
    assert 'localhost' in listed(computer, '-a')
    done = computer('delete', '--yes', 'localhost')
    assert (done.returncode, done.stdout) == (0, '')
    assert 'localhost' not in listed(computer, '-a')


def test_a_computer_that_nodes_are_bound_to_is_kept(computer: Run) -> None:
    done = computer('delete', '--yes', 'cluster')
    assert (done.returncode, '--delete-nodes' in done.stderr) == (1, True)
    assert 'nodes are bound to' in done.stderr
    assert 'cluster' in listed(computer)


def test_on_request_the_nodes_go_with_their_computer(computer: Run, run_here: Run, each_profile: str) -> None:
    before = run_here('-p', each_profile, 'node', 'list', '-q').stdout.split()
    done = computer('delete', '--dry-run', '--delete-nodes', 'cluster', '--format', 'json')
    plan = json.loads(done.stdout)
    assert plan['bound_nodes'] < plan['nodes']['nodes']
    assert run_here('-p', each_profile, 'node', 'list', '-q').stdout.split() == before
    assert computer('delete', '--delete-nodes', 'cluster').returncode == 2
    assert computer('delete', '--yes', '--delete-nodes', 'cluster').returncode == 0
    after = run_here('-p', each_profile, 'node', 'list', '-q').stdout.split()
    assert set(before) - set(after) == set(map(str, plan['nodes']['pks']))
    assert 'cluster' not in listed(computer, '-a')


def test_labels_are_completed(run_here: Run, each_profile: str) -> None:
    assert run_here('_names', 'computer', 'cl', each_profile).stdout == 'cluster\n'


def test_an_archive_can_be_looked_into(run_here: Run, reference_home: Path) -> None:
    data = Path(__file__).parents[2] / 'data' / 'reference.aiida'
    done = run_here('--archive', data, 'computer', 'show', 'cluster', '--format', 'json')
    assert json.loads(done.stdout)['hostname'] == 'login.cluster.example.org'
    assert run_here('--archive', data, 'computer', 'relabel', 'cluster', 'x').returncode == 1
