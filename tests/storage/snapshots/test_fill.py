"""A storage is filled whole or not at all, and from what is a snapshot only."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from given_snapshots import GivenSnapshot, Pieces, all_pieces, without_settings
from ricordi.backend.rows import EntityKind, UserRow
from ricordi.backend.snapshots import Piece, TablePart
from ricordi.errors import (
    CorruptStorage,
    IncompatibleStorageSchema,
    IntegrityError,
    Interrupted,
    InvalidOperation,
    ReadOnlyStorage,
    RicordiError,
    StorageExists,
    ValidationError,
)
from ricordi.progress import Progress, Run
from ricordi.repository.archive.zip import ZipRepository
from ricordi.storage.session import Session
from ricordi.storage.snapshots.parts import PARTS
from ricordi.storage.sqlite.zip import SqliteZipStorage


@pytest.fixture
def pieces(reference_sqlite_profile: Any, of: Any) -> Pieces:
    """What AiiDA made on SQLite."""
    with closing(of.open(reference_sqlite_profile)) as source, source.snapshot() as snapshot:
        return all_pieces(snapshot)


def is_empty(storage: Any) -> bool:
    """Whether a storage is as it was made, ready to be filled."""
    counts = [
        storage.session.execute(f'SELECT count(*) FROM {table}').fetchone()[0]
        for table in ('db_dbuser', 'db_dbnode', 'db_dbsetting')
    ]
    return counts == [0, 0, 1] and storage.get_global_variable('repository|uuid') == storage.repository.uuid


def changed(pieces: Pieces, table: str, part: str, change: Any) -> Pieces:
    """With another piece in place of the first one of a part."""
    key = next(key for key in pieces if key[:2] == (table, part))
    return {**pieces, key: [change(pieces[key][0]), *pieces[key][1:]]}


def data(piece: Piece, old: bytes, new: bytes) -> Piece:
    assert old in piece.data
    return piece._replace(data=piece.data.replace(old, new, 1))


BROKEN = {
    'a row too few': ('db_dblink', '', lambda piece: piece._replace(rows=piece.rows + 1)),
    'no end of the last line': ('db_dblink', '', lambda piece: piece._replace(data=piece.data[:-1] + b'x')),
    'another first row': ('db_dbuser', '', lambda piece: piece._replace(first=piece.first + 1)),
    'a field too few': ('db_dbuser', '', lambda piece: data(piece, b'\t', b' ')),
    'a field too many': ('db_dbnode', 'changing', lambda piece: data(piece, b'\n', b'\tx\n')),
    'parts of other rows': ('db_dbnode', 'changing', lambda piece: data(piece, b'\n2\t', b'\n3\t')),
    'parts of more rows': (
        'db_dbnode',
        'changing',
        lambda piece: piece._replace(rows=piece.rows + 1, data=piece.data + b'99999\t\t\t2020-01-01\t\\N\n'),
    ),
    'no UTF-8': ('db_dbuser', '', lambda piece: data(piece, b'@', b'\xff')),
    'an unknown escape': ('db_dbuser', '', lambda piece: data(piece, b'@', b'\\q\\.')),
    'no boolean': ('db_dbauthinfo', '', lambda piece: data(piece, b't\n', b'maybe\n')),
}


def test_what_is_no_piece_leaves_the_storage_as_it_was(pieces: Pieces, storage: Any) -> None:
    for fault, (table, part, change) in BROKEN.items():
        with pytest.raises(RicordiError) as told:
            storage.fill(GivenSnapshot(changed(pieces, table, part, change)))
        assert isinstance(told.value, CorruptStorage | ValidationError), fault
        assert is_empty(storage), fault
    storage.fill(GivenSnapshot(pieces))
    assert not is_empty(storage)


def test_a_table_that_nobody_knows_is_refused(pieces: Pieces, storage: Any) -> None:
    for part in (TablePart('db_dbnew', '', ('id',), 10), TablePart('db_dbuser', '', ('id', 'shoe_size'), 10)):
        with pytest.raises(CorruptStorage, match='that this program does not know'):
            storage.fill(GivenSnapshot({**pieces, part: []}))
    assert is_empty(storage)


@pytest.mark.parametrize('schema', ['main_0001', 'main_0003', '1de112340b16'])
def test_another_schema_is_refused(schema: str, pieces: Pieces, sqlite_storage: Any) -> None:
    with pytest.raises(IncompatibleStorageSchema, match=f'the snapshot has schema {schema}, and main_0002 is needed'):
        sqlite_storage.fill(GivenSnapshot(pieces, schema=schema))
    assert is_empty(sqlite_storage)


def test_a_storage_that_holds_rows_is_left_alone(pieces: Pieces, storage: Any) -> None:
    storage.insert(EntityKind.USER, [{'email': 'a@example.org'}])
    with pytest.raises(StorageExists, match='holds rows already'):
        storage.fill(GivenSnapshot(pieces))
    assert [user.email for user in storage.find(UserRow)] == ['a@example.org']


class EndsAt(Progress):
    """Asks for an end when a step begins."""

    def __init__(self, step: str) -> None:
        self.run = Run(progress=self)
        self._step = step

    def begin(self, step: str, total: int | None, unit: str = 'bytes') -> None:
        if self._step in step:
            self.run.stop.request('SIGTERM')


@pytest.mark.parametrize('step', ['rows of db_dblink', 'make indexes'])
def test_asked_to_end_it_leaves_nothing(step: str, pieces: Pieces, storage: Any) -> None:
    with pytest.raises(Interrupted, match='SIGTERM: ended early; nothing was put into the database'):
        storage.fill(GivenSnapshot(pieces), EndsAt(step).run)
    assert is_empty(storage)


def test_asked_to_end_within_a_statement_it_ends_at_once(pieces: Pieces, sqlite_storage: Any) -> None:
    """As making an index of many rows is one statement."""

    run = EndsAt('nothing').run
    dialect = sqlite_storage.dialect
    endless = 'WITH RECURSIVE n(i) AS (VALUES(ask()) UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n'

    def run_endless() -> None:
        with closing(Session(dialect)) as session, dialect.filling(session, run):
            session.raw.create_function('ask', 0, lambda: run.stop.request('SIGTERM'))
            session.execute(endless)

    with pytest.raises(Interrupted, match='SIGTERM'):
        run_endless()
    assert is_empty(sqlite_storage)


def test_a_link_that_dangles_comes_back_in_sqlite_alone(pieces: Pieces, sqlite_storage: Any, psql_storage: Any) -> None:
    """Where it can have been: a snapshot that could not be put back would be none."""

    def dangle(piece: Piece) -> Piece:
        first, *others = piece.data.split(b'\n')
        pk, _, *fields = first.split(b'\t')
        return piece._replace(data=b'\n'.join([b'\t'.join([pk, b'99999', *fields]), *others]))

    dangling = changed(pieces, 'db_dblink', '', dangle)
    with pytest.raises(IntegrityError, match='99999'):
        psql_storage.fill(GivenSnapshot(dangling))
    with pytest.raises(CorruptStorage, match='of db_dblink names a row of db_dbnode that it does not hold'):
        sqlite_storage.fill(GivenSnapshot(dangling, source='postgresql'))
    assert is_empty(psql_storage)
    assert is_empty(sqlite_storage)
    sqlite_storage.fill(GivenSnapshot(dangling))
    with sqlite_storage.snapshot() as again:
        assert without_settings(all_pieces(again)) == without_settings(dangling)


def test_a_snapshot_without_the_name_of_a_repository_is_tied_to_the_new_one(pieces: Pieces, storage: Any) -> None:
    storage.fill(GivenSnapshot(without_settings(pieces)))
    assert storage.get_global_variable('repository|uuid') == storage.repository.uuid


def test_rows_may_come_in_one_part_and_in_any_order_of_columns(storage: Any) -> None:
    nodes = TablePart('db_dbuser', '', ('id', 'institution', 'last_name', 'first_name', 'email'), 10)
    storage.fill(GivenSnapshot({nodes: [Piece(3, 1, 0, b'3\tEPFL\tB\tA\ta@example.org\n')]}))
    (user,) = storage.find(UserRow)
    assert (user.pk, user.institution, user.last_name, user.first_name) == (3, 'EPFL', 'B', 'A')
    assert user.email == 'a@example.org'


def test_a_setting_that_sqlite_would_round_is_refused(storage: Any) -> None:
    part = next(part for part in PARTS if part.table == 'db_dbsetting')

    def setting(value: str) -> GivenSnapshot:
        line = f'1\tnumber\t{value}\t\t2026-01-01 00:00:00.000000\n'.encode()
        return GivenSnapshot({part: [Piece(1, 1, 0, line)]}, source='postgresql')

    if storage.dialect.name == 'sqlite':
        for value in ('0.12345678901234567', '12345678901234567890'):
            with pytest.raises(ValidationError, match=f'it would round the number {value}'):
                storage.fill(setting(value))
    storage.fill(setting('0.5'))
    assert storage.get_global_variable('number') == 0.5


def test_it_is_not_filled_within_a_transaction_or_read_only(pieces: Pieces, storage: Any) -> None:
    with storage.transaction(), pytest.raises(InvalidOperation, match='a transaction is open'):
        storage.fill(GivenSnapshot(pieces))
    storage.unwritable = 'it is a standby'
    with pytest.raises(ReadOnlyStorage, match='it is a standby'):
        storage.fill(GivenSnapshot(pieces))


def test_an_archive_gives_no_snapshot_and_takes_none(pieces: Pieces, make_profile: Any) -> None:
    path = Path(__file__).parents[2] / 'data' / 'reference.aiida'
    profile = make_profile('core.sqlite_zip', {'filepath': str(path)})
    with closing(SqliteZipStorage.open(profile, ZipRepository(path))) as archive:
        with pytest.raises(InvalidOperation, match='is an archive: copy the file'):
            archive.snapshot()
        with pytest.raises(ReadOnlyStorage, match='is an archive'):
            archive.fill(GivenSnapshot(pieces))
