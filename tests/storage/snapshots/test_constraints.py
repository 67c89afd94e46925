"""Unique constraints of SQLite are left out while a storage is filled, and hold again after."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from given_snapshots import GivenSnapshot, Pieces, all_pieces
from ricordi.backend.snapshots import Piece
from ricordi.errors import IntegrityError
from ricordi.storage.session import Session
from ricordi.storage.snapshots.sqlite.constraints import leave_out, make

SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, name"


@pytest.fixture
def pieces(reference_sqlite_profile: Any, of: Any) -> Pieces:
    """What AiiDA made on SQLite."""
    with closing(of.open(reference_sqlite_profile)) as source, source.snapshot() as snapshot:
        return all_pieces(snapshot)


@pytest.fixture
def session(sqlite_storage: Any) -> Iterator[Session]:
    """A connection of its own to a new, empty database, in a transaction."""
    with closing(Session(sqlite_storage.dialect)) as session, session.transaction():
        yield session


def schema_of(storage: Any) -> list[tuple[Any, ...]]:
    """All that the schema of its database says, but for where in the file, and for statistics."""
    return [tuple(row) for row in storage.session.execute(SCHEMA).fetchall()]


def test_a_filled_database_has_the_schema_of_a_new_one_and_is_sound(pieces: Pieces, sqlite_storage: Any) -> None:
    before = schema_of(sqlite_storage)
    sqlite_storage.fill(GivenSnapshot(pieces))
    assert schema_of(sqlite_storage) == before
    assert [row[0] for row in sqlite_storage.session.execute('PRAGMA integrity_check')] == ['ok']


def test_they_hold_again_in_a_filled_database(pieces: Pieces, sqlite_storage: Any) -> None:
    sqlite_storage.fill(GivenSnapshot(pieces))
    again = (
        'INSERT INTO db_dbgroup_dbnodes (dbnode_id, dbgroup_id) SELECT dbnode_id, dbgroup_id FROM db_dbgroup_dbnodes'
    )
    with pytest.raises(IntegrityError, match='a group membership with the same dbgroup_id'):
        sqlite_storage.session.execute(again)


def test_rows_that_break_one_leave_the_storage_as_it_was(pieces: Pieces, sqlite_storage: Any) -> None:
    key = next(key for key in pieces if key[:2] == ('db_dbnode', 'fixed'))

    def same_uuid(piece: Piece) -> Piece:
        first, second, *others = piece.data.split(b'\n')
        pk, _, *fields = second.split(b'\t')
        twice = b'\t'.join([pk, first.split(b'\t')[1], *fields])
        return piece._replace(data=b'\n'.join([first, twice, *others]))

    before = schema_of(sqlite_storage)
    with pytest.raises(IntegrityError, match='uuid'):
        sqlite_storage.fill(GivenSnapshot({**pieces, key: [same_uuid(pieces[key][0]), *pieces[key][1:]]}))
    assert schema_of(sqlite_storage) == before
    assert sqlite_storage.session.execute('SELECT count(*) FROM db_dbnode').fetchone()[0] == 0
    sqlite_storage.fill(GivenSnapshot(pieces))


def test_one_of_another_form_is_kept(session: Session) -> None:
    session.execute('CREATE TABLE other (id INTEGER PRIMARY KEY, name TEXT UNIQUE)')
    assert leave_out(session, ['other']) == []
    session.execute("INSERT INTO other (name) VALUES ('a')")
    with pytest.raises(IntegrityError):
        session.execute("INSERT INTO other (name) VALUES ('a')")
    make(session, [])


@pytest.mark.skipif(not hasattr(sqlite3.Connection, 'setconfig'), reason='Python 3.12 can forbid it')
def test_where_the_schema_may_not_be_written_they_are_kept(session: Session) -> None:
    session.raw.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)  # type: ignore[attr-defined, unused-ignore]
    assert leave_out(session, ['db_dbnode']) == []
