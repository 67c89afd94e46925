"""From what a database hands over to the arrays of a table."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ricordi.errors import QueryError
from ricordi.storage.arrow.batch import RawBatch
from ricordi.storage.arrow.columns import ColumnContent, ColumnGroup, TableColumn
from ricordi.storage.arrow.decoding import decoded
from ricordi.storage.arrow.types import JSON_TEXT


def record_batch(groups: Sequence[ColumnGroup], types: Sequence[Any], batch: RawBatch) -> Any:
    """A record batch of the rows of a batch.

    :param types: for each column of the statement, its type or `JSON_TEXT`.
    """
    arrays = []
    place = 0
    for group in groups:
        parts = [array_of(column, types[place + n], batch, place + n) for n, column in enumerate(group.columns)]
        arrays.append(_struct(group, parts, types[place:]) if group.whole else parts[0])
        place += len(parts)
    return pa.record_batch(arrays, schema=schema_of(groups, types))


def schema_of(groups: Sequence[ColumnGroup], types: Sequence[Any]) -> Any:
    """The schema of the table."""
    fields = []
    place = 0
    for group in groups:
        parts = _fields(group, types[place:])
        fields.append(pa.field(group.name, pa.struct(parts)) if group.whole else parts[0])
        place += len(parts)
    return pa.schema(fields)


def _fields(group: ColumnGroup, types: Sequence[Any]) -> list[Any]:
    return [
        kind.with_name(column.name) if kind is JSON_TEXT else pa.field(column.name, kind)
        for column, kind in zip(group.columns, types, strict=False)
    ]


def _struct(group: ColumnGroup, parts: list[Any], types: Sequence[Any]) -> Any:
    missing = parts[0].is_null()
    return pa.StructArray.from_arrays(parts, fields=_fields(group, types), mask=missing)


def array_of(column: TableColumn, kind: Any, batch: RawBatch, place: int) -> Any:
    """The values of a column in a batch."""
    if column.plain:
        read = batch.json_text(place, column.decode) if column.content is ColumnContent.VALUE else batch.text(place)
        convert = None if read is None else _converter(column, kind)
        if convert is not None:
            try:
                return convert(read)
            except pa.ArrowInvalid:  # such as a time in a form of its own: read as `iterall` does
                pass
    values = decoded(column, batch.values(place))
    if kind is JSON_TEXT:
        values = [None if value is None else json.dumps(value, ensure_ascii=False) for value in values]
        kind = pa.string()
    try:
        return pa.array(values, kind)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError) as error:
        raise QueryError(f'a value of {column.name} does not fit into a table: {error}') from error


def _converter(column: TableColumn, kind: Any) -> Callable[[Any], Any] | None:
    """What makes an array of its texts; None where only Python can."""
    if column.content is ColumnContent.DOCUMENT or column.content is ColumnContent.VALUE:
        return _of_json(kind)
    if column.content is ColumnContent.BOOL:
        return _truths
    return _as_it_is if pa.types.is_string(kind) else lambda text: text.cast(kind)


def _of_json(kind: Any) -> Callable[[Any], Any] | None:
    if kind is JSON_TEXT:
        return _without_null
    if pa.types.is_string(kind):
        return _unquoted
    if pa.types.is_null(kind):
        return lambda text: pa.nulls(len(text))
    if pa.types.is_nested(kind):
        return None
    if pa.types.is_boolean(kind):
        return lambda text: pc.equal(_without_null(text), 'true')
    return lambda text: _without_null(text).cast(kind)


def _as_it_is(text: Any) -> Any:
    return text


def _truths(text: Any) -> Any:
    return pc.if_else(pc.is_null(text), None, pc.is_in(text, pa.array(['1', 't'])))


def _without_null(text: Any) -> Any:
    return pc.if_else(pc.equal(text, 'null'), None, text)


def _unquoted(text: Any) -> Any:
    if pc.any(pc.match_substring(text, '\\')).as_py():
        values = [None if one is None else json.loads(one) for one in text.to_pylist()]
        return pa.array(values, pa.string())
    return pc.utf8_slice_codeunits(_without_null(text), 1, -1)
