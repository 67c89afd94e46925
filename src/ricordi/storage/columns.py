"""The table of fields as SQL uses it: names of tables and columns, and the words for them in messages.

Plain data without SQLAlchemy, so that reading and writing rows does not wait for its import.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from ricordi.errors import CorruptStorage, WrongValue
from ricordi.model.fields import FIELDS, TABLES, EntityKind, ValueKind


@cache
def columns(kind: EntityKind) -> dict[str, str]:
    """Field of the row class → column, in the order of the row class."""
    return {name: field.column for name, field in FIELDS[kind].items()}


def json_columns() -> Iterator[tuple[str, str]]:
    """Table and column of every field that holds JSON."""
    for kind, fields in FIELDS.items():
        for field in fields.values():
            if field.kind is ValueKind.JSON:
                yield TABLES[kind], field.column


def column_name(kind: EntityKind, field: str) -> str:
    """The column that holds a field.

    :raises ricordi.errors.ValidationError: rows of this kind have no such field.
    """
    try:
        return columns(kind)[field]
    except KeyError:
        known = ', '.join(columns(kind))
        raise WrongValue(f'a {kind} has no field {field!r}; it has {known}') from None


def check_length(kind: EntityKind, field: str, value: Any) -> None:
    """Refuse a text that is too long for its column in one of the databases.

    :raises ricordi.errors.WrongValue: it has more characters than the limit of the field.
    """
    limit = FIELDS[kind][field].limit
    if limit is not None and isinstance(value, str) and len(value) > limit:
        raise WrongValue(
            f'the {field} of the {kind.value} is too long: {len(value)} characters, at most {limit}; shorten it'
        )


def row_words(table: str) -> str:
    """What a row of a table is called in a message (`db_dbnode` → `node`)."""
    words = {name: kind.value.replace('_', ' ') for kind, name in TABLES.items()}
    return {**words, 'db_dbgroup_dbnodes': 'group membership', 'db_dbsetting': 'setting'}.get(table, f'row of {table}')


def place_of(table: str, pk: Any, column: str) -> str:
    """Where a value is kept, in words."""
    return f'the {column} of the {row_words(table)} with pk {pk} (table {table})'


def unreadable(table: str, pk: Any, column: str, reason: str) -> CorruptStorage:
    """The error for a value of a row that the storage cannot have written."""
    return CorruptStorage(f'{place_of(table, pk, column)} cannot be read: {reason}; restore this row from a backup')
