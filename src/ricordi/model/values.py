"""What a value may be that is kept or taken in: all of it can be read again by this program, on each database.

The JSON decoder of Python reads less than that of SQLite or PostgreSQL: integers up to a number of digits, nesting up
to a depth; and more: numbers that are infinite, halves of characters. What is asked here is what all of them agree on.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from ricordi.errors import CorruptStorage, ValidationError

LONGEST_INTEGER = 4300
"""Digits: what Python turns into an integer and back unless it is told otherwise."""
DEEPEST_JSON = 200
"""Lists and dictionaries in one another. (Python's decoder ends near a thousand, less what calls it.)"""
MOST_DIGITS = 4000
"""Of an integer that Python reads; a few more, unless it is set to less."""
MOST_ELEMENTS = 2_000_000
"""Of one JSON value that comes from outside: each takes up to a hundred bytes once it is read."""
LARGEST_VALUE = 32 << 20
"""Bytes of a row that comes from outside, or goes there."""

UUID_PATTERN = re.compile('[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')
is_uuid_text = UUID_PATTERN.fullmatch
"""Whether a text is a uuid in canonical form."""
may_hold_half_characters = re.compile(r'\\u[dD][89a-fA-F]').search
"""Whether a JSON text needs `has_half_characters`."""
_LARGE_NUMBER = re.compile(r'[\s:,\[-]\d[\d.]*[eE]\+?\d{3}').search
"""A number in a dictionary that may be too large, by what it comes after: hexadecimal digits come after a quote."""
_LONG_NUMBER = 200
_DIGITS = bytes(
    ord('0') if 48 <= code < 58 else ord('e') if code in b'eE' else 43 if code == 43 else 32 for code in range(256)
)
_SIGNS_OF_INFINITY = (b'e000', b'e+000', b'0' * _LONG_NUMBER)
"""What a text looks like in `_DIGITS` in which a number may be too large; with less, 10^(200 + 99) is the largest."""


def is_time_text(text: Any) -> bool:
    """Whether a text is a time as SQLite keeps it, whole: date, hours, minutes, seconds; in a year from 2 to 9998.

    (The first and the last year leave no room for other time zones.)
    """
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return False
    # what else ISO 8601 allows (weeks, no signs, no seconds) is not what databases write, and not sorted as text
    is_usual = len(text) > 18 and text[10] == ' ' and text[13] == text[16] == ':' and text[5] != 'W'
    return is_usual and moment.tzinfo is None and 1 < moment.year < 9999


def json_fault(text: object) -> str | None:
    """Why a JSON text from outside cannot be taken in as a dictionary; None if it can.

    The text is read once, by the decoder in C; the rest is looked for only where a sign of it stands in the text.
    """
    if text == '{}':
        return None
    if not isinstance(text, str):
        return 'it is no text'
    if too_large := size_fault(text):
        return too_large
    try:
        value = _value_of(text)
    except RecursionError:
        return 'it is nested too deeply'
    except ValueError as error:
        return why_unreadable(error) if 'digits' in str(error) else f'it is no JSON ({error})'
    if type(value) is not dict:
        return 'it is no dictionary'
    if text.count('{') + text.count('[') > DEEPEST_JSON and is_too_deep(value):
        return f'it is nested more than {DEEPEST_JSON} levels deep'
    if may_hold_half_characters(text) and has_half_characters(value):
        return 'a text holds half a character (a lone surrogate)'
    if _may_be_infinite(text) and _has_infinity(value):
        return 'a number is too large'
    return None


def may_be_odd(text: str) -> bool:
    """Whether `json_fault` may find fault with a text that a database takes for a sound dictionary; without reading it.

    Python reads what is flat, has no number of very many digits, and none of the signs of what it does not keep.
    """
    return (
        len(text) > MOST_DIGITS
        or text.count('{') + text.count('[') > DEEPEST_JSON
        or may_hold_half_characters(text) is not None
        or _may_be_infinite(text)
    )


def size_fault(text: str) -> str | None:
    """Why a JSON text would take too much memory once it is read; None if it would not."""
    if len(text) <= MOST_ELEMENTS:
        return None
    if text.count(',') + text.count('[') + text.count('{') > MOST_ELEMENTS:
        return f'it has more than {MOST_ELEMENTS:,} elements'
    return None


def read_bounded(text: str) -> Any:
    """The value of a JSON text from outside.

    :raises ValueError: it is none, or would take too much memory.
    :raises RecursionError: it is nested too deeply.
    """
    if too_large := size_fault(text):
        raise ValueError(too_large)
    return json.loads(text)


def is_too_deep(value: Any, deepest: int = DEEPEST_JSON) -> bool:
    """Whether lists and dictionaries lie in one another in more levels than may be kept."""
    level: list[Any] = [value]
    for _ in range(deepest):
        level = [item for one in level for item in _items(one) if isinstance(item, dict | list | tuple)]
        if not level:
            return False
    return True


def _items(container: Any) -> Iterable[Any]:
    if isinstance(container, dict):
        return container.values()
    return container  # type: ignore[no-any-return]


def has_half_characters(value: Any) -> bool:
    """Whether a text in a JSON value, or a key, is no valid Unicode: such texts can be neither shown nor sent."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


class DamagedTime(datetime):
    """What stands for a time that cannot be read: it comes before all others, and is shown as what it is."""

    def isoformat(self, sep: str = 'T', timespec: str = 'auto') -> str:
        return 'damaged'

    def strftime(self, format: str) -> str:
        return 'damaged'

    def __format__(self, format: str) -> str:
        return 'damaged'

    def __str__(self) -> str:
        return 'damaged'

    def astimezone(self, tz: Any = None) -> DamagedTime:
        return self


def damaged_time() -> DamagedTime:
    """A time that cannot be read."""
    return DamagedTime(1, 1, 2, tzinfo=UTC)


def is_far_time(moment: datetime) -> bool:
    """Whether a time lies so near the ends of what can be told that another time zone would lie beyond."""
    return not 1 < moment.year < 9999


class DamagedJson(dict[str, Any]):
    """What stands for JSON that cannot be read: rows around it can be used, and whoever looks into it is told.

    Nothing that asks is told that it is empty: a change made of what was read would throw the rest away.
    """

    def __init__(self, reason: str, place: str = 'the value') -> None:
        """
        :param place: where it is kept, in words.
        """
        super().__init__({'damaged': reason})  # an empty one would be written as such without a question
        self.reason = reason
        self.place = place

    def _refuse(self, *arguments: Any, **named: Any) -> Any:
        raise CorruptStorage(f'{self.place} cannot be read: {self.reason}; restore this row from a backup')

    __getitem__ = __setitem__ = __delitem__ = __contains__ = __iter__ = __len__ = __bool__ = _refuse
    __or__ = __ror__ = __ior__ = __reversed__ = __eq__ = __ne__ = _refuse
    get = keys = values = items = copy = pop = popitem = setdefault = update = clear = _refuse

    __hash__ = None

    def __repr__(self) -> str:
        return f'<damaged: {self.reason}>'


class DamagedText(str):
    """What stands in a result for a single value that cannot be read; it is shown as what it is, and never stored."""

    __slots__ = ()

    def __conform__(self, protocol: object) -> Any:
        """SQLite's driver asks this of a parameter whose type it does not know."""
        raise ValidationError('what stands for a damaged value cannot be kept or looked for')


def damaged_text(reason: str) -> DamagedText:
    """A value that cannot be read."""
    return DamagedText(f'<damaged: {reason}>')


NO_TEXT = 'it is no UTF-8'


def text_or_damaged(content: bytes) -> str:
    """The text of bytes; of what is no UTF-8 a text that says so, which is no JSON and no time either."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return damaged_bytes(content)


def damaged_bytes(content: bytes) -> DamagedText:
    """What stands for bytes where a text should be."""
    return damaged_text(f'{NO_TEXT}: {content.decode(errors="backslashreplace")}')


UNREADABLE = (ValueError, TypeError, AttributeError, RecursionError, OverflowError)
"""What reading a value raises that is not what it should be."""


def why_unreadable(error: Exception, value: object = None) -> str:
    """What was raised, in the words of a reader.

    :param value: what could not be read.
    """
    if type(value) is DamagedText:
        return NO_TEXT
    if isinstance(error, RecursionError):
        return 'it is nested too deeply'
    return 'an integer has too many digits' if 'digits' in str(error) else str(error)


def dictionary_of(value: Any) -> Any:
    """A value that has to be a dictionary, or None.

    :raises TypeError: it is something else.
    """
    if value is None or isinstance(value, dict):
        return value
    raise TypeError(f'it is of type {type(value).__name__} and no dictionary')


def is_damaged(value: object) -> bool:
    """Whether a value stands for one that could not be read."""
    return isinstance(value, DamagedJson | DamagedTime | DamagedText)


def _may_be_infinite(text: str) -> bool:
    if len(text) < _LONG_NUMBER:
        return _LARGE_NUMBER(text) is not None
    digits = text.encode('utf-8', 'replace').translate(_DIGITS)
    return any(sign in digits for sign in _SIGNS_OF_INFINITY)


def _no_constant(name: str) -> float:
    raise ValueError(f'{name} is no number of JSON')


_decoder = json.JSONDecoder(parse_constant=_no_constant)
_scan: Callable[[str, int], tuple[Any, int]] = _decoder.scan_once  # type: ignore[attr-defined]


def _value_of(text: str) -> Any:
    """What `json.loads` gives; blanks around the value are looked for only where there are some."""
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        return _decoder.decode(text)
    return value if end == len(text) else _decoder.decode(text)


def _has_infinity(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_infinity(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_infinity(item) for item in value)
    return isinstance(value, float) and not math.isfinite(value)
