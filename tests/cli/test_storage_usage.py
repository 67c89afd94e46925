"""`ricordi storage usage` and what plans of deletions tell of the space they free."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
ARCHIVE = Path(__file__).parents[1] / 'data' / 'reference.aiida'


@pytest.fixture
def usage(run_here: Run, each_profile: str) -> Callable[..., Any]:
    """The data of `storage usage` on each profile."""

    def run(*words: object) -> Any:
        done = run_here('-p', each_profile, 'storage', 'usage', *words, '--format', 'json')
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def bytes_in_container(run_here: Run, profile: str) -> int:
    """What all objects take, in packs and in files of their own."""
    info = json.loads(run_here('-p', profile, 'storage', 'info', '--detailed', '--format', 'json').stdout)
    return info['repository']['packed']['bytes'] + info['repository']['loose']['bytes']


def test_all_sums_add_up_to_what_the_container_holds(usage: Any, run_here: Run, each_profile: str) -> None:
    told = usage('--by', 'user')
    assert told['total']['stored_bytes'] + told['garbage']['bytes'] == bytes_in_container(run_here, each_profile)
    assert told['missing'] == 0
    assert told['categories'] == len(told['shares'])


@pytest.mark.parametrize('by', ['type', 'process', 'group', 'computer', 'user', 'month', 'file', 'size', 'node'])
def test_each_row_says_how_to_look_into_it(usage: Any, by: str) -> None:
    for share in usage('--by', by, '--top', 5)['shares']:
        inside = usage('--only', share['only'])
        for key in ('objects', 'stored_bytes', 'shared_bytes', 'freed_bytes'):
            assert inside['total'][key] == share[key]
        assert inside['database'] is None


def test_nodes_can_be_named(usage: Any) -> None:
    largest = usage('--by', 'node', '--top', 2)['shares']
    pks = [share['pk'] for share in largest]
    told = usage(*pks)
    assert (told['by'], {share['pk'] for share in told['shares']}) == ('node', set(pks))
    assert told['total']['nodes'] == 2
    assert {place['pk'] for file in told['files'] for place in file['places']} <= set(pks)


def test_a_group_can_be_named_by_its_label(usage: Any) -> None:
    share = next(share for share in usage('--by', 'group', '--top', 50)['shares'] if share['name'] == 'numbers')
    assert usage('--only', 'group=numbers')['total']['nodes'] == share['nodes']


@pytest.mark.parametrize(
    ('words', 'told'),
    [
        (['--only', 'colour=red'], 'chooses nothing'),
        (['--only', 'group'], 'chooses nothing'),
        (['--only', 'size=17'], 'is no class of sizes'),
        (['--only', f'size=1{"0" * 5000}'], 'is no class of sizes'),
        (['--only', 'user='], 'there is nothing without a user'),
        (['--by', 'colour'], 'is not one of'),
        (['-i'], 'needs a terminal'),
        (['-i', '--format', 'json'], 'contradict'),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(run_here: Run, reference_home: Path, words: list[str], told: str) -> None:
    done = run_here('-p', 'mixed', 'storage', 'usage', *words)
    assert (done.returncode, done.stdout) == (2, '')
    assert told in done.stderr


def test_a_group_that_is_not_there_is_told(run_here: Run, reference_home: Path) -> None:
    done = run_here('-p', 'mixed', 'storage', 'usage', '--only', 'group=nothing-of-that-name')
    assert done.returncode == 1
    assert 'there is no group' in done.stderr


def test_a_person_reads_sums_files_database_and_garbage(run_here: Run, reference_home: Path) -> None:
    shown = run_here('-p', 'mixed', 'storage', 'usage', '--top', 3).stdout
    for words in ('Stored', 'Freed', 'data.core.', 'all together', 'Largest files', 'of that repository_metadata'):
        assert words in shown
    assert 'No node names ' in shown
    assert 'more are not shown: raise --top' in shown


def test_an_archive_is_looked_into(run_here: Run, reference_home: Path) -> None:
    done = run_here('--archive', ARCHIVE, 'storage', 'usage', '--by', 'file', '--format', 'json')
    told = json.loads(done.stdout)
    assert (told['total']['objects'], told['missing'], told['garbage']['objects']) == (23, 0, 0)


# what deletion frees -----------------------------------------------------------------------------------------


def maintain(run_here: Run, profile: str) -> None:
    done = run_here('-p', profile, 'storage', 'maintain', '--full', '--adopt', '--yes')
    assert done.returncode == 0, done.stderr


def test_deletion_and_full_maintenance_free_what_was_foretold(run_here: Run, each_profile: str, usage: Any) -> None:
    maintain(run_here, each_profile)
    deleted = 0
    while pks := [share['pk'] for share in usage('--by', 'node', '--top', 3)['shares'] if share['stored_bytes']]:
        before = bytes_in_container(run_here, each_profile)
        plan = json.loads(run_here('-p', each_profile, 'node', 'delete', '-n', *pks, '--format', 'json').stdout)
        assert plan['freed']['exact']
        told = usage(*plan['pks'])['total']
        assert (told['freed_objects'], told['freed_bytes']) == (plan['freed']['objects'], plan['freed']['bytes'])
        assert run_here('-p', each_profile, 'node', 'delete', '--yes', *pks).returncode == 0
        maintain(run_here, each_profile)
        assert before - bytes_in_container(run_here, each_profile) == plan['freed']['bytes']
        deleted += plan['freed']['objects']
    assert deleted == 23 or each_profile == 'mixed'
    assert usage()['total']['stored_bytes'] == 0


def test_plans_tell_a_person_what_will_be_freed(run_here: Run, each_profile: str, usage: Any) -> None:
    (largest,) = usage('--by', 'node', '--top', 1)['shares']
    shown = run_here('-p', each_profile, 'node', 'delete', '--dry-run', largest['pk']).stdout
    assert 'The next `ricordi storage maintain --full` will free ' in shown
    assert run_here('-p', each_profile, 'group', 'add-nodes', '-f', '-G', 'numbers', largest['pk']).returncode == 0
    shown = run_here('-p', each_profile, 'group', 'delete', '--dry-run', '--delete-nodes', 'numbers').stdout
    assert 'The next `ricordi storage maintain --full` will free ' in shown


def test_the_most_that_is_freed_is_told_as_such() -> None:
    from ricordi.backend.usage import Freed
    from ricordi.cli.traversal_options import plan_as_text
    from ricordi.services.nodes.delete import DeletionPlan

    plan = DeletionPlan((1,), (1,), {}, {}, 0, 0, 0, 0, 0, (), Freed(2, 3000, exact=False))
    assert 'will free at most 2 objects, 3.00 kB' in plan_as_text(plan)


# the walk ------------------------------------------------------------------------------------------------


WALK = [sys.executable, '-m', 'ricordi', '-p', 'mixed', 'storage', 'usage', '-i']


def between_settings(program: list[str]) -> list[str]:
    """A program that tells the settings of the terminal before and after another one, and how that ended."""
    return ['sh', '-c', f'trap : INT; stty -g; {shlex.join(program)}; echo "ended with $?"; stty -g']


@pytest.mark.parametrize(
    ('answers', 'code'),
    [
        ({'sorted by stored': '\x1b[B\r', ' › type ': 's', 'sorted by freed': 'thq'}, 0),
        ({'sorted by stored': '\x1bOB\x1b[C\x1b[C', ' › node ': '\x1b[D\x1b[D\x1b[D\x04'}, 0),
        ({'sorted by stored': '\x1a\x03'}, 130),
    ],
)
def test_the_walk_goes_in_and_out_and_leaves_the_terminal_as_it_was(
    run_in_terminal: Callable[..., Any], reference_home: Path, answers: dict[str, str], code: int
) -> None:
    run = run_in_terminal(program=between_settings(WALK), answers=answers)
    assert f'ended with {code}' in run.screen
    assert run.screen.count('\x1b[?1049h\x1b[?25l') == run.screen.count('\x1b[?25h\x1b[?1049l') == 1
    before, after = re.findall(r'^(?:[0-9a-f]+:)+[0-9a-f]+$', run.screen, re.MULTILINE)
    assert before == after


def test_what_the_walk_shows_fits_the_terminal(run_in_terminal: Callable[..., Any], reference_home: Path) -> None:
    run = run_in_terminal(*WALK[3:], answers={'sorted by stored': '\x1b[B\r', ' › type ': 'q'})
    screens = run.screen.split('\x1b[H\x1b[2J')[1:]
    assert len(screens) == 3
    for screen in screens:
        lines = re.sub(r'\x1b\[[?0-9]*[a-zA-Z]', '', screen).rstrip('\n').split('\n')
        assert max(map(len, lines)) <= 120
    assert 'data.core.' in screens[0]
    assert 'profile mixed › type ' in screens[2]


def test_keys_are_told_apart_however_they_come() -> None:
    from ricordi.cli.storage.usage_walk import keys_of

    whole = b'a\x1b[A\x1bOB\r\x1b[5~q\x1bx\x1b[<0;3;4M\x1b[1;\rs'
    keys = ['a', '\x1b[A', '\x1bOB', '\r', '\x1b[5~', 'q', '\x1b', 'x', '\x1b[<0;3;4M', '\x1b[1;', '\r', 's']
    assert list(keys_of([whole])) == keys
    assert list(keys_of(bytes([byte]) for byte in whole)) == keys
