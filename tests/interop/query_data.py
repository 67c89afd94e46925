"""The reference data and more nodes, with values that are easy to get wrong, on both databases with the same pks."""

from __future__ import annotations

import json
import sqlite3
import uuid
from pathlib import Path
from typing import Any

TRICKY_VALUES: list[Any] = [
    *[5, 5.0, '5', True, False, None, [], [1, 2, 3], [5], ['b', 'c'], {}, {'y': 5}, {'y': '5'}, {'0': 'zero'}],
    *[
        'text',
        'Text',
        'a_c',
        'abc',
        '100%',
        'zürich',
        'ÜBER',
        '',
        6,
        2.5,
        -7,
        0,
        2**60,
        2**60 + 1,
        12345.678,
        [[1], [2]],
    ],
    *[{'b': 1}, ['5', 5], {'y': {'z': 1}}, [None], 'm'],
    # as AiiDA stores 6.02214076e23, 1e15 and 1.2345678901234567e18
    *[
        602214075999999987023872,
        10**15,
        1234567890123456768,
        [602214075999999987023872],
        590000000000000000000000,
        602214076000000100000000,
    ],
]
LABELS = ('odd 100% sure', 'a_b', 'axb', 'back\\slash', 'UPPER', 'ünï')

_TABLES = (
    *('db_dbuser', 'db_dbcomputer', 'db_dbauthinfo', 'db_dbgroup', 'db_dbnode', 'db_dbcomment', 'db_dbgroup_dbnodes'),
    *('db_dblink', 'db_dblog'),
)
_BOOLEANS = {'enabled'}


def add_tricky_nodes(database: Path) -> None:
    """Insert Dict nodes with `TRICKY_VALUES` as attribute `x`, the last without it, written as AiiDA writes them."""
    insert = (
        'INSERT INTO db_dbnode (uuid, node_type, label, description, ctime, mtime, attributes, extras, '
        "repository_metadata, user_id) VALUES (?, 'data.core.dict.Dict.', ?, '', ?, ?, ?, ?, '{}', ?)"
    )
    with sqlite3.connect(database) as connection:
        for number, value in enumerate([*TRICKY_VALUES, ...]):
            attributes = '{}' if value is ... else json.dumps({'x': value})
            made = str(uuid.UUID(int=number + 1, version=4))
            time = f'2027-01-{number % 28 + 1:02d} 00:00:00.000000'
            label = LABELS[number % len(LABELS)]
            extras = json.dumps({'n': number} if number % 3 else {})
            connection.execute(insert, (made, label, time, time, attributes, extras, number % 3 + 1))
    connection.close()


def copy_rows(database: Path, postgres_uri: str) -> None:
    """Put the rows of a SQLite database, pks included, in place of those of a PostgreSQL database."""
    import psycopg

    source = sqlite3.connect(database)
    source.row_factory = sqlite3.Row
    with psycopg.connect(postgres_uri) as target:
        target.execute("SET TIME ZONE 'UTC'")
        target.execute(f'TRUNCATE {", ".join(_TABLES)} CASCADE')
        for table in _TABLES:
            for row in source.execute(f'SELECT * FROM {table}'):
                names = ', '.join(row.keys())
                marks = ', '.join('%s' for _ in row.keys())  # noqa: SIM118
                values = [bool(row[name]) if name in _BOOLEANS else row[name] for name in row.keys()]  # noqa: SIM118
                target.execute(f'INSERT INTO {table} ({names}) VALUES ({marks})', values)
    source.close()
