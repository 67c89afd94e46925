"""SIGKILL at every change that maintenance and adding make: nothing is lost, nothing stays behind.

First of a container alone, in many ways of working; then of `ricordi storage maintain --full` as a whole.
"""

from __future__ import annotations

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
from filelock import FileLock

HERE = Path(__file__).parent
LEAST_POINTS = {
    'live': 40,
    'live-compressed': 39,
    'live-in-batches': 45,
    'live-streamed': 45,
    'full': 55,
    'full-compressed': 60,
    'full-no-repack': 40,
    'full-in-batches': 80,
    'full-streamed': 70,
    'full-after-wreck': 65,
    'add': 27,
    'add-at-once': 60,
    'add-at-once-streamed': 90,
    'delete': 8,
}
"""Fewer points than this, and the trap no longer lies under all that changes files."""
LEAST_POINTS_OF_THE_COMMAND = 130
WRECKS = ('full-after-wreck',)


@pytest.fixture(scope='module')
def folder() -> Iterator[Path]:
    """A folder in memory where there is one: a process that is killed cannot tell it from a disk."""
    memory = Path('/dev/shm')
    place = Path(tempfile.mkdtemp(prefix='ricordi-crashes-', dir=memory if os.access(memory, os.W_OK) else None))
    yield place
    shutil.rmtree(place)


@pytest.fixture(scope='module')
def crash(folder: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a script of crashes in a subfolder; what they leave is read by disk-objectstore too where there is one."""
    python = os.environ.get('RICORDI_AIIDA_PYTHON')
    other = ('--other', python) if python and Path(python).exists() else ()
    environment = {**os.environ, 'PYTHONPATH': str(HERE.parent)}

    def run(script: str, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        (folder / name).mkdir()
        command = [sys.executable, HERE / script, *arguments, folder / name, *other]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    return run


@pytest.fixture(scope='module')
def crashed(
    crash: Callable[..., subprocess.CompletedProcess[str]], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Does a work on a container, crashed at each of its points: once, however many processes run the tests.

    Each by the test that comes first: all at once would take longer than a test may where the machine is slow.
    """
    shared = tmp_path_factory.getbasetemp()
    if 'PYTEST_XDIST_WORKER' in os.environ:
        shared = shared.parent

    def done(work: str) -> subprocess.CompletedProcess[str]:
        told = shared / f'crashes-{work}.json'
        with FileLock(told.with_suffix('.lock')):
            if not told.exists():
                one = crash('crash_points.py', work, work)
                told.write_text(json.dumps((one.returncode, one.stdout, one.stderr)))
        return subprocess.CompletedProcess((), *json.loads(told.read_text()))

    return done


def report(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.mark.slow
@pytest.mark.parametrize('work', LEAST_POINTS)
def test_a_crash_at_any_point_loses_nothing_and_the_next_full_maintenance_tidies_up(
    crashed: Callable[[str], subprocess.CompletedProcess[str]],
    work: str,
    record_property: Callable[[str, object], None],
) -> None:
    found = report(crashed(work))
    record_property('counted', f'{work}: killed after each of {found["points"]} changes, {found["runs"]} runs')
    assert found['runs'] == found['points']
    assert found['points'] >= LEAST_POINTS[work]


@pytest.mark.interop
@pytest.mark.slow
@pytest.mark.parametrize('work', [work for work in reversed(LEAST_POINTS) if work not in WRECKS])  # from the other end
def test_disk_objectstore_reads_all_that_a_crash_leaves(
    crashed: Callable[[str], subprocess.CompletedProcess[str]], work: str, aiida_python: str
) -> None:
    found = report(crashed(work))
    assert found['read_by_other'] == found['runs']


@pytest.mark.slow
def test_a_crash_at_any_point_of_the_command_loses_nothing_and_the_next_one_tidies_up(
    crash: Callable[..., subprocess.CompletedProcess[str]], record_property: Callable[[str, object], None]
) -> None:
    found = report(crash('crash_maintenance.py', 'maintain'))
    record_property(
        'counted', f'storage maintain --full: killed at each of {found["points"]} changes, {found["runs"]} runs'
    )
    assert found['points'] >= LEAST_POINTS_OF_THE_COMMAND
    assert found['runs'] == found['points']
    if 'RICORDI_AIIDA_PYTHON' in os.environ:
        assert found['read_by_other'] == found['runs']
