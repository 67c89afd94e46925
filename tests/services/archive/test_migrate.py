"""Archives of older versions are brought to the current one whole, and can be imported as they are."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from pathlib import Path

import pytest

from ricordi.config import Profile
from ricordi.errors import IncompatibleStorageSchema, StorageMigrationError, UsageError
from ricordi.manager import use_storage
from ricordi.remedies import Remedy
from ricordi.repository.limits import Limits
from ricordi.services.archive.importing import ImportRequest, import_archive
from ricordi.services.archive.info import archive_profile
from ricordi.services.archive.migrate import migrate_archive
from services.archive.tools import REFERENCE, Members, changed, everything

OLD = """
PRAGMA foreign_keys = OFF;
PRAGMA writable_schema = ON;
UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '') WHERE type = 'table' AND name <> 'db_dblink';
PRAGMA writable_schema = RESET;
"""
HOLES = """
UPDATE db_dbuser SET first_name = NULL, institution = NULL;
UPDATE db_dbnode SET description = NULL WHERE id = 1;
UPDATE db_dblog SET metadata = NULL;
UPDATE db_dbgroup SET description = NULL WHERE id = 1;
INSERT INTO db_dbcomment (id, uuid, dbnode_id, ctime, mtime, user_id, content)
    VALUES (99, '11111111-1111-4111-8111-111111111111', NULL, NULL, NULL, 1, 'of a node that was deleted');
"""


def as_version(version: str, path: Path, holes: bool = False) -> Path:
    """The reference archive as an older version had it: fewer constraints, and values missing."""

    def make_old(db: sqlite3.Connection) -> None:
        db.executescript(OLD + (HOLES if holes else ''))

    def tell_version(members: Members) -> None:
        metadata = json.loads(members['metadata.json'])
        members['metadata.json'] = json.dumps({**metadata, 'export_version': version}).encode()

    return changed(path, make_old if version in ('main_0000', 'main_0000a') else None, tell_version)


@pytest.mark.parametrize('version', ['main_0000', 'main_0000a', 'main_0000b'])
def test_nothing_is_lost_by_a_migration(tmp_path: Path, version: str) -> None:
    source, target = as_version(version, tmp_path / 'old.aiida'), tmp_path / 'new.aiida'
    done = migrate_archive(source, target)
    assert (done.before, done.after, done.changed) == (version, 'main_0001', True)
    assert everything(target) == everything(REFERENCE)
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[:2] == ['metadata.json', 'db.sqlite3']
        metadata = json.loads(archive.read('metadata.json'))
    assert metadata['export_version'] == 'main_0001'
    assert f'from version {version} to main_0001' in metadata['conversion_info'][-1]


def test_values_that_are_missing_are_filled_in_and_orphans_go(tmp_path: Path) -> None:
    migrate_archive(as_version('main_0000', tmp_path / 'old.aiida', holes=True), tmp_path / 'new.aiida')
    found, whole = everything(tmp_path / 'new.aiida'), everything(REFERENCE)
    assert {user['first_name'] for user in found['user']} == {''}
    assert {repr(log['metadata']) for log in found['log']} == {'{}'}
    assert found['comment'] == whole['comment']
    assert len(found['node']) == len(whole['node'])


def test_objects_are_taken_over_as_they_are(tmp_path: Path) -> None:
    source, target = as_version('main_0000b', tmp_path / 'old.aiida'), tmp_path / 'new.aiida'
    migrate_archive(source, target, limits=Limits(large_bytes=1000))
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target) as new:
        for info in old.infolist():
            if info.filename.startswith('repo/'):
                other = new.getinfo(info.filename)
                assert (other.CRC, other.compress_size, other.file_size) == (
                    info.CRC,
                    info.compress_size,
                    info.file_size,
                )


def test_an_archive_can_be_migrated_in_place(tmp_path: Path) -> None:
    path = as_version('main_0000', tmp_path / 'x.aiida')
    with pytest.raises(UsageError, match=r'there is a file .* already') as refused:
        migrate_archive(path, path)
    assert refused.value.remedy == Remedy('overwrite')
    migrate_archive(path, path, overwrite=True)
    assert everything(path) == everything(REFERENCE)
    assert not migrate_archive(path, path, overwrite=True).changed


def test_a_current_one_is_copied(tmp_path: Path) -> None:
    assert not migrate_archive(REFERENCE, tmp_path / 'copy.aiida').changed
    assert (tmp_path / 'copy.aiida').read_bytes() == REFERENCE.read_bytes()


def test_an_older_archive_is_imported_unless_that_is_forbidden(sqlite: Profile, tmp_path: Path) -> None:
    path = as_version('main_0000', tmp_path / 'x.aiida')
    with pytest.raises(IncompatibleStorageSchema, match=r'main_0000.*needed') as refused:
        import_archive(sqlite, path, ImportRequest(migrate=False))
    assert refused.value.remedy == Remedy('migrate archive', (str(path),))
    done = import_archive(sqlite, path, ImportRequest(import_group=False))
    assert done.new['node'] == 74


def test_an_older_archive_cannot_be_opened_and_the_way_out_is_told(tmp_path: Path) -> None:
    path = as_version('main_0000a', tmp_path / 'x.aiida')
    with (
        pytest.raises(IncompatibleStorageSchema, match=r'main_0000a.*needed') as refused,
        use_storage(archive_profile(path)),
    ):
        pass
    assert refused.value.remedy == Remedy('migrate archive', (str(path),))


@pytest.mark.parametrize('version', ['0.0', '0.14', 'main_0002'])
def test_there_is_no_way_from_other_versions(tmp_path: Path, version: str) -> None:
    path = as_version(version, tmp_path / 'x.aiida')
    with pytest.raises(StorageMigrationError, match=version):
        migrate_archive(path, tmp_path / 'new.aiida')
    assert not (tmp_path / 'new.aiida').exists()


def test_only_the_current_version_can_be_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='main_0001 only'):
        migrate_archive(REFERENCE, tmp_path / 'x.aiida', version='0.12')
