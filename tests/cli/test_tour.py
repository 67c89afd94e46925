"""`ricordi tour`: shows and checks a maintenance, needs nothing, leaves nothing behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def test_the_tour_shows_before_and_after_and_checks_every_object(run_cli, empty_home: Path) -> None:
    done = run_cli('tour')
    assert (done.returncode, done.stderr) == (0, '')
    for text in ('before', 'after', 'garbage', 'every object that a node names was read back', 'Nothing to do'):
        assert text in done.stdout


def test_the_tour_as_json(run_cli, empty_home: Path) -> None:
    done = json.loads(run_cli('tour', '--format', 'json').stdout)
    assert done['all_well'] is True
    assert done['before'] == done['after']
    assert done['after']['wrong'] == []
    assert done['maintenance']['before']['garbage']['objects'] == 1
    assert done['maintenance']['after']['garbage']['objects'] == 0
    assert done['maintenance']['after']['waste_bytes'] == 0
    assert done['maintenance']['freed_bytes'] > 3000
    assert done['again']['nothing_to_do'] is True


def test_the_quiet_tour_says_nothing_unless_a_format_is_asked_for(run_here, empty_home: Path) -> None:
    done = run_here('tour', '-q')
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')
    assert json.loads(run_here('tour', '-q', '--format', 'json').stdout)['all_well'] is True


def test_the_tour_touches_no_configuration_and_cleans_up(tmp_path: Path) -> None:
    home, temporary = tmp_path / 'home', tmp_path / 'tmp'
    home.mkdir()
    temporary.mkdir()
    environment = {key: value for key, value in os.environ.items() if key != 'AIIDA_PATH'}
    environment |= {'HOME': str(home), 'TMPDIR': str(temporary)}
    done = subprocess.run([sys.executable, '-m', 'ricordi', 'tour'], env=environment, capture_output=True, check=True)
    assert done.stderr == b''
    assert list(home.iterdir()) == []
    assert list(temporary.iterdir()) == []


def test_the_folder_can_be_kept_and_looked_at(run_cli, empty_home: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv('TMPDIR', str(tmp_path))
    folder = Path(json.loads(run_cli('tour', '--keep', '--format', 'json').stdout)['folder'])
    assert folder.parent == tmp_path
    monkeypatch.setenv('AIIDA_PATH', str(folder))
    assert json.loads(run_cli('storage', 'info', '--format', 'json').stdout)['profile'] == 'tour'


@pytest.mark.interop
def test_aiida_reads_what_the_tour_left(run_cli, aiida_dump, empty_home: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv('TMPDIR', str(tmp_path))
    folder = Path(json.loads(run_cli('tour', '--keep', '--format', 'json').stdout)['folder'])
    expected = (Path(__file__).parents[1] / 'data' / 'mixed.dump.json').read_text()
    assert json.loads(aiida_dump(folder / '.aiida', 'tour')) == json.loads(expected)
