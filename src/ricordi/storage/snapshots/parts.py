"""What a snapshot of a database consists of: its tables, in parts, and their columns."""

from __future__ import annotations

from typing import NamedTuple

from ricordi.backend.snapshots import TablePart
from ricordi.model.fields import FIELDS, TABLES, EntityKind, ValueKind
from ricordi.storage.settings import LONGEST_KEY

SETTINGS = 'db_dbsetting'
NODE_WIDTH = 1024
CHANGING_WIDTH = 128
"""Narrow, for each touched node costs the piece that it is in, and AiiDA keeps a hash of each node in its extras, which
nothing compresses."""
OTHER_WIDTH = 8192
CHANGING = ('label', 'description', 'mtime', 'extras')
"""What a change of a stored node changes of its row."""


class PartColumn(NamedTuple):
    """A column of a table.

    :param limit: characters of a text.
    """

    name: str
    kind: ValueKind
    nullable: bool = False
    limit: int | None = None


_IN_ORDER = (
    EntityKind.USER,
    EntityKind.COMPUTER,
    EntityKind.AUTHINFO,
    EntityKind.GROUP,
    EntityKind.NODE,
    EntityKind.GROUP_NODE,
    EntityKind.LINK,
    EntityKind.COMMENT,
    EntityKind.LOG,
)

COLUMNS: dict[str, dict[str, PartColumn]] = {
    **{
        TABLES[kind]: {
            field.column: PartColumn(field.column, field.kind, field.nullable, field.limit)
            for field in FIELDS[kind].values()
        }
        for kind in _IN_ORDER
    },
    SETTINGS: {
        'id': PartColumn('id', ValueKind.INT),
        'key': PartColumn('key', ValueKind.TEXT, limit=LONGEST_KEY),
        'val': PartColumn('val', ValueKind.JSON, nullable=True),
        'description': PartColumn('description', ValueKind.TEXT),
        'time': PartColumn('time', ValueKind.TIME),
    },
}
"""By table, in an order in which rows can be put, its columns by name."""


def _parts_of(table: str) -> tuple[TablePart, ...]:
    columns = tuple(COLUMNS[table])
    if table != TABLES[EntityKind.NODE]:
        return (TablePart(table, '', columns, OTHER_WIDTH),)
    fixed = tuple(name for name in columns if name not in CHANGING)
    return (
        TablePart(table, 'fixed', fixed, NODE_WIDTH),
        TablePart(table, 'changing', ('id', *CHANGING), CHANGING_WIDTH),
    )


PARTS = tuple(part for table in COLUMNS for part in _parts_of(table))
"""The parts of a snapshot that is captured."""


def columns_of(part: TablePart) -> list[PartColumn]:
    """The columns of a part, in its order."""
    return [COLUMNS[part.table][name] for name in part.columns]
