"""Numbers of JSON that are too large for a double to hold to the digit, and what they equal all the same.

A large float that a filter asks for, and an integer beyond 64 bits, is compared as the double that it is, or is next
to: `6.02214076e23` may lie in a database as that, as the integer 602214076000000000000000, or, where AiiDA has stored
it, as the integer that the double is to the last digit, 602214075999999987023872.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

LARGEST_INT = 2**63 - 1
"""The largest integer of 64 bits; smaller ones are compared digit by digit."""
_EXACT_UP_TO = 2**53


@dataclass(frozen=True, slots=True)
class Span:
    """The numbers whose nearest double is the same one.

    :param closed: whether both ends are among them.
    """

    low: int
    high: int
    closed: bool


def is_number(value: Any) -> bool:
    """Whether JSON would call a value a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_huge(value: Any) -> bool:
    """Whether a number has no place in 64 bits."""
    return is_number(value) and abs(value) > LARGEST_INT


def is_coarse(value: Any) -> bool:
    """Whether a number stands for all those next to the same double, which are more than one."""
    if isinstance(value, float):
        return math.isfinite(value) and abs(value) >= _EXACT_UP_TO
    return is_huge(value) and _as_float(value) is not None


def span_of(value: float) -> Span:
    """The numbers that a coarse one equals: half the way to the doubles on both sides."""
    centre = float(value)
    below, above = math.nextafter(centre, -math.inf), math.nextafter(centre, math.inf)
    exact = int(centre)
    low = (exact + int(below)) // 2 if math.isfinite(below) else exact
    high = -((-exact - int(above)) // 2) if math.isfinite(above) else exact
    # Half the way goes to the double whose last bit is 0.
    return Span(low, high, exact // int(math.ulp(centre)) % 2 == 0)


def spellings(value: Any) -> list[Any]:
    """A value of JSON as databases may hold it: as it is; its coarse numbers as exact integers; as floats."""
    if not _holds_coarse(value):
        return [value]
    return [value, _respelled(value, lambda number: int(float(number))), _respelled(value, float)]


def ordered_as(stored: float, asked: float) -> tuple[float, float]:
    """Two numbers as they are compared: as doubles where the one that is asked for is coarse."""
    as_float = _as_float(stored) if is_coarse(asked) else None
    return (stored, asked) if as_float is None else (as_float, float(asked))


def _as_float(value: float) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None


def _holds_coarse(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_coarse, value.values()))
    if isinstance(value, list):
        return any(map(_holds_coarse, value))
    return is_coarse(value)


def _respelled(value: Any, spell: Any) -> Any:
    if isinstance(value, dict):
        return {key: _respelled(item, spell) for key, item in value.items()}
    if isinstance(value, list):
        return [_respelled(item, spell) for item in value]
    return spell(value) if is_coarse(value) else value
