"""Passwords of `config.json`: they are kept and handed on, but never shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MASK = '********'
_MARKS = ('password', 'passwd', 'secret', 'token')


def is_secret(key: object) -> bool:
    """Whether the value under this key of a configuration must not be shown."""
    return isinstance(key, str) and any(mark in key.lower() for mark in _MARKS)


def hide_secrets(value: Any) -> Any:
    """A copy of a configuration value in which every secret that is set is replaced by stars; for output."""
    if isinstance(value, Mapping):
        return {
            key: MASK if is_secret(key) and item not in (None, '') else hide_secrets(item)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [hide_secrets(item) for item in value]
    return value


class DiscreetDict(dict[str, Any]):
    """A dictionary whose `repr` shows stars in place of secrets, so that no log, traceback or prompt tells them."""

    def __repr__(self) -> str:
        return repr(hide_secrets(dict(self)))

    __str__ = __repr__


def discreet(value: Any) -> Any:
    """A deep copy of plain JSON data in which every dictionary is a `DiscreetDict`."""
    if isinstance(value, Mapping):
        return DiscreetDict({key: discreet(item) for key, item in value.items()})
    if isinstance(value, (list, tuple)):
        return [discreet(item) for item in value]
    return value
