"""Root at work in the container of a user who puts links and folders of root's into it: nothing outside is touched."""

from __future__ import annotations

import hashlib
import io
import os
import random
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pytest

from other_user import reachable_folder, working_as
from ricordi.backend.maintenance import MaintenanceOptions, RepackMode
from ricordi.backend.repository import Owner
from ricordi.errors import RicordiError
from ricordi.repository.container.container import Container
from ricordi.repository.container.pack_writer import pack_to_append_to

pytestmark = pytest.mark.skipif(sys.platform != 'linux' or os.geteuid() != 0, reason='needs root')

USER = 65534
LOOSE = [b'loose %d' % number for number in range(30)]
PACKED = [b'packed %d' % number for number in range(30)]
NEW = [b'new %d' % number for number in range(30)]
LARGE = b'large' * (1 << 18)

Act = Callable[[Container], object]
Snapshot = dict[str, tuple[int, int, int, int, bytes]]


def key_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


NAMED = sorted(map(key_of, [*LOOSE, *PACKED[:20]]))
SHARD = key_of(LOOSE[0])[:2]


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder into which the user comes."""
    with reachable_folder() as folder:
        yield folder


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    """A container of the user with some of everything; `roots` beside it is a copy that belongs to root."""
    home = tmp_path / 'theirs'
    home.mkdir()
    with Container(home / 'container') as container:
        container.initialise()
        container.put_objects_into_pack(PACKED)
        for content in LOOSE:
            container.put_object_from_bytes(content)
        layout = container.layout
        (layout.duplicates / f'{key_of(PACKED[0])}.1').write_bytes(PACKED[0])
        (layout.sandbox / 'half-written').write_bytes(b'half')
        (layout.packs / '0').open('ab').write(b'a tail')
        (layout.packs / '7').write_bytes(b'a pack without rows')
        (layout.packs / '7.lock').write_bytes(b'ricordi 1')
        container.set_owner(Owner('database', 'place', True))
        container.close()
        roots = shutil.copytree(layout.folder, tmp_path / 'roots' / 'container')
        for path in (roots.parent, *roots.rglob('*')):  # so that the kernel lets a user make hard links to the files
            path.chmod(0o777 if path.is_dir() else 0o666)
        for folder, folders, files in os.walk(home):
            for name in ('.', *folders, *files):
                os.chown(Path(folder) / name, USER, USER)
        yield container


@pytest.fixture
def roots(tmp_path: Path, container: Container) -> Path:
    return tmp_path / 'roots' / 'container'


def snapshot(folder: Path) -> Snapshot:
    found = {}
    for path in (folder, *folder.rglob('*')):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else b''
        found[str(path)] = (status.st_uid, status.st_gid, status.st_mode, status.st_mtime_ns, content)
    return found


def maintain(full: bool = False, repack: RepackMode = 'auto') -> Act:
    options = MaintenanceOptions(full=full, repack=repack)
    return lambda container: container.maintain(options, lambda: iter(NAMED))


def put(container: Container) -> None:
    for content in [*NEW, LOOSE[0] + b'?']:
        container.put_object_from_bytes(content)
    container.put_object_from_filelike(io.BytesIO(LARGE))


def erase_and_make_anew(container: Container) -> None:
    container.erase()
    container.initialise()


ACTS: dict[str, Act] = {
    'put': put,
    'put into a pack': lambda container: container.put_objects_into_pack(NEW),
    'maintain live': maintain(),
    'maintain in full, and rewrite no pack': maintain(True, 'none'),
    'maintain in full': maintain(True, 'all'),
    'delete': lambda container: container.delete_objects(map(key_of, [*LOOSE, *PACKED])),
    'claim': lambda container: container.set_owner(Owner('other', 'place', True)),
    'disown': lambda container: container.set_owner(None),
    'complete': Container.complete,
    'erase and make anew': erase_and_make_anew,
}
FOLDERS = ('loose', 'packs', 'sandbox', 'duplicates', f'loose/{SHARD}', '')
FILES = ('packs/0', 'packs/7', 'packs/1.lock', 'packs/7.lock', 'packer.json', 'ricordi-database.json')
DATABASES = ('packs.idx', 'packs.idx-wal', 'packs.idx-shm', 'packs.idx-journal')


def do(act: Act, container: Container) -> None:
    """What cannot be done is said, by an error of the kinds that users are told in words."""
    try:
        with suppress(RicordiError, OSError):
            act(container)
    finally:
        container.close()


def assert_nothing_is_touched(container: Container, roots: Path) -> None:
    """Whatever is done with a container, it is not done to what belongs to root."""
    before = snapshot(roots.parent)
    for name, act in ACTS.items():
        do(act, container)
        assert snapshot(roots.parent) == before, name


def plant(name: str, kind: str, container: Container, roots: Path) -> None:
    """Put something of root's in the place of what has a name in a container, as its user can."""
    place, target = container.layout.folder / name, roots / name
    if not target.exists():
        target.write_bytes(b'of root alone')
        target.chmod(0o666)
    if place.exists():
        place.rename(place.parent / f'{place.name}-away')
    if kind == 'symbolic link':
        place.symlink_to(target)
        os.chown(place, USER, USER, follow_symlinks=False)
    else:
        place.hardlink_to(target)


