"""Full maintenance where the disk is (nearly) full: it makes room first, does what fits, and names what is left."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.maintenance import OUT_OF_ROOM, MaintenanceOptions, MaintenanceReport
from ricordi.errors import NotEnoughSpace
from ricordi.repository.container.container import Container

MIB = 1 << 20
KIB = 1 << 10


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 32 MiB of its own."""
    place = tmp_path / 'disk'
    place.mkdir()
    mounted = subprocess.run(
        ['mount', '-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip('only a user who may mount has a small disk to fill')
    yield place
    subprocess.run(['umount', '-l', place], check=True)


def free(disk: Path) -> int:
    return shutil.disk_usage(disk).free


def fill(disk: Path, left: int) -> None:
    """Fill the disk but for so many bytes."""
    with (disk / 'filler').open('ab', buffering=0) as handle:
        while (size := free(disk) - left) > 0:
            handle.write(bytes(min(size, MIB)))


@pytest.fixture
def container(disk: Path) -> Iterator[Container]:
    with Container(disk / 'container') as made:
        made.initialise()
        yield made


def contents(number: int, size: int) -> list[bytes]:
    return [os.urandom(size) for _ in range(number)]


def put_loose(container: Container, some: list[bytes]) -> list[str]:
    return [container.put_object_from_bytes(content) for content in some]


def maintain(container: Container, named: list[str], **options: Any) -> MaintenanceReport:
    container.close()
    return container.maintain(MaintenanceOptions(**{'full': True, **options}), lambda: iter(sorted(named)))


def names(report: MaintenanceReport) -> list[str]:
    return [step.name for step in report.steps]


def assert_holds(container: Container, named: list[str]) -> None:
    container.close()
    for key in named:
        assert hashlib.sha256(container.get_object_content(key)).hexdigest() == key


@pytest.mark.parametrize('left', [0, 64 * KIB, 3 * MIB + 512 * KIB])
def test_loose_garbage_goes_first_and_what_it_gives_back_is_used(container: Container, disk: Path, left: int) -> None:
    put_loose(container, contents(12, MIB))
    named = put_loose(container, contents(40, 50_000))
    fill(disk, left)
    report = maintain(container, named)
    assert report.interrupted is None
    assert names(report)[:2] == ['remove garbage', 'pack']
    assert free(disk) > left + 11 * MIB
    assert maintain(container, named).nothing_to_do
    assert_holds(container, named)


def test_a_pack_is_rewritten_if_there_is_room_for_what_lives_in_it(container: Container, disk: Path) -> None:
    keys = container.put_objects_into_pack(contents(16, MIB))
    fill(disk, 8 * MIB)
    assert maintain(container, keys[:2], dry_run=True).space_needed < 3 * MIB
    report = maintain(container, keys[:2])
    assert names(report) == ['remove garbage', 'repack']
    assert report.interrupted is None
    assert free(disk) > 21 * MIB
    assert maintain(container, keys[:2]).nothing_to_do
    assert_holds(container, keys[:2])


@pytest.mark.parametrize('left', [200 * KIB, 600 * KIB])
def test_packs_of_nothing_but_garbage_go_where_the_index_has_little_room_for_its_log(
    container: Container, disk: Path, left: int
) -> None:
    container.put_objects_into_pack(contents(2000, 4096))
    container.layout.pack_path(1).touch()  # the next goes there
    named = container.put_objects_into_pack(contents(20, 4096))
    container.close()
    fill(disk, left)
    report = maintain(container, named)
    assert report.interrupted is None
    assert sorted(container.layout.pack_sizes()) == [1]
    assert free(disk) > 7 * MIB
    assert maintain(container, named).nothing_to_do
    assert_holds(container, named)


def test_of_several_packs_those_are_rewritten_that_fit_and_give_room_to_the_others(
    container: Container, disk: Path
) -> None:
    named = []
    for number, live in enumerate((5, 1, 3)):
        container.layout.pack_path(number).touch()
        named += container.put_objects_into_pack(contents(live + 2, MIB))[:live]
    fill(disk, MIB + 512 * KIB)
    report = maintain(container, named)
    assert report.interrupted is None
    assert report.steps[-1].detail == '3 packs rewritten'
    assert container.get_info()['waste_bytes'] == 0
    assert maintain(container, named).nothing_to_do
    assert_holds(container, named)


def test_what_does_not_fit_is_named_and_is_all_that_the_next_run_has_to_do(container: Container, disk: Path) -> None:
    keys = container.put_objects_into_pack(contents(10, MIB))
    named = keys[:6] + put_loose(container, [content := os.urandom(5 * MIB)]) + put_loose(container, contents(3, KIB))
    fill(disk, 4 * MIB)
    report = maintain(container, named)
    assert report.interrupted == OUT_OF_ROOM
    assert names(report) == ['remove garbage', 'pack']
    assert [(step.name, step.objects) for step in report.left] == [('pack', 1), ('repack', 6)]
    assert report.left[0].space_needed > len(content)
    assert_holds(container, named)
    with pytest.raises(NotEnoughSpace, match='nothing was written: free some space'):
        maintain(container, named)
    (disk / 'filler').unlink()
    rest = maintain(container, named)
    assert (names(rest), rest.interrupted) == (['pack', 'repack'], None)
    assert_holds(container, named)


def test_loose_objects_are_packed_little_by_little_where_there_is_room_for_few(
    container: Container, disk: Path
) -> None:
    named = put_loose(container, contents(120, 100_000))
    fill(disk, 3 * MIB + 512 * KIB)
    report = maintain(container, named, full=False)
    assert (report.interrupted, report.steps[0].objects) == (None, 120)
    assert maintain(container, named, full=False).nothing_to_do
    assert_holds(container, named)


# from the command line, with configuration and storage on that disk ------------------------------------------


@pytest.fixture
def home(disk: Path, reference_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The reference profiles on the small disk."""
    home = disk / '.aiida'
    shutil.copytree(reference_home, home, symlinks=True)
    config = json.loads((home / 'config.json').read_text())
    for profile in config['profiles'].values():
        place = profile['storage']['config'].get('filepath', '')
        profile['storage']['config']['filepath'] = place.replace(str(reference_home), str(home))
    (home / 'config.json').write_text(json.dumps(config))
    monkeypatch.setenv('AIIDA_PATH', str(home))
    return home


def test_not_a_byte_is_free_and_maintenance_that_only_frees_runs(
    disk: Path, home: Path, run_cli: Callable[..., Any]
) -> None:
    with Container(home / 'repository' / 'mixed' / 'container') as container:
        put_loose(container, contents(12, MIB))
    fill(disk, 0)
    assert free(disk) == 0
    done = run_cli('-p', 'mixed', 'storage', 'maintain', '--full', '--yes', '--format', 'json')
    assert (done.returncode, done.stderr) == (0, '')
    report = json.loads(done.stdout)
    assert report['left'] == []
    assert report['after']['loose']['objects'] == report['after']['garbage']['objects'] == 0
    assert free(disk) > 11 * MIB
    assert not list((home / 'access' / 'mixed').glob('*.lock'))
    again = run_cli('-p', 'mixed', 'storage', 'maintain', '--full', '--yes')
    assert (again.returncode, again.stdout.partition(' for')[0]) == (0, 'Nothing to do')


STORE = """
import io, os
from ricordi.manager import load_profile
from ricordi import orm
load_profile('mixed')
orm.SinglefileData(io.BytesIO(os.urandom(5 << 20)), filename='large').store()
"""


def test_what_is_left_for_want_of_room_is_told_with_exit_code_7_and_does_not_count_as_maintained(
    disk: Path, home: Path, run_cli: Callable[..., Any]
) -> None:
    subprocess.run([sys.executable, '-c', STORE], check=True)
    with Container(home / 'repository' / 'mixed' / 'container') as container:
        put_loose(container, contents(1, MIB))
    fill(disk, 2 * MIB)
    done = run_cli('-p', 'mixed', 'storage', 'maintain', '--full', '--yes')
    assert done.returncode == 7
    assert 'Left to do:\n  pack: 1 loose object into packs; needs 5' in done.stdout
    assert done.stderr.startswith('ricordi: error: profile mixed: not enough free disk: ended early')
    assert 'pack: 1 loose object' in done.stderr
    assert done.stderr.endswith('free some space and run it again\n')
    told = run_cli('-p', 'mixed', 'storage', 'info', '--format', 'json')
    assert json.loads(told.stdout)['last_maintained']['full'] is None
    again = run_cli('-p', 'mixed', 'storage', 'maintain', '--full', '--yes')
    assert (again.returncode, again.stdout) == (3, '')
    (disk / 'filler').unlink()
    rest = run_cli('-p', 'mixed', 'storage', 'maintain', '--full', '--yes', '--format', 'json')
    assert [step['name'] for step in json.loads(rest.stdout)['steps']] == ['pack']
