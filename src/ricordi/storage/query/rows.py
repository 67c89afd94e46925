"""From the tuples of a driver to the rows of a result, a batch at a time and column by column: little work per row."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from operator import itemgetter
from typing import Any

from ricordi.backend.rows import ROW_TYPES, EntityKind, JsonDict, NodeRow
from ricordi.model.fields import FIELDS, TABLES, ValueKind
from ricordi.model.values import (
    UNREADABLE,
    DamagedJson,
    damaged_bytes,
    damaged_text,
    damaged_time,
    dictionary_of,
    read_bounded,
    why_unreadable,
)
from ricordi.storage.columns import place_of

Raw = tuple[Any, ...]
Decoder = Callable[[Any], Any]

_scan: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


def decode_json(text: Any) -> Any:
    """The value of JSON text; a number comes as it is, for SQLite makes one of its text in a column of JSON."""
    if not isinstance(text, str):
        return decode_text(text)
    try:
        return _scan(text, 0)[0]  # what json.loads does, without its looking for blanks around
    except StopIteration:
        return json.loads(text)


def decode_dictionary(text: Any) -> Any:
    """The value of JSON text that has to be a dictionary, or None.

    :raises TypeError: it is something else.
    """
    return dictionary_of(decode_json(text))


def decode_bounded(text: Any) -> Any:
    """As `decode_json`, of a database of strangers.

    :raises ValueError: the value would take too much memory.
    """
    return read_bounded(text) if isinstance(text, str) else text


def _bounded_dictionary(text: Any) -> Any:
    return dictionary_of(decode_bounded(text))


_DICTIONARIES: dict[Decoder | None, Decoder] = {decode_json: decode_dictionary, decode_bounded: _bounded_dictionary}
"""For what decodes any JSON, what decodes dictionaries only."""


def dictionary_or_damaged(text: Any, pk: int | None, column: str, bounded: bool = False) -> Any:
    """The dictionary of a JSON text of a node; an empty one for none; what stands for it where it cannot be read."""
    try:
        return dictionary_of(read_bounded(text) if bounded else decode_json(text)) or {}
    except UNREADABLE as error:
        return DamagedJson(why_unreadable(error, text), place_of(TABLES[EntityKind.NODE], pk, column))


def decode_text(value: Any) -> Any:
    """A text, or None. (Of a whole column at a time it is asked less: see `_as_texts`.)

    :raises TypeError: it is bytes.
    """
    if isinstance(value, bytes):
        raise TypeError('it is no text')
    return value


def _as_texts(column: Sequence[Any]) -> Sequence[Any]:
    """What `decode_text` makes of each value, for a fraction of the work."""
    try:
        ''.join(column)
    except TypeError:
        return [decode_text(value) for value in column]
    return column


def time_or_none(text: str | None) -> datetime | None:
    """The time of ISO 8601, where there is one."""
    return None if text is None else datetime.fromisoformat(text)


class StoredNodeRow(NodeRow):
    """A node as it came from the database: its JSON stays text until it is looked at."""

    __slots__ = ()
    _bounded = False

    def __init__(self, *fields: Any) -> None:
        """
        :param fields: all fields in order; attributes, extras and repository metadata as JSON text or None.
        """
        (
            self.pk,
            self.uuid,
            self.node_type,
            self.process_type,
            self.label,
            self.description,
            self.ctime,
            self.mtime,
            attributes,
            extras,
            repository_metadata,
            self.computer_pk,
            self.user_pk,
        ) = fields
        _attributes.__set__(self, attributes)
        _extras.__set__(self, extras)
        _repository_metadata.__set__(self, repository_metadata)

    @property
    def attributes(self) -> JsonDict:
        value = _attributes.__get__(self)
        if not isinstance(value, dict):
            value = dictionary_or_damaged(value, self.pk, 'attributes', self._bounded)
            _attributes.__set__(self, value)
        return value  # type: ignore[no-any-return]

    @attributes.setter
    def attributes(self, value: JsonDict) -> None:
        _attributes.__set__(self, value)

    @property
    def extras(self) -> JsonDict:
        value = _extras.__get__(self)
        if not isinstance(value, dict):
            value = dictionary_or_damaged(value, self.pk, 'extras', self._bounded)
            _extras.__set__(self, value)
        return value  # type: ignore[no-any-return]

    @extras.setter
    def extras(self, value: JsonDict) -> None:
        _extras.__set__(self, value)

    @property
    def repository_metadata(self) -> JsonDict:
        value = _repository_metadata.__get__(self)
        if not isinstance(value, dict):
            value = dictionary_or_damaged(value, self.pk, 'repository_metadata', self._bounded)
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


class StrangersNodeRow(StoredNodeRow):
    """A node from a database of strangers: of its JSON no more is read than there is memory for."""

    __slots__ = ()
    _bounded = True


_attributes: Any = vars(NodeRow)['attributes']
_extras: Any = vars(NodeRow)['extras']
_repository_metadata: Any = vars(NodeRow)['repository_metadata']


@dataclass(frozen=True, slots=True)
class Value:
    """How one value of a result is made of columns of the statement.

    :param decoders: for each of its columns, what makes the Python value; None where the column is that already.
    :param make: what makes the value of the decoded columns, where it is not the only one of them.
    """

    decoders: tuple[Decoder | None, ...] = (None,)
    make: Callable[..., Any] | None = None


def single(decode: Decoder | None = None) -> Value:
    """A value that is one column."""
    return Value((decode,))


def entity(kind: EntityKind, decoders: Sequence[Decoder | None], optional: bool) -> Value:
    """A whole entity, as its row class.

    :param decoders: for each field of the row class.
    :param optional: whether it may be missing: it is None where its pk is.
    """
    row_type: Callable[..., Any] = ROW_TYPES[kind]
    if kind is EntityKind.NODE:
        row_type = StrangersNodeRow if decode_bounded in decoders else StoredNodeRow
        kinds = [field.kind for field in FIELDS[kind].values()]
        decoders = [None if name is ValueKind.JSON else decode for name, decode in zip(kinds, decoders, strict=True)]
    elif any(field.kind is ValueKind.JSON for field in FIELDS[kind].values()):
        row_type = _telling_places(kind)
        decoders = [_DICTIONARIES.get(decode, decode) for decode in decoders]
    if not optional:
        return Value(tuple(decoders), row_type)
    return Value(tuple(decoders), lambda *fields: None if fields[0] is None else row_type(*fields))


def _telling_places(kind: EntityKind) -> Callable[..., Any]:
    """What makes a row of this kind; what stands for JSON that cannot be read is told where it lies."""
    row_type: Callable[..., Any] = ROW_TYPES[kind]
    names = [*FIELDS[kind]]

    def make(*fields: Any) -> Any:
        for name, field in zip(names, fields, strict=True):
            if type(field) is DamagedJson:
                field.place = place_of(TABLES[kind], fields[0], name)
        return row_type(*fields)

    return make


def decode_rows(batch: Sequence[Raw], values: Sequence[Value]) -> Iterable[Raw]:
    """The rows of a result from a batch of raw ones; where one cannot be read, it does not hide the others."""
    try:
        return list(_decoded(batch, values))
    except UNREADABLE:
        forgiving = [Value(tuple(map(_forgiving, value.decoders)), value.make) for value in values]
        return list(_decoded(batch, forgiving))


def _forgiving(decode: Decoder | None) -> Decoder | None:
    """A decoder that yields, for what it cannot read, what stands for it."""
    if decode is None:
        return None

    def decode_or_mark(value: Any) -> Any:
        try:
            return decode(value)
        except UNREADABLE as error:
            if decode is decode_text:
                return damaged_bytes(value)
            if decode in _DICTIONARIES.values():
                return DamagedJson(why_unreadable(error, value))
            return damaged_time() if _makes_times(decode) else damaged_text(why_unreadable(error, value))

    return decode_or_mark


def _makes_times(decode: Decoder) -> bool:
    return decode in (datetime.fromisoformat, time_or_none) or getattr(decode, '__name__', '') == 'decode_time'


def _decoded(batch: Sequence[Raw], values: Sequence[Value]) -> Iterable[Raw]:
    columns: list[Sequence[Any]] = list(zip(*batch, strict=True))
    made: list[Iterable[Any]] = []
    place = 0
    for value in values:
        width = len(value.decoders)
        decoded = [
            column if decode is None else _as_texts(column) if decode is decode_text else map(decode, column)
            for column, decode in zip(columns[place : place + width], value.decoders, strict=True)
        ]
        made.append(decoded[0] if value.make is None else map(value.make, *decoded))
        place += width
    return zip(*made, strict=True)


def decode_batches(batches: Iterable[Sequence[Raw]], values: Sequence[Value]) -> Iterator[Raw]:
    """The rows of a result, as they are asked for."""
    texts = [place for place, value in enumerate(values) if value == TEXT]
    if len(texts) + values.count(PLAIN) == len(values):
        return chain.from_iterable(
            batch if _hold_texts(batch, texts) else decode_rows(batch, values) for batch in batches
        )
    return chain.from_iterable(decode_rows(batch, values) for batch in batches if batch)


def _hold_texts(batch: Sequence[Raw], places: Sequence[int]) -> bool:
    """Whether there are texts, or None, at some places of all rows."""
    try:
        for place in places:
            _as_texts(list(map(itemgetter(place), batch)))
    except TypeError:
        return False
    return True


PLAIN = Value()
TEXT = Value((decode_text,))


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
