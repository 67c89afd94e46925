"""`ricordi tour`: shows and checks a maintenance, needs nothing, leaves nothing behind."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SMALL = ('tour', '--nodes', '20')


def test_the_tour_shows_before_and_after_and_checks_every_object(run_here, empty_home: Path) -> None:
    done = run_here(*SMALL)
    assert (done.returncode, done.stderr) == (0, '')
    for text in ('before', 'after', 'garbage', 'every object that a node names was read back', 'Nothing to do'):
        assert text in done.stdout


def test_the_tour_fits_a_screen(run_here, empty_home: Path) -> None:
    lines = run_here(*SMALL).stdout.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) < 80


def test_the_picture_of_the_readme_shows_what_the_tour_says(run_here, empty_home: Path) -> None:
    picture = Path(__file__).parents[2] / 'docs' / 'pictures' / 'tour.svg'
    shown = re.sub(r'<[^>]*>', '', picture.read_text(encoding='utf-8')).replace('&#160;', ' ')
    commands = re.findall(r'^\$ ricordi \S+ \S+(?: -\S+)*', run_here(*SMALL).stdout, re.MULTILINE)
    assert len(commands) == 6
    assert all(command in shown for command in commands)


def test_the_whole_report_of_the_maintenance_is_there_when_asked_for(run_here, empty_home: Path) -> None:
    assert 'repack' in run_here(*SMALL, '--verbose').stdout.split('Checked:')[1]


def test_the_tour_as_json(run_here, empty_home: Path) -> None:
    done = json.loads(run_here(*SMALL, '--format', 'json').stdout)
    assert done['all_well'] is True
    assert done['before'] == done['after']
    assert done['after']['wrong'] == []
    assert (done['nodes_made'], done['nodes_deleted']) == (20, 7)
    assert done['maintenance']['before']['garbage']['objects'] == 8
    assert done['maintenance']['after']['garbage']['objects'] == 0
    assert done['maintenance']['before']['waste_bytes'] > 0
    assert done['maintenance']['after']['waste_bytes'] == 0
    assert 'recover' in [step['name'] for step in done['maintenance']['steps']]
    assert done['disk_bytes']['after'] < done['disk_bytes']['before']
    assert done['again']['nothing_to_do'] is True


def test_the_damaged_object_is_found_named_and_mended(run_here, empty_home: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    done = json.loads(run_here(*SMALL, '--keep', '--format', 'json').stdout)
    [damaged] = done['damaged']
    assert done['mended'] == 1
    monkeypatch.setenv('AIIDA_PATH', done['folder'])
    assert run_here('node', 'repo', 'cat', damaged['pk'], damaged['path']).returncode == 0


def test_the_quiet_tour_says_nothing_unless_a_format_is_asked_for(run_here, empty_home: Path) -> None:
    done = run_here(*SMALL, '-q')
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')
    assert json.loads(run_here(*SMALL, '-q', '--format', 'json').stdout)['all_well'] is True


def test_the_tour_touches_no_configuration_and_cleans_up(tmp_path: Path) -> None:
    home, temporary = tmp_path / 'home', tmp_path / 'tmp'
    home.mkdir()
    temporary.mkdir()
    environment = {key: value for key, value in os.environ.items() if key != 'AIIDA_PATH'}
    environment |= {'HOME': str(home), 'TMPDIR': str(temporary)}
    done = subprocess.run([sys.executable, '-m', 'ricordi', *SMALL], env=environment, capture_output=True, check=True)
    assert done.stderr == b''
    assert list(home.iterdir()) == []
    assert list(temporary.iterdir()) == []


def test_the_folder_can_be_kept_and_looked_at(run_here, empty_home: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    folder = Path(json.loads(run_here(*SMALL, '--keep', '--format', 'json').stdout)['folder'])
    assert folder.parent == tmp_path
    monkeypatch.setenv('AIIDA_PATH', str(folder))
    assert json.loads(run_here('storage', 'info', '--format', 'json').stdout)['profile'] == 'tour'


@pytest.mark.interop
def test_aiida_reads_what_the_tour_left(run_here, aiida_dump, empty_home: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    folder = Path(json.loads(run_here(*SMALL, '--keep', '--format', 'json').stdout)['folder'])
    expected = json.loads((Path(__file__).parents[1] / 'data' / 'mixed.dump.json').read_text())
    found = json.loads(aiida_dump(folder / '.aiida', 'tour'))
    made = [node for node in found['nodes'] if node not in expected['nodes']]
    assert [node for node in found['nodes'] if node not in made] == expected['nodes']
    assert [list(node['repository_metadata']['o']) for node in made] == [['aiida.out']] * 13
    assert set(expected['objects']) < set(found['objects'])
