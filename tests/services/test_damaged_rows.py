"""A row that cannot be read, however it came in, hides no other one, is shown as damaged, and can be deleted."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ricordi.backend.rows import ComputerRow, GroupRow, NodeRow
from ricordi.backend.rows import EntityKind as K
from ricordi.cli.main import run
from ricordi.config import Profile
from ricordi.errors import CorruptStorage, ValidationError
from ricordi.manager import use_storage
from ricordi.orm import QueryBuilder, load_node

MANY = '9' * 5000
DEEP = '[' * 990 + ']' * 990

Execute = Callable[[str], object]


@pytest.fixture
def filled(empty: Profile) -> Profile:
    """A profile with a computer, nodes and groups, on each database in turn."""
    with use_storage(empty) as storage:
        computer = {'label': 'near', 'hostname': 'h', 'transport_type': 'core.local', 'scheduler_type': 'core.direct'}
        storage.insert(K.COMPUTER, [computer, {**computer, 'label': 'far'}])
        node = {'node_type': 'data.core.dict.Dict.', 'user_pk': 1, 'attributes': {'a': 1}}
        storage.insert(K.NODE, [node] * 3)
        storage.insert(K.GROUP, [{'label': name, 'type_string': 'core', 'user_pk': 1} for name in 'gh'])
    return empty


@pytest.fixture
def execute(filled: Profile) -> Iterator[Execute]:
    """Runs SQL in the database behind the back of the program."""
    if filled.storage_backend == 'core.psql_dos':
        config = filled.storage_config
        uri = f'postgresql://postgres@{config["database_hostname"]}:{config["database_port"]}/{config["database_name"]}'
        with psycopg.connect(uri, autocommit=True) as raw:
            yield lambda sql: raw.execute(sql.encode())
    else:
        path = Path(filled.storage_config['filepath']) / 'database.sqlite'
        with closing(sqlite3.connect(path, isolation_level=None)) as raw:
            yield raw.execute


def shown(capfd: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command prints that has to succeed."""
    code = run(['-p', 'empty', *words])
    told = capfd.readouterr()
    assert code == 0, told.err
    return told.out


@pytest.mark.parametrize('value', [f'{{"a": {MANY}}}', f'{{"a": {DEEP}}}', '[1, 2]'], ids=['digits', 'deep', 'list'])
def test_json_that_cannot_be_read_hides_no_other_row(
    filled: Profile, execute: Execute, capfd: pytest.CaptureFixture[str], tmp_path: Path, value: str
) -> None:
    execute(f"UPDATE db_dbnode SET attributes = '{value}', extras = '{value}' WHERE id = 2")
    execute(f"UPDATE db_dbgroup SET extras = '{value}' WHERE id = 1")
    execute(f"UPDATE db_dbcomputer SET metadata = '{value}' WHERE id = 1")
    assert shown(capfd, 'group', 'list').count('core') >= 2
    assert {'near', 'far'} <= set(shown(capfd, 'computer', 'list', '-a', '--format', 'csv').replace(',', '\n').split())
    assert shown(capfd, 'node', 'list').count('Dict') == 3
    shown(capfd, 'node', 'tree', '2')
    shown(capfd, 'node', 'graph', 'generate', '2', '-O', '-', '-f', 'dot')
    execute(
        "UPDATE db_dbnode SET node_type = 'process.calculation.calcjob.CalcJobNode.', "
        f'attributes = \'{{"sealed": true, "process_state": "finished"}}\', extras = \'{value}\' WHERE id = 3'
    )
    shown(capfd, 'profile', 'dump', '--all', '--also-ungrouped', '--include-extras', '--path', str(tmp_path / 'dump'))
    dumped = ''.join(path.read_text() for path in (tmp_path / 'dump').rglob('*') if path.is_file())
    assert 'damaged' in dumped
    for words in (('node', 'delete', '2'), ('group', 'delete', 'g'), ('computer', 'delete', 'near')):
        shown(capfd, *words, '--yes')
    with use_storage(filled) as storage:
        assert [len(list(storage.find(row_type))) for row_type in (NodeRow, GroupRow, ComputerRow)] == [2, 1, 1]


def test_times_that_cannot_be_read_are_shown_as_damaged(
    filled: Profile, execute: Execute, capfd: pytest.CaptureFixture[str]
) -> None:
    execute("UPDATE db_dbnode SET ctime = '20000-01-01 00:00:00' WHERE id = 2")
    execute("UPDATE db_dbgroup SET time = '20000-01-01 00:00:00' WHERE id = 1")
    assert '"damaged' in shown(capfd, 'node', 'show', '2', '--format', 'json')
    assert shown(capfd, 'node', 'list').count('Dict') == 3
    assert shown(capfd, 'group', 'list', '-a').count('core') >= 2
    shown(capfd, 'node', 'delete', '2', '--yes')


def test_damaged_json_is_never_taken_for_an_empty_dictionary(filled: Profile, execute: Execute) -> None:
    execute(f'UPDATE db_dbnode SET extras = \'{{"a": {MANY}}}\' WHERE id = 2')
    with use_storage(filled) as storage:
        node = load_node(2, backend=storage)
        assert node.base.attributes.all == {'a': 1}
        with pytest.raises(CorruptStorage, match='too many digits'):
            node.base.extras.set('b', 1)
        query = QueryBuilder(backend=storage).append(type(node), filters={'id': 2}, project=['extras.a'])
        found = query.first(flat=True)
        assert str(found).startswith('<damaged')
        with pytest.raises(ValidationError, match='damaged'):
            load_node(1, backend=storage).base.extras.set('copied', found)
    with use_storage(filled) as storage:
        row: Any = storage.get(NodeRow, 2)
        with pytest.raises(CorruptStorage):
            dict(row.extras)
