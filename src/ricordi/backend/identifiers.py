"""What an identifier that a person gives looks like."""

from __future__ import annotations


def looks_like_pk(text: str) -> bool:
    """Whether text is a pk as one is printed: with a zero in front, digits are the start of a uuid."""
    return text.isascii() and text.isdecimal() and not text.startswith('0')
