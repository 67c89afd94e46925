"""What each column of a table holds, as far as the query alone tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from ricordi.backend.query import Projection, Query
from ricordi.model.fields import FIELDS, ValueKind
from ricordi.storage.query.rows import Decoder, Value
from ricordi.storage.query.sources import Source, Sources


class ColumnContent(Enum):
    """What a column holds."""

    INT = auto()
    FLOAT = auto()
    BOOL = auto()
    TEXT = auto()
    TIME = auto()
    DOCUMENT = auto()
    """A whole JSON column."""
    VALUE = auto()
    """A value inside JSON: its type is that of the values that are there."""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of the statement.

    :param decode: makes the Python value of what the driver gives; None where that is one.
    :param plain: whether the text of the column says all, so that it need not be decoded value by value.
    """

    name: str
    content: ColumnContent
    decode: Decoder | None
    plain: bool = True


@dataclass(frozen=True, slots=True)
class ColumnGroup:
    """A column of the table.

    :param columns: one; or those of the fields of a whole entity.
    :param whole: whether it is a whole entity, which is missing where its first field is.
    """

    name: str
    columns: tuple[TableColumn, ...]
    whole: bool = False


_CONTENTS = {
    ValueKind.INT: ColumnContent.INT,
    ValueKind.TEXT: ColumnContent.TEXT,
    ValueKind.UUID: ColumnContent.TEXT,
    ValueKind.BOOL: ColumnContent.BOOL,
    ValueKind.TIME: ColumnContent.TIME,
    ValueKind.JSON: ColumnContent.DOCUMENT,
}
_CASTS = {
    'f': ColumnContent.FLOAT,
    'i': ColumnContent.INT,
    'b': ColumnContent.BOOL,
    't': ColumnContent.TEXT,
    'd': ColumnContent.TIME,
    'j': ColumnContent.VALUE,
}


_SAID_BY_TEXT = (ColumnContent.INT, ColumnContent.TEXT, ColumnContent.TIME)
"""What a function of the database makes whose text is exact (SQLite writes numbers with fifteen digits)."""


def columns_of(query: Query, names: Sequence[str], values: Sequence[Value]) -> list[ColumnGroup]:
    """The columns of the table of a query.

    :param names: what each projection is called.
    :param values: how each is decoded.
    """
    sources = Sources(query)
    return [
        _whole(name, sources[projection.tag], value)
        if projection.field is None and projection.function is None
        else ColumnGroup(name, (_column(name, projection, sources[projection.tag], value.decoders[0]),))
        for name, projection, value in zip(names, query.projections, values, strict=True)
    ]


def _whole(name: str, source: Source, value: Value) -> ColumnGroup:
    assert source.kind is not None  # of an edge only fields are compiled
    fields = FIELDS[source.kind].values()
    columns = tuple(
        TableColumn(field.name, _CONTENTS[field.kind], decode)
        for field, decode in zip(fields, value.decoders, strict=True)
    )
    return ColumnGroup(name, columns, whole=True)


def _column(name: str, projection: Projection, source: Source, decode: Decoder | None) -> TableColumn:
    if projection.field is None or projection.function == 'count':
        return TableColumn(name, ColumnContent.INT, decode)
    kind = source.place(projection.field).kind
    if projection.function is not None:
        content = _of_function(kind, projection.function, projection.cast)
        return TableColumn(
            name, content, decode, plain=content in _SAID_BY_TEXT and projection.cast in (None, 'd', 't')
        )
    if kind is not ValueKind.JSON:
        return TableColumn(name, _CONTENTS[kind], decode)
    if projection.cast is not None:
        return TableColumn(name, _CASTS[projection.cast], decode, plain=projection.cast == 'd')
    return TableColumn(name, ColumnContent.VALUE if projection.field.path else ColumnContent.DOCUMENT, decode)


def _of_function(kind: ValueKind, function: str, cast: str | None) -> ColumnContent:
    if function == 'avg':
        return ColumnContent.FLOAT
    if kind is ValueKind.JSON:
        return ColumnContent.VALUE if cast is None else _CASTS[cast]
    return _CONTENTS[kind]
