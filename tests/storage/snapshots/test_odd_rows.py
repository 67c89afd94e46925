"""What SQLite holds though it should not comes along unchanged, and what PostgreSQL would refuse of it is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from given_snapshots import all_pieces, lines, without_settings
from ricordi.backend.rows import EntityKind
from ricordi.backend.snapshots import Misfit
from ricordi.errors import ValidationError
from ricordi.storage.snapshots.cutting import SnapshotLimits

EVERYTHING = 'SELECT *, typeof(label), typeof(attributes), typeof(ctime), typeof(user_id) FROM db_dbnode ORDER BY id'

TEXTS = 'SELECT label, description, process_type, CAST(attributes AS TEXT), CAST(extras AS TEXT) FROM db_dbnode'


@pytest.fixture
def node(sqlite_storage: Any) -> Any:
    """Changes columns of the second of three nodes, past all checks: `node(label=b'\\xff')`; gives its pk."""
    user = sqlite_storage.insert(EntityKind.USER, [{'email': 'a@example.org'}])[0]
    pks = sqlite_storage.insert(EntityKind.NODE, [{'user_pk': user, 'label': name} for name in 'abc'])
    raw = sqlite_storage.session.raw
    raw.execute('PRAGMA foreign_keys = OFF')

    def change(**values: Any) -> int:
        for column, value in values.items():
            raw.execute(f'UPDATE db_dbnode SET {column} = {value} WHERE id = ?', (pks[1],))
        return pks[1]

    return change


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


@pytest.mark.parametrize('name', [*ODD, *PLAIN])
def test_it_comes_back_in_sqlite_as_it_was_with_its_type(
    name: str, node: Any, sqlite_storage: Any, make_sqlite_storage: Any
) -> None:
    node(**{**ODD, **PLAIN}[name])
    with sqlite_storage.snapshot() as snapshot:
        before = all_pieces(snapshot)
        assert sum(piece.odd for given in before.values() for piece in given) in ((1, 2) if name in ODD else (0,))
        again = make_sqlite_storage()
        again.fill(snapshot)
    with again.snapshot() as snapshot:
        assert without_settings(all_pieces(snapshot)) == without_settings(before)
    for storage in (sqlite_storage, again):
        storage.session.raw.text_factory = bytes
    assert again.session.raw.execute(EVERYTHING).fetchall() == sqlite_storage.session.raw.execute(EVERYTHING).fetchall()


@pytest.mark.parametrize(
    ('values', 'column', 'reason'),
    [
        (ODD['BLOB'], 'label', 'it is bytes in place of a text'),
        (ODD['no UTF-8'], 'label', 'it is a text that is not UTF-8, or none of its kind'),
        (ODD['number as time'], 'mtime', 'it is the number 17'),
        (PLAIN['other forms'], 'uuid', 'it is no uuid'),
        ({'ctime': "'2026-02-30 00:00'"}, 'ctime', 'it is no time'),
        ({'ctime': "'yesterday'"}, 'ctime', 'it is a text that is not UTF-8, or none of its kind'),
        (PLAIN['NUL'], 'label', 'it holds the character NUL'),
        (PLAIN['NaN'], 'attributes', 'it is no JSON: it holds NaN'),
        (PLAIN['long'], 'label', 'it is longer than 255 characters'),
        (PLAIN['large'], 'user_id', 'the number is larger than 2147483647'),
        (PLAIN['half a surrogate pair'], 'extras', 'a string of it holds half a surrogate pair, such as \\ud800'),
        (PLAIN['NUL in JSON'], 'extras', 'a string of it holds the character \\u0000'),
        ({'id': str(1 << 31)}, 'id', 'the number is larger than 2147483647'),
    ],
)
def test_what_postgresql_refuses_is_named(
    values: dict[str, str], column: str, reason: str, node: Any, sqlite_storage: Any, psql_storage: Any
) -> None:
    pk = node(**values) if 'id' not in values else (node(**values), 1 << 31)[1]
    with sqlite_storage.snapshot() as snapshot:
        assert snapshot.misfits(10) == []
        all_pieces(snapshot)
        assert Misfit('db_dbnode', pk, column, reason) in snapshot.misfits(10)
        assert snapshot.misfits(0) == []
        with pytest.raises(
            ValidationError, match=rf'of the node with pk {pk} \(table db_dbnode\) cannot be put'
        ) as told:
            psql_storage.fill(snapshot)
    assert any(found.reason in str(told.value) for found in snapshot.misfits(10))
    assert psql_storage.session.execute('SELECT count(*) FROM db_dbuser').fetchone() == (0,)


@pytest.mark.parametrize(
    'name', ['control characters', 'whole surrogate pair', 'text that only looks like it', 'bare numbers']
)
def test_what_postgresql_takes_is_no_misfit(name: str, node: Any, sqlite_storage: Any, psql_storage: Any) -> None:
    pk = node(**PLAIN[name])
    with sqlite_storage.snapshot() as snapshot:
        all_pieces(snapshot)
        assert snapshot.misfits(10) == []
        psql_storage.fill(snapshot)
    of_sqlite, of_psql = (
        storage.session.execute(f'{TEXTS} WHERE id = {pk}').fetchone() for storage in (sqlite_storage, psql_storage)
    )
    assert of_psql[:3] == of_sqlite[:3]
    assert [json.loads(text) for text in of_psql[3:]] == [json.loads(text) for text in of_sqlite[3:]]


def test_no_more_misfits_are_remembered_than_is_useful(node: Any, sqlite_storage: Any) -> None:
    node(**ODD['BLOB'], **ODD['number as time'])
    with sqlite_storage.dialect.capture(None, SnapshotLimits(most_misfits=2)) as snapshot:
        all_pieces(snapshot)
        assert len(snapshot.misfits(10)) == 2


def test_postgresql_refuses_odd_rows_of_itself(node: Any, sqlite_storage: Any, psql_storage: Any) -> None:
    node(**ODD['BLOB'])
    with sqlite_storage.snapshot() as snapshot:
        odd = lines(all_pieces(snapshot), 'db_dbnode', 'changing')
    raw = psql_storage.session.raw
    raw.execute('CREATE TEMP TABLE as_text (id text, label text, description text, mtime text, extras text)')
    with pytest.raises(Exception, match='end-of-copy marker'), raw.cursor().copy('COPY as_text FROM STDIN') as copy:
        copy.write(odd)
