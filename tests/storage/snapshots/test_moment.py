"""A snapshot is the database as it was at one moment, whatever others do meanwhile."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from deadlines import DEADLINE
from given_snapshots import all_pieces, lines
from ricordi.backend.rows import EntityKind
from ricordi.errors import InvalidOperation, NotEnoughSpace
from ricordi.storage.snapshots.cutting import SnapshotLimits
from ricordi.storage.snapshots.sqlite.capture import SqliteSnapshot
from ricordi.storage.sqlite.dialect import SqliteDialect

COPIED_BEFORE = SnapshotLimits(copy_at_once=0, block_bytes=4096)


@pytest.fixture
def path(sqlite_storage: Any) -> Path:
    """A database of some 100 KB, with one user."""
    users = sqlite_storage.insert(EntityKind.USER, [{'email': 'a@example.org'}])
    rows = [{'user_pk': users[0], 'description': 'x' * 500} for _ in range(100)]
    sqlite_storage.insert(EntityKind.NODE, rows)
    return sqlite_storage.dialect.path


@pytest.fixture
def writer(path: Path) -> Iterator[Callable[[int], None]]:
    """Writes the same number in two places, far apart, in one transaction."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=DEADLINE)) as raw:
        raw.execute('PRAGMA synchronous = OFF')  # on a busy disk it would have the file for itself nearly all the time

        def write(number: int) -> None:
            raw.execute('BEGIN IMMEDIATE')
            raw.execute('UPDATE db_dbuser SET institution = ?', (str(number),))
            raw.execute("UPDATE db_dbsetting SET description = ? WHERE key = 'repository|uuid'", (str(number),))
            raw.execute('UPDATE db_dbnode SET description = ? WHERE id % 10 = ?', ('y' * 600, number % 10))
            raw.execute('COMMIT')

        yield write


def numbers(snapshot: Any) -> list[str]:
    pieces = all_pieces(snapshot)
    user, setting = (lines(pieces, table).decode().split('\t') for table in ('db_dbuser', 'db_dbsetting'))
    return [user[-1].strip(), setting[3]]


def test_what_is_written_while_the_file_is_copied_is_in_it_whole(
    path: Path, writer: Callable[[int], None], tmp_path: Path
) -> None:
    with SqliteSnapshot(SqliteDialect(path), tmp_path, COPIED_BEFORE, lambda: writer(7)) as snapshot:
        writer(8)
        assert numbers(snapshot) == ['7', '7']
        assert list(snapshot._session.raw.execute('PRAGMA integrity_check')) == [('ok',)]


def test_a_file_that_shrank_or_grew_meanwhile_is_copied_as_it_is(path: Path, tmp_path: Path) -> None:
    def change(statement: str) -> Callable[[], None]:
        def carry_out() -> None:
            with closing(sqlite3.connect(path, isolation_level=None)) as raw:
                raw.execute(statement)
                raw.execute('VACUUM')

        return carry_out

    for statement, rows in (('DELETE FROM db_dbnode WHERE id > 10', 10), ('UPDATE db_dbnode SET id = id + 100', 10)):
        with SqliteSnapshot(SqliteDialect(path), tmp_path, COPIED_BEFORE, change(statement)) as snapshot:
            assert lines(all_pieces(snapshot), 'db_dbnode', 'fixed').count(b'\n') == rows
            assert list(snapshot._session.raw.execute('PRAGMA integrity_check')) == [('ok',)]


def test_beside_a_writer_that_never_rests_each_snapshot_is_of_one_moment(
    path: Path, writer: Callable[[int], None], tmp_path: Path
) -> None:
    done, wrote = threading.Event(), threading.Semaphore(0)

    def hammer() -> None:
        number = 0
        while not done.is_set():
            writer(number := number + 1)
            wrote.release()

    thread = threading.Thread(target=hammer)
    thread.start()
    try:
        for _ in range(3):
            assert wrote.acquire(timeout=DEADLINE), 'the writer was locked out'
            with SqliteSnapshot(SqliteDialect(path, busy_seconds=DEADLINE), tmp_path, COPIED_BEFORE) as snapshot:
                first, second = numbers(snapshot)
                assert first == second
                assert list(snapshot._session.raw.execute('PRAGMA integrity_check')) == [('ok',)]
    finally:
        done.set()
        thread.join(DEADLINE)


TRY_TO_WRITE = (
    'import sqlite3, sys\n'
    'raw = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)\n'
    'try:\n    raw.execute("BEGIN IMMEDIATE")\n'
    'except sqlite3.OperationalError as error:\n    sys.exit(str(error))\n'
)


