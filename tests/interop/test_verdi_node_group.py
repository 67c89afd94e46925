"""The verbs of `node` and `group` in verdi and here, on the same profile: what they print, and what they leave."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from both_programs import PROFILE, Command, make_home, run_verdi
from ricordi.backend.rows import NodeRow
from ricordi.config import load_config
from ricordi.manager import use_storage
from ricordi.model.traversal import DELETE_RULES, EXPORT_RULES, choose_rules
from ricordi.services.graph.subgraph import LINK_TYPES, Reach, grow_graph
from ricordi.services.traversal import traverse

pytestmark = pytest.mark.interop


# what they print -------------------------------------------------------------------------------------------

PKS = [1, 4, 13, 21, 33, 45, 51, 57, 61]
READING: dict[str, Command] = {
    'all nodes': ('node', 'list', '-r'),
    'columns': ('node', 'list', '-r', '-P', 'id', 'uuid', 'label', '-O', 'id', '-D', 'desc', '-l', '20'),
    'entry point': ('node', 'list', '-r', '-e', 'core.array'),
    'no subclasses': ('node', 'list', '-r', '-e', 'core.array', '--no-subclassing'),
    'attributes': ('node', 'attributes', '-r', *PKS),
    'keys': ('node', 'attributes', '-r', '-i', 'uuid', '-k', 'value', 'exit_status', '--', *PKS),
    'extras': ('node', 'extras', '-r', *PKS),
    'labels': ('node', 'label', '-r', *PKS),
    'descriptions': ('node', 'description', '-r', *PKS),
    'files': ('node', 'repo', 'ls', '57'),
    'content': ('node', 'repo', 'cat', '61', 'aiida.out'),
    'groups': ('group', 'list', '-A', '-a', '-C'),
    'own groups': ('group', 'list', '-D', 'desc'),
    'groups by label': ('group', 'list', '-s', 'tree', '-c', '_'),
    'groups of a node': ('group', 'list', '-N', '45', '-A'),
    'members': ('group', 'show', '-r', 'tree/branch/other'),
    'uuids of members': ('group', 'show', '-r', '-u', 'numbers'),
    'description of a group': ('group', 'description', 'numbers'),
    'paths': ('group', 'path', 'ls', '-R'),
    'paths below': ('group', 'path', 'ls', 'tree', '--no-virtual', '-R'),
}


@pytest.fixture(scope='module')
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration folder that both programs read."""
    return make_home(tmp_path_factory.mktemp('reading'))


@pytest.fixture(scope='module')
def printed(home: Path, aiida_python: str) -> dict[str, Any]:
    """What verdi prints for each of the commands that read."""
    results = run_verdi(aiida_python, home, list(READING.values()))
    return dict(zip(READING, results, strict=True))


def cells(text: str) -> list[list[str]]:
    """The rows of a table, without the rule under its heading and what is told besides."""
    lines = [
        line for line in text.splitlines() if line and not set(line) <= set('- ') and not line.startswith('Report')
    ]
    return [re.split(r'\s{2,}|\t', line.strip()) for line in lines]


@pytest.mark.parametrize('name', READING)
def test_both_print_the_same(name: str, printed: dict[str, Any], home: Path, here: Callable[..., str]) -> None:
    verdi, ours = printed[name], here(home, *READING[name])
    assert verdi['code'] == 0, verdi['out']
    if name in ('attributes', 'keys', 'extras'):
        assert json.loads(ours) == json.loads(verdi['out'])
    elif name == 'content':
        assert ours == verdi['out']
    elif 'members' in name:
        assert sorted(ours.split()) == sorted(verdi['out'].split())
    elif name == 'files':
        assert [line.rstrip('/') for line in ours.split()] == verdi['out'].split()
    else:
        assert cells(ours) == cells(verdi['out'])


