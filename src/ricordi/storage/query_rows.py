"""From the tuples of a driver to the rows of a result, a batch at a time and column by column: little work per row."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ricordi.backend.query import COLUMNS, ValueKind
from ricordi.backend.rows import ROW_TYPES, EntityKind, JsonDict, NodeRow

Raw = tuple[Any, ...]
Decoder = Callable[[Any], Any]


class StoredNodeRow(NodeRow):
    """A node as it came from the database: its JSON stays text until it is looked at."""

    __slots__ = ()

    @property
    def attributes(self) -> JsonDict:
        value = _attributes.__get__(self)
        if type(value) is not dict:
            value = {} if value is None else json.loads(value)
            _attributes.__set__(self, value)
        return value  # type: ignore[no-any-return]

    @attributes.setter
    def attributes(self, value: JsonDict) -> None:
        _attributes.__set__(self, value)

    @property
    def extras(self) -> JsonDict:
        value = _extras.__get__(self)
        if type(value) is not dict:
            value = {} if value is None else json.loads(value)
            _extras.__set__(self, value)
        return value  # type: ignore[no-any-return]

    @extras.setter
    def extras(self, value: JsonDict) -> None:
        _extras.__set__(self, value)

    @property
    def repository_metadata(self) -> JsonDict:
        value = _repository_metadata.__get__(self)
        if type(value) is not dict:
            value = {} if value is None else json.loads(value)
            _repository_metadata.__set__(self, value)
        return value  # type: ignore[no-any-return]

    @repository_metadata.setter
    def repository_metadata(self, value: JsonDict) -> None:
        _repository_metadata.__set__(self, value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NodeRow):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in NodeRow.__slots__)

    __hash__ = None  # type: ignore[assignment]


_attributes: Any = vars(NodeRow)['attributes']
_extras: Any = vars(NodeRow)['extras']
_repository_metadata: Any = vars(NodeRow)['repository_metadata']


@dataclass(frozen=True, slots=True)
class Value:
    """How one value of a result is made of columns of the statement.

    :param width: of how many columns.
    :param make: what makes it of one column, or of several given as arguments; None where it is the column itself.
    """

    width: int = 1
    make: Decoder | None = None


def entity_value(kind: EntityKind, decoders: Sequence[Decoder | None]) -> Value:
    """A whole entity, as its row class; None where its pk is NULL.

    :param decoders: for each field of the row class.
    """
    row_type = StoredNodeRow if kind is EntityKind.NODE else ROW_TYPES[kind]
    lazy = kind is EntityKind.NODE
    steps = [
        (place, decode)
        for place, (column, decode) in enumerate(zip(COLUMNS[kind].values(), decoders, strict=True))
        if decode is not None and not (lazy and column.kind is ValueKind.JSON)
    ]

    def make(*values: Any) -> Any:
        if values[0] is None:
            return None
        decoded = list(values)
        for place, decode in steps:
            decoded[place] = decode(decoded[place])
        return row_type(*decoded)

    return Value(len(decoders), make)


def decode_rows(batch: Sequence[Raw], values: Sequence[Value]) -> Iterable[Raw]:
    """The rows of a result from a batch of raw ones."""
    if not batch or all(value.make is None for value in values):
        return batch
    columns = list(zip(*batch, strict=True))
    made: list[Iterable[Any]] = []
    place = 0
    for value in values:
        if value.make is None:
            made.append(columns[place])
        else:
            made.append(map(value.make, *columns[place : place + value.width]))
        place += value.width
    return zip(*made, strict=True)


def decode_batches(batches: Iterable[Sequence[Raw]], values: Sequence[Value]) -> Iterator[Raw]:
    """The rows of a result, as they are asked for."""
    for batch in batches:
        yield from decode_rows(batch, values)


# casts -----------------------------------------------------------------------------------------------------


def _as_float(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _as_int(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _as_bool(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _as_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _as_is(value: Any) -> Any:
    return value


CASTS: dict[str, Decoder] = {'f': _as_float, 'i': _as_int, 'b': _as_bool, 't': _as_text, 'j': _as_is}
"""What a value inside JSON becomes by a cast; `d` is made by the database."""


def with_cast(decode: Decoder | None, cast: Decoder) -> Decoder:
    """Decode, then cast."""
    if decode is None:
        return cast
    return lambda value: cast(decode(value))


def natural_number(value: Any) -> Any:
    """A number as JSON would give it: whole ones as int."""
    if value is None or isinstance(value, int | float):
        return value
    return int(value) if value.as_tuple().exponent >= 0 else float(value)


def as_float(value: Any) -> float | None:
    """A number as float."""
    return None if value is None else float(value)


def as_int(value: Any) -> int | None:
    """A number as int."""
    return None if value is None else int(value)