def test_the_locks_of_this_process_on_the_file_outlive_a_snapshot(
    sqlite_storage: Any, path: Path, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute('BEGIN IMMEDIATE')
        raw.execute("UPDATE db_dbuser SET institution = 'not yet'")
        with sqlite_storage.snapshot(tmp_path) as snapshot:
            assert b'not yet' not in lines(all_pieces(snapshot), 'db_dbuser')
        other = subprocess.run([sys.executable, '-c', TRY_TO_WRITE, path], capture_output=True, text=True, check=False)
        assert 'locked' in other.stderr
        raw.execute('COMMIT')


def test_a_transaction_that_was_cut_short_is_taken_back_first(path: Path, tmp_path: Path) -> None:
    cut_short = (
        'import os, sqlite3, sys\n'
        'raw = sqlite3.connect(sys.argv[1], isolation_level=None)\n'
        'raw.execute("PRAGMA cache_size = 1")\n'
        'raw.execute("BEGIN")\n'
        'raw.execute("UPDATE db_dbnode SET description = ?", ("half" * 500,))\n'
        'os._exit(0)\n'
    )
    subprocess.run([sys.executable, '-c', cut_short, path], check=True)
    assert b'halfhalf' in path.read_bytes()
    with SqliteSnapshot(SqliteDialect(path), tmp_path, COPIED_BEFORE) as snapshot:
        assert b'half' not in lines(all_pieces(snapshot), 'db_dbnode', 'changing')


def test_in_wal_mode_the_database_itself_is_read_in_one_transaction(
    path: Path, writer: Callable[[int], None], tmp_path: Path
) -> None:
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute('PRAGMA journal_mode = WAL').fetchone() == ('wal',)
    writer(1)
    with SqliteDialect(path).capture(tmp_path) as snapshot:
        writer(2)
        assert numbers(snapshot) == ['1', '1']
        assert list(snapshot.named_keys()) == []
        assert list(tmp_path.glob('.ricordi-snapshot*')) == []


@pytest.mark.parametrize('scratch', [True, False])
def test_the_copy_has_no_name_while_it_is_read(
    sqlite_storage: Any, path: Path, tmp_path: Path, scratch: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / 'scratch'
    folder.mkdir()
    monkeypatch.setattr('tempfile.tempdir', str(folder))
    with sqlite_storage.snapshot(folder if scratch else None) as snapshot:
        assert list(folder.iterdir()) == []
        assert lines(all_pieces(snapshot), 'db_dbnode', 'fixed').count(b'\n') == 100


def test_without_room_for_the_copy_there_is_none(
    sqlite_storage: Any, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('ricordi.storage.snapshots.sqlite.copy.free_bytes', lambda folder: 1000)
    with pytest.raises(NotEnoughSpace, match=f'must be free in {tmp_path}, and only 1.00 kB are'):
        sqlite_storage.snapshot(tmp_path)
    assert list(tmp_path.glob('.ricordi*')) == []


def test_rows_that_come_after_the_moment_are_not_in_it(storage: Any) -> None:
    storage.insert(EntityKind.USER, [{'email': 'before@example.org'}])
    with storage.snapshot() as snapshot:
        storage.insert(EntityKind.USER, [{'email': 'after@example.org'}])
        users = lines(all_pieces(snapshot), 'db_dbuser')
        assert (b'before@' in users, b'after@' in users) == (True, False)


def test_there_is_none_of_a_transaction_that_is_open(storage: Any) -> None:
    with storage.transaction(), pytest.raises(InvalidOperation, match='a transaction is open'):
        storage.snapshot()


def test_parts_can_be_read_side_by_side_and_left_in_the_middle(storage: Any) -> None:
    user = storage.insert(EntityKind.USER, [{'email': 'a@example.org'}])[0]
    storage.insert(EntityKind.NODE, [{'user_pk': user, 'description': 'x' * 1000} for _ in range(2000)])
    limits = SnapshotLimits(piece_bytes=300_000, batch_bytes=100_000)
    with storage.dialect.capture(None, limits) as snapshot:
        fixed, changing = (part for part in snapshot.parts if part.table == 'db_dbnode')
        left, other = snapshot.pieces(changing), snapshot.pieces(changing)
        next(left)
        together = [piece.rows for pair in zip(snapshot.pieces(fixed), other, strict=False) for piece in pair]
        left.close()
        assert list(snapshot.named_keys()) == []
        assert sum(piece.rows for piece in snapshot.pieces(changing)) == 2000
    assert together
