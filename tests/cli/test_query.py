"""`ricordi query`: a QueryBuilder dictionary in JSON, rows in every format, errors that name the place."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ricordi import orm
from ricordi.manager import profile_context

Run = Callable[..., subprocess.CompletedProcess[str]]

CREATED = {
    'path': [
        {'entity_type': 'process', 'tag': 'p'},
        {'entity_type': 'data', 'tag': 'd', 'with_incoming': 'p', 'edge_filters': {'type': 'create'}},
    ],
    'project': {'p': ['pk', 'attributes.process_label'], 'd': ['uuid'], 'p--d': ['label']},
    'order_by': [{'p': 'pk'}, {'d': 'pk'}],
}
NODES = {'path': [{'entity_type': 'node', 'tag': 'n'}], 'project': {'n': ['pk']}, 'order_by': [{'n': 'pk'}]}


@pytest.fixture
def asked(run_here: Run, each_profile: str, tmp_path: Path) -> Callable[..., str]:
    """What a query in a file prints: `asked({'path': …}, '--count')`."""

    def ask(question: Any, *words: object) -> str:
        path = tmp_path / 'question.json'
        path.write_text(json.dumps(question))
        done = run_here('-p', each_profile, 'query', path, *words)
        assert (done.returncode, done.stderr) == (0, '')
        return done.stdout

    return ask


def test_rows_are_told_by_tag_and_name_in_all_formats_for_programs(asked: Callable[..., str]) -> None:
    rows = json.loads(asked(CREATED, '--format', 'json'))
    assert rows[0].keys() == {'p', 'd', 'p--d'}
    assert 'add' in {row['p']['attributes.process_label'] for row in rows}
    assert [json.loads(line) for line in asked(CREATED, '--format', 'jsonl').splitlines()] == rows
    assert yaml.safe_load(asked(CREATED, '--format', 'yaml')) == rows
    table = list(csv.DictReader(io.StringIO(asked(CREATED, '--format', 'csv'))))
    assert table[0].keys() == {'p.pk', 'p.attributes.process_label', 'd.uuid', 'p--d.label'}
    assert [row['d.uuid'] for row in table] == [row['d']['uuid'] for row in rows]
    assert asked(CREATED).splitlines()[0].split() == list(table[0])


def test_an_entity_projected_whole_is_an_object_of_its_fields(asked: Callable[..., str]) -> None:
    whole = {'path': [{'entity_type': 'data.core.int.Int.', 'tag': 'i'}], 'limit': 1}
    ((tag, values),) = json.loads(asked(whole, '--format', 'jsonl')).items()
    assert (tag, list(values)) == ('i', ['*'])
    assert list(values['*'])[:3] == ['pk', 'uuid', 'node_type']
    assert values['*']['node_type'] == 'data.core.int.Int.'
    group = {'path': [{'entity_type': 'group', 'tag': 'g', 'filters': {'label': 'numbers'}}]}
    assert json.loads(asked(group, '--format', 'jsonl'))['g']['*']['label'] == 'numbers'


def test_what_as_dict_gives_is_understood(asked: Callable[..., str], each_profile: str) -> None:
    with profile_context(each_profile):
        builder = orm.QueryBuilder().append(orm.Group, tag='g', filters={'label': 'numbers'})
        builder.append(orm.Int, with_group='g', tag='i', project=['pk', 'attributes.value'])
        question, expected = builder.as_dict(), builder.all()
    rows = [json.loads(line) for line in asked(question, '--format', 'jsonl').splitlines()]
    assert sorted(list(row['i'].values()) for row in rows) == sorted(expected)


def test_limit_and_offset_of_the_command_line_take_the_place_of_those_of_the_query(asked: Callable[..., str]) -> None:
    pks = asked({**NODES, 'limit': 7, 'offset': 2}, '--raw').split()
    assert len(pks) == 7
    assert asked({**NODES, 'limit': 3}, '--raw', '--limit', 7, '--offset', 2).split() == pks
    assert asked({**NODES, 'limit': 3}, '-q', '-l', 0) == ''


def test_rows_can_be_counted_without_being_shown(asked: Callable[..., str]) -> None:
    assert int(asked(CREATED, '--count')) == len(asked(CREATED, '-r').splitlines())
    assert json.loads(asked(CREATED, '--count', '--limit', 2, '--format', 'json')) == {'count': 2}


def test_the_sql_is_shown_and_not_sent(asked: Callable[..., str]) -> None:
    statement = asked(NODES, '--sql', '--limit', 3)
    assert statement.startswith('SELECT')
    assert statement.rstrip().endswith('LIMIT 3')
    assert asked(NODES, '--dry-run', '--limit', 3) == statement
    assert json.loads(asked(NODES, '--sql', '--format', 'json'))['sql'].startswith('SELECT')


def test_a_query_comes_from_standard_input_and_an_archive_answers(run_cli: Run, reference_home: Path) -> None:
    archive = Path(__file__).parents[1] / 'data' / 'reference.aiida'
    done = run_cli('--archive', archive, 'query', '-', '--count', stdin=None, input=json.dumps(NODES))
    assert (done.returncode, done.stderr) == (0, '')
    assert int(done.stdout) > 70


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('', ['empty', 'path']),
        ('{"path": ["node"],', ['line 1, column 19', 'JSON']),
        ('[1]', ['object', '[1]']),
        ('{"fliters": {}}', ["'fliters'", 'did you mean `filters`']),
        ('{"filters": {}}', ['no path']),
        ('{"path": ["nod"]}', ['path[0]', "'nod'"]),
        ('{"path": [{"tag": "n"}]}', ['path[0]', 'entity_type']),
        ('{"path": [{"cls": "Node"}]}', ['path[0]', 'classes']),
        ('{"path": ["node", {"entity_type": "group", "with_nod": "n"}]}', ['path[1]', "'with_nod'"]),
        (
            '{"path": [{"entity_type": "node", "tag": "n"}], "filters": {"n": {"attributes.x": {"lik": "a"}}}}',
            ['filters.n', "'lik'", 'attributes.x'],
        ),
        (
            '{"path": [{"entity_type": "node", "tag": "n"}], "filters": {"n": {"ctime": {">": "soon"}}}}',
            ['filters.n', 'soon'],
        ),
        ('{"path": [{"entity_type": "node", "tag": "n"}], "filters": {"m": {}}}', ['filters.m', "'m'"]),
        ('{"path": [{"entity_type": "node", "tag": "n"}], "project": {"n": ["pkk"]}}', ['project.n', 'pkk']),
        ('{"path": [{"entity_type": "node", "tag": "n"}], "order_by": [{"n": "pkk"}]}', ['order_by', 'pkk']),
        ('{"path": ["node"], "limit": "x"}', ['limit', "'x'"]),
        ('{"path": ["node"], "limit": ' + '9' * 5000 + '}', ['too many digits']),
        ('{"path": [' + '{},' * 200_001 + '{}]}', ['more than 200,000 lists and objects']),
        (' ' * (17 << 20) + '{"path": ["node"]}', ['longer than 16,777,216 bytes']),
        ('{"path": ["node"], "project_map": {"n": 3}}', ['project_map.n']),
    ],
)
def test_an_error_names_the_file_and_the_place(
    run_here: Run, reference_home: Path, tmp_path: Path, text: str, words: list[str]
) -> None:
    path = tmp_path / 'wrong.json'
    path.write_text(text)
    done = run_here('-p', 'mixed', 'query', path)
    assert (done.returncode, done.stdout) == (2, '')
    for word in ['wrong.json', *words]:
        assert word in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_without_end_is_refused(run_here: Run, reference_home: Path) -> None:
    done = run_here('-p', 'mixed', 'query', '/dev/zero')
    assert (done.returncode, 'longer than' in done.stderr) == (2, True)


def test_what_cannot_be_read_and_what_contradicts_itself_is_wrong_usage(run_here: Run, reference_home: Path) -> None:
    missing = run_here('-p', 'mixed', 'query', 'not-there.json')
    assert (missing.returncode, 'not-there.json' in missing.stderr) == (2, True)
    both = run_here('-p', 'mixed', 'query', '-', '--count', '--sql', stdin=json.dumps(NODES))
    assert (both.returncode, '--count and --sql' in both.stderr) == (2, True)
    done = run_here('-p', 'mixed', 'query', '{"path": [{"entity_type": "node"}]}')
    assert (done.returncode, done.stdout, done.stderr.count('\n')) == (2, '', 1)
    assert 'pipe it in' in done.stderr


@pytest.mark.skipif(not Path('/proc/self/status').exists(), reason='needs /proc')
def test_memory_does_not_grow_with_the_number_of_rows(reference_home: Path) -> None:
    script = """
import io, json, sys
from ricordi.cli.main import run
question = {'path': [{'entity_type': 'node', 'tag': 'a'}, {'entity_type': 'node', 'tag': 'b', 'with_user': 'u'}]}
question['path'].insert(1, {'entity_type': 'user', 'tag': 'u', 'with_node': 'a'})
question['path'].append({'entity_type': 'node', 'tag': 'c', 'with_user': 'u'})
question['project'] = {'a': ['uuid'], 'b': ['uuid'], 'c': ['uuid']}
def peak(limit):
    sys.stdin = io.StringIO(json.dumps(question))
    assert run(['-p', 'mixed', 'query', '-', '--format', 'jsonl', '--limit', str(limit)]) == 0
    return next(int(line.split()[1]) for line in open('/proc/self/status') if line.startswith('VmHWM:'))
few, many = peak(60000), peak(150000)
print(many - few, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True, timeout=240, check=True)
    assert done.stdout.count('\n') == 210000
    assert int(done.stderr) < 2048  # KiB; 90,000 rows are about 12 MiB of text
