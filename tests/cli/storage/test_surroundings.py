"""No storage and no backup is put into what another storage, or a backup, keeps."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from ricordi.config import load_config

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def backup(run_here: Run, reference_home: Path, tmp_path: Path) -> Path:
    """A backup repository of the profile `loose`."""
    place = tmp_path / 'backup'
    assert run_here('-p', 'loose', 'storage', 'backup', place).returncode == 0
    return place


@pytest.fixture
def storage(run_here: Run, reference_home: Path, tmp_path: Path) -> Path:
    """The folder of the storage of a profile `outer`."""
    folder = tmp_path / 'storage'
    setup = run_here(*setup_in(folder, 'outer'))
    assert setup.returncode == 0, setup.stderr
    return folder


def setup_in(folder: Path, name: str = 'new') -> tuple[str, ...]:
    words = ('--email', 'a@b.ch', '--filepath', str(folder), '-n')
    return ('profile', 'setup', 'core.sqlite_dos', '-p', name, *words)


def commands(folder: Path, backup: Path) -> dict[str, tuple[str, ...]]:
    """What would put a storage, or a backup, into a folder."""
    return {
        'setup': setup_in(folder),
        'restore': ('storage', 'restore', str(backup), 'new', '--filepath', str(folder)),
        'backup': ('-p', 'mixed', 'storage', 'backup', str(folder)),
    }


def everything_in(*folders: Path) -> set[Path]:
    return {path for folder in folders for path in folder.rglob('*') if path.suffix not in ('.lock', '.access')}


@pytest.mark.parametrize('verb', ['setup', 'restore', 'backup'])
@pytest.mark.parametrize('inner', ['inside', 'container/inside', 'container/packs'])
def test_nothing_is_put_into_a_storage(
    run_here: Run, storage: Path, backup: Path, verb: str, inner: str, tmp_path: Path
) -> None:
    before = everything_in(storage)
    done = run_here(*commands(storage / inner, backup)[verb])
    assert done.returncode == 2
    assert f'lies in the {"container" if "/" in inner else "storage"} {storage}' in done.stderr
    assert everything_in(storage) == before
    (tmp_path / 'link').symlink_to(storage)
    assert run_here(*commands(tmp_path / 'link' / inner, backup)[verb]).returncode == 2
    assert 'new' not in load_config().profile_names


@pytest.mark.parametrize('verb', ['setup', 'restore', 'backup'])
def test_nothing_is_put_into_a_backup(run_here: Run, storage: Path, backup: Path, verb: str) -> None:
    done = run_here(*commands(backup / 'inside', backup)[verb])
    assert (done.returncode, f'lies in the backup repository {backup}' in done.stderr) == (2, True)


@pytest.mark.parametrize('verb', ['setup', 'restore'])
def test_a_backup_is_no_place_for_a_storage(run_here: Run, storage: Path, backup: Path, verb: str) -> None:
    done = run_here(*commands(backup, backup)[verb])
    assert (done.returncode, f'{backup} is a backup repository' in done.stderr) == (2, True)


def test_a_place_that_has_snapshots_takes_more_wherever_it_lies(run_here: Run, storage: Path, backup: Path) -> None:
    inner = storage / 'backups'
    shutil.copytree(backup, inner)
    assert run_here('-p', 'loose', 'storage', 'backup', inner).returncode == 0
    assert run_here('-p', 'loose', 'storage', 'backup', storage / 'others').returncode == 2


def test_a_container_is_no_place_for_a_storage(run_here: Run, storage: Path, backup: Path) -> None:
    done = run_here(*setup_in(storage / 'container'))
    assert (done.returncode, f'{storage}/container is a container' in done.stderr) == (2, True)


def test_objects_are_not_moved_to_where_others_are(
    run_here: Run, psql_profile: str, storage: Path, backup: Path, tmp_path: Path
) -> None:
    odd = tmp_path / 'odd'
    odd.mkdir()
    (odd / 'database.sqlite').touch()
    refused = {
        storage / 'inside': f'lies in the storage {storage}',
        storage / 'container': f'{storage}/container is a container',
        storage: "has the objects of profile 'outer'",
        backup: f'{backup} is a backup repository',
        backup / 'container' / 'packs': f'lies in the container {backup}/container',
        odd: 'has the database of another storage',
    }
    for place, reason in refused.items():
        done = run_here('storage', 'move', psql_profile, '--to', place, '--dry-run')
        assert (done.returncode, reason in done.stderr) == (2, True), done.stderr


def test_a_storage_that_is_there_may_get_another_profile(run_here: Run, storage: Path) -> None:
    done = run_here(*setup_in(storage))
    assert (done.returncode, 'on the storage that was there already' in done.stderr) == (0, True)


def test_nothing_goes_of_what_is_refused(run_here: Run, storage: Path, backup: Path) -> None:
    before = everything_in(storage, backup)
    for folder in (storage / 'container', backup):
        assert run_here(*setup_in(folder)).returncode == 2
    assert everything_in(storage, backup) == before
