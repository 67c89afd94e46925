"""`ricordi storage index`: made, listed, suggested, dropped, and told what is wrong."""

import json
from pathlib import Path

WORD = ('-p', 'mixed', 'storage', 'index')


def test_an_index_is_made_listed_and_dropped(run_cli, reference_home: Path) -> None:
    assert run_cli(*WORD, 'list').stderr.startswith('There are no indexes')
    assert run_cli(*WORD, 'list', '--format', 'json').stdout == '[]\n'
    done = run_cli(*WORD, 'add', 'attributes.process_state', 'extras._aiida_hash')
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        'Made an index of attributes.process_state.',
        'Made an index of extras._aiida_hash.',
    ]
    rows = json.loads(run_cli(*WORD, 'list', '--format', 'json').stdout)
    assert [(row['path'], row['state']) for row in rows] == [
        ('attributes.process_state', 'whole'),
        ('extras._aiida_hash', 'whole'),
    ]
    assert run_cli(*WORD, 'drop', 'attributes.process_state', 'extras._aiida_hash').returncode == 0
    assert run_cli(*WORD, 'list', '--format', 'json').stdout == '[]\n'


def test_what_would_help_is_suggested_with_what_to_type(run_cli, reference_home: Path) -> None:
    done = run_cli(*WORD, 'suggest')
    assert 'attributes.process_state' in done.stdout
    assert 'ricordi storage index add' in done.stderr
    rows = json.loads(run_cli(*WORD, 'suggest', '--format', 'json').stdout)
    assert {'path', 'nodes', 'values', 'reason'} == set(rows[0])


def test_what_cannot_be_meant_is_told(run_cli, reference_home: Path) -> None:
    assert run_cli(*WORD, 'add', 'label').returncode == 2
    assert run_cli(*WORD, 'add', 'attributes.0').returncode == 2
    done = run_cli(*WORD, 'drop', 'attributes.x')
    assert done.returncode == 1
    assert 'ricordi storage index list' in done.stderr
    run_cli(*WORD, 'add', 'attributes.x')
    assert 'there is an index of attributes.x already' in run_cli(*WORD, 'add', 'attributes.x').stderr


def test_an_archive_has_none(run_cli, reference_home: Path) -> None:
    archive = Path(__file__).parents[2] / 'data' / 'reference.aiida'
    assert run_cli('--archive', str(archive), 'storage', 'index', 'list', '--format', 'json').stdout == '[]\n'
    done = run_cli('--archive', str(archive), 'storage', 'index', 'add', 'attributes.x')
    assert done.returncode == 1
    assert 'Traceback' not in done.stderr
