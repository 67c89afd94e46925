"""The fields of every kind of row, in one table: their columns, and what may stand in them.

The classes of rows, queries, SQL, the schema of new databases and the checks of archives follow from it. Names of
tables and columns are those of AiiDA (formats/database.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EntityKind(StrEnum):
    """The kinds of row a storage keeps."""

    USER = 'user'
    COMPUTER = 'computer'
    AUTHINFO = 'authinfo'
    NODE = 'node'
    GROUP = 'group'
    COMMENT = 'comment'
    LOG = 'log'
    LINK = 'link'
    GROUP_NODE = 'group_node'


class ValueKind(StrEnum):
    """What a field holds."""

    INT = 'int'
    TEXT = 'text'
    BOOL = 'bool'
    TIME = 'time'
    UUID = 'uuid'
    JSON = 'json'


@dataclass(frozen=True, slots=True)
class RowField:
    """A field of a kind of row.

    :param name: in rows and queries.
    :param column: in the database.
    :param nullable: whether a stored row may be without a value.
    :param limit: characters of a text. PostgreSQL keeps to it, SQLite does not: what AiiDA has written there may be
        longer, and is read as it is.
    :param references: the kind of row whose pk it holds.
    :param on_delete: what becomes of this row when the one it names is deleted, in SQL; None: that is refused.
    :param unique: whether no two rows have the same value.
    :param indexed: whether an index helps to find a value.
    """

    name: str
    column: str
    kind: ValueKind
    nullable: bool = False
    limit: int | None = None
    references: EntityKind | None = None
    on_delete: str | None = None
    unique: bool = False
    indexed: bool = False


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

LONGEST_TEXT = 255
"""Characters of a text that has a limit, where no other is told: of labels and types."""


def _text(
    name: str, limit: int | None = LONGEST_TEXT, *, nullable: bool = False, unique: bool = False, indexed: bool = False
) -> RowField:
    return RowField(name, name, ValueKind.TEXT, nullable, limit, unique=unique, indexed=indexed)


def _time(name: str, *, indexed: bool = False) -> RowField:
    return RowField(name, name, ValueKind.TIME, indexed=indexed)


def _json(name: str, *, nullable: bool = False) -> RowField:
    return RowField(name, name, ValueKind.JSON, nullable)


def _reference(name: str, column: str, kind: EntityKind, on_delete: str | None, *, nullable: bool = False) -> RowField:
    return RowField(name, column, ValueKind.INT, nullable, references=kind, on_delete=on_delete, indexed=True)


def _fields(*fields: RowField) -> dict[str, RowField]:
    return {field.name: field for field in (_PK, *fields)}


_PK = RowField('pk', 'id', ValueKind.INT)
_UUID = RowField('uuid', 'uuid', ValueKind.UUID, unique=True)
_DESCRIPTION = _text('description', None)

FIELDS: dict[EntityKind, dict[str, RowField]] = {
    EntityKind.USER: _fields(
        _text('email', 254, unique=True), _text('first_name', 254), _text('last_name', 254), _text('institution', 254)
    ),
    EntityKind.COMPUTER: _fields(
        _UUID,
        _text('label', unique=True),
        _text('hostname'),
        _DESCRIPTION,
        _text('scheduler_type'),
        _text('transport_type'),
        _json('metadata'),
    ),
    EntityKind.AUTHINFO: _fields(
        _reference('user_pk', 'aiidauser_id', EntityKind.USER, 'CASCADE'),
        _reference('computer_pk', 'dbcomputer_id', EntityKind.COMPUTER, 'CASCADE'),
        _json('metadata'),
        _json('auth_params'),
        RowField('enabled', 'enabled', ValueKind.BOOL),
    ),
    EntityKind.NODE: _fields(
        _UUID,
        _text('node_type', indexed=True),
        _text('process_type', nullable=True, indexed=True),
        _text('label', indexed=True),
        _DESCRIPTION,
        _time('ctime', indexed=True),
        _time('mtime', indexed=True),
        _json('attributes', nullable=True),
        _json('extras', nullable=True),
        _json('repository_metadata'),
        _reference('computer_pk', 'dbcomputer_id', EntityKind.COMPUTER, 'RESTRICT', nullable=True),
        _reference('user_pk', 'user_id', EntityKind.USER, 'RESTRICT'),
    ),
    EntityKind.GROUP: _fields(
        _UUID,
        _text('label', indexed=True),
        _text('type_string', indexed=True),
        _time('time'),
        _DESCRIPTION,
        _json('extras'),
        _reference('user_pk', 'user_id', EntityKind.USER, 'CASCADE'),
    ),
    EntityKind.GROUP_NODE: _fields(
        _reference('node_pk', 'dbnode_id', EntityKind.NODE, None),
        _reference('group_pk', 'dbgroup_id', EntityKind.GROUP, None),
    ),
    EntityKind.LINK: _fields(
        _reference('input_pk', 'input_id', EntityKind.NODE, None),
        _reference('output_pk', 'output_id', EntityKind.NODE, 'CASCADE'),
        _text('label', indexed=True),
        _text('type', indexed=True),
    ),
    EntityKind.COMMENT: _fields(
        _UUID,
        _reference('node_pk', 'dbnode_id', EntityKind.NODE, 'CASCADE'),
        _time('ctime'),
        _time('mtime'),
        _reference('user_pk', 'user_id', EntityKind.USER, 'CASCADE'),
        _text('content', None),
    ),
    EntityKind.LOG: _fields(
        _UUID,
        _time('time'),
        _text('loggername', indexed=True),
        _text('levelname', 50, indexed=True),
        _reference('node_pk', 'dbnode_id', EntityKind.NODE, 'CASCADE'),
        _text('message', None),
        _json('metadata'),
    ),
}
"""The fields of each kind of row by name, in the order of the row class and of the columns of its table.

The kinds stand in the order in which AiiDA makes their tables."""

UNIQUE_TOGETHER: dict[EntityKind, tuple[str, ...]] = {
    EntityKind.AUTHINFO: ('user_pk', 'computer_pk'),
    EntityKind.GROUP: ('label', 'type_string'),
    EntityKind.GROUP_NODE: ('group_pk', 'node_pk'),
}
"""Fields in all of which no two rows agree."""

OTHER_NAMES = {
    **{field.column: name for fields in FIELDS.values() for name, field in fields.items() if field.column != name},
    'user': 'user_pk',
    'computer': 'computer_pk',
    'computer_id': 'computer_pk',
    'node': 'node_pk',
    'node_id': 'node_pk',
    'group_id': 'group_pk',
}
"""What else a field is called where a script asks for it: by the name of its column, or of what it refers to."""
