"""`ricordi node`: show, attributes, extras, label, description, tree."""

from __future__ import annotations

import json
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def node(run_here: Run, each_profile: str) -> Callable[..., object]:
    """Runs a verb of `node` on each profile: `node('show', 1)`."""
    return lambda *words, **kwargs: run_here('-p', each_profile, 'node', *words, **kwargs)


def pk_of(node: Run, where: str) -> str:
    return node('list', '-q', '--where', where).stdout.split()[0]


def test_a_node_is_shown_with_its_links(node: Run) -> None:
    done = node('show', pk_of(node, 'attributes.process_label == add_multiply'))
    assert (done.returncode, done.stderr) == (0, '')
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ['type', 'add_multiply'] in lines
    assert ['state', 'finished', '[0]'] in lines
    assert ['node', 'type', 'process.workflow.workfunction.WorkFunctionNode.'] in lines
    assert ['Inputs', 'PK', 'Type'] in lines
    assert ['Outputs', 'PK', 'Type'] in lines
    assert [line[0] for line in lines if line and line[-1] == 'add'] == ['CALL']


@pytest.mark.parametrize('as_named', ['pk', 'uuid', 'start'])
def test_a_node_is_named_by_pk_uuid_or_start_of_uuid(node: Run, as_named: str) -> None:
    pk, uuid = node('list', '-r', '-P', 'pk', 'uuid', '--where', "label == 'one'").stdout.split()
    name = {'pk': pk, 'uuid': uuid, 'start': uuid[:10]}[as_named]
    (shown,) = json.loads(node('show', name, '--format', 'json').stdout)
    assert (shown['pk'], shown['uuid'], shown['label'], shown['node_type']) == (
        int(pk),
        uuid,
        'one',
        'data.core.int.Int.',
    )


def test_details_for_programs_name_neighbours_and_groups(node: Run) -> None:
    (shown,) = json.loads(node('show', pk_of(node, 'label == one'), '--format', 'json').stdout)
    assert {'pk', 'label', 'type_string'} == set(shown['groups'][0])
    (shown,) = json.loads(
        node('show', pk_of(node, "attributes.process_label == 'multiply'"), '--format', 'json').stdout
    )
    assert {one['link_type'] for one in shown['inputs']} == {'input_calc'}
    assert {one['link_type'] for one in shown['outputs']} == {'create'}
    assert shown['exit_status'] == 0


def test_groups_are_printed_on_request(node: Run) -> None:
    assert 'numbers' in node('show', '--print-groups', pk_of(node, 'label == one')).stdout
    assert 'In no group.' in node('show', '--print-groups', pk_of(node, 'node_type like data.core.bool.%')).stdout


@pytest.mark.parametrize(
    ('name', 'code', 'words'),
    [
        ('99999', 1, 'there is no node 99999 in profile'),
        ('0123456789abcdef', 1, 'there is no node 0123456789abcdef'),
        ('1,2', 2, "'1,2' names no node"),
        ('abc', 2, 'too short'),
        ('', 2, 'it is empty'),
        ('nothing!', 2, "'nothing!' names no node: give a pk, a uuid or the start of a uuid"),
    ],
)
def test_what_names_no_node_is_refused(node: Run, name: str, code: int, words: str) -> None:
    done = node('show', name)
    assert (done.returncode, done.stdout) == (code, '')
    assert words in done.stderr


def test_nodes_can_come_from_standard_input(node: Run) -> None:
    shown = json.loads(node('show', '-', '--format', 'json', stdin='1 2\n3\n').stdout)
    assert [one['pk'] for one in shown] == [1, 2, 3]


# attributes and extras -------------------------------------------------------------------------------------


def test_attributes_are_json_under_a_heading(node: Run) -> None:
    pk = pk_of(node, 'label == one')
    heading, *body = node('attributes', pk).stdout.splitlines()
    assert heading == f'PK: {pk}'
    assert json.loads('\n'.join(body)) == {'value': 1}


def test_raw_attributes_are_one_array_with_the_chosen_keys(node: Run) -> None:
    pk = pk_of(node, "attributes.process_label == 'multiply'")
    done = node('attributes', '--raw', '-k', 'exit_status', 'process_label', '-i', 'uuid', '--', pk)
    (found,) = json.loads(done.stdout)
    assert set(found) == {'UUID', 'attributes'}
    assert found['attributes'] == {'process_label': 'multiply', 'exit_status': 0}
    assert node('attributes', '-r', '-f', 'yaml', pk).stdout.startswith('- PK: ')


@pytest.mark.parametrize('identifier', ['pk', 'uuid'])
def test_formats_name_the_node_as_all_verbs_do(node: Run, identifier: str) -> None:
    pk = pk_of(node, 'label == one')
    for verb, field in (('attributes', 'attributes'), ('extras', 'extras')):
        (found,) = json.loads(node(verb, '-i', identifier, '--format', 'json', pk).stdout)
        assert set(found) == {identifier, field}
        (shown,) = json.loads(node('show', '--format', 'json', pk).stdout)
        assert found[identifier] == shown[identifier]


@pytest.mark.parametrize('value', ['{"b":', '[1, 2', '"open', ' {a: 1}'])
def test_a_value_that_begins_like_json_and_is_none_is_refused(node: Run, value: str) -> None:
    done = node('extras', 'set', 1, f'x={value}')
    assert (done.returncode, done.stderr.count('\n')) == (2, 1)
    quoted = done.stderr.split('quote it as JSON: ')[1].rstrip('\n')
    assert node('extras', 'set', 1, f'x={quoted}').returncode == 0
    assert json.loads(node('extras', '--raw', '-k', 'x', '--', 1).stdout)[0]['extras'] == {'x': value}


