"""Values in filters: whatever stands for a number, a text, a time or JSON, made one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from ricordi.errors import QueryTypeError
from ricordi.orm.entities import Entity

_PLAIN = (str, int, float, bool, type(None))


def plain_value(value: Any) -> Any:
    """The value as the query description carries it.

    Entities become their pk, enumerations their value, a datetime without a zone is local time, a date its midnight.

    :raises ricordi.errors.QueryTypeError: for what no database could compare with.
    """
    if type(value) in _PLAIN:
        if type(value) is str and not value.isascii():
            _check_text(value)
        return value
    if isinstance(value, Entity):
        if value.pk is None:
            raise QueryTypeError(f'{value!r} is not stored: nothing in the database can be compared with it')
        return value.pk
    if isinstance(value, Enum):
        return plain_value(value.value)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.astimezone()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day).astimezone()
    if isinstance(value, UUID):
        return str(value)
    return _plain_container(value)


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise QueryTypeError(f'no database holds the text {text!r}: it is no valid Unicode ({error.reason})') from None


def _plain_container(value: Any) -> Any:
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise QueryTypeError(f'keys of JSON are texts, not {key!r}')
        return {key: plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    # numpy's scalars, which a script gets from its arrays.
    item = getattr(value, 'item', None)
    if callable(item) and getattr(value, 'ndim', None) == 0:
        return plain_value(item())
    raise QueryTypeError(f'cannot compare with {value!r}, a {type(value).__name__}')
