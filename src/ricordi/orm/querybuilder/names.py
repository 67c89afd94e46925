"""Names of fields in queries: AiiDA's, with those of the database, and what they are in the rows of a storage."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ricordi.backend.query import COLUMNS, WALK_COLUMNS, Column, EdgeKind, Field, ValueKind
from ricordi.backend.rows import EntityKind
from ricordi.errors import QueryError
from ricordi.orm.querybuilder.values import check_text

_OTHER_NAMES = {
    'id': 'pk',
    'user': 'user_pk',
    'user_id': 'user_pk',
    'aiidauser_id': 'user_pk',
    'computer': 'computer_pk',
    'computer_id': 'computer_pk',
    'dbcomputer_id': 'computer_pk',
    'node': 'node_pk',
    'node_id': 'node_pk',
    'dbnode_id': 'node_pk',
    'dbgroup_id': 'group_pk',
    'group_id': 'group_pk',
    'input_id': 'input_pk',
    'output_id': 'output_pk',
    'ancestor_id': 'ancestor_pk',
    'descendant_id': 'descendant_pk',
}

_DATABASE_NAMES = {
    'pk': 'id',
    'user_pk': 'user_id',
    'computer_pk': 'dbcomputer_id',
    'node_pk': 'dbnode_id',
    'group_pk': 'dbgroup_id',
    'input_pk': 'input_id',
    'output_pk': 'output_id',
    'ancestor_pk': 'ancestor_id',
    'descendant_pk': 'descendant_id',
}

_SEPARATOR = re.compile(r'(?<!\\)\.')

EDGE_COLUMNS: dict[EdgeKind, Mapping[str, Column]] = {
    EdgeKind.REFERENCE: {},
    EdgeKind.LINK: COLUMNS[EntityKind.LINK],
    EdgeKind.MEMBER: COLUMNS[EntityKind.GROUP_NODE],
    EdgeKind.WALK: WALK_COLUMNS,
}


def database_name(kind: EntityKind | EdgeKind, field: str) -> str:
    """The name under which `**` gives a field: that of AiiDA's database column."""
    if kind is EntityKind.AUTHINFO and field == 'user_pk':
        return 'aiidauser_id'
    return _DATABASE_NAMES.get(field, field)


def columns_of(kind: EntityKind | EdgeKind) -> Mapping[str, Column]:
    """The fields of a vertex or of an edge."""
    return EDGE_COLUMNS[kind] if isinstance(kind, EdgeKind) else COLUMNS[kind]


def parse_field(tag: str, kind: EntityKind | EdgeKind, name: str) -> Field:
    r"""The field that a name as `attributes.a.b` stands for; `\.` is a dot inside a key.

    :raises ricordi.errors.QueryError: there is none, or it has nothing inside.
    """
    if not name.isascii():
        check_text(name)
    first, *path = _SEPARATOR.split(name)
    columns = columns_of(kind)
    field = _OTHER_NAMES.get(first, first)
    if field not in columns:
        if not columns:
            raise QueryError(f'{tag!r} joins by a reference: there is nothing on it to filter or project ({name!r})')
        known = ', '.join(columns)
        raise QueryError(f'{first!r} is not a field of {tag!r} ({kind}); it has: {known}')
    if path and columns[field].kind is not ValueKind.JSON:
        raise QueryError(f'{first!r} of {tag!r} ({kind}) is no JSON: {name!r} cannot be looked up in it')
    return Field(field, tuple(key.replace('\\.', '.') for key in path))
