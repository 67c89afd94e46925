"""Which folders become backup repositories, and which are refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from backup.conftest import ORIGIN, FewRows
from ricordi.backup.repository import BackupRepository
from ricordi.errors import CorruptStorage, NoBackupRepository, StorageError
from ricordi.manager import open_backup
from ricordi.repository.container.container import Container


def test_a_new_or_an_empty_folder_becomes_one(tmp_path: Path) -> None:
    (tmp_path / 'empty').mkdir()
    for place in (tmp_path / 'new' / 'below', tmp_path / 'empty'):
        with open_backup(place, create=True) as made, open_backup(place) as again:
            assert made.id == again.id
            assert again.snapshots() == []
            assert sorted(path.name for path in place.iterdir()) == [
                'container',
                'repository.json',
                'ricordi.lock',
                'snapshots',
            ]


def test_one_that_is_moved_is_the_same(backups: BackupRepository, tmp_path: Path) -> None:
    backups.place.folder.rename(tmp_path / 'moved')
    with open_backup(tmp_path / 'moved') as moved:
        assert moved.id == backups.id


def test_what_stands_in_the_place_of_its_lock_is_named(backups: BackupRepository) -> None:
    lock = backups.place.folder / 'ricordi.lock'
    lock.unlink(missing_ok=True)
    for plant, words in ((lock.mkdir, 'a folder'), (lambda: lock.symlink_to('nowhere'), 'a symbolic link')):
        plant()
        with pytest.raises(CorruptStorage, match=f'ricordi.lock: {words} stands in the place of that file: remove it'):
            backups.forget([])
        lock.rmdir() if words == 'a folder' else lock.unlink()
    assert backups.forget([]).trouble == ''


def test_a_folder_that_holds_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    other = tmp_path / 'other'
    other.mkdir()
    (other / 'thesis.tex').write_text('dear')
    message = r"holds something else \('thesis.tex'\)"
    with pytest.raises(NoBackupRepository, match=message), open_backup(other, create=True):
        pass
    assert [path.name for path in other.iterdir()] == ['thesis.tex']
    with pytest.raises(NoBackupRepository, match='no folder'), open_backup(other / 'thesis.tex', create=True):
        pass


def test_where_there_is_none_nothing_is_made_for_who_only_looks(tmp_path: Path) -> None:
    with pytest.raises(NoBackupRepository, match=r'repository\.json is not there'), open_backup(tmp_path / 'gone'):
        pass
    assert not (tmp_path / 'gone').exists()


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (json.dumps({'format': 2, 'id': 'x'}), 'form 2; this program knows 1: use a newer'),
        (json.dumps({'version': 2, 'id': 'restic'}), 'not that of a backup repository'),
        ('no JSON', 'not that of a backup repository'),
    ],
)
def test_a_foreign_or_a_newer_form_is_refused(backups: BackupRepository, content: str, message: str) -> None:
    backups.place.description.write_text(content)
    for create in (False, True):
        with (
            pytest.raises(NoBackupRepository, match=message),
            open_backup(backups.place.folder, create=create),
        ):
            pass


def test_a_newer_form_of_a_snapshot_is_refused(
    backups: BackupRepository, source: Container, nodes: dict[int, str]
) -> None:
    import hashlib

    record = backups.take(FewRows(nodes), source, ORIGIN)
    old = backups.place.snapshots / f'{record.name}.json'
    newer = old.read_bytes().replace(b'"format": 1', b'"format": 2')
    name = f'{record.name[:17]}{hashlib.sha256(newer).hexdigest()[:12]}'
    (backups.place.snapshots / f'{name}.json').write_bytes(newer)
    old.unlink()
    with pytest.raises(StorageError, match='use a newer Ricordi'):
        backups.find(name)
    assert 'newer' in backups.forget([]).trouble


@pytest.mark.parametrize('content', [None, b'', b'no JSON', b'[]'])
@pytest.mark.parametrize('create', [False, True])
def test_one_that_lost_its_description_is_neither_read_nor_made_anew(
    backups: BackupRepository, source: Container, nodes: dict[int, str], content: bytes | None, create: bool
) -> None:
    backups.take(FewRows(nodes), source, ORIGIN)
    backups.place.description.unlink()
    if content is not None:
        backups.place.description.write_bytes(content)
    with (
        pytest.raises(CorruptStorage, match='its description is gone'),
        open_backup(backups.place.folder, create=create),
    ):
        pass
    assert backups.place.description_fault()
    backups.place.describe(backups.objects)
    with open_backup(backups.place.folder) as again:
        assert again.names() == backups.names()
        assert again.forget([]).trouble == ''  # the store is known as its own


def test_objects_without_snapshots_show_no_backup_repository(
    backups: BackupRepository, source: Container, nodes: dict[int, str]
) -> None:
    record = backups.take(FewRows(nodes), source, ORIGIN)
    (backups.place.snapshots / f'{record.name}.json').write_bytes(b'{}')
    backups.place.description.unlink()
    assert backups.place.description_fault() == ''
    with pytest.raises(CorruptStorage, match='bring that file back'), open_backup(backups.place.folder, create=True):
        pass


def test_a_place_that_may_only_be_read_is_read(
    backups: BackupRepository, source: Container, nodes: dict[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = backups.take(FewRows(nodes), source, ORIGIN)

    def refuse(*arguments: object) -> object:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr('ricordi.access.kernel.OpenFolder.open', refuse)
    with open_backup(backups.place.folder) as reading, reading.held():
        assert list(reading.database(record).named_keys()) == sorted(nodes.values())