@pytest.mark.parametrize('name', FOLDERS)
def test_no_folder_of_roots_is_written_to_that_a_link_leads_to(container: Container, roots: Path, name: str) -> None:
    plant(name, 'symbolic link', container, roots)
    assert_nothing_is_touched(container, roots)


@pytest.mark.parametrize('kind', ['symbolic link', 'hard link'])
@pytest.mark.parametrize('name', [*FILES, *DATABASES])
def test_no_file_of_roots_is_written_to_that_has_a_name_in_the_container(
    container: Container, roots: Path, name: str, kind: str
) -> None:
    plant(name, kind, container, roots)
    assert_nothing_is_touched(container, roots)


@pytest.mark.parametrize('kind', ['symbolic link', 'hard link'])
def test_root_appends_to_another_pack_than_one_that_may_be_planted(
    container: Container, roots: Path, kind: str
) -> None:
    (container.layout.packs / '7').unlink()
    (container.layout.packs / '7.lock').unlink()
    plant('packs/0', kind, container, roots)
    assert pack_to_append_to(container.layout, container.index, 1 << 30) == 1
    keys = container.put_objects_into_pack(NEW)
    assert [container.get_object_content(key) for key in keys] == NEW


def test_the_user_may_keep_parts_of_a_container_elsewhere(container: Container, tmp_path: Path) -> None:
    layout, disk = container.layout, tmp_path / 'disk'
    disk.mkdir()
    os.chown(disk, USER, USER)
    for folder in (layout.packs, layout.loose, layout.folder):
        shutil.move(folder, disk / folder.name)
        folder.symlink_to(disk / folder.name)
        os.chown(folder, USER, USER, follow_symlinks=False)
    put(container)
    report = container.maintain(MaintenanceOptions(full=True), lambda: iter(NAMED))
    assert (report.problem_count, report.after and report.after.loose.objects) == (0, 0)
    assert [container.get_object_content(key_of(content)) for content in LOOSE] == LOOSE


def test_what_root_writes_into_a_container_belongs_to_its_user(container: Container) -> None:
    put(container)
    container.put_objects_into_pack([b'more'])
    container.set_owner(Owner('other', 'place', True))
    assert {path.stat().st_uid for path in container.layout.folder.rglob('*') if path.name != 'packer.lock'} == {USER}


# a user who does so all the time ----------------------------------------------------------------------------------


def racing_user(container: Container, roots: Path) -> AbstractContextManager[None]:
    """The user, by a second uid, who swaps folders and files of the container for links to those of root."""

    def swap() -> None:
        chance = random.Random(1)
        while True:
            swap_all(container.layout.folder, roots, chance)

    return working_as(USER, swap)


def swap_all(folder: Path, roots: Path, chance: random.Random) -> None:
    """Each of them in turn; what is there for a moment, is there for long enough to be met now and then."""
    for name in (*FOLDERS, *FILES):
        place, aside = folder / name, folder.parent / 'aside'
        with suppress(OSError):
            place.rename(aside)
        for how in (place.symlink_to, place.hardlink_to):
            with suppress(OSError):
                how(roots / name)
            time.sleep(chance.uniform(0, 0.003))
            with suppress(OSError):
                place.unlink()
        with suppress(OSError):
            aside.rename(place)
        time.sleep(chance.uniform(0, 0.003))
        with suppress(OSError):  # root made another one meanwhile
            shutil.rmtree(aside) if aside.is_dir() else aside.unlink()


def test_root_beside_a_user_who_swaps_folders_all_the_time_touches_nothing_outside(
    container: Container, roots: Path
) -> None:
    before = beside_journals(roots)
    with racing_user(container, roots):
        for number in range(6):
            for name, act in ACTS.items():
                if name != 'erase and make anew' or number == 5:
                    with suppress(sqlite3.Error):
                        do(act, container)
    assert beside_journals(roots) == before


def beside_journals(roots: Path) -> Snapshot:
    """What there is of root's, but for the journals of an index, and the time that they give to their folder.

    SQLite opens them by their path when it likes. Who swaps the folder in that instant makes it create an empty one
    elsewhere; what is there already it is kept from, as the tests above show.
    """
    journals = {str(roots / name) for name in DATABASES if name != 'packs.idx'}
    found = {path: state for path, state in snapshot(roots.parent).items() if path not in journals}
    owner, group, mode, _, content = found[str(roots)]
    return {**found, str(roots): (owner, group, mode, 0, content)}
