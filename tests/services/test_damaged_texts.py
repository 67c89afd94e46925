"""Bytes that are no text, in a row of a SQLite database, hide no other row; they are shown, never kept, and can go."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.rows import ComputerRow, GroupRow, NodeRow
from ricordi.backend.rows import EntityKind as K
from ricordi.cli.main import run
from ricordi.config import Profile
from ricordi.errors import CorruptStorage, ValidationError
from ricordi.manager import use_storage
from ricordi.model.values import DamagedJson, is_damaged
from ricordi.orm import QueryBuilder, load_node

NO_UTF8 = "CAST(x'636166E920FF' AS TEXT)"
BYTES = "x'636166E920FF'"
NO_UTF8_IN_JSON = "CAST(x'7B2261223A2022E9227D' AS TEXT)"
CALCULATION = 'process.calculation.calcjob.CalcJobNode.'

Shown = Callable[..., str]


@pytest.fixture
def filled(sqlite: Profile) -> Profile:
    """A calculation (pk 1) with an input (2), in a group, on a computer, with a comment and a log; and two of each."""
    with use_storage(sqlite) as storage:
        storage.insert(K.USER, [{'email': 'you@example.org'}])
        computer = {'hostname': 'h', 'transport_type': 'core.local', 'scheduler_type': 'core.direct'}
        storage.insert(K.COMPUTER, [{'label': name, **computer} for name in 'cd'])
        storage.insert(K.AUTHINFO, [{'user_pk': 1, 'computer_pk': pk} for pk in (1, 2)])
        ended = {'sealed': True, 'process_state': 'finished', 'exit_status': 0}
        types = (CALCULATION, 'data.core.dict.Dict.', 'data.core.dict.Dict.')
        storage.insert(
            K.NODE, [{'node_type': name, 'user_pk': 1, 'computer_pk': 1, 'attributes': ended} for name in types]
        )
        links = [{'input_pk': pk, 'output_pk': 1, 'label': f'l{pk}', 'type': 'input_calc'} for pk in (2, 3)]
        storage.insert(K.LINK, links)
        storage.insert(K.GROUP, [{'label': name, 'type_string': 'core', 'user_pk': 1} for name in 'gh'])
        storage.add_nodes_to_group(1, [1, 2])
        storage.insert(K.COMMENT, [{'node_pk': 1, 'user_pk': 1, 'content': text} for text in 'ab'])
        log = {'node_pk': 1, 'loggername': 'l', 'levelname': 'INFO', 'message': 'm'}
        storage.insert(K.LOG, [log, log])
    return sqlite


@pytest.fixture
def execute(filled: Profile) -> Iterator[Callable[[str], Any]]:
    """Runs SQL in the database behind the back of the program."""
    path = Path(filled.storage_config['filepath']) / 'database.sqlite'
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        yield raw.execute


@pytest.fixture
def shown(capfd: pytest.CaptureFixture[str]) -> Shown:
    """What a command prints, which has to end with a code: `shown('node', 'list', code=6)`."""

    def show(*words: str, code: int = 0) -> str:
        ended = run(['-p', 'empty', *words])
        told = capfd.readouterr()
        assert ended == code, told.err
        return told.out + told.err

    return show


TEXTS = {
    'db_dbuser': ('email', 'first_name', 'last_name', 'institution'),
    'db_dbcomputer': ('uuid', 'label', 'hostname', 'description', 'scheduler_type', 'transport_type'),
    'db_dbnode': ('uuid', 'process_type', 'label', 'description', 'ctime', 'mtime', 'extras'),
    'db_dbgroup': ('uuid', 'label', 'type_string', 'time', 'description', 'extras'),
    'db_dblink': ('label', 'type'),
    'db_dbcomment': ('uuid', 'ctime', 'mtime', 'content'),
    'db_dblog': ('uuid', 'time', 'loggername', 'levelname', 'message', 'metadata'),
    'db_dbauthinfo': ('metadata', 'auth_params'),
}
READING = (
    *(('node', 'list'), ('node', 'list', '-P', 'pk', 'label', 'description', 'user', 'computer', '--format', 'csv')),
    *(('node', 'show', '1'), ('node', 'show', '1', '2', '--format', 'json'), ('node', 'tree', '1')),
    *(('group', 'list', '-a'), ('group', 'show', 'h'), ('group', 'show', '1', '--format', 'yaml')),
    *(('computer', 'list', '-a'), ('computer', 'show', '2'), ('user', 'list'), ('storage', 'info', '--detailed')),
    *(('node', 'comment', 'show', '1'), ('node', 'comment', 'show', '1', '--format', 'json')),
    ('node', 'graph', 'generate', '1', '-O', '-', '-f', 'dot'),
)


@pytest.mark.parametrize('content', [NO_UTF8, BYTES], ids=['no-utf8', 'bytes'])
@pytest.mark.parametrize('table', TEXTS)
def test_what_is_no_text_hides_no_other_row_and_the_row_can_be_deleted(
    filled: Profile, execute: Callable[[str], Any], shown: Shown, tmp_path: Path, table: str, content: str
) -> None:
    changes = ', '.join(f'{column} = {content}' for column in TEXTS[table])
    execute(f'UPDATE {table} SET {changes} WHERE id = {2 if table == "db_dbuser" else 1}')
    told = {words: shown(*words) for words in READING}
    assert told['node', 'list'].count('Dict') == 2
    assert len(json.loads(told['node', 'show', '1', '2', '--format', 'json'])) == 2
    assert {'c', 'd'} - {'c'} <= set(told['computer', 'list', '-a'].split())
    assert 'me@example.org' in told['user', 'list']
    assert told['group', 'list', '-a'].count('core') >= 1
    assert len(json.loads(told['node', 'comment', 'show', '1', '--format', 'json'])) == 2
    if table in ('db_dbnode', 'db_dbgroup', 'db_dbuser', 'db_dbcomputer'):
        assert 'damaged' in ''.join(told.values())
    shown('profile', 'dump', '--all', '--also-ungrouped', '--path', str(tmp_path / 'dump'))
    shown('profile', 'dump', '--all', '--also-ungrouped', '--path', str(tmp_path / 'dump'))
    told_of_archive = shown('archive', 'create', '--all', '--include-authinfos', str(tmp_path / 'x.aiida'), code=3)
    assert 'damaged' in told_of_archive
    assert not (tmp_path / 'x.aiida').exists()
    for words in (('group', 'delete', '1'), ('node', 'delete', '1', '2', '3'), ('computer', 'delete', '1')):
        shown(*words, '--yes')
    with use_storage(filled) as storage:
        assert [len(list(storage.find(row_type))) for row_type in (NodeRow, GroupRow, ComputerRow)] == [0, 1, 1]
    shown('profile', 'delete', 'empty', '--delete-data', '--yes')


@pytest.mark.parametrize('content', [NO_UTF8_IN_JSON, NO_UTF8, BYTES, "'{garbage'"])
def test_a_node_whose_attributes_are_no_json_is_listed_and_can_be_deleted(
    filled: Profile, execute: Callable[[str], Any], shown: Shown, tmp_path: Path, content: str
) -> None:
    execute(f'UPDATE db_dbnode SET attributes = {content} WHERE id = 1')
    assert len(shown('node', 'list', '--format', 'jsonl').splitlines()) == 3
    assert '<damaged' in shown('node', 'list', '-P', 'pk', 'attributes', '--format', 'csv')
    shown('node', 'list', '-P', 'pk', 'attributes.exit_status', '--format', 'csv')
    assert len(shown('node', 'list', '--where', 'attributes.exit_status == 0', '--format', 'jsonl').splitlines()) == 2
    shown('node', 'tree', '1')
    shown('node', 'graph', 'generate', '1', '-O', '-', '-f', 'dot')
    assert 'attributes' in shown('node', 'attributes', '1', code=3)
    shown('profile', 'dump', '--all', '--also-ungrouped', '--path', str(tmp_path / 'dump'))
    assert 'the attributes of the node with pk 1' in shown(
        'archive', 'create', '--all', str(tmp_path / 'x.aiida'), code=3
    )
    shown('node', 'delete', '1', '--yes')


@pytest.mark.parametrize(
    'content',
    [NO_UTF8_IN_JSON, BYTES, "'{garbage'", "'5'", '\'{"k": "text"}\'', '\'{"o": {"a": null, "b": [5]}}\''],
)
@pytest.mark.parametrize('pk', [1, 2])
def test_a_damaged_file_tree_is_a_problem_of_its_node_and_all_the_rest_is_dumped(
    filled: Profile, execute: Callable[[str], Any], shown: Shown, tmp_path: Path, content: str, pk: int
) -> None:
    execute(f'UPDATE db_dbnode SET repository_metadata = {content} WHERE id = {pk}')
    told = shown('profile', 'dump', '--all', '--also-ungrouped', '--path', str(tmp_path / 'dump'), code=6)
    assert f'the file tree of node {pk} is damaged' in told
    assert list((tmp_path / 'dump').rglob('aiida_node_metadata.yaml'))
    told = shown('group', 'dump', 'g', '--path', str(tmp_path / 'group'), code=6)
    assert f'the file tree of node {pk} is damaged' in told
    shown('node', 'show', str(pk))
    shown('archive', 'create', '--all', str(tmp_path / 'x.aiida'), code=3)
    shown('node', 'delete', str(pk), '--yes')


def test_a_damaged_text_is_never_kept_nor_taken_for_json(filled: Profile, execute: Callable[[str], Any]) -> None:
    execute(f'UPDATE db_dbnode SET label = {NO_UTF8}, extras = {NO_UTF8_IN_JSON} WHERE id = 2')
    with use_storage(filled) as storage:
        node = load_node(2, backend=storage)
        assert is_damaged(node.label)
        assert node.label == r'<damaged: it is no UTF-8: caf\xe9 \xff>'
        with pytest.raises(CorruptStorage, match='UTF-8'):
            node.base.extras.set('b', 1)
        other = load_node(3, backend=storage)
        with pytest.raises(ValidationError, match='damaged'):
            storage.update(K.NODE, 3, {'label': node.label})
        assert other.label == ''
        labels = QueryBuilder(backend=storage).append(type(node), project=['label', 'extras']).all()
        assert sorted(is_damaged(label) for label, _ in labels) == [False, True]
        assert sum(isinstance(extras, DamagedJson) or is_damaged(extras) for _, extras in labels) == 1


def test_damaged_texts_come_through_streams_of_any_length(filled: Profile, execute: Callable[[str], Any]) -> None:
    with use_storage(filled) as storage:
        storage.insert(K.NODE, [{'node_type': 'data.core.int.Int.', 'user_pk': 1, 'label': 'x' * 250}] * 3000)
    execute(f'UPDATE db_dbnode SET label = {NO_UTF8} WHERE id IN (5, 1500, 3003)')
    execute(f'UPDATE db_dbnode SET label = {BYTES} WHERE id = 2500')
    with use_storage(filled) as storage:
        query = (
            QueryBuilder(backend=storage)
            .append(entity_type='node', tag='n', project=['id', 'label'])
            .order_by({'n': 'id'})
        )
        for found in (list(query.iterall(batch_size=100)), query.all()):
            assert len(found) == 3003
            assert [pk for pk, label in found if is_damaged(label)] == [5, 1500, 2500, 3003]
        entities = QueryBuilder(backend=storage).append(entity_type='node')
        assert sum(is_damaged(node.label) for (node,) in entities.iterall(batch_size=500)) == 4


def test_node_show_names_what_cannot_be_read_and_shows_the_rest(
    filled: Profile, execute: Callable[[str], Any], shown: Shown
) -> None:
    execute(f"UPDATE db_dbnode SET attributes = {NO_UTF8_IN_JSON}, ctime = 'x', label = {BYTES} WHERE id = 1")
    first, second = json.loads(shown('node', 'show', '1', '2', '--format', 'json'))
    assert [value.split()[0] for value in first['damaged']] == ['label', 'ctime', 'attributes']
    assert (first['state'], first['pk'], len(first['inputs']), second['damaged']) == (None, 1, 2, [])
    assert 'attributes (it is no UTF-8)' in shown('node', 'show', '1')
