"""`ricordi storage backup`, `snapshots` and `forget` as a person and a script meet them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from ricordi.manager import open_backup

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / 'place'


def names(run_here: Run, place: Path) -> list[str]:
    return run_here('-q', 'storage', 'snapshots', place).stdout.split()


def test_a_backup_is_made_listed_and_removed(run_here: Run, reference_home: Path, place: Path) -> None:
    done = run_here('-p', 'mixed', 'storage', 'backup', place, '--dry-run')
    assert (done.returncode, done.stderr) == (0, '')
    assert 'nothing was written' in done.stdout
    assert not place.exists()
    done = run_here('-p', 'mixed', 'storage', 'backup', place, '--tag', 'first')
    assert (done.returncode, done.stderr) == (0, '')
    assert '75 nodes and 24 objects' in done.stdout
    told = json.loads(run_here('-p', 'mixed', 'storage', 'backup', place, '--format', 'json').stdout)
    assert (told['put']['objects']['objects'], told['complete'], told['exit_code']) == (0, True, 0)
    rows = json.loads(run_here('storage', 'snapshots', place, '--format', 'json').stdout)
    assert [(row['profile'], row['tags'], row['nodes']) for row in rows] == [
        ('mixed', ['first'], 75),
        ('mixed', [], 75),
    ]
    assert names(run_here, place) == [row['name'] for row in rows]
    done = run_here('storage', 'forget', place, '--keep', '1', '--dry-run', '--format', 'json')
    assert json.loads(done.stdout)['forget'] == [rows[0]['name']]
    done = run_here('storage', 'forget', place, rows[0]['name'])
    assert (done.returncode, 'add --yes' in done.stderr) == (2, True)
    assert len(names(run_here, place)) == 2
    done = run_here('storage', 'forget', place, '--keep-last', '1', '--yes')
    assert (done.returncode, done.stderr) == (0, '')
    assert 'Removed 1 snapshot, kept 1' in done.stdout
    assert names(run_here, place) == [rows[1]['name']]


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (('forget', '{place}'), 'say which snapshots to keep (--keep-last'),
        (('forget', '{place}', '--keep', '0'), 'would remove all snapshots'),
        (('forget', '{place}', '--tag', 'x'), 'say which snapshots to keep'),
        (('forget', '{place}', '--keep', '1', '--keep-last', '2'), 'give one of them'),
        (('backup', '{place}', '--keep-daily', '0'), 'would remove all snapshots'),
        (('backup', '{place}', '--keep', '-1'), 'not in the range'),
        (('backup', '{home}/place'), 'choose another place'),
        (('backup', ''), 'it is empty'),
        (('backup', 'S3://backups/mixed'), 'write s3://BUCKET/FOLDER'),
        (('snapshots', 'vault:/backup'), 'or ./vault:/backup for a folder'),
        (('restore', 'gs://backups/mixed', 'again'), 'no folder'),
        (('restore', '{place}', 'again', '--filepath', 's3://backups/mixed'), 'no folder'),
    ],
)
def test_what_cannot_be_meant_is_refused(
    run_here: Run, reference_home: Path, place: Path, words: tuple[str, ...], message: str
) -> None:
    run_here('-p', 'mixed', 'storage', 'backup', place)
    done = run_here('-p', 'mixed', 'storage', *[word.format(place=place, home=reference_home) for word in words])
    assert (done.returncode, done.stdout) == (2, '')
    assert message in done.stderr
    assert len(names(run_here, place)) == 1


def test_a_place_that_is_none_is_3_with_a_way_out(run_here: Run, reference_home: Path, tmp_path: Path) -> None:
    done = run_here('storage', 'snapshots', tmp_path / 'gone')
    assert (done.returncode, done.stdout) == (3, '')
    assert done.stderr.endswith(f'`ricordi storage backup {tmp_path / "gone"}` makes one\n')
    (tmp_path / 'other').mkdir()
    (tmp_path / 'other' / 'file').touch()
    done = run_here('-p', 'mixed', 'storage', 'backup', tmp_path / 'other')
    assert (done.returncode, done.stdout) == (3, '')
    assert 'choose an empty or a new folder' in done.stderr


def test_lists_need_no_profile_and_no_configuration(
    run_here: Run, reference_home: Path, place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run_here('-p', 'mixed', 'storage', 'backup', place)
    monkeypatch.setenv('AIIDA_PATH', str(tmp_path / 'nowhere'))
    done = run_here('storage', 'snapshots', place)
    assert (done.returncode, done.stderr) == (0, '')
    assert 'mixed' in done.stdout
    assert run_here('storage', 'forget', place, 'latest', '--yes').returncode == 0
    assert not (tmp_path / 'nowhere').exists()


def test_missing_objects_are_6_and_named(run_here: Run, reference_home: Path, place: Path) -> None:
    loose = reference_home / 'repository' / 'loose' / 'container' / 'loose'
    path = next(path for path in sorted(loose.rglob('*')) if path.is_file())
    path.unlink()
    done = run_here('-p', 'loose', 'storage', 'backup', place)
    assert done.returncode == 6
    assert '1 object that nodes name is missing or damaged' in done.stderr
    assert path.parent.name + path.name in done.stderr
    assert re.search(r'^    node \d+ \([0-9a-f-]{36}\): \S', done.stderr, re.MULTILINE)
    assert '`ricordi storage repair --from SOURCE`' in done.stderr
    assert json.loads(run_here('storage', 'snapshots', place, '--format', 'json').stdout)[0]['missing'] == 1
    info = json.loads(run_here('-p', 'loose', 'storage', 'info', '--format', 'json').stdout)
    assert info['last_backup']['complete'] is False


def test_a_snapshot_that_cannot_be_read_is_6_and_the_others_are_listed(
    run_here: Run, reference_home: Path, place: Path
) -> None:
    for _ in range(2):
        run_here('-p', 'mixed', 'storage', 'backup', place)
    (place / 'snapshots' / f'{names(run_here, place)[0]}.json').write_text('{}')
    done = run_here('storage', 'snapshots', place, '--format', 'json')
    assert (done.returncode, len(json.loads(done.stdout))) == (6, 1)
    assert 'is damaged' in done.stderr
    done = run_here('storage', 'forget', place, '--keep', '1', '--yes')
    assert done.returncode == 6
    assert 'was removed' in done.stderr


def test_a_budget_that_is_used_up_is_7_and_leaves_no_snapshot(run_here: Run, reference_home: Path, place: Path) -> None:
    done = run_here('-p', 'mixed', 'storage', 'backup', place, '--max-runtime', '0')
    assert (done.returncode, done.stdout) == (7, '')
    assert 'no snapshot was made' in done.stderr
    assert names(run_here, place) == []


def test_a_place_in_use_is_5_and_a_backup_says_what_it_could_not_remove(
    run_here: Run, reference_home: Path, place: Path
) -> None:
    run_here('-p', 'mixed', 'storage', 'backup', place)
    with open_backup(place) as backups, backups.held():
        done = run_here('storage', 'forget', place, 'latest', '--yes')
        assert (done.returncode, 'or wait with --wait' in done.stderr) == (5, True)
        done = run_here('-p', 'mixed', 'storage', 'backup', place, '--keep', '1')
        assert done.returncode == 0
        assert 'no snapshots were removed' in done.stderr
    assert len(names(run_here, place)) == 2


def test_a_place_without_its_objects_is_told(run_here: Run, reference_home: Path, place: Path) -> None:
    run_here('-p', 'mixed', 'storage', 'backup', place)
    shutil.rmtree(place / 'container')
    done = run_here('-p', 'mixed', 'storage', 'backup', place)
    assert done.returncode == 3
    assert 'the store of the backup repository' in done.stderr


def test_a_place_is_verified_and_damage_ends_with_6(run_here: Run, reference_home: Path, place: Path) -> None:
    assert run_here('-p', 'mixed', 'storage', 'backup', place).returncode == 0
    done = run_here('storage', 'verify', '--backup', place)
    assert (done.returncode, done.stderr) == (0, '')
    assert 'Nothing is wrong' in done.stdout
    manifest = next((place / 'snapshots').iterdir())
    manifest.write_text(manifest.read_text().replace('"mixed"', '"other"'))
    done = run_here('storage', 'verify', '--backup', place, '--format', 'json')
    told = json.loads(done.stdout)
    assert (done.returncode, told['place'], told['counts']) == (6, str(place), {'damaged snapshot': 1})
    done = run_here('-p', 'mixed', 'storage', 'verify', '--backup', place)
    assert (done.returncode, 'in place of a profile' in done.stderr) == (2, True)
