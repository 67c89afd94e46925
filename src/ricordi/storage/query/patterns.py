r"""Patterns of `like`: `%` any characters, `_` any one, a backslash takes the meaning from what follows."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ricordi.errors import QueryError

MOST_BYTES = 50_000
_TOKEN = re.compile(r'\\(.)|([%_])|(.)', re.DOTALL)
_LAST_BEFORE_SURROGATES, _FIRST_AFTER_SURROGATES, _LAST = '\ud7ff', '\ue000', '\U0010ffff'


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern taken apart.

    :param text: the pattern, made safe: a lone backslash at its end stands for itself.
    :param prefix: the characters before the first wildcard.
    :param rest: the wildcards and characters from there on; empty where there is no wildcard.
    """

    text: str
    prefix: str
    rest: str

    @property
    def for_like(self) -> str:
        """The pattern, for the database to match texts with.

        :raises ricordi.errors.QueryError: it is longer than SQLite takes.
        """
        size = len(self.text.encode())
        if size > MOST_BYTES:
            raise QueryError(f'a pattern of {size:,} bytes is too long: at most {MOST_BYTES:,} can be matched')
        return self.text

    @property
    def is_literal(self) -> bool:
        """Whether only one text matches: `prefix`."""
        return not self.rest

    @property
    def matches_all(self) -> bool:
        """Whether any text matches."""
        return not self.prefix and bool(self.rest) and not self.rest.strip('%')

    @property
    def is_prefix(self) -> bool:
        """Whether all texts match that start with `prefix`, and no other."""
        return bool(self.prefix) and bool(self.rest) and not self.rest.strip('%')


def parse_pattern(text: str) -> Pattern:
    """Take a pattern apart."""
    if (len(text) - len(text.rstrip('\\'))) % 2:
        text += '\\'
    prefix: list[str] = []
    for token in _TOKEN.finditer(text):
        if token[2]:
            return Pattern(text, ''.join(prefix), text[token.start() :])
        prefix.append(token[1] or token[3])
    return Pattern(text, ''.join(prefix), '')


def after_prefix(prefix: str) -> str | None:
    """The first text, by code points, that is greater than all that start with `prefix`; None if there is none."""
    prefix = prefix.rstrip(_LAST)
    if not prefix:
        return None
    last = prefix[-1]
    following = _FIRST_AFTER_SURROGATES if last == _LAST_BEFORE_SURROGATES else chr(ord(last) + 1)
    return prefix[:-1] + following