def test_the_same_nodes_go_along(home: Path, aiida_python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('AIIDA_PATH', str(home))
    choose = random.Random(1)
    with use_storage(load_config().get_profile(PROFILE)) as storage:
        every = [row.pk for row in storage.find(NodeRow)]
        commands = []
        for name, rules in (('@delete', DELETE_RULES), ('@export', EXPORT_RULES)):
            for _ in range(40):
                switches = {rule.name: choose.random() < 0.5 for rule in rules if rule.switchable}
                commands.append((name, choose.sample(every, choose.randint(1, 3)), switches))
        expected = run_verdi(aiida_python, home, commands)
        for (name, start, switches), nodes in zip(commands, expected, strict=True):
            rules = choose_rules(DELETE_RULES if name == '@delete' else EXPORT_RULES, switches)
            assert sorted(traverse(storage, start, rules).nodes) == nodes, (name, start, switches)


def test_the_same_graph_is_drawn(home: Path, aiida_python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('AIIDA_PATH', str(home))
    choose = random.Random(2)
    with use_storage(load_config().get_profile(PROFILE)) as storage:
        every = [row.pk for row in storage.find(NodeRow)]
        commands = [
            (
                *('@graph', choose.choice(every), choose.choice([None, 0, 1, 2]), choose.choice([None, 0, 1, 2])),
                *(choose.choice(['all', 'data', 'logic']), choose.random() < 0.5, choose.random() < 0.5),
            )
            for _ in range(30)
        ]
        expected = run_verdi(aiida_python, home, commands)
        for command, drawn in zip(commands, expected, strict=True):
            _, pk, ancestors, descendants, links, process_in, process_out = command
            graph = grow_graph(storage, [pk], Reach(LINK_TYPES[links], ancestors, descendants, process_in, process_out))
            found = sorted([link.source, link.target, link.type, link.label] for link in graph.links)
            assert {'nodes': sorted(graph.nodes), 'links': found} == drawn, command


# what they leave -------------------------------------------------------------------------------------------

WRITING: list[Command] = [
    ('node', 'label', '-f', '-L', 'änother', '2', '3'),
    ('node', 'description', '-f', '-D', 'of both', '2', '3'),
    ('node', 'comment', 'add', '-N', '5', '6', '--', 'a comment'),
    ('node', 'comment', 'update', '1', 'another text'),
    ('node', 'comment', 'remove', '-f', '2'),
    ('node', 'rehash', '-f', '1', '2', '7', '45', '51'),
    ('group', 'create', 'new'),
    ('group', 'add-nodes', '-f', '-G', 'new', '1', '2', '3', '7'),
    ('group', 'remove-nodes', '-f', '-G', 'new', '2'),
    ('group', 'move-nodes', '-f', '-s', 'new', '-t', 'empty', '3'),
    ('group', 'copy', 'new', 'copied'),
    ('group', 'relabel', 'copied', 'copy of new'),
    ('group', 'description', 'new', 'described'),
    ('node', 'delete', '-f', '9'),
    ('node', 'delete', '-f', '--no-call-calc-forward', '13'),
    ('group', 'delete', '-f', '--delete-nodes', 'tree/branch/leaf'),
    ('group', 'delete', '-f', '-s', 'num'),
]


def test_both_leave_the_same(tmp_path: Path, aiida_python: str, here: Callable[..., str]) -> None:
    theirs, ours = make_home(tmp_path / 'theirs'), make_home(tmp_path / 'ours')
    for command, result in zip(WRITING, run_verdi(aiida_python, theirs, WRITING), strict=True):
        assert result['code'] == 0, (command, result['out'])
    for command in WRITING:
        here(ours, *command)
    assert left(here, ours) == left(here, theirs)


def left(here: Callable[..., str], home: Path) -> dict[str, Any]:
    """Nodes, groups with members, and comments, without times and identifiers of what is new."""
    nodes = json.loads(
        here(home, 'node', 'list', '-O', 'pk', '-P', 'pk', 'uuid', 'label', 'description', '--format', 'json')
    )
    groups = json.loads(here(home, 'group', 'list', '-A', '-a', '--format', 'json'))
    members = {row['label']: sorted(here(home, 'group', 'show', '-r', row['label']).split()) for row in groups}
    pks = [row['pk'] for row in nodes]
    comments = json.loads(here(home, 'node', 'comment', 'show', *pks, '--format', 'json'))
    extras = json.loads(here(home, 'node', 'extras', '-r', *pks))
    return {
        'nodes': nodes,
        'extras': extras,
        'groups': [[row[key] for key in ('label', 'type_string', 'user', 'description')] for row in groups],
        'members': members,
        'comments': [[row[key] for key in ('node_pk', 'user', 'content')] for row in comments],
    }
