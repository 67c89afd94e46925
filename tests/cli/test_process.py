"""`ricordi process`, `calcjob`, `code`: on each database, in archives, and where there is little to be shown."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ricordi.backend.rows import NodeRow, UserRow
from ricordi.config import load_config
from ricordi.manager import use_storage

Run = Callable[..., subprocess.CompletedProcess[str]]
ARCHIVE = Path(__file__).parents[1] / 'data' / 'reference.aiida'


def test_each_database_lists_the_same_processes(run_here: Run, each_profile: str) -> None:
    failed = run_here('-p', each_profile, 'process', 'list', '-X', '-r', '-P', 'process_label', 'exit_status')
    assert failed.stdout == 'fail\t411\nArithmeticAddCalculation\t310\n'
    named = run_here('-p', each_profile, 'process', 'list', '-a', '-L', 'add%', '-r', '-P', 'process_label')
    assert named.stdout.split() == ['add', 'add_multiply', 'add', 'add_multiply', 'add', 'add_multiply', 'add']
    last = run_here(
        '-p', each_profile, 'process', 'list', '-a', '-O', 'id', '-D', 'desc', '-l', '1', '--format', 'json'
    )
    assert set(json.loads(last.stdout)[0]) >= {'pk', 'uuid', 'process_state', 'exit_status'}


def test_each_database_shows_the_same_tree_of_calls(run_here: Run, each_profile: str) -> None:
    pk = run_here('-p', each_profile, 'process', 'list', '-a', '-L', 'Nested', '-r', '-P', 'pk').stdout.split()[0]
    shown = run_here('-p', each_profile, 'process', 'status', pk).stdout.splitlines()
    assert [line.split('<')[0] for line in shown] == [
        'Nested',
        '    ├── add_multiply',
        '    │   ├── add',
        '    │   └── multiply',
        '    └── table',
    ]


def test_archives_are_read_too(run_here: Run, reference_home: Path) -> None:
    def run(*words: str) -> str:
        done = run_here('--archive', ARCHIVE, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    pk = run('process', 'list', '-a', '-q', '-L', 'Arithmetic%', '-l', '1').strip()
    assert run('process', 'show', pk).startswith('Property')
    assert 'parser said no' in run('process', 'report', pk)
    assert run('calcjob', 'outputls', pk) == 'aiida.out\n'
    assert 'energy' in run('calcjob', 'outputcat', pk)
    assert run('code', 'list', '-q') == 'pw@cluster\n'
    assert 'Total results: 2' in run_here('--archive', ARCHIVE, 'process', 'list', '-X').stderr


def test_what_is_no_process_is_refused_by_name(run_here: Run, reference_home: Path) -> None:
    for verb in ('show', 'report', 'status', 'call-root', 'dump'):
        done = run_here('-p', 'mixed', 'process', verb, '1')
        assert (done.returncode, done.stderr) == (1, 'ricordi: error: node 1 is no process: it is of type Int\n')
    done = run_here('-p', 'mixed', 'calcjob', 'inputls', '4')
    assert (done.returncode, 'node 4 is no calculation job' in done.stderr) == (1, True)


def test_processes_are_named_or_the_last_one_is_asked_for(run_here: Run, reference_home: Path) -> None:
    last = run_here('-p', 'mixed', 'process', 'status', '-M')
    assert last.stdout == 'Late<75> Running\n'
    assert 'made last is 75' in last.stderr
    assert run_here('-p', 'mixed', 'process', 'status').returncode == 2
    assert run_here('-p', 'mixed', 'process', 'status', '-M', '21').returncode == 2
    assert run_here('-p', 'mixed', 'process', 'status', '-', stdin='4 21').stdout.startswith('add<4> Finished [0]\n')
    assert run_here('-p', 'mixed', 'process', 'report', '-', stdin='').returncode == 0


def test_the_depth_of_calls_is_bounded_on_request(run_here: Run, reference_home: Path) -> None:
    assert len(run_here('-p', 'mixed', 'process', 'status', '-m', '1', '21').stdout.splitlines()) == 1
    assert len(run_here('-p', 'mixed', 'process', 'status', '-m', '2', '21').stdout.splitlines()) == 3
    assert run_here('-p', 'mixed', 'process', 'status', '-m', '0', '21').returncode == 2


@pytest.fixture
def calls(reference_home: Path) -> dict[str, int]:
    """Three work chains of which each called the next, with a log record each, and one more that called itself."""
    with use_storage(load_config().get_profile('mixed')) as storage:
        user = next(iter(storage.find(UserRow))).pk
        common = {'user_pk': user, 'node_type': 'process.workflow.workchain.WorkChainNode.'}
        names = ('top', 'middle', 'bottom', 'snake')
        rows = [{**common, 'attributes': {'process_label': name, 'process_state': 'waiting'}} for name in names]
        pks = dict(zip(names, storage.insert('node', rows), strict=True))
        pairs = (('top', 'middle'), ('middle', 'bottom'), ('snake', 'snake'))
        storage.insert(
            'link',
            [
                {'input_pk': pks[caller], 'output_pk': pks[called], 'label': f'to_{called}', 'type': 'call_work'}
                for caller, called in pairs
            ],
        )
        levels = {'top': 'REPORT', 'middle': 'DEBUG', 'bottom': 'ERROR'}
        for name, level in levels.items():
            record = {'node_pk': pks[name], 'levelname': level, 'loggername': 'x', 'message': f'{name}\x1b[2J\nand on'}
            storage.insert('log', [record])
    return pks


def test_a_report_has_those_of_the_work_chains_below_indented(run_here: Run, calls: dict[str, int]) -> None:
    def report(*words: str) -> list[str]:
        shown = run_here('-p', 'mixed', 'process', 'report', *words, calls['top']).stdout
        return [line.partition(']:')[2] for line in shown.splitlines() if ']:' in line]

    assert report() == [' top\\x1b[2J', '     bottom\\x1b[2J']
    assert report('-l', 'debug', '-i', '1') == [' top\\x1b[2J', '  middle\\x1b[2J', '   bottom\\x1b[2J']
    assert report('-m', '2', '-l', 'DEBUG') == [' top\\x1b[2J', '   middle\\x1b[2J']


def test_calls_that_lead_in_a_circle_end(run_here: Run, calls: dict[str, int]) -> None:
    snake = calls['snake']
    for verb in ('status', 'report', 'call-root', 'show'):
        assert run_here('-p', 'mixed', 'process', verb, snake).returncode == 0
    assert run_here('-p', 'mixed', 'process', 'call-root', calls['bottom']).stdout == f'{calls["top"]}\n'


def test_links_of_calls_have_their_labels_on_request(run_here: Run, calls: dict[str, int]) -> None:
    shown = run_here('-p', 'mixed', 'process', 'status', '-c', calls['top']).stdout
    assert f'middle<{calls["middle"]} | to_middle> Waiting' in shown


def test_a_file_is_named_where_several_may_be_meant(run_here: Run, reference_home: Path) -> None:
    with use_storage(load_config().get_profile('mixed')) as storage:
        row = storage.get(NodeRow, 57)
        (name,) = row.repository_metadata['o']
        files = {'o': {name: row.repository_metadata['o'][name], 'other': row.repository_metadata['o'][name]}}
        storage.update('node', 57, {'repository_metadata': files})
    asked = run_here('-p', 'mixed', 'calcjob', 'inputcat', '57')
    assert (asked.returncode, f'there are {name}, other' in asked.stderr) == (2, True)
    with use_storage(load_config().get_profile('mixed')) as storage:
        storage.update('node', 57, {'attributes': {**row.attributes, 'input_filename': 'other'}})
    assert run_here('-p', 'mixed', 'calcjob', 'inputcat', '57').stdout.startswith('#!/bin/bash')


def test_results_have_the_keys_that_are_asked_for(run_here: Run, reference_home: Path) -> None:
    assert json.loads(run_here('-p', 'mixed', 'calcjob', 'res', '60', '-k', 'energy').stdout) == {'energy': -1.5}
    wrong = run_here('-p', 'mixed', 'calcjob', 'res', '60', '-k', 'enrgy')
    assert (wrong.returncode, 'did you mean `energy`?' in wrong.stderr) == (1, True)
    assert 'nothing has come back' in run_here('-p', 'mixed', 'calcjob', 'outputcat', '75').stderr


def test_a_code_is_named_by_label_with_and_without_its_computer(run_here: Run, each_profile: str) -> None:
    shown = [run_here('-p', each_profile, 'code', 'show', name).stdout for name in ('pw', 'pw@cluster')]
    assert shown[0] == shown[1] != ''
    assert 'Calculations' in run_here('-p', each_profile, '-v', 'code', 'show', 'pw').stdout
    missing = run_here('-p', each_profile, 'code', 'show', 'pw@clustr')
    assert (missing.returncode, 'did you mean `pw@cluster`?' in missing.stderr) == (1, True)


def test_an_unsealed_process_is_dumped_on_request(run_here: Run, reference_home: Path, tmp_path: Path) -> None:
    folder = tmp_path / 'dump'
    refused = run_here('-p', 'mixed', 'process', 'dump', '75', '--path', folder)
    assert (refused.returncode, '--dump-unsealed' in refused.stderr, folder.exists()) == (1, True, False)
    assert run_here('-p', 'mixed', 'process', 'dump', '75', '--path', folder, '--dump-unsealed').returncode == 0
    assert (folder / 'aiida_node_metadata.yaml').is_file()


def test_a_process_is_dumped_once_and_anew_on_request(run_here: Run, reference_home: Path, tmp_path: Path) -> None:
    folder = tmp_path / 'dump'

    def dump(*more: str) -> str:
        done = run_here('-p', 'mixed', 'process', 'dump', '21', '--path', folder, *more)
        assert done.returncode == 0, done.stderr
        return done.stderr

    dump()
    before = {path: path.stat().st_ino for path in folder.rglob('*') if path.is_file()}
    own = folder / 'notes.txt'
    own.write_text('mine')
    assert 'Nothing to do' in dump()
    assert {path: path.stat().st_ino for path in before} == before
    (folder / 'aiida_node_metadata.yaml').unlink()
    assert 'Wrote' in dump()
    assert 'Wrote' in dump('--overwrite')
    assert {path for path in folder.rglob('*') if path.is_file()} == {*before, own}
    other = run_here('-p', 'mixed', 'process', 'dump', '33', '--path', folder)
    assert (other.returncode, 'holds the dump of' in other.stderr) == (1, True)


@pytest.mark.parametrize('words', ['process kill 42', 'code delete pw', 'calcjob gotocomputer 57', 'config caching'])
def test_what_runs_and_controls_things_is_pointed_at(run_here: Run, words: str) -> None:
    done = run_here(*words.split())
    assert (done.returncode, f'use `verdi {" ".join(words.split()[:2])}`' in done.stderr) == (2, True)


def test_where_files_on_the_computer_are_seen_is_told(run_here: Run) -> None:
    assert 'use `verdi data core.remote ls`' in run_here('calcjob', 'remotels', '57').stderr


def test_odd_values_of_processes_are_shown_as_they_are(run_here: Run, reference_home: Path) -> None:
    odd = {'process_state': [1], 'exit_status': 'x', 'paused': 5, 'process_label': {}, 'stepper_state_info': [2]}
    with use_storage(load_config().get_profile('mixed')) as storage:
        for pk in (21, 57):
            storage.update('node', pk, {'attributes': odd})
    for words in (['list', '-a'], ['list', '-a', '--format', 'json'], ['status', '21'], ['report', '21', '57']):
        done = run_here('-p', 'mixed', 'process', *words)
        assert (done.returncode, 'unexpected' in done.stderr) == (0, False), done.stderr
    assert '· 1' in run_here('-p', 'mixed', 'process', 'list', '-a').stdout


def test_a_report_is_given_where_the_files_of_the_scheduler_are_missing(run_here: Run, reference_home: Path) -> None:
    with use_storage(load_config().get_profile('mixed')) as storage:
        row = storage.get(NodeRow, 57)
        storage.update('node', 57, {'attributes': {**row.attributes, 'scheduler_stdout': 'aiida.out'}})
        lost = {'o': {'aiida.out': {'k': '0' * 64}}}
        for node in list(storage.find(NodeRow)):
            if 'aiida.out' in node.repository_metadata.get('o', {}):
                storage.update('node', node.pk, {'repository_metadata': lost})
    done = run_here('-p', 'mixed', 'process', 'report', '57')
    assert done.returncode == 0
    assert 'is missing in the repository' in done.stdout
    assert 'parser said no' in done.stdout


def test_a_file_that_is_called_as_the_log_of_a_dump_does_not_take_its_place(
    run_here: Run, reference_home: Path, tmp_path: Path
) -> None:
    names = ('ricordi_dump_log.jsonl', '.ricordi_dump_log.jsonl.part', '.ricordi-part', 'aiida_node_metadata.yaml')
    with use_storage(load_config().get_profile('mixed')) as storage:
        content = next(iter(storage.get(NodeRow, 57).repository_metadata['o'].values()))
        storage.update('node', 57, {'repository_metadata': {'o': dict.fromkeys(names, content)}})
    folder = tmp_path / 'dump'
    for told in ('Wrote', 'Nothing to do'):
        done = run_here('-p', 'mixed', 'process', 'dump', '57', '--flat', '--path', folder)
        assert (done.returncode, told in done.stderr) == (0, True), done.stderr
    assert {f'{name}_' for name in names} <= {path.name for path in folder.iterdir()}
