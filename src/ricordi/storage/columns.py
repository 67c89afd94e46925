"""Where the fields of the row classes lie in the database: table and column names, and the kind of each value.

Plain data without SQLAlchemy, so that reading and writing rows does not wait for its import.
"""

from __future__ import annotations

from dataclasses import fields
from enum import Enum
from functools import cache
from typing import Any

from ricordi.backend.rows import ROW_TYPES, EntityKind
from ricordi.errors import CorruptStorage, ValidationError
from ricordi.model.values import TEXT_LIMITS


class ValueKind(Enum):
    """How a value is carried: what it is in Python, and what in the database."""

    PLAIN = 'plain'
    UUID = 'uuid'
    BOOLEAN = 'boolean'
    TIME = 'time'
    JSON = 'json'


TABLES = {
    EntityKind.USER: 'db_dbuser',
    EntityKind.COMPUTER: 'db_dbcomputer',
    EntityKind.AUTHINFO: 'db_dbauthinfo',
    EntityKind.NODE: 'db_dbnode',
    EntityKind.GROUP: 'db_dbgroup',
    EntityKind.COMMENT: 'db_dbcomment',
    EntityKind.LOG: 'db_dblog',
    EntityKind.LINK: 'db_dblink',
    EntityKind.GROUP_NODE: 'db_dbgroup_dbnodes',
}

_RENAMED = {
    'pk': 'id',
    'user_pk': 'user_id',
    'computer_pk': 'dbcomputer_id',
    'node_pk': 'dbnode_id',
    'group_pk': 'dbgroup_id',
    'input_pk': 'input_id',
    'output_pk': 'output_id',
}
_RENAMED_IN = {(EntityKind.AUTHINFO, 'user_pk'): 'aiidauser_id'}

_VALUE_KINDS = {
    'uuid': ValueKind.UUID,
    'enabled': ValueKind.BOOLEAN,
    'ctime': ValueKind.TIME,
    'mtime': ValueKind.TIME,
    'time': ValueKind.TIME,
    'metadata': ValueKind.JSON,
    'auth_params': ValueKind.JSON,
    'attributes': ValueKind.JSON,
    'extras': ValueKind.JSON,
    'repository_metadata': ValueKind.JSON,
}


def table_name(kind: EntityKind) -> str:
    """The table that holds the rows of one kind."""
    return TABLES[kind]


@cache
def columns(kind: EntityKind) -> dict[str, str]:
    """Field of the row class → column, in the order of the row class."""
    names = [field.name for field in fields(ROW_TYPES[kind])]
    return {name: _RENAMED_IN.get((kind, name)) or _RENAMED.get(name, name) for name in names}


def column_name(kind: EntityKind, field: str) -> str:
    """The column that holds a field.

    :raises ricordi.errors.ValidationError: rows of this kind have no such field.
    """
    try:
        return columns(kind)[field]
    except KeyError:
        known = ', '.join(columns(kind))
        raise ValidationError(f'a {kind} has no field {field!r}; it has {known}') from None


def value_kind(field: str) -> ValueKind:
    """How the values of a field are carried; fields of one name are alike in all tables."""
    return _VALUE_KINDS.get(field, ValueKind.PLAIN)


def check_length(kind: EntityKind, field: str, value: Any) -> None:
    """Refuse a text that is too long for its column in one of the databases.

    :raises ricordi.errors.ValidationError: it has more characters than `TEXT_LIMITS` allows.
    """
    limit = TEXT_LIMITS.get(field)
    if limit is not None and isinstance(value, str) and len(value) > limit:
        raise ValidationError(
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
