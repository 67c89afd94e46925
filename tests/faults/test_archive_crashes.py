"""SIGKILL at every change that writing or importing an archive makes: profile and file are the old or the new."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LEAST_POINTS = {'create': 15, 'import': 35, 'create-by-workers': 15}
"""Fewer points than this, and the trap no longer lies under all that changes files."""
RUNS = {'create': 2, 'import': 1, 'create-by-workers': 1}
"""How often the work is killed after each change: also where an old archive is there."""


@pytest.mark.slow
@pytest.mark.parametrize('work', LEAST_POINTS)
def test_an_archive_is_written_or_imported_as_a_whole_or_not_at_all(
    work: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    done = subprocess.run(
        [sys.executable, HERE / 'crash_archives.py', work, tmp_path],
        env={**os.environ, 'PYTHONPATH': str(HERE.parent)},
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    record_property('counted', f'archive {work}: killed after each of {told["points"]} changes, {told["runs"]} runs')
    assert told['points'] >= LEAST_POINTS[work]
    assert told['runs'] == RUNS[work] * told['points']
