"""How long ago something was: in words, for sentences, and as short as verdi's lists have it, for columns."""

from __future__ import annotations

from datetime import datetime

_UNITS = ((86_400, 'day', 'D'), (3600, 'hour', 'h'), (60, 'minute', 'm'))


def span_in_words(seconds: float) -> str:
    """A length of time in its largest unit, rounded down: `8 days`; empty where it is under a minute."""
    for length, unit, _ in _UNITS:
        if number := max(0, int(seconds)) // length:
            return f'{number:,} {unit}{"" if number == 1 else "s"}'
    return ''


def ago(moment: datetime, now: datetime) -> str:
    """How long ago something was: `3 hours ago`, `just now`."""
    words = span_in_words((now - moment).total_seconds())
    return f'{words} ago' if words else 'just now'


def ago_in_short(moment: datetime, now: datetime) -> str:
    """The same in few characters: `5s ago`, `3h ago`, `12D ago`."""
    seconds = max(0, int((now - moment).total_seconds()))
    for length, _, letter in _UNITS:
        if seconds >= length:
            return f'{seconds // length}{letter} ago'
    return f'{seconds}s ago'
