"""`ricordi group`: list, show, create, relabel, description, copy, path ls."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def group(run_here: Run, each_profile: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a verb of `group` on each profile."""
    return lambda *words, **kwargs: run_here('-p', each_profile, 'group', *words, **kwargs)


def listed(group: Run, *words: object) -> dict[str, dict]:
    done = group('list', *words, '--format', 'json')
    assert (done.returncode, done.stderr) == (0, '')
    return {row['label']: row for row in json.loads(done.stdout)}


def test_the_groups_of_the_default_user_are_listed(group: Run) -> None:
    own, every = listed(group), listed(group, '-A', '-a')
    assert {row['user'] for row in own.values()} == {'alice@example.org'}
    assert {row['type_string'] for row in own.values()} == {'core'}
    assert set(own) < set(every)
    assert 'auto 1' in every
    assert listed(group, '-u', 'bob@example.org', '-a') == {
        label: row for label, row in every.items() if row['user'] == 'bob@example.org'
    }


def test_members_are_counted_on_request(group: Run) -> None:
    counts = {label: row['node_count'] for label, row in listed(group, '-C').items()}
    assert (counts['numbers'], counts['empty']) == (3, 0)
    assert listed(group)['numbers']['node_count'] is None
    words = [line.split() for line in group('list', '-C').stdout.splitlines()]
    assert ['PK', 'Label', 'Type', 'string', 'User', 'Node', 'count'] in words
    assert ['core', 'alice@example.org', '3'] in [line[-3:] for line in words]


@pytest.mark.parametrize(
    ('words', 'labels'),
    [
        (('-s', 'tr'), ['tree', 'tree/branch/leaf']),
        (('-e', 'leaf'), ['tree/branch/leaf']),
        (('-c', '%'), ['ünï 100% _under']),
        (('-c', '_'), ['ünï 100% _under']),
        (('-s', 'num', '-e', 'pty'), ['empty', 'numbers']),
        (('-s', 'num', '-e', 'pty', '-D', 'desc'), ['numbers', 'empty']),
        (('-T', 'core.auto'), ['auto 1']),
        (('-T', 'core.a%'), ['auto 1']),
        (('-p', 0), []),
    ],
)
def test_groups_are_chosen_by_label_type_and_age(group: Run, words: tuple[object, ...], labels: list[str]) -> None:
    assert list(listed(group, *words)) == labels


def test_the_groups_of_a_node_are_found(group: Run, run_here: Run, each_profile: str) -> None:
    nodes = group('show', '--raw', 'numbers').stdout.split()
    assert 'numbers' in listed(group, '-N', nodes[0])
    assert 'empty' not in listed(group, '-N', nodes[0])


def test_raw_and_quiet_lists_have_no_heading(group: Run) -> None:
    assert group('list', '-q').stdout.splitlines() == list(listed(group))
    assert [line.split('\t')[1] for line in group('list', '-r').stdout.splitlines()] == list(listed(group))


# show ------------------------------------------------------------------------------------------------------


def test_a_group_is_shown_with_its_nodes(group: Run) -> None:
    raw = group('show', '--raw', 'numbers').stdout.split()
    shown = json.loads(group('show', 'numbers', '--format', 'json').stdout)
    assert (shown['label'], shown['node_count']) == ('numbers', 3)
    assert [str(node['pk']) for node in shown['nodes']] == raw
    assert group('show', '-r', '-u', 'numbers').stdout.split() == [node['uuid'] for node in shown['nodes']]
    assert [json.loads(line)['pk'] for line in group('show', 'numbers', '--format', 'jsonl').stdout.splitlines()] == [
        node['pk'] for node in shown['nodes']
    ]
    table = group('show', 'numbers', '-l', 2).stdout
    assert table.startswith('Label')
    assert sum('ago' in line for line in table.splitlines()) == 2


@pytest.mark.parametrize('as_named', ['label', 'pk', 'uuid'])
def test_a_group_is_named_by_label_pk_or_uuid(group: Run, as_named: str) -> None:
    row = listed(group)['numbers']
    assert json.loads(group('show', row[as_named], '--format', 'json').stdout)['label'] == 'numbers'


