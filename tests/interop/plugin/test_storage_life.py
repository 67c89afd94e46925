"""AiiDA's interface of a storage on ours: what it sees, refuses, keeps; its maintenance; how it ends."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.interop
SCRIPT = Path(__file__).parent / 'storage_life.py'


@pytest.fixture(scope='session')
def lives(
    aiida_python: str, aiida_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, dict[str, Any]], dict[str, Any]]:
    """What came out of each topic on a backend, done once."""
    known: dict[str, dict[str, Any]] = {}

    def live(backend: str, config: dict[str, Any]) -> dict[str, Any]:
        if backend not in known:
            environment = {**aiida_environment, 'AIIDA_PATH': str(tmp_path_factory.mktemp('home'))}
            done = subprocess.run(
                [aiida_python, SCRIPT, backend, json.dumps(config)],
                env=environment,
                capture_output=True,
                text=True,
                timeout=400,
            )
            assert done.returncode == 0, done.stderr
            known[backend] = json.loads(done.stdout.splitlines()[-1])
        return known[backend]

    return live


@pytest.fixture(params=['ricordi.sqlite_dos', 'ricordi.psql_dos'])
def life(request: pytest.FixtureRequest, lives: Callable[..., Any], tmp_path: Path) -> dict[str, Any]:
    if 'sqlite' in request.param:
        return lives(request.param, {'filepath': str(tmp_path / 'storage')})
    postgres, new_database = request.getfixturevalue('postgres'), request.getfixturevalue('new_database')
    return lives(request.param, postgres.storage_config(new_database(), tmp_path / 'repository'))


def test_a_profile_is_set_up_on_it(life: dict[str, Any]) -> None:
    found = life['set_up']
    assert found['user'] == ['a@b.c', 'C'], found
    assert (found['versions'], found['again']) == (True, False)
    assert found['fields'] == ['filepath'] or 'database_name' in found['fields']


def test_what_others_change_is_seen_and_what_is_rolled_back_is_not(life: dict[str, Any]) -> None:
    """A second handle, another thread, a forked child; two handles that set extras lose none of each other."""
    seen = ['first', 'second handle', 'thread', 'child', 'rolled back', 'child', ['mine', 'theirs']]
    assert life['freshness'] == seen


def test_refusals_are_of_the_classes_that_aiida_and_its_plugins_catch(life: dict[str, Any]) -> None:
    expected = {
        'same email': {'aiida.IntegrityError', 'sqlalchemy.IntegrityError'},
        'label of another group': {'aiida.UniquenessError'},
        'link to nothing': {'aiida.IntegrityError', 'sqlalchemy.IntegrityError'},
        'deleted row': {'aiida.NotExistent', 'sqlalchemy.ObjectDeletedError'},
        'computer in use': {'aiida.InvalidOperation'},
        'no such node': {'aiida.NotExistent'},
        'no such comment': {'aiida.NotExistent'},
        'comment id': {'builtins.TypeError'},
        'no such global': {'builtins.KeyError'},
        'global twice': {'builtins.ValueError'},
        'no such attribute': {'builtins.AttributeError'},
        'no such object': {'builtins.FileNotFoundError'},
        'delete outside': {'builtins.AssertionError'},
        'insert of a field': {'aiida.IntegrityError'},
        'half a character': {'aiida.ValidationError', 'sqlalchemy.StatementError'},
        'lists in lists': {'aiida.ValidationError', 'sqlalchemy.StatementError'},
    }
    found = life['refusals']
    assert found.keys() == expected.keys(), found
    assert {name: set(found[name] or ()) & classes for name, classes in expected.items()} == expected


def test_a_node_is_of_the_class_that_the_entry_points_have_for_its_type(life: dict[str, Any]) -> None:
    """Also when they change; of a type that none has, AiiDA tells each time what it takes instead."""
    assert life['classes'] == [['Int', 'Dict', 'Data', 2], ['Data', 'Dict', 'Data', 2], ['Int', 'Dict', 'Data', 2]]


def test_what_was_stored_is_what_another_handle_reads(life: dict[str, Any]) -> None:
    """Whatever becomes of the objects that it was made of."""
    found = life['kept']
    assert isinstance(found, dict), found
    assert found['here'] == found['there']
    assert found['here'] == [{'list': [1, [2, 3]], 'key': {'1': 'one'}, 'whole': 1.0, 'colour': 'red'}, 'str', 'list']
    assert found['extras'] == ['first', 'of a child', 'second']


def test_values_are_taken_as_aiida_takes_them(life: dict[str, Any]) -> None:
    assert life['values'] == {
        'user': [True, ''],
        'node': ['', {'n': {'1': 'x'}}, '2024-05-06 07:08:09', True, {}],
        'rows': [['one@b.c', 'L', ''], ['two@b.c', '', 'I']],
    }


def test_members_of_a_group_come_by_their_position(life: dict[str, Any]) -> None:
    assert life['members'] == [[0, 1, 2, 3, 4], [1, 2], 4, 4, 4]


def test_an_inner_transaction_is_rolled_back_alone(life: dict[str, Any]) -> None:
    assert life['transactions'] == [1, True, False, True]


def test_the_session_that_the_rest_api_closes_is_there_and_ends_no_transaction(life: dict[str, Any]) -> None:
    found = life['sessions']
    assert isinstance(found, dict), found
    assert 'builtins.AttributeError' in found.pop('refused')
    assert found == {'same': True, 'leaked': 0, 'inside': True, 'kept': 3}


def test_maintenance_is_told_and_keeps_to_the_locks_of_both_programs(life: dict[str, Any]) -> None:
    found = life['maintenance']
    assert found['told'][0].startswith('Would pack (1 objects'), found
    assert any(line.startswith('remove garbage (1 objects') for line in found['told'])
    assert found['content'] == 'content of a file'
    assert 'aiida.LockingProfileError' in found['refused']
    assert (found['objects']['loose'], found['unreferenced']) == (0, [])
    assert found['info'] == ['entities', 'repository']


def test_it_is_emptied_closed_and_made_anew_and_no_connection_is_left(life: dict[str, Any]) -> None:
    found = life['end']
    closed = found.pop('closed')
    assert found == {'cleared': [0, 0], 'renewed': True, 'reset': True, 'leaked': 0}
    assert closed[0] is True
    assert closed[3] == 'closed'
    assert all('aiida.ClosedStorage' in classes for classes in closed[1:3])
