"""Unique constraints of SQLite tables, left out while rows are put and made in order after.

A constraint is an index that no statement drops. Kept while rows come, whose uuids have their places anywhere in it, it
costs as much as all else together, and far more once it is larger than the cache. So the schema does not name it
meanwhile. All of that is within one transaction: nobody else sees it, and in the end the schema is the same, byte by
byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ricordi.storage.session import Session

_CONSTRAINT = re.compile(r',\s*CONSTRAINT \w+ UNIQUE \([^()]*\)')
_DEFINITION = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?"
_THOSE = "FROM sqlite_schema WHERE type = 'index' AND sql IS NULL AND tbl_name = ?"
_INDEXES = f'SELECT type, name, tbl_name, rootpage, sql {_THOSE}'


class ConstraintsOfTable(NamedTuple):
    """Unique constraints of a table that the schema does not name for a while.

    :param definition: what the schema says of it else.
    :param indexes: rows of the schema, of the indexes that keep the constraints.
    """

    table: str
    definition: str
    indexes: Sequence[tuple[Any, ...]]


def leave_out(session: Session, tables: Iterable[str]) -> list[ConstraintsOfTable]:
    """Have the schema not name the unique constraints of some empty tables, within the transaction that is open.

    None are left out where this SQLite does not let its schema be written, nor those of a table that has any of another
    form: they are kept while rows come.
    """
    session.execute('PRAGMA writable_schema = ON')
    (is_writable,) = session.execute('PRAGMA writable_schema').fetchone()
    left_out = [one for table in tables if (one := _constraints_of(session, table)) is not None] if is_writable else []
    for one in left_out:
        session.execute(f'DELETE {_THOSE}', (one.table,))
        _define(session, one.table, _CONSTRAINT.sub('', one.definition))
    _read_anew(session)
    return left_out


def make(session: Session, left_out: Sequence[ConstraintsOfTable]) -> None:
    """Have the schema name them again, and make the indexes.

    :raises ricordi.errors.IntegrityError: rows break one of them; the transaction is to be undone.
    """
    if not left_out:
        return
    session.execute('PRAGMA writable_schema = ON')
    for one in left_out:
        session.execute_many('INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)', one.indexes)
        _define(session, one.table, one.definition)
    _read_anew(session)
    for one in left_out:  # only now is there anything in them
        session.execute(f'REINDEX {one.table}')


def _constraints_of(session: Session, table: str) -> ConstraintsOfTable | None:
    (definition,) = session.execute(_DEFINITION, (table,)).fetchone()
    indexes = session.execute(_INDEXES, (table,)).fetchall()
    are_known = indexes and len(_CONSTRAINT.findall(definition)) == len(indexes)
    return ConstraintsOfTable(table, definition, indexes) if are_known else None


def _define(session: Session, table: str, definition: str) -> None:
    session.execute("UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?", (definition, table))


def _read_anew(session: Session) -> None:
    session.execute('PRAGMA writable_schema = RESET')
