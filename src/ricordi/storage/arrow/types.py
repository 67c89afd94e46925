"""The type of a column of values inside JSON: found by looking at all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ricordi.storage.arrow.batch import RawBatch
from ricordi.storage.arrow.columns import ColumnContent, TableColumn
from ricordi.storage.arrow.decoding import decoded

JSON_TEXT = pa.field('', pa.string(), metadata={'ricordi': 'json'})
"""Stands for a column of texts each of which is JSON."""

_DIGITS_OF_DOUBLES = 15
_DIGITS_OF_INTEGERS = 18
_FIXED = {
    ColumnContent.INT: pa.int64(),
    ColumnContent.FLOAT: pa.float64(),
    ColumnContent.BOOL: pa.bool_(),
    ColumnContent.TEXT: pa.string(),
    ColumnContent.TIME: pa.timestamp('us', tz='UTC'),
}
_BY_FIRST = {'"': 'text', 't': 'bool', 'f': 'bool', '{': 'nested', '[': 'nested', 'n': 'null'}


def fixed_type(column: TableColumn) -> Any:
    """The type of a column of which the query tells it."""
    return _FIXED[column.content]


class TypeFinder:
    """Looks at the values of one column, batch by batch, and tells the type that all of them have."""

    def __init__(self, column: TableColumn, place: int, struct: bool) -> None:
        """
        :param place: of the column in the statement.
        :param struct: whether what is nested shall be a struct or list, where its parts have one type each.
        """
        self._column, self.place, self._struct = column, place, struct
        self._kinds = set[str]()
        self._nested: Any = pa.null()

    def look(self, batch: RawBatch) -> None:
        """Take note of the values of a batch."""
        if self._struct:
            self._unify(decoded(self._column, batch.values(self.place)))
            return
        text = batch.json_text(self.place, self._column.decode) if self._column.plain else None
        if text is None:
            self._kinds.update(map(_kind_of, decoded(self._column, batch.values(self.place))))
        else:
            self._kinds.update(_kinds_of_texts(text))

    def found(self) -> Any:
        """The type; `JSON_TEXT` where the values have none in common."""
        if self._struct:
            return JSON_TEXT if self._nested is None or _is_hollow(self._nested) else self._nested
        return _common_type(self._kinds - {'null'})

    def _unify(self, values: list[Any]) -> None:
        if self._nested is None:
            return
        try:
            found = pa.array(values).type
            schemas = [pa.schema([('v', one)]) for one in (self._nested, found)]
            self._nested = pa.unify_schemas(schemas, promote_options='permissive').field('v').type
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            self._nested = None


def _common_type(kinds: set[str]) -> Any:
    for known, found in (
        (set[str](), pa.null()),
        ({'int', 'long'}, pa.int64()),
        ({'int', 'float'}, pa.float64()),
        ({'bool'}, pa.bool_()),
        ({'text'}, pa.string()),
    ):
        if kinds <= known:
            return found
    return JSON_TEXT


def _kinds_of_texts(text: Any) -> Iterable[str]:
    firsts = pc.utf8_slice_codeunits(text, 0, 1).unique().to_pylist()
    yield from {_BY_FIRST.get(first, 'number') if first else 'null' for first in firsts} - {'number'}
    if any(first and first not in _BY_FIRST for first in firsts):
        numbers = text.filter(pc.match_substring_regex(text, '^[-0-9]'))
        whole = pc.match_substring_regex(numbers, '^-?[0-9]+$')
        if not pc.all(whole).as_py():
            yield 'float'
        longest = pc.max(pc.binary_length(numbers.filter(whole))).as_py()
        yield from () if longest is None else (_kind_of_digits(longest),)


def _kind_of_digits(digits: int) -> str:
    if digits <= _DIGITS_OF_DOUBLES:
        return 'int'
    return 'long' if digits <= _DIGITS_OF_INTEGERS else 'huge'


def _kind_of(value: Any) -> str:
    if value is None:
        return 'null'
    if isinstance(value, bool):
        return 'bool'
    if isinstance(value, int):
        return _kind_of_digits(len(re.sub('^-', '', str(value))) if abs(value) < 10**19 else 99)
    return 'float' if isinstance(value, float) else 'text' if isinstance(value, str) else 'nested'


def _is_hollow(kind: Any) -> bool:
    """Whether there is a struct without fields in a type, which Parquet cannot keep."""
    if pa.types.is_struct(kind):
        return kind.num_fields == 0 or any(_is_hollow(kind.field(place).type) for place in range(kind.num_fields))
    return pa.types.is_list(kind) and _is_hollow(kind.value_type)
