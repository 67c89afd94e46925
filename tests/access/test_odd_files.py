"""What stands in the place of a record or lock file and is none, and root at work among the links of a user."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pytest

from other_user import reachable_folder, working_as
from ricordi.access import ProfileAccessManager
from ricordi.access.state import state_of
from ricordi.cli import main
from ricordi.errors import ConfigurationError
from ricordi.files import write_atomic
from ricordi.remedies import Remedy

USER = 65534
PLANTED = 'planted'
"""A file that the user makes where something could be planted."""
NAMES = ('7.lock', '7.pid', 'ricordi.guard')


def put(path: Path, kind: str) -> None:
    if kind == 'folder':
        path.mkdir()
    elif kind == 'pipe':
        os.mkfifo(path)
    else:
        path.symlink_to('/nowhere/at/all')


@pytest.mark.parametrize('kind', ['folder', 'pipe', 'link'])
def test_what_is_no_record_is_told_and_cleared(access: ProfileAccessManager, records: Path, kind: str) -> None:
    for name in NAMES:
        put(records / name, kind)
    assert {holder.path for holder in access.holders()} == {records / name for name in NAMES}
    assert {holder.state for holder in access.holders()} == {'stale'}
    assert {holder.path for holder in access.clear_locks()} == {records / name for name in NAMES}
    assert access.holders() == []
    with access.lock():
        pass


@pytest.mark.parametrize('name', NAMES)
def test_a_folder_with_something_in_it_is_named_and_left(
    access: ProfileAccessManager, records: Path, name: str
) -> None:
    (records / name).mkdir()
    (records / name / 'thesis').touch()
    with pytest.raises(ConfigurationError, match=name):
        access.clear_locks()
    assert (records / name / 'thesis').exists()


def test_a_folder_in_the_place_of_the_lock_file_tells_the_way_out(access: ProfileAccessManager, records: Path) -> None:
    (records / 'ricordi.guard').mkdir()
    with pytest.raises(ConfigurationError, match='clear what stands there') as caught:
        access.request_access()
    assert caught.value.remedy == Remedy('clear access records')


def racing_user(home: Path, victim: Path) -> AbstractContextManager[None]:
    """A user, by a second uid, who puts links and pipes where root is about to write, all the time."""
    return working_as(USER, lambda: _plant(home, victim))


def _plant(home: Path, victim: Path) -> None:
    parent, tag = os.getppid(), _tag()
    records, container = home / 'access' / 'p', home / 'store' / 'container'
    stems = [f'{parent}.pid', f'{parent}.lock', f'{parent}.{tag}.pid.json', f'{parent}.{tag}.lock.json']
    targets = [records / f'{stem}{end}' for stem in stems for end in ('', '.tmp')]
    targets += [records / f'{parent}.{tag}.{kind}.tmp' for kind in ('pid', 'lock')]
    targets += [container / 'ricordi.access' / f'{stem}.tmp' for stem in stems[2:]]
    targets += [records / 'ricordi.guard', container / 'ricordi.gate', container / 'packer.json']
    targets += [home / '.config.json.ricordi-lock', home / 'log' / 'ricordi-maintenance-p.json']
    while True:
        for target in targets:
            for plant in (target.symlink_to, target.hardlink_to):
                with suppress(OSError):
                    target.unlink()
                with suppress(OSError):
                    plant(victim)
                    (home / PLANTED).touch()
            with suppress(OSError):
                target.unlink()
        for folder in (records, home / 'log'):  # and now and then another folder altogether
            with suppress(OSError):
                folder.rename(folder.with_name(f'{folder.name}-away'))
                folder.symlink_to(victim.parent)
                folder.unlink()
            with suppress(OSError):
                folder.with_name(f'{folder.name}-away').rename(folder)


def _tag() -> str:
    from ricordi.access.process import Machine

    return Machine.here().tag


def belongings(folder: Path) -> dict[str, tuple[int, ...]]:
    found = {}
    for path in (folder, *folder.iterdir()):
        status = path.lstat()
        found[path.name] = (status.st_uid, status.st_gid, status.st_mode, status.st_size)
    return found


@pytest.mark.skipif(sys.platform != 'linux' or os.geteuid() != 0, reason='needs root')
def test_root_in_the_folder_of_a_user_who_plants_links_touches_nothing_outside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with reachable_folder() as folder:
        home, outside = folder / '.aiida', folder / 'roots'
        outside.mkdir()
        outside.chmod(0o777)
        victim = outside / 'victim'
        victim.write_text('of root alone')
        victim.chmod(0o666)  # so that the kernel lets a user make hard links to it
        monkeypatch.setenv('AIIDA_PATH', str(home))
        setup = ['profile', 'setup', 'core.sqlite_dos', '-n', '--profile-name', 'p', '--email', 'a@b.c']
        assert main.run([*setup, '--filepath', str(home / 'store')]) == 0
        for place, folders, files in os.walk(home):
            for name in ('.', *folders, *files):
                os.chown(Path(place) / name, USER, USER, follow_symlinks=False)
        before = belongings(outside)
        with racing_user(home, victim):
            for _ in range(6):
                for words in (
                    ['storage', 'info'],
                    ['storage', 'maintain', '--full', '--yes'],
                    ['profile', 'set-default', 'p'],
                    ['storage', 'unlock', '--yes'],
                ):
                    main.run(words)
        assert victim.read_text() == 'of root alone'
        assert belongings(outside) == before
        assert (home / PLANTED).exists()


@pytest.mark.skipif(sys.platform != 'linux' or os.geteuid() != 0, reason='needs root')
def test_where_a_link_of_a_user_led_for_a_moment_root_makes_no_lock_file(records: Path, tmp_path: Path) -> None:
    away, outside = records.with_name('away'), tmp_path / 'roots'
    outside.mkdir()
    os.chown(records, USER, USER)
    records.rename(away)
    records.symlink_to(outside)
    os.chown(records, USER, USER, follow_symlinks=False)
    state = state_of(records)
    records.unlink()
    away.rename(records)
    assert state.kernel.acquire('shared')
    state.kernel.release()
    assert list(outside.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason='needs root')
@pytest.mark.parametrize('end', ['pid.tmp', 'pid.json.tmp'])
@pytest.mark.parametrize('plant', ['symlink_to', 'hardlink_to'])
def test_root_writes_no_draft_of_a_record_through_a_link_that_waits_there(
    access: ProfileAccessManager, records: Path, tmp_path: Path, end: str, plant: str
) -> None:
    victim = tmp_path / 'victim'
    victim.write_text('of root alone')
    os.chown(records, USER, USER)
    draft = records / f'{os.getpid()}.{_tag()}.{end}'
    getattr(draft, plant)(victim)
    if plant == 'symlink_to':
        os.chown(draft, USER, USER, follow_symlinks=False)
    access.request_access()
    access.release()
    assert victim.read_text() == 'of root alone'
    assert victim.stat().st_uid == 0


@pytest.mark.skipif(os.geteuid() != 0, reason='needs root')
@pytest.mark.parametrize('name', ['.config.json.ricordi-lock', 'access/p/ricordi.guard'])
@pytest.mark.parametrize('plant', ['symlink_to', 'hardlink_to'])
def test_root_gives_away_no_file_that_a_link_in_the_place_of_a_lock_leads_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, plant: str
) -> None:
    home, victim = tmp_path / '.aiida', tmp_path / 'victim'
    victim.write_text('of root alone')
    monkeypatch.setenv('AIIDA_PATH', str(home))
    assert main.run(['presto', '-p', 'p', '--email', 'a@b.c']) == 0
    for folder, _, _ in os.walk(home):
        os.chown(folder, USER, USER)
    os.chown(home / 'config.json', USER, USER)
    (home / name).unlink(missing_ok=True)
    getattr(home / name, plant)(victim)
    for words in (['user', 'set-default', 'a@b.c'], ['profile', 'set-default', 'p'], ['storage', 'info']):
        main.run(words)
    assert victim.read_text() == 'of root alone'
    assert victim.stat().st_uid == 0


@pytest.mark.skipif(os.geteuid() != 0, reason='needs root')
def test_root_writes_what_belongs_to_the_user_and_follows_no_link_of_theirs(tmp_path: Path) -> None:
    folder, roots = tmp_path / 'theirs', tmp_path / 'roots'
    folder.mkdir()
    roots.mkdir()
    os.chown(folder, USER, USER)
    write_atomic(folder / 'note', b'x')
    assert (folder / 'note').stat().st_uid == USER
    (folder / 'link').symlink_to(roots)
    os.chown(folder / 'link', USER, USER, follow_symlinks=False)
    with pytest.raises(PermissionError):
        write_atomic(folder / 'link' / 'note', b'x')
    assert list(roots.iterdir()) == []
