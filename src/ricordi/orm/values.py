"""What attributes and extras may hold: values that JSON carries without loss. Errors name the path of the bad value."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from ricordi.errors import ValidationError
from ricordi.model.keys import check_key
from ricordi.model.values import is_damaged

_SCALARS = frozenset((int, bool, type(None)))


class _Bad(Exception):
    """A value that cannot be kept; the path grows while the error travels up."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path: list[str] = []


def clean_value(value: Any, name: str = 'value') -> Any:
    """A copy of `value` made of dict, list, str, int, float, bool and None only.

    Tuples and other iterables become lists, numpy numbers become Python numbers, nodes that wrap a value (`Int`, `List`
    …) become that value. Floats keep all their digits.

    :param name: what the value is called in error messages (`attributes`).
    :raises ricordi.errors.ValidationError: naming the path of the first value that JSON cannot carry.
    """
    try:
        return _clean(value)
    except _Bad as bad:
        raise ValidationError(f'{name}{"".join(reversed(bad.path))}: {bad.reason}') from None
    except RecursionError:
        raise ValidationError(f'{name}: nested too deeply, or contains itself') from None


def clean_dict(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A clean copy of a mapping of attributes or extras, its top-level keys checked as well.

    :raises ricordi.errors.ValidationError: a key or a value cannot be kept.
    """
    for key in values:
        if type(key) is not str or not key or '.' in key:
            check_key(key, name)
    cleaned: dict[str, Any] = clean_value(values, name)
    return cleaned


def copy_json(value: Any) -> Any:
    """A deep copy of a clean value; several times faster than `copy.deepcopy`."""
    kind = type(value)
    if kind is dict:
        return {key: copy_json(item) for key, item in value.items()}
    if kind is list:
        return [copy_json(item) for item in value]
    return value


def _clean(value: Any) -> Any:
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is str:
        return _clean_text(value)
    if kind is float:
        if not math.isfinite(value):
            raise _Bad(f'{value} cannot be kept: JSON has no NaN and no infinities')
        return value
    if kind is dict:
        return _clean_mapping(value)
    if kind is list or kind is tuple:
        return _clean_items(value)
    return _clean_other(value)


def _clean_text(value: str) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise _Bad(f'{value!r} is not valid text: {error.reason} at position {error.start}') from None
    return value


def _clean_mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    cleaned: dict[str, Any] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise _Bad(f'the key {key!r} is of type {type(key).__name__}: keys are strings')
        try:
            cleaned[_clean_text(str.__str__(key))] = _clean(item)
        except _Bad as bad:
            bad.path.append(f'["{key}"]')
            raise
    return cleaned


def _clean_items(value: Iterable[Any]) -> list[Any]:
    cleaned: list[Any] = []
    for item in value:
        try:
            cleaned.append(_clean(item))
        except _Bad as bad:
            bad.path.append(f'[{len(cleaned)}]')
            raise
    return cleaned


def _clean_other(value: Any) -> Any:
    """Values whose exact type is none of JSON's: subclasses, numpy numbers, nodes, other containers."""
    if is_damaged(value):
        raise _Bad('what stands for a damaged value cannot be kept')
    if isinstance(value, str):
        return _clean_text(str.__str__(value))
    wrapped = getattr(type(value), 'json_value', None)
    if wrapped is not None:
        return _clean(value.json_value())
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real | Decimal):
        return _clean(float(value))
    if isinstance(value, Mapping):
        return _clean_mapping(value)
    if isinstance(value, bytes | bytearray | memoryview):
        raise _Bad('bytes cannot be kept in JSON: put them into a file, or decode them')
    if type(value).__module__ == 'numpy' and getattr(value, 'ndim', None) == 0:
        return _clean(value.item())
    if isinstance(value, Iterable):
        return _clean_items(value)
    raise _Bad(f'a value of type {type(value).__module__}.{type(value).__qualname__} cannot be kept in JSON')
