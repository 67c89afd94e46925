"""Names of fields in queries: AiiDA's, with those of the database, and what they are in the rows of a storage."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ricordi.backend.query import WALK_FIELDS, EdgeKind, Field
from ricordi.errors import QueryError
from ricordi.model.fields import FIELDS, OTHER_NAMES, EntityKind, RowField, ValueKind
from ricordi.orm.querybuilder.values import check_text

_OTHER_NAMES = OTHER_NAMES | {field.column: field.name for field in WALK_FIELDS.values()}

_SEPARATOR = re.compile(r'(?<!\\)\.')

EDGE_FIELDS: dict[EdgeKind, Mapping[str, RowField]] = {
    EdgeKind.REFERENCE: {},
    EdgeKind.LINK: FIELDS[EntityKind.LINK],
    EdgeKind.MEMBER: FIELDS[EntityKind.GROUP_NODE],
    EdgeKind.WALK: WALK_FIELDS,
}


def fields_of_kind(kind: EntityKind | EdgeKind) -> Mapping[str, RowField]:
    """The fields of a vertex or of an edge."""
    return EDGE_FIELDS[kind] if isinstance(kind, EdgeKind) else FIELDS[kind]


def parse_field(tag: str, kind: EntityKind | EdgeKind, name: str) -> Field:
    r"""The field that a name as `attributes.a.b` stands for; `\.` is a dot inside a key.

    :raises ricordi.errors.QueryError: there is none, or it has nothing inside.
    """
    if not name.isascii():
        check_text(name)
    first, *path = _SEPARATOR.split(name)
    fields = fields_of_kind(kind)
    field = _OTHER_NAMES.get(first, first)
    if field not in fields:
        if not fields:
            raise QueryError(f'{tag!r} joins by a reference: there is nothing on it to filter or project ({name!r})')
        known = ', '.join(fields)
        raise QueryError(f'{first!r} is not a field of {tag!r} ({kind}); it has: {known}')
    if path and fields[field].kind is not ValueKind.JSON:
        raise QueryError(f'{first!r} of {tag!r} ({kind}) is no JSON: {name!r} cannot be looked up in it')
    return Field(field, tuple(key.replace('\\.', '.') for key in path))
