"""Values in filters: whatever stands for a number, a text, a time or JSON, made one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from ricordi.backend.query import shown
from ricordi.errors import QueryError, QueryTypeError
from ricordi.orm.entities import Entity

_MOST_BITS = 13_000  # some 3,900 digits: Python itself reads and writes no more than 4,300
_PLAIN = (str, int, float, bool, type(None))


def plain_value(value: Any) -> Any:
    """The value as the query description carries it.

    Entities become their pk, enumerations their value, a datetime without a zone is local time, a date its midnight.

    :raises ricordi.errors.QueryTypeError: for what no database could compare with.
    """
    if type(value) in _PLAIN:
        if type(value) is str and not value.isascii():
            check_text(value)
        elif type(value) is int and value.bit_length() > _MOST_BITS:
            raise QueryError(f'no database holds a number of {value.bit_length() * 3 // 10:,} digits')
        return value
    if isinstance(value, Entity):
        if value.pk is None:
            raise QueryTypeError(f'{value!r} is not stored: nothing in the database can be compared with it')
        return value.pk
    if isinstance(value, Enum):
        return plain_value(value.value)
    if isinstance(value, date):
        return _plain_time(value)
    if isinstance(value, UUID):
        return str(value)
    return _plain_container(value)


def _plain_time(value: date) -> datetime:
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
    try:
        moment = moment if moment.tzinfo else moment.astimezone()
        moment.astimezone(UTC)
    except (OverflowError, ValueError):
        raise QueryError(f'{value} is beyond the years 1 to 9999 in UTC') from None
    return moment


def check_text(text: str) -> None:
    """Refuse a text that no database can be asked for.

    :raises ricordi.errors.QueryTypeError: it is no valid Unicode.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise QueryTypeError(
            f'no database holds the text {shown(text)}: it is no valid Unicode ({error.reason})'
        ) from None


def _plain_container(value: Any) -> Any:
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise QueryTypeError(f'keys of JSON are texts, not {shown(key)}')
            check_text(key)
        return {key: plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return plain_value(kind(value))
    # numpy's scalars, which a script gets from its arrays.
    item = getattr(value, 'item', None)
    if callable(item) and getattr(value, 'ndim', None) == 0:
        return plain_value(item())
    raise QueryTypeError(f'cannot compare with {shown(value)}, a {type(value).__name__}')
