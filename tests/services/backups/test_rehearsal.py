"""A rehearsal restores all of a backup, finds what would go wrong, and leaves nothing."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from prepared import originals
from ricordi.backend.snapshots import DatabaseSnapshot, Piece, TablePart
from ricordi.backup.stored_database import StoredDatabase
from ricordi.config import load_config
from ricordi.config.profile import Profile
from ricordi.errors import Interrupted
from ricordi.progress import Progress, Run, Stop
from ricordi.repository.container.container import Container
from ricordi.services.backups.backup import back_up
from ricordi.services.backups.rehearsal import rehearse
from ricordi.storage.sql_storage import SqlStorage


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files, in which nothing may be left."""
    originals()  # of the test data, which stay as long as the process: not in this folder
    folder = tmp_path / 'scratch'
    folder.mkdir()
    monkeypatch.setattr(tempfile, 'tempdir', str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def test_a_sound_snapshot_is_restored_and_compared_row_by_row(place: Path, home: Path) -> None:
    before = (home / 'config.json').read_bytes()
    report = rehearse(str(place))
    assert report.succeeded
    assert (report.compared, report.findings, report.of) == (True, (), 'mixed')
    assert report.objects.objects > 0
    assert report.objects.bytes > 300_000
    assert report.rows['db_dbnode'] > 0
    assert report.database_bytes > 10_000
    assert (home / 'config.json').read_bytes() == before


@pytest.mark.parametrize('name', ['loose', 'mixed', 'aborted_before_commit', 'aborted_after_remove'])
def test_each_storage_that_aiida_made_comes_back(reference_home: Path, tmp_path: Path, name: str) -> None:
    record = back_up(load_config().get_profile(name), tmp_path / 'all').record
    assert record is not None
    report = rehearse(str(tmp_path / 'all'))
    assert (report.succeeded, report.findings) == (record.complete, ())
    assert (report.rows['db_dbnode'], report.objects.objects) == (record.rows['db_dbnode'], record.objects.objects)


def test_what_verdi_backed_up_is_rehearsed_as_well(home: Path, verdi_backup: Path) -> None:
    report = rehearse(str(verdi_backup))
    assert report.succeeded
    assert (report.maker, report.objects.objects, report.rows['db_dblink']) == ('verdi', 23, 88)
    assert report.compared == (verdi_backup.name == 'verdi_backup_sqlite')


def test_objects_that_are_missing_are_told(
    home: Path, verdi_sqlite: Path, without_pack: Callable[[Path], None]
) -> None:
    (container,) = verdi_sqlite.glob('backup_*/container')
    without_pack(container)
    report = rehearse(str(verdi_sqlite))
    assert (report.succeeded, report.problem_count, report.findings) == (False, 23, ())


def test_rows_that_name_rows_that_are_not_there_are_told(home: Path, verdi_sqlite: Path) -> None:
    (database,) = verdi_sqlite.glob('backup_*/database.sqlite')
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute('PRAGMA foreign_keys = off')
        connection.execute('UPDATE db_dbcomment SET dbnode_id = 99999 WHERE id = 1')
    report = rehearse(str(verdi_sqlite))
    told = 'dangling reference: it names the node 99999, which is not there (db_dbcomment 1)'
    assert report.findings == (told,)


def test_names_that_can_be_no_key_and_values_that_cannot_be_read_are_told(mixed: Profile, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / 'mixed' / 'database.sqlite')) as connection, connection:
        tree = '{"o": {"a": {"k": "zz"}}}'
        connection.execute('UPDATE db_dbnode SET repository_metadata = ? WHERE id = 3', (tree,))
        connection.execute('UPDATE db_dbnode SET attributes = ?, ctime = ? WHERE id = 4', ('{broken', 'yesterday'))
    record = back_up(mixed, tmp_path / 'place').record
    assert record is not None
    assert record.missing == ('zz',)
    report = rehearse(str(tmp_path / 'place'))
    assert (report.succeeded, report.problem_count) == (False, 1)
    assert [(problem.key, problem.nodes[0][::2]) for problem in report.problems] == [('zz', (3, 'a'))]
    assert {finding.partition(':')[0] for finding in report.findings} == {'unreadable JSON', 'unreadable time'}


def test_an_object_that_was_written_wrongly_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = SqlStorage.fill

    def spoiling(self: SqlStorage, snapshot: DatabaseSnapshot, run: Run | None = None) -> None:
        real(self, snapshot, run)
        (pack,) = Path(self.repository.layout.folder).glob('packs/0')  # type: ignore[attr-defined]
        with pack.open('r+b') as file:
            file.seek(pack.stat().st_size // 2)
            file.write(b'\0 something else \0')

    monkeypatch.setattr(SqlStorage, 'fill', spoiling)
    report = rehearse(str(place))
    assert len(report.findings) == 1
    assert report.findings[0].startswith('object ')
    assert not report.problem_count


def test_rows_that_differ_from_the_backup_are_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, asked = StoredDatabase.pieces, []

    def changing(self: StoredDatabase, part: TablePart) -> Iterator[Piece]:
        """The second time that it is asked for, a row is another."""
        asked.append(part.table)
        for piece in real(self, part):
            changed = part.table == 'db_dbuser' and asked.count('db_dbuser') > 1
            yield piece._replace(data=piece.data.replace(b'Alice', b'Malice')) if changed else piece

    monkeypatch.setattr(StoredDatabase, 'pieces', changing)
    assert rehearse(str(place)).findings == ('the rows of db_dbuser are not those of the backup',)


def test_a_row_too_few_is_told(verdi_psql: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = SqlStorage.fill

    def losing(self: SqlStorage, snapshot: DatabaseSnapshot, run: Run | None = None) -> None:
        real(self, snapshot, run)
        with self.transaction():
            self.session.execute('DELETE FROM db_dblog WHERE id = 3')

    monkeypatch.setattr(SqlStorage, 'fill', losing)
    assert rehearse(str(verdi_psql)).findings == ('db_dblog has 14 rows, and the backup 15',)


@pytest.mark.parametrize('step', ['restore objects', 'check rows', 'compare with the backup', 'check objects'])
def test_an_interrupted_rehearsal_leaves_nothing(place: Path, step: str) -> None:
    stop = Stop()

    class Stopping(Progress):
        def begin(self, name: str, total: int | None, unit: object = 'bytes') -> None:
            if name == step:
                stop.request('SIGINT')

    with pytest.raises(Interrupted, match='SIGINT'):
        rehearse(str(place), run=Run(Stopping(), stop))
    assert load_config().profile_names == ['mixed']


def test_a_rehearsal_does_not_hold_on_to_the_place(place: Path) -> None:
    rehearse(str(place))
    with Container(place / 'container') as store:
        assert store.list_objects()
