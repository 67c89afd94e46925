"""A verification beside writers, packers and repacks finds nothing where nothing is wrong; killed, it loses nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from faults.trap import kill_at, killed
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import Topic, VerifyOptions
from ricordi.repository.container.container import Container
from ricordi.repository.limits import Limits
from ricordi.repository.verification.container import notes_of

HERE = Path(__file__).parent
SECONDS = 4.0
READ = VerifyOptions(read=True)
SMALL = Limits(cell_bytes=200_000, question_objects=50, share_bytes=100_000, processors=2, note_seconds=0.0)
LEAST_POINTS = 12


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    with Container(tmp_path / 'container', SMALL) as made:
        made.initialise(pack_size_target=2_000_000)
        yield made


def contents(number: int, size: int = 3000) -> list[bytes]:
    return [hashlib.sha256(b'%d' % one).digest() * (size // 32) + b'%d' % one for one in range(number)]


def verified(container: Container, keys: list[str]) -> list[Finding]:
    """What a verification finds, notices left out."""
    found = list(container.verify(READ, lambda: iter(sorted(keys))))
    assert [one.name for one in found if isinstance(one, Topic)]
    return [one for one in found if isinstance(one, Finding) and not one.notice]


def verified_while(container: Container, keys: list[str], processes: list[subprocess.Popen[str]]) -> int:
    """Verify over and over until these processes have ended, each well; returns how often."""
    runs = 0
    while any(process.poll() is None for process in processes) or not runs:
        assert verified(container, keys) == []
        runs += 1
    for process in processes:
        _, said = process.communicate(timeout=240)
        assert process.returncode == 0, said
    return runs


def begin(*command: Any) -> subprocess.Popen[str]:
    words = list(map(str, command))
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def test_beside_writers_and_live_maintenance_nothing_is_found(container: Container) -> None:
    keys = container.put_objects_into_pack(contents(300))
    keys += [container.put_object_from_bytes(content) for content in contents(60, 500)]
    script, folder = HERE / 'race.py', container.layout.folder
    racers = [begin(sys.executable, script, 'maintain', folder, SECONDS, 0)]
    racers += [begin(sys.executable, script, 'use', folder, SECONDS, seed) for seed in range(2)]
    verified_while(container, keys, racers)
    assert verified(container, list(container.list_objects())) == []


REPACKS = """
import sys
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.repository.container.container import Container

with Container(sys.argv[1]) as container:
    keys = list(container.list_objects())
    for compress in ('yes', 'no') * 6:
        report = container.maintain(
            MaintenanceOptions(full=True, repack='all', compress=compress), lambda: iter(keys))
        assert not report.problems
"""


def test_beside_repacks_nothing_is_found(container: Container) -> None:
    """No repack runs beside a verification of a whole profile; of a container alone, as a library has it, it may."""
    keys = container.put_objects_into_pack(contents(300))
    verified_while(container, keys, [begin(sys.executable, '-c', REPACKS, container.layout.folder)])


@pytest.mark.interop
def test_beside_repacks_of_disk_objectstore_nothing_is_found(container: Container, aiida_python: str) -> None:
    keys = container.put_objects_into_pack(contents(300))
    actions = [action for number in range(6) for action in (f'add={number}', 'pack', 'repack=yes', 'repack=no')]
    script = HERE.parent / 'repository' / 'act_by_disk_objectstore.py'
    verified_while(container, keys, [begin(aiida_python, script, container.layout.folder, *actions)])


def test_an_object_that_is_stored_while_names_are_compared_is_not_missing(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index was asked, then the object is stored, then it is looked for once more."""
    late = b'stored at the last moment'
    key = hashlib.sha256(late).hexdigest()
    absent = container.index.__class__.absent

    def stored_after(index: Any, keys: list[str]) -> list[str]:
        found = absent(index, keys)
        container.put_object_from_bytes(late)
        return found

    monkeypatch.setattr(container.index.__class__, 'absent', stored_after)
    assert verified(container, [key]) == []


def test_a_worker_that_is_killed_is_done_without(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = container.put_objects_into_pack(contents(300))
    start = subprocess.Popen

    def killed_at_once(*args: Any, **options: Any) -> subprocess.Popen[bytes]:
        process = start(*args, **options)
        process.kill()
        return process

    monkeypatch.setattr(subprocess, 'Popen', killed_at_once)
    assert verified(container, keys) == []
    state = container.verification_state()
    assert state is not None
    assert state.read == state.total > 0


# kills -----------------------------------------------------------------------------------------------------


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where there is one: a process that is killed cannot tell it from a disk."""
    memory = Path('/dev/shm')
    place = Path(tempfile.mkdtemp(prefix='ricordi-verify-', dir=memory if os.access(memory, os.W_OK) else None))
    yield place
    shutil.rmtree(place)


def test_killed_at_any_change_of_the_note_it_is_the_old_one_or_the_new_and_the_next_run_ends_well(
    folder: Path, record_property: Callable[[str, object], None]
) -> None:
    some, limits = contents(100), SMALL._replace(processors=0, cell_bytes=100_000)
    keys = sorted(hashlib.sha256(content).hexdigest() for content in some)
    with Container(folder / 'template', limits) as container:
        container.initialise()
        container.put_objects_into_pack(some)
        container.note_verified(0)
        container.index.checkpoint()
    before = json.loads((folder / 'template' / 'ricordi-verified.json').read_bytes())
    place = folder / 'now'

    def begin_anew() -> None:
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(folder / 'template', place)

    def verify() -> None:
        with Container(place, limits) as container:
            assert verified(container, keys) == []
            assert container.note_verified(0) == ''

    begin_anew()
    died, points = killed(verify, 0)
    assert not died
    assert points >= LEAST_POINTS
    for target in range(1, points + 1):
        kill_at(begin_anew, verify, target)
        noted = json.loads((place / 'ricordi-verified.json').read_bytes())
        assert set(noted) == set(before)
        with Container(place, limits) as container:
            assert notes_of(container).structure_time >= before['structure']['time']
            assert verified(container, keys) == []
            state = container.verification_state()
            assert state is not None
            assert state.read == state.total
            report = container.maintain(MaintenanceOptions(full=True), lambda: iter(keys))
            assert not report.problems
            assert list(container.layout.sandbox.iterdir()) == []
    record_property('counted', f'verification: {points} runs, killed at as many changes')
