"""`ricordi group`: add-nodes, remove-nodes, move-nodes, delete."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def ricordi(run_here: Run, each_profile: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command on each profile."""
    return lambda *words, **kwargs: run_here('-p', each_profile, *words, **kwargs)


def members(ricordi: Run, label: str) -> list[int]:
    return list(map(int, ricordi('group', 'show', '--raw', label).stdout.split()))


def test_nodes_piped_in_are_added_without_a_question(ricordi: Run) -> None:
    nodes = ricordi('node', 'list', '-q').stdout
    done = ricordi('group', 'add-nodes', '-G', 'empty', '-', stdin=nodes)
    assert (done.returncode, done.stdout) == (0, '')
    assert sorted(members(ricordi, 'empty')) == sorted(map(int, nodes.split()))
    again = ricordi('group', 'add-nodes', '-G', 'empty', '-', stdin=nodes)
    assert 'Added 0 nodes' in again.stderr
    assert 'were in it already' in again.stderr


def test_a_node_that_is_not_there_keeps_all_from_being_added(ricordi: Run) -> None:
    done = ricordi('group', 'add-nodes', '-G', 'empty', 1, 99999)
    assert done.returncode == 1
    assert 'there is no node 99999' in done.stderr
    assert members(ricordi, 'empty') == []


def test_a_dry_run_adds_nothing(ricordi: Run) -> None:
    assert 'Would add 2 nodes' in ricordi('group', 'add-nodes', '-n', '-G', 'empty', 1, 2).stderr
    assert members(ricordi, 'empty') == []


def test_nodes_are_removed_after_a_yes(ricordi: Run) -> None:
    first, *rest = members(ricordi, 'numbers')
    assert ricordi('group', 'remove-nodes', '-G', 'numbers', first).returncode == 2
    assert ricordi('group', 'remove-nodes', '-n', '-G', 'numbers', first).returncode == 0
    assert members(ricordi, 'numbers') == [first, *rest]
    assert ricordi('group', 'remove-nodes', '-f', '-G', 'numbers', first).returncode == 0
    assert members(ricordi, 'numbers') == rest
    done = ricordi('group', 'remove-nodes', '-f', '-G', 'numbers', first)
    assert (done.returncode, 'none of these nodes is in group' in done.stderr) == (1, True)
    assert ricordi('group', 'remove-nodes', '--clear', '--yes', '-G', 'numbers').returncode == 0
    assert members(ricordi, 'numbers') == []
    assert ricordi('node', 'show', first).returncode == 0


@pytest.mark.parametrize('words', [('--clear', 1)])
def test_either_nodes_or_clear_is_given(ricordi: Run, words: tuple[object, ...]) -> None:
    assert ricordi('group', 'remove-nodes', '-G', 'numbers', *words).returncode == 2


def test_nodes_move_from_one_group_to_another(ricordi: Run) -> None:
    first, *rest = members(ricordi, 'numbers')
    ricordi('group', 'add-nodes', '-G', 'empty', first)
    assert ricordi('group', 'move-nodes', '-s', 'numbers', '-t', 'empty', '--all').returncode == 2
    done = ricordi('group', 'move-nodes', '-s', 'numbers', '-t', 'empty', '--all', '--yes')
    assert done.returncode == 0
    assert "Moved 3 nodes from group 'numbers' to 'empty'; 1 is in 'empty' already." in done.stderr
    assert (members(ricordi, 'numbers'), members(ricordi, 'empty')) == ([], [first, *rest])
    assert ricordi('group', 'move-nodes', '-s', 'empty', '-t', 'empty', '--all', '--yes').returncode == 1
    assert ricordi('group', 'move-nodes', '-s', 'numbers', '-t', 'empty', first, '--yes').returncode == 1


# delete ----------------------------------------------------------------------------------------------------


def labels(ricordi: Run) -> list[str]:
    return ricordi('group', 'list', '-A', '-a', '-q').stdout.splitlines()


def test_a_group_is_deleted_and_its_nodes_stay(ricordi: Run) -> None:
    nodes = members(ricordi, 'numbers')
    before = labels(ricordi)
    assert ricordi('group', 'delete', 'numbers').returncode == 2
    assert ricordi('group', 'delete', '--dry-run', 'numbers').returncode == 0
    assert labels(ricordi) == before
    assert ricordi('group', 'delete', '--yes', 'numbers').returncode == 0
    assert labels(ricordi) == [label for label in before if label != 'numbers']
    assert ricordi('node', 'show', *nodes).returncode == 0


def test_a_group_is_deleted_with_its_nodes_and_what_goes_along(ricordi: Run) -> None:
    every = set(ricordi('node', 'list', '-q').stdout.split())
    plan = json.loads(ricordi('group', 'delete', '-n', '--delete-nodes', 'numbers', '--format', 'json').stdout)
    assert plan['nodes']['named'] == 3
    assert plan['nodes']['nodes'] > 3
    assert ricordi('group', 'delete', '--yes', '--delete-nodes', 'numbers').returncode == 0
    assert every - set(ricordi('node', 'list', '-q').stdout.split()) == set(map(str, plan['nodes']['pks']))
    assert 'numbers' not in labels(ricordi)


def test_groups_are_chosen_by_options(ricordi: Run) -> None:
    before = labels(ricordi)
    done = ricordi('group', 'delete', '--yes', '-s', 'tree/', '-A')
    assert 'Deleted 2 groups.' in done.stderr
    assert labels(ricordi) == [label for label in before if not label.startswith('tree/')]
    assert ricordi('group', 'delete', '--yes', '-s', 'nothing').returncode == 0


@pytest.mark.parametrize('words', [(), ('-s', 'x', 'numbers')])
def test_either_groups_or_options_are_given(ricordi: Run, words: tuple[str, ...]) -> None:
    done = ricordi('group', 'delete', '--yes', *words)
    assert done.returncode == 2
    assert 'either the groups' in done.stderr
