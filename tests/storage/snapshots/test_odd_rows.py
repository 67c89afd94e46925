"""What SQLite holds though it should not comes along unchanged, and what PostgreSQL would refuse of it is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from given_snapshots import GivenSnapshot, Pieces, all_pieces, lines, without_settings
from ricordi.backend.rows import EntityKind
from ricordi.backend.snapshots import Misfit
from ricordi.errors import ValidationError
from ricordi.model.copy_text import count_odd, pk_of
from ricordi.storage.snapshots.cutting import SnapshotLimits

EVERYTHING = 'SELECT *, typeof(label), typeof(attributes), typeof(ctime), typeof(user_id) FROM db_dbnode ORDER BY id'
TEXTS = 'SELECT label, description, process_type, CAST(attributes AS TEXT), CAST(extras AS TEXT) FROM db_dbnode'
SOUND = 1

ODD = {
    'BLOB': {'label': "X'00ff'", 'description': "X''"},
    'no UTF-8': {'label': "CAST(X'61ff' AS TEXT)", 'attributes': "CAST(X'22ff22' AS TEXT)"},
    'text as number': {'user_id': "'nobody'", 'dbcomputer_id': "'\x1f'"},
    'no time': {'ctime': "'yesterday'"},
    'no time, as long as one': {'ctime': "'day before yesterday, noon'"},
    'number as time': {'ctime': '1.5', 'mtime': '17'},
    'number as JSON': {'attributes': '0.1 + 0.2', 'extras': "X'7b7d'"},
}
PLAIN = {
    'other forms': {'uuid': "'ABC'", 'ctime': "'2020-01-01'"},
    'no such day': {'ctime': "'2026-02-30 00:00'"},
    'NUL': {'label': "'a' || char(0) || 'b'"},
    'control characters': {
        'label': 'char(29)',
        'description': 'char(8, 9, 10, 11, 12, 13, 92, 27, 28, 29, 30, 31)',
        'process_type': 'char(30)',
    },
    'NaN': {'attributes': '\'{"a": [NaN]}\''},
    'bare numbers': {'attributes': '5', 'extras': '1.5'},
    'no value': {'attributes': 'NULL', 'extras': 'NULL', 'dbcomputer_id': 'NULL'},
    'long': {'label': f"'{'ä' * 256}'"},
    'no JSON': {'attributes': "'{'"},
    'large': {'user_id': str(1 << 31)},
    'half a surrogate pair': {'extras': '\'{"\\ud800": 1}\''},
    'whole surrogate pair': {'extras': '\'{"\\ud83d\\ude00": "Infinity"}\''},
    'NUL in JSON': {'extras': '\'["\\\\u0000", "\\u0000"]\''},
    'text that only looks like it': {'extras': '\'["\\\\u0000", "NaN", "\\u00e4"]\'', 'label': "'\\u0000'"},
}


PKS = {name: pk for pk, name in enumerate([*ODD, *PLAIN], start=2)}
PKS['large pk'] = 1 << 31


@pytest.fixture
def storage_of_all(sqlite_storage: Any) -> Any:
    """A storage with a node for each of the names, changed past all checks, and a sound one."""
    user = sqlite_storage.insert(EntityKind.USER, [{'email': 'a@example.org'}])[0]
    rows = [{'user_pk': user, 'label': name} for name in ('sound', *PKS)]
    assert sqlite_storage.insert(EntityKind.NODE, rows)[0] == SOUND
    raw = sqlite_storage.session.raw
    raw.execute('PRAGMA foreign_keys = OFF')
    raw.execute('UPDATE db_dbnode SET id = ? WHERE label = ?', (PKS['large pk'], 'large pk'))
    for name, values in {**ODD, **PLAIN}.items():
        for column, value in values.items():
            raw.execute(f'UPDATE db_dbnode SET {column} = {value} WHERE id = ?', (PKS[name],))
    return sqlite_storage


@pytest.fixture
def pieces(storage_of_all: Any) -> Pieces:
    with storage_of_all.snapshot() as snapshot:
        return all_pieces(snapshot)


def only(pieces: Pieces, pk: int) -> Pieces:
    """Of all nodes but one."""
    found = dict(pieces)
    for part in pieces:
        if part.table == 'db_dbnode':
            every = lines(pieces, *part[:2]).splitlines(keepends=True)
            line = next(line for line in every if pk_of(line) == pk)
            found[part] = [pieces[part][0]._replace(first=pk, rows=1, odd=count_odd(line), data=line)]
    return found


def test_all_comes_back_in_sqlite_as_it_was_with_its_type(
    pieces: Pieces, storage_of_all: Any, make_sqlite_storage: Any
) -> None:
    again = make_sqlite_storage()
    again.fill(GivenSnapshot(pieces))
    with again.snapshot() as snapshot:
        assert without_settings(all_pieces(snapshot)) == without_settings(pieces)
    for storage in (storage_of_all, again):
        storage.session.raw.text_factory = bytes
    assert again.session.raw.execute(EVERYTHING).fetchall() == storage_of_all.session.raw.execute(EVERYTHING).fetchall()


def test_rows_with_values_of_a_wrong_type_are_odd_and_counted(pieces: Pieces) -> None:
    for name in PKS:
        assert any(piece.odd for given in only(pieces, PKS[name]).values() for piece in given) == (name in ODD), name
    odd = [sum(piece.odd for piece in given) for part, given in pieces.items() if part.table == 'db_dbnode']
    assert max(odd) <= len(ODD) <= sum(odd)


REASONS = {
    'BLOB': ('label', 'it is bytes in place of a text'),
    'no UTF-8': ('label', 'it is a text that is not UTF-8, or none of its kind'),
    'text as number': ('user_id', 'it is a text that is not UTF-8, or none of its kind'),
    'number as time': ('ctime', 'it is the number 1.5'),
    'number as JSON': ('attributes', 'it is the number 0.30000000000000004'),
    'no time': ('ctime', 'it is a text that is not UTF-8, or none of its kind'),
    'no time, as long as one': ('ctime', 'it is a text that is not UTF-8, or none of its kind'),
    'no such day': ('ctime', 'it is no time'),
    'other forms': ('uuid', 'it is no uuid'),
    'NUL': ('label', 'it holds the character NUL'),
    'NaN': ('attributes', 'it is no JSON: it holds NaN'),
    'long': ('label', 'it is longer than 255 characters'),
    'large': ('user_id', 'the number is larger than 2147483647'),
    'large pk': ('id', 'the number is larger than 2147483647'),
    'half a surrogate pair': ('extras', 'a string of it holds half a surrogate pair, such as \\ud800'),
    'NUL in JSON': ('extras', 'a string of it holds the character \\u0000'),
}


def test_what_postgresql_would_refuse_is_named_and_nothing_else(storage_of_all: Any) -> None:
    with storage_of_all.snapshot() as snapshot:
        assert snapshot.misfits(100) == []
        all_pieces(snapshot)
        found = snapshot.misfits(100)
        assert snapshot.misfits(2) == found[:2]
    for name, (column, reason) in REASONS.items():
        assert Misfit('db_dbnode', PKS[name], column, reason) in found, name
    assert {misfit.pk for misfit in found} == {PKS[name] for name in (*REASONS, 'no JSON')}


def test_no_more_misfits_are_remembered_than_is_useful(storage_of_all: Any) -> None:
    with storage_of_all.dialect.capture(None, SnapshotLimits(most_misfits=2)) as snapshot:
        all_pieces(snapshot)
        assert len(snapshot.misfits(10)) == 2


def test_postgresql_refuses_them_by_the_same_reasons(pieces: Pieces, psql_storage: Any) -> None:
    for name, (_, reason) in REASONS.items():
        with pytest.raises(ValidationError) as told:
            psql_storage.fill(GivenSnapshot(only(pieces, PKS[name])))
        message = str(told.value)
        assert f'of the node with pk {PKS[name]} (table db_dbnode) cannot be put into PostgreSQL' in message, name
        assert reason in message or name == 'large', message
    assert psql_storage.session.execute('SELECT count(*) FROM db_dbuser').fetchone() == (0,)


def test_what_postgresql_takes_is_what_sqlite_held(pieces: Pieces, storage_of_all: Any, psql_storage: Any) -> None:
    refused = {PKS[name] for name in (*REASONS, 'no JSON')}
    kept = dict(pieces)
    for part in pieces:
        if part.table == 'db_dbnode':
            every = [line for line in lines(pieces, *part[:2]).splitlines(keepends=True) if pk_of(line) not in refused]
            kept[part] = [pieces[part][0]._replace(first=SOUND, rows=len(every), odd=0, data=b''.join(every))]
    psql_storage.fill(GivenSnapshot(kept))
    for pk in (SOUND, *(pk for pk in PKS.values() if pk not in refused)):
        of_sqlite, of_psql = (
            storage.session.execute(f'{TEXTS} WHERE id = {pk}').fetchone() for storage in (storage_of_all, psql_storage)
        )
        assert of_psql[:3] == of_sqlite[:3]
        assert [text and json.loads(text) for text in of_psql[3:]] == [t and json.loads(t) for t in of_sqlite[3:]]


def test_postgresql_refuses_odd_rows_of_itself(pieces: Pieces, psql_storage: Any) -> None:
    raw = psql_storage.session.raw
    raw.execute('CREATE TEMP TABLE as_text (id text, label text, description text, mtime text, extras text)')
    odd = lines(only(pieces, PKS['BLOB']), 'db_dbnode', 'changing')
    with pytest.raises(Exception, match='end-of-copy marker'), raw.cursor().copy('COPY as_text FROM STDIN') as copy:
        copy.write(odd)
