"""What an identifier that a person gives looks like."""

from __future__ import annotations

DIGITS_OF_PK = 10
"""Of the largest pk that a database has a place for."""


def looks_like_pk(text: str) -> bool:
    """Whether text is a pk as one is printed: with a zero in front, digits are the start of a uuid."""
    return len(text) <= DIGITS_OF_PK and text.isascii() and text.isdecimal() and not text.startswith('0')
