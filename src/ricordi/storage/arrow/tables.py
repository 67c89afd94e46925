"""A query as a stream of record batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ricordi.storage.arrow.columns import ColumnContent, ColumnGroup, TableColumn
from ricordi.storage.arrow.conversion import record_batch, schema_of
from ricordi.storage.arrow.types import JSON_TEXT, TypeFinder, fixed_type

if TYPE_CHECKING:
    from ricordi.storage.arrow.batch import TableSource


def table_batches(groups: Sequence[ColumnGroup], source: TableSource, struct: bool) -> Iterator[Any]:
    """The record batches, at least one: its schema tells what there is, though there be no row.

    :param source: closed at the end.
    :param struct: whether nested JSON shall be structs and lists instead of text.
    """
    with closing(source):
        columns = [column for group in groups for column in group.columns]
        types = _types(columns, source, struct)
        rows = 0
        for batch in source.batches():
            rows += batch.rows
            yield record_batch(groups, types, batch)
        if not rows:
            schema = schema_of(groups, types)
            yield pa.record_batch([pa.array([], field.type) for field in schema], schema=schema)


def _types(columns: Sequence[TableColumn], source: TableSource, struct: bool) -> list[Any]:
    """The type of each column; where the query does not tell it, all rows are looked at once more."""
    finders = {
        place: TypeFinder(column, place, struct)
        for place, column in enumerate(columns)
        if column.content is ColumnContent.VALUE or (struct and column.content is ColumnContent.DOCUMENT)
    }
    for batch in source.batches() if finders else ():
        for finder in finders.values():
            finder.look(batch)
    found = {place: finder.found() for place, finder in finders.items()}
    return [
        found[place]
        if place in found
        else JSON_TEXT
        if column.content is ColumnContent.DOCUMENT
        else fixed_type(column)
        for place, column in enumerate(columns)
    ]
