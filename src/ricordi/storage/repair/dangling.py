"""Rows that are nothing without what they name, and name what is not there: written down, then taken away.

A line of the file is one row: `{"table": "db_dblink", "row": {"id": "7", "input_id": "3", …}}`, each value as text, as
`CAST(… AS TEXT)` gives it, or null. So it can be put back by an INSERT of these texts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from ricordi.storage.verification.declared import declared

if TYPE_CHECKING:
    from ricordi.storage.session import Session

LOOSE_ENDS = ('db_dblink', 'db_dbgroup_dbnodes', 'db_dbcomment', 'db_dblog', 'db_dbauthinfo')
"""Tables of which the rows say something about others, and nothing by themselves."""
_ROWS_AT_ONCE = 500


def find_dangling(session: Session, table: str) -> int:
    """How many rows of a table name what is not there."""
    statement = f'SELECT count(*) FROM {table} AS r WHERE {_condition(session, table)}'
    return int(session.execute(statement).fetchone()[0])


def remove_dangling(session: Session, table: str, keep: Callable[[str, Iterable[bytes]], str]) -> str:
    """Write these rows down, durably, and then take away those that were written.

    :returns: where they are.
    """
    with session.transaction():
        statement = f'SELECT r.id FROM {table} AS r WHERE {_condition(session, table)} ORDER BY r.id'
        pks = [pk for (pk,) in session.execute(statement).fetchall()]
        place = keep(f'{table}.jsonl', _lines(session, table, pks))
        for some in _parts(pks):
            session.execute(f'DELETE FROM {table} WHERE id IN ({_listed(some)})')
    return place


def _condition(session: Session, table: str) -> str:
    references = declared(session.dialect.name).references[table]
    dangling = (
        f'(r.{column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {target} AS t WHERE t.id = r.{column}))'
        for column, target in references.items()
    )
    return ' OR '.join(dangling)


def _lines(session: Session, table: str, pks: list[int]) -> Iterator[bytes]:
    columns = list(declared(session.dialect.name).columns[table])
    values = ', '.join(f'CAST("{column}" AS TEXT)' for column in columns)
    for some in _parts(pks):
        for row in session.execute(
            f'SELECT {values} FROM {table} WHERE id IN ({_listed(some)}) ORDER BY id'
        ).fetchall():
            line = {'table': table, 'row': dict(zip(columns, row, strict=True))}
            yield json.dumps(line).encode() + b'\n'


def _parts(pks: list[int]) -> Iterator[list[int]]:
    for first in range(0, len(pks), _ROWS_AT_ONCE):
        yield pks[first : first + _ROWS_AT_ONCE]


def _listed(pks: list[int]) -> str:
    return ', '.join(str(int(pk)) for pk in pks)
