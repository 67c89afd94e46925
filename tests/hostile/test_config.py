"""No configuration file makes a command hang, or end in words that help nobody."""

from __future__ import annotations

from pathlib import Path

from hostile.configurations import Configurations
from hostile.runner import Runner

RUNS = 60
"""`run.py` tries more."""


def test_commands_end_in_order_whatever_they_meet(tmp_path: Path) -> None:
    findings = Runner(Configurations(tmp_path / 'door')).run(iter(range(10_000)), most=RUNS)
    assert findings.faults == []
    assert findings.runs == RUNS
