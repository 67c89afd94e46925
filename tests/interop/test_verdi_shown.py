"""What verdi and this program show of one profile, on SQLite and on PostgreSQL: the content agrees, noun by noun."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from both_programs import PROFILE, TESTS, Command, add_psql_profile, make_home, run_verdi

if TYPE_CHECKING:
    from conftest import PostgresServer

pytestmark = pytest.mark.interop

ARCHIVE = TESTS / 'data' / 'reference.aiida'
ENTITIES = ('User', 'Computer', 'Node', 'Group', 'Comment', 'Log', 'Link')
LABELS = ('job 0', 'add_multiply', 'add')
Words = set[tuple[str, ...]]


class Both:
    """One profile that both programs read: `shows` asks verdi (all questions at once), `here` this program."""

    def __init__(self, home: Path, profile: str, python: str) -> None:
        self.home, self.profile = home, profile
        self._python = python

    def verdi(self, *commands: Command) -> list[str]:
        answers = run_verdi(self._python, self.home, commands, self.profile)
        for command, answer in zip(commands, answers, strict=True):
            assert answer['code'] == 0, (command, answer['out'])
        return [answer['out'] for answer in answers]


@pytest.fixture(scope='module', params=['sqlite', 'psql'])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, aiida_python: str) -> Both:
    home = make_home(tmp_path_factory.mktemp(request.param))
    profile = PROFILE
    if request.param == 'psql':
        postgres: PostgresServer = request.getfixturevalue('postgres')
        profile = add_psql_profile(home, postgres, request.getfixturevalue('new_database_of_module')())
    return Both(home, profile, aiida_python)


@pytest.fixture
def text(both: Both, here: Callable[..., str]) -> Callable[..., str]:
    """What a command prints here."""
    return lambda *words: here(both.home, *words, profile=both.profile)


@pytest.fixture
def data(text: Callable[..., str]) -> Callable[..., Any]:
    """The same, from JSON."""
    return lambda *words: json.loads(text(*words, '--format', 'json'))


@pytest.fixture
def pks(data: Callable[..., Any]) -> list[int]:
    """Nodes of different kinds, with files, attributes, inputs and outputs, the same ones on each database."""
    rows = data('node', 'list', '-P', 'pk', 'uuid', '-O', 'ctime')
    return [row['pk'] for row in rows][::9]


def words_of(printed: str) -> Words:
    """The lines as words, in lower case, without rules and times."""
    lines = {tuple(line.lower().split()) for line in printed.splitlines() if not set(line) <= set('- ')}
    return {line for line in lines if line and not line[0].startswith(('ctime', 'mtime', 'report:'))}


def test_profiles(both: Both, data: Callable[..., Any]) -> None:
    listed, shown = both.verdi(('profile', 'list'), ('profile', 'show', both.profile))
    rows = data('profile', 'list')
    names = {line[2:]: line[0] == '*' for line in listed.splitlines() if not line.startswith('Report')}
    assert {row['name']: row['default'] for row in rows} == names
    theirs, ours = yaml.safe_load(shown.partition('\n')[2]), data('profile', 'show', both.profile)
    for profile in (theirs, ours):
        profile['storage']['config'].pop('database_password', None)  # masked here
    assert {name: ours.get(name) for name in theirs if name != 'options'} == {
        name: value for name, value in theirs.items() if name != 'options'
    }


def test_the_storage(both: Both, data: Callable[..., Any]) -> None:
    shown, version = both.verdi(('storage', 'info'), ('storage', 'version'))
    theirs, ours = yaml.safe_load(shown), data('storage', 'info')
    assert [theirs['entities'][f'{name}s']['count'] for name in ENTITIES] == [
        ours['entities'][name.lower()] for name in ENTITIES
    ]
    objects, ours = theirs['repository']['Objects'], ours['repository']
    assert (objects['packed'], objects['loose']) == (ours['packed']['objects'], ours['loose']['objects'])
    assert objects['pack_files'] == ours['packs']
    assert set(re.findall(r'main_\d+', version)) == {data('storage', 'version')['version']}


def test_an_archive(both: Both, data: Callable[..., Any]) -> None:
    shown, version = both.verdi(('archive', 'info', ARCHIVE), ('archive', 'version', ARCHIVE))
    assert yaml.safe_load(shown)['metadata'] == data('archive', 'info', ARCHIVE)['metadata']
    assert set(re.findall(r'main_\d+', version)) == {data('archive', 'version', ARCHIVE)['version']}


def test_users(both: Both, text: Callable[..., str]) -> None:
    (listed,) = both.verdi(('user', 'list'))
    assert words_of(text('user', 'list')) == words_of(listed)


def test_nodes(both: Both, text: Callable[..., str], data: Callable[..., Any], pks: list[int]) -> None:
    jobs = [row['pk'] for row in data('node', 'list', '-P', 'pk', 'label') if row['label'] in LABELS]
    assert jobs
    commands = [('node', 'show', pk) for pk in (*jobs, *pks)]
    told_otherwise = ('there', 'run', 'log', 'called', 'caller')  # headings, and how many messages there are
    for command, shown in zip(commands, both.verdi(*commands), strict=True):
        theirs = {line for line in words_of(shown) if line[0] not in told_otherwise}
        assert theirs <= words_of(text(*command)), command


def test_values_of_nodes(both: Both, text: Callable[..., str], pks: list[int]) -> None:
    commands = [('node', verb, '-r', *pks) for verb in ('attributes', 'extras')]
    for command, shown in zip(commands, both.verdi(*commands), strict=True):
        assert json.loads(text(*command)) == json.loads(shown)
    commands = [('node', 'list', '-r'), ('node', 'label', '-r', *pks), ('node', 'description', '-r', *pks)]
    for command, shown in zip(commands, both.verdi(*commands), strict=True):
        assert words_of(text(*command)) == words_of(shown)


def test_comments(both: Both, data: Callable[..., Any]) -> None:
    commented = sorted({row['node_pk'] for row in data('node', 'comment', 'show', *every_pk(data))})
    assert commented
    (shown,) = both.verdi(('node', 'comment', 'show', *commented))
    heads = re.findall(r'^Comment<(\d+)> for Node<(\d+)> by (\S+)', shown, re.MULTILINE)
    ours = data('node', 'comment', 'show', *commented)
    assert [(int(pk), int(node), user) for pk, node, user in heads] == [
        (row['pk'], row['node_pk'], row['user']) for row in ours
    ]
    assert all(row['content'] in shown for row in ours)


def every_pk(data: Callable[..., Any]) -> list[int]:
    return [row['pk'] for row in data('node', 'list', '-P', 'pk')]


def test_files_of_nodes(both: Both, text: Callable[..., str], data: Callable[..., Any], tmp_path: Path) -> None:
    theirs, ours = tmp_path / 'theirs', tmp_path / 'ours'
    theirs.mkdir()
    ours.mkdir()
    with_files = [pk for pk in every_pk(data) if data('node', 'repo', 'ls', pk)]
    assert len(with_files) > 5
    both.verdi(*(('node', 'repo', 'dump', pk, theirs / str(pk)) for pk in with_files))
    for pk in with_files:
        text('node', 'repo', 'dump', pk, ours / str(pk))
    found = [{path.relative_to(top): path.is_file() and path.read_bytes() for path in top.rglob('*')}
             for top in (theirs, ours)]  # fmt: skip
    assert found[0] == found[1]
    assert any(found[0].values())


def test_groups_and_computers(both: Both, text: Callable[..., str]) -> None:
    commands: list[Command] = [('group', 'list', '-A', '-a', '-C'), ('group', 'path', 'ls', '-R')]
    for command, shown in zip(commands, both.verdi(*commands), strict=True):
        assert words_of(text(*command)) == words_of(shown), command
    members, listed = both.verdi(('group', 'show', '-r', '-u', 'numbers'), ('computer', 'list', '-a'))
    assert sorted(text('group', 'show', '-r', '-u', 'numbers').split()) == sorted(members.split())
    labels = {line[2:] for line in listed.splitlines() if not line.startswith('Report')}
    assert set(text('computer', 'list', '-a', '-r').split()) == labels
