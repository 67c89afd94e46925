"""SIGKILL at the changes that a restore makes: a whole profile or none, and the next one ends well and tidies up."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from faults.trap import killed
from ricordi.config import load_config
from ricordi.manager import use_storage
from ricordi.repository.container import known
from ricordi.services.backups.restore import restore
from ricordi.services.profiles.setup import Request, sqlite_config
from ricordi.storage.snapshots.sqlite import fill

DATA = Path(__file__).parents[1] / 'data'
LEAST_POINTS = 60
"""Fewer points than this, and the trap no longer lies under all that changes files."""
STEP = 3
"""One in so many is killed here, which takes a third of the time; each of them was when this was written."""
assert all((known, fill))  # imported here, before the forks


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in memory where there is one: a process that is killed cannot tell it from a disk."""
    memory = Path('/dev/shm')
    place = Path(tempfile.mkdtemp(prefix='ricordi-restores-', dir=memory if os.access(memory, os.W_OK) else None))
    monkeypatch.setenv('AIIDA_PATH', str(place / 'home' / '.aiida'))
    yield place
    shutil.rmtree(place)


def check_whole(name: str) -> None:
    """See that a profile holds all that was backed up."""
    with use_storage(load_config().get_profile(name)) as storage:
        keys = list(storage.named_keys())
        assert len(keys) == 23
        assert all(storage.repository.get_object_hash(key) == key for key in keys)
        assert storage.count_nodes(storage.profile) == 74  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_restore_that_is_killed_leaves_a_whole_profile_or_none_and_the_next_one_tidies_up(
    folder: Path, record_property: Callable[[str, object], None]
) -> None:
    with tarfile.open(DATA / 'verdi_backup_sqlite.tar.gz') as archive:
        archive.extractall(folder, filter='data')
    backup = str(folder / 'verdi_backup_sqlite')

    def work(name: str = 'first') -> None:
        restore(backup, Request(name, 'core.sqlite_dos', sqlite_config(None), None))

    for point in count(1, STEP):
        shutil.rmtree(folder / 'home', ignore_errors=True)
        died, _ = killed(work, point)
        if not died:
            break
        survived = load_config(create=True).profile_names
        assert survived in ([], ['first']), f'killed at change {point}'
        work('second')
        for name in load_config().profile_names:
            check_whole(name)
        left = {str(path) for path in (folder / 'home' / '.aiida' / 'repository').iterdir()}
        assert left == {profile.storage_config['filepath'] for profile in load_config().profiles}, f'change {point}'
    assert point > LEAST_POINTS
    record_property('counted', f'restore: killed at one in {STEP} of some {point} changes')