def test_a_label_that_is_no_group_is_refused_with_a_guess(group: Run) -> None:
    done = group('show', 'nunbers')
    assert (done.returncode, done.stdout) == (1, '')
    assert 'did you mean `numbers`?' in done.stderr


# changes ---------------------------------------------------------------------------------------------------


def test_a_group_is_created_once(group: Run) -> None:
    done = group('create', 'new', '-d', 'what for')
    assert done.returncode == 0
    row = listed(group)['new']
    assert (done.stdout, row['description'], row['user']) == (f'{row["pk"]}\n', 'what for', 'alice@example.org')
    again = group('create', 'new')
    assert (again.returncode, again.stdout) == (0, done.stdout)
    assert 'already' in again.stderr
    assert group('create', ' ').returncode == 2
    done = group('create', 'a\nb')
    assert (done.returncode, done.stdout, 'control characters' in done.stderr) == (2, '', True)


def test_a_group_is_relabelled_unless_the_label_is_taken(group: Run) -> None:
    assert group('relabel', 'empty', 'emptied').returncode == 0
    assert 'emptied' in listed(group)
    done = group('relabel', 'emptied', 'emptied')
    assert (done.returncode, "is 'emptied' already" in done.stderr) == (1, True)
    done = group('copy', 'numbers', 'numbers', '--yes')
    assert (done.returncode, 'the same group' in done.stderr) == (1, True)
    done = group('relabel', 'emptied', 'numbers')
    assert done.returncode == 1
    assert "there is a group 'numbers' of type 'core' already" in done.stderr


def test_a_description_is_shown_changed_and_removed(group: Run) -> None:
    assert group('description', 'empty', 'änderung').returncode == 0
    assert group('description', 'empty').stdout == 'änderung\n'
    shown = json.loads(group('description', 'empty', '--format', 'json').stdout)
    assert (shown['label'], shown['description']) == ('empty', 'änderung')
    group('description', 'empty', '')
    assert group('description', 'empty').stdout == '\n'


def test_a_group_is_copied_into_a_new_one_or_on_request_into_one_that_has_nodes(group: Run) -> None:
    done = group('copy', '--dry-run', 'numbers', 'more')
    assert (done.returncode, 'which would be made' in done.stderr) == (0, True)
    assert group('show', 'more').returncode == 1
    assert group('copy', 'numbers', 'more').returncode == 0
    assert 'Would add 0 nodes' in group('copy', '--dry-run', 'numbers', 'more').stderr
    assert group('show', '-r', 'more').stdout == group('show', '-r', 'numbers').stdout
    done = group('copy', 'tree/branch/leaf', 'more')
    assert (done.returncode, '--yes' in done.stderr) == (2, True)
    assert group('copy', '--yes', 'tree/branch/leaf', 'more').returncode == 0
    assert len(group('show', '-r', 'more').stdout.split()) == 4


# paths -----------------------------------------------------------------------------------------------------


def test_labels_with_slashes_are_folders(group: Run) -> None:
    assert group('path', 'ls').stdout.splitlines() == ['empty', 'numbers', 'tree', 'ünï 100% _under']
    assert group('path', 'ls', 'tree').stdout.splitlines() == ['tree/branch']
    assert group('path', 'ls', '--no-virtual', 'tree').stdout == ''
    assert group('path', 'ls', '-R', 'tree').stdout.splitlines() == [
        'tree/branch',
        'tree/branch/leaf',
        'tree/branch/other',
    ]
    entries = {entry['path']: entry for entry in json.loads(group('path', 'ls', '--format', 'json').stdout)}
    assert (entries['tree']['virtual'], entries['tree']['groups_below']) == (False, 2)
    assert ['tree', '2'] in [line.split() for line in group('path', 'ls', '-l').stdout.splitlines()]


@pytest.mark.parametrize(('path', 'code'), [('tree/', 2), ('/tree', 2), ('a//b', 2), ('nowhere', 1)])
def test_a_path_that_is_none_is_refused(group: Run, path: str, code: int) -> None:
    assert group('path', 'ls', path).returncode == code


def test_labels_that_are_no_paths_are_told(group: Run) -> None:
    group('create', 'odd//label')
    assert "'odd//label'" in group('path', 'ls').stderr
    assert group('path', 'ls', '--no-warn').stderr == ''