@pytest.mark.parametrize('value', ['NaN', 'Infinity', 'a{', 'x=y', ''])
def test_other_values_that_are_no_json_are_text(node: Run, value: str) -> None:
    assert node('extras', 'set', 1, f'x={value}').returncode == 0
    assert json.loads(node('extras', '--raw', '-k', 'x', '--', 1).stdout)[0]['extras'] == {'x': value}


def test_extras_are_set_and_unset(node: Run) -> None:
    pk = pk_of(node, 'label == one')
    assert node('extras', 'set', pk, 'quality=good', 'tags=[1, "a"]', 'weight=1.5').returncode == 0
    (found,) = json.loads(node('extras', '--raw', '-k', 'quality', 'tags', 'weight', '--', pk).stdout)
    assert found == {'PK': int(pk), 'extras': {'quality': 'good', 'tags': [1, 'a'], 'weight': 1.5}}
    assert node('extras', 'unset', pk, '-k', 'quality', 'tags').returncode == 0
    (found,) = json.loads(node('extras', 'show', '--raw', pk).stdout)
    assert 'quality' not in found['extras']
    assert found['extras']['weight'] == 1.5


def test_taking_extras_from_several_nodes_asks_first(node: Run) -> None:
    node('extras', 'set', 1, 2, 'a=1')
    done = node('extras', 'unset', 1, 2, '-k', 'a')
    assert (done.returncode, '--yes' in done.stderr) == (2, True)
    assert node('extras', 'unset', '--yes', 1, 2, '-k', 'a').returncode == 0
    assert 'a' not in json.loads(node('extras', '--raw', 1).stdout)[0]['extras']


def test_extras_that_cannot_be_changed_leave_all_nodes_as_they_were(node: Run) -> None:
    node('extras', 'set', 1, 'a=1')
    done = node('extras', 'unset', 1, 2, '-k', 'a')
    assert done.returncode == 1
    assert "node 2 has no extra 'a'; nothing was changed" in done.stderr
    assert json.loads(node('extras', '--raw', 1).stdout)[0]['extras']['a'] == 1
    for wrong, word in (('a.b=1', 'a.b'), ('=1', 'a key cannot be empty'), ('x=1e999', 'inf cannot be kept')):
        done = node('extras', 'set', 1, wrong)
        assert (done.returncode, word in done.stderr) == (2, True), done.stderr


def test_a_dry_run_changes_no_extra(node: Run) -> None:
    before = node('extras', '--raw', 1).stdout
    assert 'Would set' in node('extras', 'set', '-n', 1, 'a=1').stderr
    assert node('extras', '--raw', 1).stdout == before


# label and description -------------------------------------------------------------------------------------


@pytest.mark.parametrize(('verb', 'option'), [('label', '-L'), ('description', '-D')])
def test_texts_are_shown_and_set(node: Run, verb: str, option: str) -> None:
    assert node(verb, 2, option, 'ünï code').returncode == 0
    assert node(verb, '-r', 2).stdout == 'ünï code\n'
    assert json.loads(node(verb, 2, '--format', 'json').stdout) == [{'pk': 2, verb: 'ünï code'}]


def test_setting_the_label_of_several_nodes_needs_a_yes(node: Run) -> None:
    done = node('label', 2, 3, '-L', 'x')
    assert done.returncode == 2
    assert '--yes' in done.stderr
    assert node('label', 2, 3, '-L', 'x', '-n').returncode == 0
    assert node('label', '-r', 2).stdout == '\n'
    assert node('label', 2, 3, '-L', 'x', '--force').returncode == 0
    assert node('label', '-r', 2, 3).stdout == 'x\nx\n'


# tree ------------------------------------------------------------------------------------------------------


def test_what_follows_from_a_node_is_drawn_as_a_tree(node: Run) -> None:
    pk = pk_of(node, "attributes.process_label == 'add_multiply'")
    lines = node('tree', pk).stdout.splitlines()
    assert lines[0] == f'add_multiply [{pk}] finished [0]'
    (add,) = [number for number, line in enumerate(lines) if '── CALL (call_calc) add [' in line]
    assert lines[add].startswith(('├── ', '└── '))
    assert lines[add + 1].startswith(('│   └── result (create) Int [', '    └── result (create) Int ['))
    assert any(line[4:].startswith('result (return) Int [') for line in lines)


def test_a_tree_goes_as_deep_as_it_is_told_and_in_either_direction(node: Run) -> None:
    pk = pk_of(node, "attributes.process_label == 'add_multiply'")
    rows = json.loads(node('tree', '-d', 1, pk, '--format', 'json').stdout)
    assert {row['depth'] for row in rows} == {0, 1}
    rows = json.loads(node('tree', '--direction', 'in', '-l', 'logic', pk, '--format', 'json').stdout)
    assert {row['link_type'] for row in rows} == {None, 'input_work'}


def test_what_is_below_a_node_is_shown_once(node: Run) -> None:
    rows = json.loads(node('tree', pk_of(node, 'label == one'), '--format', 'json').stdout)
    opened = [row['pk'] for row in rows if not row['seen'] and any(other['parent_pk'] == row['pk'] for other in rows)]
    assert len(opened) == len(set(opened))
    assert any(row['seen'] for row in rows)
