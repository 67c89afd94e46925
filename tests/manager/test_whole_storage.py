"""What is done to a whole storage, and who is kept out meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ricordi.access import ProfileAccessManager
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.config import Profile, load_config
from ricordi.errors import InvalidOperation, LockingProfileError
from ricordi.manager import (
    get_manager,
    initialise_storage,
    lock_profile,
    maintain_storage,
    migrate_storage,
    storage_class,
    use_storage,
)
from ricordi.progress import Progress, Run, Unit

FULL = MaintenanceOptions(full=True)
LIVE = MaintenanceOptions()

USER = (
    'from ricordi.config import load_config; from ricordi.manager import use_storage\n'
    "with use_storage(load_config().get_profile('mixed')): print('in', flush=True); input()"
)


class Witness(Progress):
    """Sees who holds the profile whenever a step begins."""

    def __init__(self, profile: Profile) -> None:
        self.access = ProfileAccessManager(profile)
        self.seen: set[tuple[str, str]] = set()

    def begin(self, step: str, total: int | None, unit: Unit = 'bytes') -> None:
        self.seen.update((holder.kind, holder.purpose) for holder in self.access.holders())


def files_of(folder: Path) -> dict[str, tuple[int, int]]:
    """What is there but the records of who uses it."""
    files = [path for path in folder.rglob('*') if path.is_file() and path.parent.name != 'ricordi.access']
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in files}


@pytest.fixture
def mixed(reference_home: Path) -> Profile:
    return load_config().get_profile('mixed')


def test_full_maintenance_holds_the_lock_throughout(mixed: Profile) -> None:
    witness = Witness(mixed)
    maintain_storage(mixed, FULL, run=Run(witness))
    assert witness.seen == {('lock', 'storage maintain, full')}
    assert witness.access.holders() == []


def test_live_maintenance_runs_beside_others(mixed: Profile) -> None:
    witness = Witness(mixed)
    with use_storage(mixed, purpose='reading'):
        report = maintain_storage(mixed, LIVE, run=Run(witness))
    assert report.after is not None
    assert {kind for kind, _ in witness.seen} <= {'access'}


def test_full_maintenance_is_refused_while_others_use_the_profile(mixed: Profile, reference_home: Path) -> None:
    before = files_of(reference_home / 'repository' / 'mixed')
    with subprocess.Popen(
        [sys.executable, '-c', USER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as user:
        assert user.stdout is not None
        assert user.stdout.readline() == 'in\n'
        with pytest.raises(LockingProfileError, match=f'process {user.pid} '):
            maintain_storage(mixed, FULL)
        assert files_of(reference_home / 'repository' / 'mixed') == before
        maintain_storage(mixed, LIVE)
        user.communicate('\n')
    assert maintain_storage(mixed, FULL, wait=240).after is not None


@pytest.mark.parametrize('full', [True, False])
def test_a_dry_run_writes_nothing_and_needs_no_lock(mixed: Profile, reference_home: Path, full: bool) -> None:
    before = files_of(reference_home / 'repository' / 'mixed')
    with use_storage(mixed):
        report = maintain_storage(mixed, MaintenanceOptions(full=full, dry_run=True))
    assert report.steps
    assert files_of(reference_home / 'repository' / 'mixed') == before


def test_full_maintenance_of_the_profile_that_is_loaded_here(mixed: Profile) -> None:
    manager = get_manager()
    manager.load_profile(mixed)
    try:
        manager.get_profile_storage()
        maintain_storage(mixed, FULL)
        assert ProfileAccessManager(mixed).is_active()
        assert manager.get_profile_storage().get_info()
    finally:
        manager.unload_profile()


def test_migrating_what_is_at_the_head_changes_nothing(mixed: Profile) -> None:
    kind = storage_class(mixed)
    migrate_storage(mixed)
    assert kind.version_profile(mixed) == kind.version_head()
    with use_storage(mixed), pytest.raises(InvalidOperation):
        initialise_storage(mixed)


def test_a_storage_is_initialised_once(empty_home: Path, tmp_path: Path) -> None:
    profile = Profile(
        'new', {'storage': {'backend': 'core.sqlite_dos', 'config': {'filepath': str(tmp_path / 'storage')}}}
    )
    initialise_storage(profile)
    with use_storage(profile) as storage:
        assert storage.version() == storage.version_head()
        assert list(storage.named_keys()) == []
    with pytest.raises(InvalidOperation):
        initialise_storage(profile)


def test_a_postgresql_storage_is_guarded_in_the_database_too(
    empty_home: Path, tmp_path: Path, postgres: object, new_database: Callable[[], str]
) -> None:
    config = postgres.storage_config(new_database(), tmp_path / 'repository')  # type: ignore[attr-defined]
    profile = Profile('new', {'storage': {'backend': 'core.psql_dos', 'config': config}})
    initialise_storage(profile)
    elsewhere = {**os.environ, 'AIIDA_PATH': str(tmp_path / 'another host')}
    code = (
        'import sys, json; from ricordi.config import Profile; from ricordi.manager import use_storage\n'
        "profile = Profile('other name', json.loads(sys.argv[1]))\n"
        "with use_storage(profile): print('in', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, '-c', code, json.dumps(profile.dictionary)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=elsewhere,
    ) as user:
        assert user.stdout is not None
        assert user.stdout.readline() == 'in\n'
        with pytest.raises(LockingProfileError, match=f'process {user.pid} '), lock_profile(profile, 'testing'):
            pass
        lock = ProfileAccessManager(
            Profile('elsewhere', {'storage': {'backend': 'core.sqlite_temp', 'config': {}}})
        ).lock
        guard = storage_class(profile).full_guard
        with pytest.raises(LockingProfileError, match='database session'), lock(guards=[lambda: guard(profile)]):
            pass
        user.communicate('\n')
    with lock_profile(profile, 'testing', wait=240):
        pass
    assert maintain_storage(profile, FULL, wait=240).problem_count == 0
