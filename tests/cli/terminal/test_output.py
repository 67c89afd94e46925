"""Lists and details in each format; what a program reads back is what was written."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from ricordi.cli.terminal.output import OutputColumn, write_details, write_details_and_list, write_list

ROWS = [{'name': 'a', 'size': 1, 'tags': ['x', 'y']}, {'name': 'b; "ü"', 'size': None, 'tags': []}]
COLUMNS = [OutputColumn('name', 'Name'), OutputColumn('size', 'Size', lambda size: f'{size} B')]


def test_a_list_as_json_holds_all_keys_and_values(capsys: pytest.CaptureFixture[str]) -> None:
    write_list(ROWS, COLUMNS, 'json')
    assert json.loads(capsys.readouterr().out) == ROWS


def test_json_lines_are_a_document_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    write_list(iter(ROWS), COLUMNS, 'jsonl')
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == ROWS


def test_yaml_reads_back_as_written(capsys: pytest.CaptureFixture[str]) -> None:
    write_list(ROWS, COLUMNS, 'yaml')
    assert yaml.safe_load(capsys.readouterr().out) == ROWS


def test_csv_has_a_heading_and_quotes_what_needs_it(capsys: pytest.CaptureFixture[str]) -> None:
    write_list(ROWS, COLUMNS, 'csv')
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row['name'] for row in rows] == ['a', 'b; "ü"']
    assert rows[0]['tags'] == 'x, y'


@pytest.mark.parametrize(
    ('name', 'expected'), [('json', '[]\n'), ('jsonl', ''), ('csv', 'name,size\n'), ('yaml', '[]\n')]
)
def test_an_empty_list_is_still_well_formed(capsys: pytest.CaptureFixture[str], name: str, expected: str) -> None:
    write_list([], COLUMNS, name)
    assert capsys.readouterr().out == expected


def test_a_table_shows_the_columns_for_people_and_leaves_out_what_is_not_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_list(ROWS, COLUMNS, None)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ['Name', 'Size']
    assert lines[2].split() == ['a', '1', 'B']
    assert lines[3] == 'b; "ü"'


def test_a_table_does_not_read_text_as_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    write_list([{'name': '1e5'}, {'name': '007'}], [OutputColumn('name', 'Name')], 'table')
    assert capsys.readouterr().out.splitlines()[2:] == ['1e5', '007']


def test_control_characters_in_a_label_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    write_list([{'name': 'a\x1b[31mred\n'}], [OutputColumn('name', 'Name')], None)
    assert '\x1b' not in capsys.readouterr().out


def test_details_as_table_and_csv_join_nested_keys_by_dots(capsys: pytest.CaptureFixture[str]) -> None:
    details = {'a': {'b': 1, 'c': {'d': 'x'}}, 'e': None}
    write_details(details, None)
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [['a.b', '1'], ['a.c.d', 'x'], ['e']]
    write_details(details, 'csv')
    assert capsys.readouterr().out.splitlines() == ['key,value', 'a.b,1', 'a.c.d,x', 'e,']


def test_times_and_paths_are_text_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    write_details({'time': datetime(2026, 1, 2, tzinfo=UTC), 'path': Path('/x')}, 'jsonl')
    assert json.loads(capsys.readouterr().out) == {'time': '2026-01-02T00:00:00+00:00', 'path': '/x'}


def test_a_csv_file_has_the_same_heading_with_and_without_rows(capsys: pytest.CaptureFixture[str]) -> None:
    for rows in (ROWS, []):
        write_list(rows, COLUMNS, 'csv', ('name', 'size', 'tags'))
        assert capsys.readouterr().out.splitlines()[0] == 'name,size,tags'


@pytest.mark.parametrize(('name', 'load'), [('json', json.loads), ('yaml', yaml.safe_load)])
@pytest.mark.parametrize('count', [0, 1, 250])
def test_details_with_a_list_at_their_end_read_back_as_written(
    capsys: pytest.CaptureFixture[str], name: str, load: object, count: int
) -> None:
    rows = [{'n': number, 'text': 'ü"'} for number in range(count)]
    write_details_and_list({'label': 'a', 'nested': {'b': []}}, 'rows', iter(rows), name)
    assert load(capsys.readouterr().out) == {'label': 'a', 'nested': {'b': []}, 'rows': rows}


def test_a_long_list_in_yaml_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    write_list(({'n': number} for number in range(1234)), COLUMNS, 'yaml')
    assert yaml.safe_load(capsys.readouterr().out) == [{'n': number} for number in range(1234)]
