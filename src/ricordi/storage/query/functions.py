"""Functions that SQLite lacks for JSON, in Python. They are registered on a connection when a query asks for one."""

from __future__ import annotations

import json
import operator
import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from ricordi.model.values import UNREADABLE, text_or_damaged
from ricordi.storage.query.numbers import is_number, ordered_as
from ricordi.storage.query.times import ISO_TIME

_MISSING = object()
_LONGEST_INDEX = 10
_ISO_TIME = re.compile(ISO_TIME).fullmatch


def json_get(document: str | bytes | None, path: str) -> str | None:
    """The JSON text of what lies at a path (a JSON list of keys); None where nothing does, or nobody can tell."""
    value = _look_up(document, path)
    return None if value is _MISSING else json.dumps(value)


def json_test(document: str | bytes | None, path: str, name: str, operand: str) -> bool | None:
    """Compare what lies at a path with a JSON value; None where there is nothing, or null.

    :param name: the operator, `== < <= > >= in contains has_key`.
    """
    value = _look_up(document, path)
    if value is _MISSING or value is None:
        return None
    return _TESTS[name](value, _parsed(operand))


def json_time(text: Any) -> str | None:
    """A date or time of ISO 8601 as text that sorts by time (UTC where it has no zone); None for anything else."""
    if not isinstance(text, str) or not _ISO_TIME(text):
        return None
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat(' ', 'microseconds')


def lower(text: Any) -> Any:
    """Lower case beyond ASCII."""
    if isinstance(text, bytes):
        text = text_or_damaged(text)
    return text.lower() if isinstance(text, str) else text


FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    'ricordi_json_get': (2, json_get),
    'ricordi_json_test': (4, json_test),
    'ricordi_json_time': (1, json_time),
    'ricordi_lower': (1, lower),
}
"""Name in SQL → number of arguments, function."""


def register(connection: sqlite3.Connection) -> None:
    """Make the functions known to a connection."""
    for name, (arguments, function) in FUNCTIONS.items():
        connection.create_function(name, arguments, function, deterministic=True)


@lru_cache(maxsize=256)
def _parsed(text: str) -> Any:
    return json.loads(text)


def _look_up(document: str | bytes | None, path: str) -> Any:
    if document is None:
        return _MISSING
    try:
        value = json.loads(document) if isinstance(document, str | bytes) else document
    except UNREADABLE:
        return _MISSING
    for key in _parsed(path):
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and _is_index(key) and -len(value) <= int(key) < len(value):
            value = value[int(key)]
        else:
            return _MISSING
    return value


def _is_index(key: str) -> bool:
    return len(key) <= _LONGEST_INDEX and key.isascii() and key.removeprefix('-').isdigit()


def _same_type(left: Any, right: Any) -> bool:
    """Whether two values are of one JSON type: True is no number, 1 and 1.0 are alike."""
    if isinstance(left, bool) or isinstance(right, bool):
        return isinstance(left, bool) and isinstance(right, bool)
    if isinstance(left, int | float):
        return isinstance(right, int | float)
    return type(left) is type(right)


def _equal(left: Any, right: Any) -> bool:
    if not _same_type(left, right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_equal(value, right[key]) for key, value in left.items())
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return _in_order(operator.eq, left, right)


def _in_order(test: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    """Compare two values of one type."""
    return test(*ordered_as(left, right)) if is_number(left) else test(left, right)


def _contains(left: Any, right: Any) -> bool:
    """What `@>` of PostgreSQL means: an array may contain a bare value, at the top only."""
    if isinstance(left, list) and not isinstance(right, list | dict):
        return any(_equal(item, right) for item in left)
    return _contains_inside(left, right)


def _contains_inside(left: Any, right: Any) -> bool:
    if isinstance(left, dict) and isinstance(right, dict):
        return all(key in left and _contains_inside(left[key], value) for key, value in right.items())
    if isinstance(left, list) and isinstance(right, list):
        return all(any(_contains_inside(item, wanted) for item in left) for wanted in right)
    return not isinstance(left, dict | list) and _equal(left, right)


def _has_key(value: Any, key: str) -> bool:
    if isinstance(value, list):
        return any(isinstance(item, str) and item == key for item in value)
    return isinstance(value, dict) and key in value


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    '==': _equal,
    '<': lambda left, right: _same_type(left, right) and _in_order(operator.lt, left, right),
    '<=': lambda left, right: _same_type(left, right) and _in_order(operator.le, left, right),
    '>': lambda left, right: _same_type(left, right) and _in_order(operator.gt, left, right),
    '>=': lambda left, right: _same_type(left, right) and _in_order(operator.ge, left, right),
    'in': lambda left, right: any(_equal(left, value) for value in right),
    'contains': _contains,
    'has_key': _has_key,
}
