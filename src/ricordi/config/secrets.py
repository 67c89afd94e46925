"""Passwords of `config.json`: they are kept and handed on, but never shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MASK = '********'
_MARKS = ('password', 'passwd', 'passphrase', 'secret', 'token', 'apikey')
_WORDS = frozenset(('pass', 'pwd', 'pw', 'key', 'keys', 'passcode', 'credential'))
_HARMLESS_ENDS = frozenset(('file', 'filename', 'path', 'policy', 'name', 'id'))
"""What is only about a key: where its file lies, how it is called."""

_PARTS = re.compile(r'[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+')
_IN_ADDRESS = re.compile(r'(://[^:/?#\s@]*):\S*@')
_NAMED = re.compile(r'(?i)(\b(?:\w*password|passwd|pwd|passphrase|secret|token|api_?key)=)(?!\*)[^\s&]+')


def is_secret(key: object) -> bool:
    """Whether the value under this key of a configuration must not be shown.

    The one rule: the key has a word such as `pass`, `pwd` or `key`, or holds one such as `password` or `token`.
    """
    if not isinstance(key, str):
        return False
    if any(mark in key.lower() for mark in _MARKS):
        return True
    words = [word.lower() for word in _PARTS.findall(key)]
    return not _WORDS.isdisjoint(words) and words[-1] not in _HARMLESS_ENDS


def hide_in_text(text: str) -> str:
    """A text in which passwords of addresses (`scheme://user:password@host`) and of `password=…` are stars."""
    if '://' in text:
        text = _IN_ADDRESS.sub(rf'\1:{MASK}@', text)
    return _NAMED.sub(rf'\1{MASK}', text) if '=' in text else text


def hide_secrets(value: Any) -> Any:
    """A copy of a configuration value in which every secret that is set is replaced by stars; for output."""
    if isinstance(value, Mapping):
        return {
            key: MASK if is_secret(key) and item not in (None, '') else hide_secrets(item)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [hide_secrets(item) for item in value]
    return hide_in_text(value) if isinstance(value, str) else value


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
