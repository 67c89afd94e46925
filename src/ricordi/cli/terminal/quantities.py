"""Bytes, durations and percentages: read from what people type, written for people to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ricordi.errors import UsageError
from ricordi.files import format_bytes as format_bytes  # the form in which all sizes are told, errors too

if TYPE_CHECKING:
    from ricordi.backend.verification_report import Subset

_SECONDS = {'s': 1.0, 'sec': 1.0, 'm': 60.0, 'min': 60.0, 'h': 3600.0, 'd': 86400.0, 'w': 604800.0}


def parse_duration(text: str) -> float:
    """Seconds of a duration such as `90`, `45s`, `10m`, `1h30m`, `1.5h`, `2d`; a bare number is seconds.

    :raises ricordi.errors.UsageError: if `text` is no duration.
    """
    rest = text.strip().lower().replace(' ', '')
    total = 0.0
    if not rest:
        raise _no_duration(text)
    while rest:
        digits = _leading(rest, '0123456789.')
        rest = rest[len(digits) :]
        unit = _leading(rest, 'abcdefghijklmnopqrstuvwxyz')
        rest = rest[len(unit) :]
        try:
            total += float(digits) * _SECONDS[unit or 's']
        except (ValueError, KeyError):
            raise _no_duration(text) from None
    return total


def _leading(text: str, letters: str) -> str:
    return text[: len(text) - len(text.lstrip(letters))]


def _no_duration(text: str) -> UsageError:
    return UsageError(f'`{text}` is no duration: write it like 90s, 10m, 2h, 1h30m or 1d')


def parse_percent(text: str) -> float:
    """A percentage from 0 to 100, with or without the sign.

    :raises ricordi.errors.UsageError: if `text` is none.
    """
    try:
        value = float(text.strip().removesuffix('%'))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise UsageError(f'`{text}` is no percentage: write a number from 0 to 100')
    return value


_SIZES = {
    f'{unit}{binary}': (1024 if binary else 1000) ** power
    for power, unit in enumerate(('', *'kmgt'))
    for binary in ('', 'i')[: power + 1]
}


def parse_subset(text: str) -> Subset:
    """A part of all content: `10%`, `20G` (also `500MB`, `20GiB`), or the third of twelve parts, `3/12`.

    :raises ricordi.errors.UsageError: if `text` is none of these.
    """
    from ricordi.backend.verification_report import Subset

    words = text.strip().lower().replace(' ', '')
    part, slash, parts = words.partition('/')
    digits = _leading(words, '0123456789.')
    if slash and part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts):
        return Subset(part=int(part), parts=int(parts))
    try:
        number, unit = float(digits), words[len(digits) :]
        if unit == '%' and 0 < number <= 100:
            return Subset(share=number / 100)
        size = int(number * _SIZES[unit.removesuffix('b')])
    except (ValueError, KeyError, OverflowError):
        size = 0
    if size <= 0:
        raise UsageError(f'`{text}` is no part of the content: write it like 10%, 20G or 3/12')
    return Subset(size=size)


def format_seconds(seconds: float) -> str:
    """A duration for a person: `0.012 s`, `3.4 s`, `2 min 05 s`, `3 h 20 min`, `2 d 3 h`."""
    if seconds < 1:
        return f'{seconds:.3f} s'
    if seconds < 59.95:
        return f'{seconds:.1f} s'
    whole = round(seconds)
    if whole < 3600:
        return f'{whole // 60} min {whole % 60:02d} s'
    if whole < 86400:
        return f'{whole // 3600} h {whole % 3600 // 60:02d} min'
    return f'{whole // 86400} d {whole % 86400 // 3600} h'


def format_count(count: int) -> str:
    """A number with thousands set apart: `60,000`."""
    return f'{count:,}'


def plural(count: int, noun: str, several: str | None = None) -> str:
    """A number with its noun: `1 object`, `2,000 objects`; also with a verb: `1 is`, `2,000 are`.

    :param several: what it is of several; None: with an s at the end.
    """
    return f'{count:,} {noun if count == 1 else several or f"{noun}s"}'


def format_amount(group: Mapping[str, Any]) -> str | None:
    """A mapping that is an amount, in words: `1,000 objects, 97.8 kB`; None for what is none."""
    if 'objects' not in group or not set(group) <= {'objects', 'bytes', 'content_bytes'}:
        return None
    parts = [plural(group['objects'], 'object')]
    parts += [format_bytes(group['bytes'])] if 'bytes' in group else []
    parts += [f'{format_bytes(group["content_bytes"])} of content'] if 'content_bytes' in group else []
    return ', '.join(parts)


def in_words(key: str) -> str:
    """A key of an output for programs as words, `waste` for `waste_bytes`; names that are no such keys stay."""
    if not key.islower() or '.' in key or key.startswith(('db_', 'alembic_')):
        return key
    return 'size' if key == 'bytes' else key.removesuffix('_bytes').replace('_', ' ')
