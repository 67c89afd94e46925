"""`ricordi node list`: filters, projections, order, formats."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ricordi.services.nodes.list import PROJECTIONS

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def listed(run_here: Run, each_profile: str) -> Callable[..., list[dict]]:
    """The rows of a list as JSON: `listed('-e', 'core.int')`."""

    def run(*words: object) -> list[dict]:
        done = run_here('-p', each_profile, 'node', 'list', *words, '--format', 'json')
        assert (done.returncode, done.stderr) == (0, '')
        return json.loads(done.stdout)

    return run


def test_all_nodes_are_listed_in_the_order_they_were_made(listed: Callable[..., list[dict]]) -> None:
    rows = listed('-P', 'pk', 'uuid', 'node_type', 'ctime')
    assert len({row['uuid'] for row in rows}) == len(rows) > 70
    assert [row['ctime'] for row in rows] == sorted(row['ctime'] for row in rows)
    assert listed('-D', 'desc', '-l', 3) == [
        {key: row[key] for key in ('pk', 'uuid', 'node_type')} for row in rows[:-4:-1]
    ]


@pytest.mark.parametrize('star', ['*', '**'])
def test_a_star_stands_for_all_that_can_be_shown(
    run_here: Run, listed: Callable[..., list[dict]], each_profile: str, star: str
) -> None:
    rows = listed('-P', star)
    assert list(rows[0]) == list(PROJECTIONS)
    assert rows == listed('-P', *PROJECTIONS)
    assert all(isinstance(row['attributes'], dict) and isinstance(row['pk'], int) for row in rows)
    assert next(iter(listed('-P', 'label', star, '-l', 1)[0])) == 'label'
    for words in ((), ('--raw',), ('--format', 'csv'), ('--format', 'yaml')):
        done = run_here('-p', each_profile, 'node', 'list', '-P', star, '-l', 2, *words)
        assert (done.returncode, 'Row(' in done.stdout) == (0, False)


def test_what_an_error_and_the_help_offer_as_fields_can_be_shown(
    run_here: Run, listed: Callable[..., list[dict]]
) -> None:
    told = run_here('-p', 'mixed', 'node', 'list', '-P', 'colour').stderr
    offered = told.split('there are ')[1].split(', and keys')[0].split(', ')
    assert set(offered) == {*PROJECTIONS, 'id'}
    text = ' '.join(run_here('node', 'list', '--help').stdout.split())
    for name in offered:
        assert name == 'id' or name in text
        assert list(listed('-P', name, '-O', name, '-l', 1)[0]) == [name]


def test_a_filter_is_in_terms_of_the_query_builder(listed: Callable[..., list[dict]]) -> None:
    failed = listed(
        '--where', 'attributes.exit_status != 0', '-P', 'attributes.exit_status', 'attributes.process_label'
    )
    assert {row['attributes.exit_status'] for row in failed} >= {411}
    assert 0 not in {row['attributes.exit_status'] for row in failed}
    assert None in {row['attributes.exit_status'] for row in failed}  # data, and what has not ended
    assert failed == listed(
        '--where', 'not attributes.exit_status == 0', '-P', 'attributes.exit_status', 'attributes.process_label'
    )
    both = listed('--where', "node_type like 'process.%'", 'attributes.exit_status == 0')
    assert both == listed('--where', "node_type like 'process.%' and attributes.exit_status == 0")


@pytest.mark.parametrize(
    ('given', 'types'),
    [
        (('-e', 'core.float'), {'data.core.float.Float.'}),
        (('--type', 'CalcJobNode'), {'process.calculation.calcjob.CalcJobNode.'}),
        (('-e', 'core.bool', 'core.str'), {'data.core.bool.Bool.', 'data.core.str.Str.'}),
        (
            ('-e', 'process.workflow'),
            {'process.workflow.workfunction.WorkFunctionNode.', 'process.workflow.workchain.WorkChainNode.'},
        ),
        (('-e', 'core.array', '--no-subclassing'), {'data.core.array.ArrayData.'}),
        (('-e', 'core.array'), {'data.core.array.ArrayData.', 'data.core.array.kpoints.KpointsData.'}),
    ],
)
def test_types_are_entry_points_classes_or_type_strings(
    listed: Callable[..., list[dict]], given: tuple[str, ...], types: set[str]
) -> None:
    assert {row['node_type'] for row in listed(*given)} == types


def test_what_nodes_belong_to_can_be_asked_for(listed: Callable[..., list[dict]]) -> None:
    assert len(listed('-G', 'numbers')) == 3
    together = listed('-G', 'numbers', 'tree/branch/other')
    assert len({row['pk'] for row in together}) == len(together)
    assert {row['computer'] for row in listed('--computer', 'cluster', '-P', 'computer')} == {'cluster'}
    assert {row['user'] for row in listed('-u', 'alice@example.org', '-P', 'user')} == {'alice@example.org'}
    assert listed('-p', 0) == []
    assert listed('-p', 36500) == listed()


def test_ancestors_and_descendants_follow_data_provenance(listed: Callable[..., list[dict]]) -> None:
    (one,) = listed('--where', 'label == one')
    below = listed('--descendant-of', one['pk'])
    assert below
    for row in below[:3]:
        assert one in listed('--ancestor-of', row['uuid'])


def test_values_inside_json_can_be_sorted_by(listed: Callable[..., list[dict]]) -> None:
    rows = listed('-e', 'core.int', '-P', 'attributes.value', '-O', 'attributes.value', '-D', 'desc')
    values = [row['attributes.value'] for row in rows]
    assert values == sorted(values, reverse=True)


# formats ---------------------------------------------------------------------------------------------------


def test_every_format_tells_the_same(run_here: Run, each_profile: str) -> None:
    words = ('-p', each_profile, 'node', 'list', '-l', 4, '-P', 'pk', 'label')
    rows = json.loads(run_here(*words, '--format', 'json').stdout)
    assert [json.loads(line) for line in run_here(*words, '--format', 'jsonl').stdout.splitlines()] == rows
    read = csv.DictReader(io.StringIO(run_here(*words, '--format', 'csv').stdout))
    assert [{'pk': int(row['pk']), 'label': row['label']} for row in read] == rows
    assert run_here(*words, '-r').stdout == ''.join(f'{row["pk"]}\t{row["label"]}\n' for row in rows)
    heading, rule, *lines = run_here(*words).stdout.splitlines()
    assert (heading.split(), set(rule)) == (['PK', 'Label'], {'-', ' '})
    assert [line.split()[0] for line in lines] == [str(row['pk']) for row in rows]
    assert run_here(*words, '-q').stdout == ''.join(f'{row["pk"]}\n' for row in rows)


def test_an_empty_list_is_no_error(run_here: Run, each_profile: str) -> None:
    words = ('-p', each_profile, 'node', 'list', '--where', 'label == nowhere')
    assert run_here(*words, '--format', 'json').stdout == '[]\n'
    assert run_here(*words, '-r').stdout == ''
    assert run_here(*words).returncode == 0


@pytest.mark.parametrize(
    ('words', 'code', 'told'),
    [
        (('--where', 'label =='), 2, 'a value was expected at its end'),
        (('--where', 'colour == red'), 2, "'colour' is not a field"),
        (('-P', 'colour'), 2, "'colour' is not a field"),
        (('-G', 'numbrs'), 1, 'did you mean `numbers`?'),
        (('--computer', 'nowhere'), 1, "there is no computer 'nowhere'"),
        (('--user', 'x@y'), 1, "there is no user 'x@y'"),
        (('-e', 'core.flaot'), 1, 'did you mean `core.float`?'),
        (('--descendant-of', '99999'), 1, 'there is no node 99999'),
        (('-l', '-1'), 2, '--limit'),
    ],
)
def test_what_cannot_be_meant_is_told(
    run_here: Run, each_profile: str, words: tuple[str, ...], code: int, told: str
) -> None:
    done = run_here('-p', each_profile, 'node', 'list', *words)
    assert (done.returncode, done.stdout) == (code, '')
    assert told in done.stderr


def test_a_reader_that_leaves_early_ends_the_list_quietly(reference_home: Path) -> None:
    done = subprocess.run(
        f'{sys.executable} -m ricordi node list -r | head -n 1', shell=True, capture_output=True, text=True
    )
    assert (done.stdout.count('\n'), done.stderr) == (1, '')
