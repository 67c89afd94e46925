"""On a file system without hard links, as FAT and exFAT are and many network mounts, all work is done all the same."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any, NoReturn

import pytest

from prepared import DATA
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.config import load_config
from ricordi.folders import OpenFolder
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
