"""No archive of strangers, and no damaged row, makes a command hang, fill memory, or end in words that help nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostile.archives import Archives
from hostile.damaged_rows import DamagedRows
from hostile.runner import Door, Runner

RUNS = 100
"""Of each door; `run.py` tries more."""


@pytest.mark.parametrize('door', [Archives, DamagedRows])
def test_commands_end_in_order_whatever_they_are_given(tmp_path: Path, door: type[Door]) -> None:
    runner = Runner(door(tmp_path / 'door'))
    findings = runner.run(iter(range(10_000)), most=RUNS)
    assert findings.faults == []
    assert findings.runs == RUNS
    assert findings.codes[0] > RUNS // 10, 'most cases fail before anything is tried'
