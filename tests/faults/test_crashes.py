"""SIGKILL at every change that maintenance and adding make to a container: nothing is lost, nothing stays behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
LEAST_POINTS = {
    'live': 40,
    'live-compressed': 40,
    'live-in-batches': 45,
    'live-streamed': 45,
    'full': 55,
    'full-compressed': 60,
    'full-no-repack': 40,
    'full-in-batches': 80,
    'full-streamed': 70,
    'full-after-wreck': 65,
    'add': 28,
    'add-at-once': 60,
    'add-at-once-streamed': 90,
    'delete': 14,
}
"""Fewer points than this, and the trap no longer lies under all that changes files."""
WRECKS = ('full-after-wreck',)


@pytest.fixture(scope='module')
def folder() -> Iterator[Path]:
    """A folder in memory where there is one: a process that is killed cannot tell it from a disk."""
    memory = Path('/dev/shm')
    place = Path(tempfile.mkdtemp(prefix='ricordi-crashes-', dir=memory if os.access(memory, os.W_OK) else None))
    yield place
    shutil.rmtree(place)


@pytest.fixture(scope='module')
def crashes(folder: Path) -> dict[str, subprocess.CompletedProcess[str]]:
    """All works, each crashed at each of its points."""

    def crash(work: str) -> subprocess.CompletedProcess[str]:
        (folder / work / 'kept').mkdir(parents=True)
        command = [sys.executable, HERE / 'crash_points.py', work, folder / work, '--keep', folder / work / 'kept']
        return subprocess.run(command, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(os.cpu_count()) as executor:
        return dict(zip(LEAST_POINTS, executor.map(crash, LEAST_POINTS), strict=True))


def report(crashes: dict[str, subprocess.CompletedProcess[str]], work: str) -> dict[str, Any]:
    assert crashes[work].returncode == 0, crashes[work].stderr
    return json.loads(crashes[work].stdout)  # type: ignore[no-any-return]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize('work', LEAST_POINTS)
def test_a_crash_at_any_point_loses_nothing_and_the_next_full_maintenance_tidies_up(
    crashes: dict[str, subprocess.CompletedProcess[str]], work: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = report(crashes, work)
    with capsys.disabled():
        print(f'\n{work}: killed before and after each of {found["points"]} changes, {found["runs"]} runs')
    assert found['runs'] == 2 * found['points']
    assert found['points'] >= LEAST_POINTS[work]


@pytest.mark.interop
@pytest.mark.timeout(1200)
@pytest.mark.parametrize('work', [work for work in LEAST_POINTS if work not in WRECKS])
def test_disk_objectstore_reads_what_a_crash_leaves(
    crashes: dict[str, subprocess.CompletedProcess[str]], work: str, folder: Path, aiida_python: str
) -> None:
    kept = report(crashes, work)['kept']
    assert len(kept) > 5
    (folder / work / 'list.json').write_text(json.dumps(kept))
    done = subprocess.run(
        [aiida_python, HERE / 'read_by_disk_objectstore.py', folder / work / 'list.json', folder / work / 'kept'],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
