"""A database that did not change is not read again for a snapshot; one that did is, whatever its counters say."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ricordi.backend.maintenance import Amount
from ricordi.backup import marks
from ricordi.backup.records import SnapshotRecord
from ricordi.backup.repository import BackupRepository
from ricordi.config.profile import Profile
from ricordi.manager import open_backup
from ricordi.services.backups.backup import back_up
from ricordi.services.backups.history import forget_backups
from ricordi.storage.snapshots.sqlite.capture import SqliteSnapshot

COUNTERS = ((24, 28), (92, 100))
"""Where the header of an SQLite file has its change counter, and what repeats it."""


@pytest.fixture
def database(mixed: Profile) -> Path:
    return Path(mixed.storage_config['filepath']) / 'database.sqlite'


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables whose rows were read."""
    tables: list[str] = []
    pieces = SqliteSnapshot.pieces

    def noted(self: SqliteSnapshot, part: object) -> object:
        tables.append(part.table)  # type: ignore[attr-defined]
        return pieces(self, part)  # type: ignore[arg-type]

    monkeypatch.setattr(SqliteSnapshot, 'pieces', noted)
    return tables


@pytest.fixture
def again(mixed: Profile, place: Path, read: list[str]) -> Callable[[], SnapshotRecord]:
    """Backs up once more; `read` tells what of the database was read for it."""

    def take() -> SnapshotRecord:
        read.clear()
        record = back_up(mixed, place).record
        assert record is not None
        return record

    return take


def change(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as raw:
        raw.execute(statement)


def labels(place: Path, record: SnapshotRecord) -> str:
    with open_backup(place) as backups, backups.database(record) as snapshot:
        part = next(part for part in snapshot.parts if part.part == 'changing')
        return b''.join(piece.data for piece in snapshot.pieces(part)).decode()


def test_nothing_is_read_of_a_database_that_did_not_change(
    place: Path, read: list[str], again: Callable[[], SnapshotRecord]
) -> None:
    with open_backup(place) as backups:
        (first,) = backups.snapshots()
    second = again()
    assert not read
    assert second.added == second.added_pieces == Amount()
    assert second.time > first.time
    same = ('parts', 'objects', 'keys_digest', 'missing', 'misfits', 'sequences', 'mark', 'origin')
    assert [getattr(second, name) for name in same] == [getattr(first, name) for name in same]
    with open_backup(place) as backups:
        assert backups.snapshots() == [first, second]
        assert not list(backups.check(second))


@pytest.mark.parametrize('touched', ['as sqlite3 leaves it', 'counters as before'])
def test_one_row_that_was_changed_is_seen(
    database: Path, place: Path, read: list[str], again: Callable[[], SnapshotRecord], touched: str
) -> None:
    header = database.read_bytes()[:100]
    change(database, "UPDATE db_dbnode SET label = 'changed since' WHERE id = (SELECT min(id) FROM db_dbnode)")
    if touched == 'counters as before':
        with database.open('r+b') as file:
            for begin, end in COUNTERS:
                file.seek(begin)
                file.write(header[begin:end])
    record = again()
    assert 'db_dbnode' in read
    assert 'changed since' in labels(place, record)


def test_a_file_that_was_copied_back_and_changed_otherwise_is_seen(
    database: Path, place: Path, read: list[str], again: Callable[[], SnapshotRecord], tmp_path: Path
) -> None:
    older = shutil.copy2(database, tmp_path / 'older')
    statement = "UPDATE db_dbnode SET label = '{}' WHERE id = (SELECT min(id) FROM db_dbnode)"
    change(database, statement.format('on one way'))
    assert 'on one way' in labels(place, again())
    times = database.stat()
    shutil.copy2(older, database)
    change(database, statement.format('on another'))  # as many changes, as many bytes
    assert database.stat().st_size == times.st_size
    assert 'on another' in labels(place, again())
    shutil.copy2(older, database)
    record = again()
    assert 'on another' not in labels(place, record)
    assert record.added_pieces == Amount()  # all of that is there, but nobody trusts a mark for it


def test_vacuum_has_the_rows_read_and_nothing_put(
    database: Path, read: list[str], again: Callable[[], SnapshotRecord]
) -> None:
    change(database, 'CREATE TABLE other (x)')
    change(database, 'DROP TABLE other')
    again()
    change(database, 'VACUUM')
    record = again()
    assert 'db_dbnode' in read
    assert record.added_pieces == Amount()


def test_a_database_in_wal_mode_is_read_each_time(
    database: Path, read: list[str], again: Callable[[], SnapshotRecord]
) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as raw:
        raw.execute('PRAGMA journal_mode = WAL')
        assert again().mark is None
        assert again().mark is None
        assert 'db_dbnode' in read


def test_another_version_of_this_program_reads_the_rows(
    read: list[str], again: Callable[[], SnapshotRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, '__version__', '99.0')
    again()
    assert 'db_dbnode' in read
    again()
    assert not read


def test_an_object_that_the_place_has_lost_is_put_again(
    place: Path, read: list[str], again: Callable[[], SnapshotRecord]
) -> None:
    with open_backup(place) as backups:
        (first,) = backups.snapshots()
        with backups.database(first) as snapshot:
            key = next(snapshot.named_keys())
        backups.objects.delete_objects([key])
        record = again()
        assert not read  # its rows are known all the same
        assert record.added.objects == 1
        assert not list(backups.check(record))


def test_a_piece_that_the_place_has_lost_is_put_again(
    place: Path, read: list[str], again: Callable[[], SnapshotRecord]
) -> None:
    with open_backup(place) as backups:
        (first,) = backups.snapshots()
        listed = {entry.key for one in first.parts for entry in one.lists}
        lists = next(iter(listed))
        pieces = {line.split('\t')[4] for line in backups.objects.get_object_content(lists).decode().splitlines()}
        for lost in ({lists}, pieces):
            backups.objects.delete_objects(lost)
            record = again()
            assert 'db_dbnode' in read
            assert record.added_pieces.objects == len(lost)
            assert not list(backups.check(record))


def test_of_many_snapshots_one_is_looked_at(
    mixed: Profile, place: Path, read: list[str], again: Callable[[], SnapshotRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [again().name for _ in range(3)]
    looked_at: list[str] = []
    look = BackupRepository.read

    def noted(self: BackupRepository, name: str) -> SnapshotRecord:
        looked_at.append(name)
        return look(self, name)

    monkeypatch.setattr(BackupRepository, 'read', noted)
    made.append(again().name)
    assert looked_at == [made[-2]]
    forget_backups(mixed)  # then the last one of all
    again()
    assert not read
    assert len(looked_at) == 2


def test_where_the_last_manifest_is_damaged_the_rows_are_read(
    place: Path, read: list[str], again: Callable[[], SnapshotRecord]
) -> None:
    (path,) = (place / 'snapshots').iterdir()
    path.write_bytes(path.read_bytes()[:-5])
    record = again()
    assert 'db_dbnode' in read
    assert record.complete
