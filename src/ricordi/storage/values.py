"""Values on their way into the database: exact JSON, times in UTC, and a clear refusal of the rest."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from ricordi.errors import ValidationError
from ricordi.model.fields import FIELDS, EntityKind, ValueKind
from ricordi.model.values import DEEPEST_JSON, is_far_time, is_uuid_text

_CONTAINERS = (dict, list, tuple)
_VARIANT = {digit: '89ab'[int(digit, 16) & 3] for digit in '0123456789abcdef'}


def encode_json(value: Any, name: str) -> str:
    """JSON text of a value, in the form that Python's `json` writes (formats/database.md, *Types*).

    :param name: what the value is called in an error message.
    :raises ricordi.errors.ValidationError: it holds what JSON cannot carry: NaN, infinities, keys that are not strings,
        foreign types, itself. The message names the path of the bad value.
    """
    if type(value) is dict and not value:
        return '{}'
    try:
        _check_keys(value, DEEPEST_JSON)  # which also ends with a RecursionError for what contains itself
        text = _encode(value)
    except (TypeError, ValueError, RecursionError):
        raise ValidationError(_explain(value, name)) from None
    if '\\ud' in text:
        refuse_half_characters(value, name)
    return text


def refuse_half_characters(value: Any, name: str) -> None:
    """See that all texts in a JSON value are valid Unicode.

    :raises ricordi.errors.ValidationError: one holds half a character (a lone surrogate); the message names its path.
    """
    for path, text in texts(value, name):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValidationError(f'{path} cannot be stored: it is no valid Unicode ({error.reason})') from None


def decode_json(text: Any) -> Any:
    """The value of JSON text as SQLite hands it out; a bare number comes as a number already."""
    return json.loads(text) if isinstance(text, str) else text


def _encoder() -> Callable[[Any], str]:
    """What `json.dumps(value, allow_nan=False)` does, its encoder in C made once and not for each value."""
    plain = json.JSONEncoder(allow_nan=False, check_circular=False)
    make = getattr(json.encoder, 'c_make_encoder', None)
    if make is None:  # an interpreter without the encoder in C
        return plain.encode
    parts = make(None, plain.default, json.encoder.encode_basestring_ascii, None, ': ', ', ', False, False, False)
    return lambda value: ''.join(parts(value, 0))


_encode = _encoder()


def _check_keys(value: Any, deepest: int) -> None:
    """Refuse keys that `json` would turn into strings on its own (1, None, True), and what is nested too deeply."""
    if deepest < 1 and isinstance(value, _CONTAINERS):
        raise RecursionError
    if isinstance(value, dict):
        ''.join(value)  # a TypeError for what is no string, without a loop in Python
        value = value.values()
    elif not isinstance(value, _CONTAINERS):
        return
    for item in value:
        if isinstance(item, _CONTAINERS):
            _check_keys(item, deepest - 1)


def _explain(value: Any, name: str) -> str:
    try:
        path, reason = next(_bad_values(value, name))
    except (RecursionError, StopIteration):
        return f'{name} is nested too deeply, more than {DEEPEST_JSON} levels, or contains itself'
    return f'{path} cannot be stored: {reason}'


def _bad_values(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                yield path, f'its key {key!r} is of type {type(key).__name__}, and JSON has only strings for keys'
            yield from _bad_values(item, f'{path}[{key!r}]')
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _bad_values(item, f'{path}[{number}]')
    else:
        try:
            _encode(value)
        except ValueError:
            told = 'an integer of so many digits' if isinstance(value, int) else repr(value)
            yield path, f'{told} is no number that JSON can write'
        except TypeError:
            yield path, f'JSON has nothing for a value of type {type(value).__name__}'


def texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """All strings inside a JSON value, keys included, each with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield path, key
            yield from texts(item, f'{path}[{key!r}]')
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from texts(item, f'{path}[{number}]')


def loosened(kind: EntityKind, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with values that can be kept where AiiDA keeps those that are refused: see `StorageBackend.lenient`."""
    return {
        name: _loosened(FIELDS[kind][name].kind, value) if name in FIELDS[kind] else value
        for name, value in row.items()
    }


def _loosened(kind: ValueKind, value: Any) -> Any:
    if kind is ValueKind.JSON:
        with suppress(TypeError, ValueError, RecursionError):
            return json.loads(json.dumps(value))
    if kind is ValueKind.TIME and isinstance(value, datetime) and value.tzinfo is None:
        return value.astimezone()
    return value


def encode_uuid(value: Any, name: str) -> str:
    """The canonical form of a uuid: 36 characters, lower case, with hyphens.

    :raises ricordi.errors.ValidationError: it is no uuid.
    """
    if isinstance(value, str) and is_uuid_text(value):
        return value
    try:
        return str(UUID(str(value)))
    except ValueError:
        raise ValidationError(f'{name} is no uuid: {value!r}') from None


def new_uuids(number: int) -> list[str]:
    """Random uuids (version 4) in canonical form; a few times faster than one `uuid4` after the other.

    They come sorted: rows that are inserted in this order write each page of the index of uuids once.
    """
    digits = os.urandom(16 * number).hex()
    return sorted([_as_version_4(digits[begin : begin + 32]) for begin in range(0, 32 * number, 32)])


def _as_version_4(digits: str) -> str:
    variant = _VARIANT[digits[16]]
    return f'{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}'


def utc(moment: Any, name: str) -> datetime:
    """A time in UTC.

    :raises ricordi.errors.ValidationError: it is no datetime, or one that does not say its time zone.
    """
    if not isinstance(moment, datetime):
        raise ValidationError(f'{name} must be a datetime, not {type(moment).__name__}')
    if moment.tzinfo is None:
        raise ValidationError(f'{name} ({moment}) has no time zone; use datetime.now(UTC) or .astimezone()')
    if is_far_time(moment):
        raise ValidationError(f'{name} ({moment}) is too far away: years from 2 to 9998 can be kept')
    return moment.astimezone(UTC)
