"""Disks that are full before the work, fill up during it, and files that may not grow: nothing is lost."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.maintenance import OUT_OF_ROOM, MaintenanceOptions, MaintenanceReport
from ricordi.errors import NotEnoughSpace
from ricordi.files import naming_full_disk, new_file, write_atomic
from ricordi.progress import Progress, Run, Unit
from ricordi.repository.container.container import Container

MIB = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MiB of its own."""
    place = tmp_path / 'disk'
    place.mkdir()
    mounted = subprocess.run(
        ['mount', '-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip('only a user who may mount has a small disk to fill')
    yield place
    subprocess.run(['umount', '-l', place], check=True)


def fill(disk: Path, left: int) -> None:
    """Fill the disk but for so many bytes."""
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    with (disk / 'filler').open('ab', buffering=0) as handle:
        for size in (free - left) // MIB * [MIB] + [(free - left) % MIB]:
            handle.write(bytes(size))


class Filling(Progress):
    """Somebody else fills the disk while a step begins, or when it has done its first object."""

    def __init__(self, disk: Path, step: str, left: int, at_first_object: bool = False) -> None:
        self._disk, self._step, self._left = disk, step, left
        self._at_first_object = at_first_object
        self._is_next = False

    def begin(self, step: str, total: int | None, unit: Unit = 'bytes') -> None:
        self._is_next = step == self._step
        if not self._at_first_object:
            self.advance(0)

    def advance(self, amount: int) -> None:
        if self._is_next:
            fill(self._disk, self._left)
        self._is_next = False


@pytest.fixture
def container(disk: Path) -> Iterator[Container]:
    """A container on the small disk: loose objects, a pack with waste, 3 MiB each."""
    with Container(disk / 'container') as made:
        made.initialise()
        kept = [content(number) for number in range(30)]
        gone = [content(number) for number in range(30, 60)]
        keys = made.put_objects_into_pack([piece for pair in zip(gone, kept, strict=True) for piece in pair])
        made.delete_objects(keys[::2])
        for number in range(60, 90):
            made.put_object_from_bytes(content(number))
        yield made


def content(number: int) -> bytes:
    return hashlib.sha256(b'%d' % number).digest() * (100 * 1024 // 32)


NAMED = sorted(hashlib.sha256(content(number)).hexdigest() for number in (*range(30), *range(60, 90)))


def maintain(container: Container, progress: Progress | None = None, **options: Any) -> MaintenanceReport:
    return container.maintain(MaintenanceOptions(**options), lambda: iter(NAMED), Run(progress or Progress()))


def assert_nothing_lost(container: Container) -> None:
    with Container(container.layout.folder) as anew:
        assert {key for key, handle in anew.iter_object_streams(NAMED) if hashed(handle.read()) == key} == set(NAMED)
        packs = anew.index.packs()
        assert set(anew.layout.pack_sizes()) == set(packs), 'a pack was begun and not undone'
        assert {pack: end.end for pack, end in packs.items()} == anew.layout.pack_sizes()
        assert anew.layout.pack_locks() == []
        assert list(anew.layout.sandbox.iterdir()) == []


def hashed(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def changes(container: Container) -> dict[Path, int]:
    """When each file was changed, but for the lock of the packer."""
    paths = [path for path in container.layout.folder.rglob('*') if not path.name.startswith('packer.')]
    return {path: path.stat().st_mtime_ns for path in paths}


@pytest.mark.parametrize('options', [{}, {'full': True, 'repack': 'all'}], ids=['live', 'full'])
def test_where_there_is_not_enough_room_nothing_is_begun(
    container: Container, disk: Path, options: dict[str, Any]
) -> None:
    maintain(container, dry_run=True)
    fill(disk, 512 * 1024)
    before = changes(container)
    with pytest.raises(NotEnoughSpace, match=r'maintenance needs .*nothing was written: free some space') as caught:
        maintain(container, **options)
    assert caught.value.exit_code == 3
    assert changes(container) == before
    assert maintain(container, dry_run=True, **options).space_needed > 512 * 1024
    (disk / 'filler').unlink()
    assert not maintain(container, **options).problems
    assert_nothing_lost(container)


LEFT = [0, 4096, 8192, 12288, 40_960, 200_000, MIB, 2 * MIB]


@pytest.mark.parametrize('left', LEFT)
@pytest.mark.parametrize('options', [{}, {'compress': 'yes'}], ids=['live', 'compressed'])
def test_a_disk_that_fills_up_meanwhile_undoes_what_is_not_finished(
    container: Container, disk: Path, options: dict[str, Any], left: int
) -> None:
    has_room = options.get('compress') == 'yes' and left >= 200_000
    with nullcontext() if has_room else pytest.raises(NotEnoughSpace, match=r'the step "pack" .* run again'):
        maintain(container, Filling(disk, 'pack', left), **options)
    assert_nothing_lost(container)
    (disk / 'filler').unlink()
    assert not maintain(container, **options).problems
    assert maintain(container).nothing_to_do
    assert_nothing_lost(container)


@pytest.mark.parametrize('at_first_object', [False, True])
@pytest.mark.parametrize('left', LEFT)
def test_what_was_done_before_the_disk_filled_up_stays_done_and_the_rest_is_named(
    container: Container, disk: Path, left: int, at_first_object: bool
) -> None:
    options: dict[str, Any] = {'full': True, 'repack': 'all'}
    report = maintain(container, Filling(disk, 'repack', left, at_first_object), **options)
    assert report.interrupted == OUT_OF_ROOM
    assert [step.name for step in report.steps] == ['pack']
    assert [(step.name, step.objects) for step in report.left] == [('repack', 30)]
    assert report.left[0].space_needed > left
    assert_nothing_lost(container)
    (disk / 'filler').unlink()
    again = maintain(container, **options)
    assert [step.name for step in again.steps] == ['repack']
    assert again.interrupted is None
    assert maintain(container, full=True).nothing_to_do
    assert_nothing_lost(container)


def test_adding_on_a_full_disk_fails_and_leaves_nothing_half_written(container: Container, disk: Path) -> None:
    fill(disk, 8192)
    for add in (
        lambda: container.put_object_from_bytes(os.urandom(100_000)),
        lambda: container.put_objects([os.urandom(100_000)]),
    ):
        with pytest.raises(OSError, match='No space left') as caught:
            add()
        assert caught.value.errno == errno.ENOSPC
        assert_nothing_lost(container)


def test_packing_on_a_full_disk_names_the_pack(container: Container, disk: Path) -> None:
    fill(disk, 8192)
    with pytest.raises(OSError, match='No space left') as caught:
        container.put_objects_into_pack([os.urandom(1 << 20)])
    assert str(caught.value.filename).startswith(str(container.layout.packs))
    assert_nothing_lost(container)


def test_a_full_disk_can_still_be_read(container: Container, disk: Path) -> None:
    container.close()
    fill(disk, 0)
    assert_nothing_lost(container)


def test_a_file_that_may_not_grow_is_a_full_disk_and_what_was_begun_is_undone(
    tmp_path: Path, in_a_child: Callable[[Callable[[], Any]], str]
) -> None:
    with Container(tmp_path / 'container') as container:
        container.initialise()
        for number in range(60, 90):
            container.put_object_from_bytes(content(number))

    def limited() -> list[str]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))
        return [step.name for step in maintain(container).steps]

    assert in_a_child(limited).startswith(
        'NotEnoughSpace: the step "pack" came to its end on a full disk (File too large)'
    )
    with Container(tmp_path / 'container') as anew:
        assert anew.layout.pack_sizes() == {}
        assert anew.layout.pack_locks() == []
        assert maintain(anew).before.loose.objects == 30
        assert anew.get_info()['packed']['objects'] == 30


@pytest.fixture
def in_a_child() -> Callable[[Callable[[], Any]], str]:
    """Runs a function in a forked child, and returns as text what it returned or raised."""

    def run(function: Callable[[], Any]) -> str:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            try:
                result = repr(function())
            except Exception as error:
                result = f'{type(error).__name__}: {error}'
            os.write(writing, result.encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, 'rb') as pipe:
            result = pipe.read().decode()
        os.waitpid(child, 0)
        return result

    return run


@pytest.mark.parametrize('size', [8192, 40 * MIB])
def test_a_full_disk_names_the_file_that_was_to_be_written(disk: Path, size: int) -> None:
    fill(disk, 0)
    target = disk / 'paper.aiida'
    with pytest.raises(OSError, match='No space left') as caught, new_file(target) as handle:
        handle.write(bytes(size))
    assert caught.value.filename == str(target)
    with pytest.raises(OSError, match='No space left') as caught:
        write_atomic(disk / 'config.json', bytes(1 << 20))
    assert caught.value.filename == str(disk / 'config.json')


def test_a_profile_that_cannot_be_set_up_on_a_full_disk_names_it_and_leaves_nothing(disk: Path, run_cli: Any) -> None:
    home, here = disk / '.aiida', {**os.environ, 'AIIDA_PATH': str(disk)}
    home.mkdir()
    assert run_cli('presto', '-p', 'first', '-n', env=here).returncode == 0
    before = sorted(home.rglob('*'))
    fill(disk, 0)
    done = run_cli('presto', '-p', 'second', '-n', env=here)
    assert done.returncode == 3
    assert f'{home}/' in done.stderr
    assert 'free some space' in done.stderr
    (disk / 'filler').unlink()
    assert sorted(home.rglob('*')) == before


def test_a_full_disk_elsewhere_is_not_told_of_the_file_that_has_room(tmp_path: Path) -> None:
    with pytest.raises(OSError, match='elsewhere') as caught, naming_full_disk(tmp_path / 'a'):
        raise OSError(errno.ENOSPC, 'elsewhere')
    assert caught.value.filename is None
