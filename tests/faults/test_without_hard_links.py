"""On a file system without hard links, as FAT and exFAT are and many network mounts, all work is done all the same."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any, NoReturn

import pytest

from prepared import DATA
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.backend.repair import RepairOrder, RepairSource, SetAside
from ricordi.config import load_config
from ricordi.folders import OpenFolder
from ricordi.progress import Run
from ricordi.repository.container.container import Container
from ricordi.services.archive.importing import ImportRequest, import_archive
from ricordi.services.backups.backup import back_up
from ricordi.services.backups.restore import restore
from ricordi.services.profiles.setup import Request, sqlite_config
from ricordi.services.storage import maintain
from ricordi.services.verify import verify_storage

NAMELESS = getattr(os, 'O_TMPFILE', 0)


@pytest.fixture(autouse=True)
def without_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hard links and files without a name are refused, with what Linux says on exFAT."""

    def refused(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    def opened(path: Any, flags: int, *more: Any, **names: Any) -> int:
        if NAMELESS and flags & NAMELESS == NAMELESS:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP), path)
        return open_file(path, flags, *more, **names)

    open_file = os.open
    monkeypatch.setattr(os, 'link', refused)
    monkeypatch.setattr(os, 'open', opened)


def test_a_profile_is_maintained_backed_up_and_restored(reference_home: Path, tmp_path: Path) -> None:
    config = load_config()
    maintain(config.get_profile('mixed'), MaintenanceOptions(full=True), wait=None)
    import_archive(config.get_profile('mixed'), DATA / 'reference.aiida', ImportRequest())
    back_up(config.get_profile('mixed'), tmp_path / 'place')
    restore(str(tmp_path / 'place'), Request('again', 'core.sqlite_dos', sqlite_config(None), None, False))
    assert verify_storage(load_config().get_profile('again')).findings == ()


def test_a_name_that_is_taken_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / 'taken').write_text('mine')
    with OpenFolder(tmp_path) as folder:
        (tmp_path / 'draft').write_text('yours')
        with pytest.raises(FileExistsError):
            folder.name_new('draft', 'taken')
        assert (tmp_path / 'taken').read_text() == 'mine'
        folder.name_new('draft', 'free')
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {'taken': 'mine', 'free': 'yours'}


def test_a_name_that_cannot_be_given_is_free_again(tmp_path: Path) -> None:
    with OpenFolder(tmp_path) as folder, pytest.raises(FileNotFoundError):
        folder.name_new('no draft', 'free')
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize('name', ['aborted_before_commit', 'aborted_after_remove'])
def test_what_a_killed_repack_has_left_gets_a_number_of_its_own(reference_home: Path, name: str) -> None:
    profile = load_config().get_profile(name)
    packs = Path(profile.storage_config['filepath']) / 'container' / 'packs'
    assert (packs / '-1').exists()
    maintain(profile, MaintenanceOptions(full=True), wait=None)
    assert not (packs / '-1').exists()
    found = verify_storage(profile)
    assert [one for one in found.findings if not one.notice] == []
    assert maintain(profile, MaintenanceOptions(full=True), wait=None).left == ()


def test_of_a_copy_for_which_there_is_no_room_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: Any, target: Any, length: int) -> NoReturn:
        target.write(source.read(2))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / '-1').write_text('objects')
    monkeypatch.setattr(shutil, 'copyfileobj', full)
    with OpenFolder(tmp_path) as folder, pytest.raises(OSError, match='No space left'):
        folder.link_or_copy('-1', '3')
    assert [path.name for path in tmp_path.iterdir()] == ['-1']


def aside(told: list[Any], container: Container) -> dict[str, bytes]:
    """What was put out of use, by the end of its name."""
    paths = [container.layout.folder / one.place for one in told if isinstance(one, SetAside)]
    return {path.name.split('-', 2)[2]: path.read_bytes() for path in paths}


def test_damaged_files_are_set_aside_by_a_repair(tmp_path: Path) -> None:
    with Container(tmp_path / 'good') as good, Container(tmp_path / 'container') as container:
        for one in (good, container):
            one.initialise()
            key = one.put_object_from_bytes(b'an object')
        Path(container.loose_path(key)).write_bytes(b'no object')
        order, source = RepairOrder((key,)), RepairSource('good', good)
        told = list(container.repair(order, [source], lambda: iter([key]), Run()))
        assert container.get_object_content(key) == b'an object'
        assert aside(told, container) == {f'loose-{key}': b'no object'}


def test_a_damaged_file_goes_aside_where_a_sound_copy_is_packed(tmp_path: Path) -> None:
    with Container(tmp_path / 'container') as container:
        container.initialise()
        (key,) = container.put_objects_into_pack([b'an object'])
        path = Path(container.loose_path(key))
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b'no object')
        told = list(container.repair(RepairOrder((key,)), [], lambda: iter([key]), Run()))
        assert aside(told, container) == {f'loose-{key}': b'no object'}
        assert not path.exists()
        assert container.get_object_content(key) == b'an object'


def test_a_damaged_index_is_set_aside_by_a_repair(tmp_path: Path) -> None:
    with Container(tmp_path / 'container') as container:
        container.initialise()
        (key,) = container.put_objects_into_pack([b'an object'])
        container.index.checkpoint()
        container.close()
        container.layout.index.write_bytes(b'no index' * 100)
        told = list(container.repair(RepairOrder(new_index=True), [], lambda: iter([key]), Run()))
        assert aside(told, container)['packs.idx'] == b'no index' * 100
        assert container.get_object_content(key) == b'an object'
