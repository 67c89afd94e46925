"""SIGKILL at every change that a repair makes: nothing is lost that was there, and the next run succeeds."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faults.trap import kill_at, killed
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.backend.repair import RepairOrder, RepairSource, SetAside
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import VerifyOptions
from ricordi.progress import Run
from ricordi.repository.container.container import Container

CONTENTS = [b'content %d, ' % number * (number + 3) for number in range(8)]
KEYS = sorted(hashlib.sha256(content).hexdigest() for content in CONTENTS)
LEAST_POINTS = {'objects': 25, 'index': 15}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where there is one: a process that is killed cannot tell it from a disk."""
    memory = Path('/dev/shm')
    place = Path(tempfile.mkdtemp(prefix='ricordi-repairs-', dir=memory if os.access(memory, os.W_OK) else None))
    yield place
    shutil.rmtree(place)


def build(folder: Path) -> None:
    """A container with objects in a plain pack, in a compressed one, and loose; with catalogues."""
    with Container(folder) as container:
        container.initialise(pack_size_target=150)
        container.put_objects_into_pack(CONTENTS[:3])
        container.put_objects_into_pack(CONTENTS[3:6], 'yes')
        container.maintain(MaintenanceOptions(), lambda: iter(()))
        for content in CONTENTS[6:]:
            container.put_object_from_bytes(content)


def damage_objects(folder: Path) -> None:
    """A damaged packed object, one with a sound loose copy beside it, a damaged loose one, one that is gone."""
    with Container(folder) as container:
        for content, change in ((CONTENTS[0], 1), (CONTENTS[4], 3)):
            row = container.index.find(hashlib.sha256(content).hexdigest())
            assert row is not None
            with container.layout.pack_path(row.pack_id).open('r+b') as file:
                file.seek(row.offset + change)
                file.write(b'#')
        path = Path(container.loose_path(hashlib.sha256(CONTENTS[4]).hexdigest()))
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(CONTENTS[4])
        Path(container.loose_path(hashlib.sha256(CONTENTS[6]).hexdigest())).write_bytes(b'damaged')
        Path(container.loose_path(hashlib.sha256(CONTENTS[7]).hexdigest())).unlink()


def damage_index(folder: Path) -> None:
    with Container(folder) as container, container.index.transaction():
        container.index.connection.execute("UPDATE db_object SET length = 'long' WHERE id = 2")


DAMAGE: dict[str, Callable[[Path], None]] = {'objects': damage_objects, 'index': damage_index}


def faults(container: Container) -> list[Finding]:
    found = container.verify(VerifyOptions(read=True, remember=False), lambda: iter(KEYS))
    return [one for one in found if isinstance(one, Finding) and not one.notice]


def repair(folder: Path, source: Path) -> None:
    with Container(folder) as container, Container(source) as good:
        found = faults(container)
        order = RepairOrder(tuple(one.key for one in found if one.key))
        for _ in container.repair(order, [RepairSource('good', good)], lambda: iter(KEYS), Run()):
            continue


def readable(folder: Path) -> set[str]:
    """The keys of what can be read and is right."""
    found = set()
    with Container(folder) as container:
        for key in KEYS:
            try:
                found.add(hashlib.sha256(container.get_object_content(key)).hexdigest())
            except Exception:
                continue
    return found


@pytest.mark.parametrize('damage', DAMAGE)
def test_a_repair_that_is_killed_loses_nothing_and_the_next_one_succeeds(folder: Path, damage: str) -> None:
    template, copy, source = folder / 'template', folder / 'copy', folder / 'source'
    build(source)
    build(template)
    DAMAGE[damage](template)
    packs = {path.name: path.read_bytes() for path in (template / 'packs').iterdir()}
    there = readable(template) if damage == 'objects' else set()

    def begin_anew() -> None:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(template, copy)

    begin_anew()
    _, points = killed(lambda: repair(copy, source), 0)
    assert points >= LEAST_POINTS[damage]
    for target in range(1, points + 1):
        kill_at(begin_anew, lambda: repair(copy, source), target)
        assert readable(copy) >= there
        repair(copy, source)
        with Container(copy) as container:
            assert faults(container) == []
            assert not list(container.layout.loose.glob('*/*.tmp'))
        assert {path.name: path.read_bytes() for path in (copy / 'packs').iterdir() if path.suffix != '.lock'} == packs
        if damage == 'objects':
            kept = [path.read_bytes() for path in (copy / 'set-aside').iterdir()]
            assert b'damaged' in kept
        assert readable(copy) == set(KEYS)


def test_what_is_put_aside_is_told(folder: Path) -> None:
    build(folder / 'source')
    build(folder / 'broken')
    damage_objects(folder / 'broken')
    with Container(folder / 'broken') as container, Container(folder / 'source') as good:
        order = RepairOrder(tuple(one.key for one in faults(container)))
        told = list(container.repair(order, [RepairSource('good', good)], lambda: iter(KEYS), Run()))
        places = {one.place for one in told if isinstance(one, SetAside)}
        assert places == {f'set-aside/{path.name}' for path in container.layout.set_aside.iterdir()}
        assert len(places) == 3
