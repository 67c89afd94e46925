"""Nothing that comes in by a door makes a command hang, fill memory, spill a password or end in useless words.

`run.py` tries more of the same.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hostile.doors import DOORS, ON_POSTGRES
from hostile.runner import Door, Runner

if TYPE_CHECKING:
    from conftest import PostgresServer

PART_ON_POSTGRES = 3
"""There, so many times fewer cases are tried: what does not depend on the database has been, by then."""


@pytest.mark.parametrize('name', DOORS)
def test_commands_end_in_order_whatever_they_meet(tmp_path: Path, name: str) -> None:
    see_that_all_end_in_order(DOORS[name](tmp_path / 'door'), DOORS[name].cases_in_ci)


@pytest.mark.parametrize('name', ON_POSTGRES)
def test_they_do_on_postgresql(tmp_path: Path, postgres: PostgresServer, name: str) -> None:
    door = DOORS[name](tmp_path / 'door', f'postgresql://postgres@{postgres.host}:{postgres.port}')
    see_that_all_end_in_order(door, DOORS[name].cases_in_ci // PART_ON_POSTGRES)


def see_that_all_end_in_order(door: Door, runs: int) -> None:
    try:
        findings = Runner(door).run(iter(range(10_000)), most=runs)
    finally:
        door.tear_down()
    assert findings.faults == []
    assert findings.runs == runs
    assert findings.codes.get(0, 0) > runs // 50, 'nearly all cases fail before anything is tried'


def test_every_door_of_this_folder_is_tried() -> None:
    for path in Path(__file__).parent.glob('*.py'):
        if not path.name.startswith(('test_', 'conftest', 'run.py')):
            import_module(f'hostile.{path.stem}')
    waiting, found = [Door], []
    while waiting:
        below = waiting.pop().__subclasses__()
        waiting += below
        found += [door for door in below if door.__module__.startswith('hostile.') and 'name' in vars(door)]
    assert {door for door in found if '.test_' not in door.__module__} == set(DOORS.values())
