"""No archive of strangers, and no damaged row, makes a command hang, fill memory, or end in words that help nobody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hostile.archives import Archives, ArchivesOnPostgres
from hostile.damaged_rows import DamagedRows
from hostile.runner import Door, Runner

if TYPE_CHECKING:
    from conftest import PostgresServer

RUNS = 100
"""Of each door; `run.py` tries more."""


@pytest.mark.parametrize('door', [Archives, DamagedRows])
def test_commands_end_in_order_whatever_they_are_given(tmp_path: Path, door: type[Door]) -> None:
    see_that_all_end_in_order(door(tmp_path / 'door'), RUNS)


def test_commands_end_in_order_on_postgresql(tmp_path: Path, postgres: PostgresServer) -> None:
    door = ArchivesOnPostgres(tmp_path / 'door', f'postgresql://postgres@{postgres.host}:{postgres.port}')
    try:
        see_that_all_end_in_order(door, RUNS // 2)
    finally:
        door.tear_down()


def see_that_all_end_in_order(door: Door, runs: int) -> None:
    findings = Runner(door).run(iter(range(10_000)), most=runs)
    assert findings.faults == []
    assert findings.runs == runs
    assert findings.codes[0] > runs // 10, 'most cases fail before anything is tried'
