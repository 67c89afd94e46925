"""`ricordi node`: delete, rehash."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def node(run_here: Run, each_profile: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a verb of `node` on each profile."""
    return lambda *words, **kwargs: run_here('-p', each_profile, 'node', *words, **kwargs)


def pks(node: Run) -> set[str]:
    return set(node('list', '-q').stdout.split())


@pytest.fixture
def workflow(node: Run) -> str:
    """The pk of a work function that called two calculations."""
    return node('list', '-q', '--where', "attributes.process_label == 'add_multiply'").stdout.split()[0]


def test_a_dry_run_tells_how_many_of_what_by_which_rule(node: Run, workflow: str) -> None:
    before = pks(node)
    done = node('delete', '--dry-run', workflow)
    assert done.returncode == 0
    words = [line.split() for line in done.stdout.splitlines()]
    assert ['named', '1'] in words
    assert ['call-calc-forward', '2', 'calculations', 'that', 'deleted', 'workflows', 'called'] in words
    assert ['create-forward', '2', 'data', 'that', 'deleted', 'calculations', 'created'] in words
    assert 'Would delete 5 nodes.' in done.stderr
    assert pks(node) == before


def test_what_the_plan_names_is_deleted(node: Run, workflow: str) -> None:
    before = pks(node)
    plan = json.loads(node('delete', '--dry-run', workflow, '--format', 'json').stdout)
    assert (plan['nodes'], plan['named']) == (5, 1)
    done = node('delete', '--yes', workflow)
    assert (done.returncode, done.stdout) == (0, '')
    assert 'Deleted 5 nodes.' in done.stderr
    assert before - pks(node) == set(map(str, plan['pks']))


def test_rules_can_be_switched(node: Run, workflow: str) -> None:
    before = pks(node)
    assert node('delete', '-f', '--no-call-calc-forward', workflow).returncode == 0
    assert before - pks(node) == {workflow}


def test_off_a_terminal_deleting_needs_a_yes(node: Run, workflow: str) -> None:
    before = pks(node)
    done = node('delete', workflow)
    assert (done.returncode, done.stdout) == (2, '')
    assert 'add --yes to answer yes to `Delete ' in done.stderr
    assert pks(node) == before


def test_a_node_that_is_not_there_keeps_all_from_being_deleted(node: Run, workflow: str) -> None:
    before = pks(node)
    done = node('delete', '--yes', workflow, 99999)
    assert done.returncode == 1
    assert 'there is no node 99999' in done.stderr
    assert pks(node) == before


def test_nodes_to_delete_can_be_piped_in(node: Run, workflow: str) -> None:
    assert node('delete', '--yes', '-', stdin=f'{workflow}\n').returncode == 0
    assert workflow not in pks(node)


def test_on_a_terminal_the_plan_is_shown_and_the_question_asked(run_in_terminal, run_cli, reference_home) -> None:
    run = run_in_terminal('node', 'delete', '13', answers={'[y/N]': 'n\n'})
    assert run.returncode == 1
    assert 'call-calc-forward' in run.screen
    assert 'no node was deleted' in run.screen
    run = run_in_terminal('node', 'delete', '13', answers={'Delete 5 nodes? This cannot be undone.': 'y\n'})
    assert run.returncode == 0
    assert run_cli('node', 'show', '13').returncode == 1


# rehash ----------------------------------------------------------------------------------------------------


def test_hashes_that_aiida_computed_are_right(run_here: Run, reference_home: object) -> None:
    done = run_here('-p', 'mixed', 'node', 'rehash', '--dry-run')
    assert (done.returncode, done.stdout) == (0, '')
    assert 'hashes that would change: 0,' in done.stderr


def test_a_hash_that_is_wrong_is_computed_anew(node: Run) -> None:
    assert node('rehash', 1).returncode == 2
    assert node('rehash', '--yes').returncode == 0
    right = node('extras', '--raw', 1).stdout
    node('extras', 'set', 1, '_aiida_hash=wrong')
    assert '1 node; hashes that would change: 1, that were right: 0.' in node('rehash', '-n', 1).stderr
    assert node('extras', '--raw', 1).stdout != right
    assert '2 nodes; hashes that changed: 1, that were right: 1.' in node('rehash', '--yes', 1, 2).stderr
    assert node('extras', '--raw', 1).stdout == right


def test_rehashing_can_be_narrowed_to_a_type(node: Run) -> None:
    floats = node('list', '-q', '-e', 'core.float').stdout.split()
    assert f'{len(floats)} nodes; ' in node('rehash', '--dry-run', '-e', 'core.float').stderr
    assert '1 node; ' in node('rehash', '--dry-run', '-e', 'core.float', floats[0]).stderr
    done = node('rehash', '--yes', '-e', 'core.str', floats[0])
    assert (done.returncode, 'no node fits' in done.stderr) == (1, True)
