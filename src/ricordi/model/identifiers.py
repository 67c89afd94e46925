"""How an identifier is read that a person gives: what it may be, and in which order that is tried.

A pk comes first, then a uuid or its start, then a label; with `!` at the end it is always a label. So it is in AiiDA,
which tries nothing else once a text looks like a pk or a uuid; here a label that looks like one is found as it is, too,
where nothing has that pk or uuid.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ricordi.errors import WrongValue

LABEL_MARK = '!'
"""At the end of an identifier it says that this is a label, though it looks like a pk or uuid."""

LARGEST_PK = 2**63 - 1
_DIGITS_OF_PK = 10
"""Of the largest pk that a database has a place for."""

DIGITS_OF_UUID = 32
FEWEST_DIGITS_OF_UUID = 8
"""Digits alone are a pk; only so many of them, and nothing with this pk, are the start of a uuid."""
_HEX = frozenset('0123456789abcdef')


class Way(StrEnum):
    """By what something is told from others."""

    PK = 'pk'
    UUID = 'uuid'
    LABEL = 'label'


@dataclass(frozen=True, slots=True)
class Reading:
    """What an identifier may mean.

    :param value: a pk as a number; a uuid, or the start of one, in canonical form; a label as it is stored.
    """

    way: Way
    value: int | str


def read_identifier(text: str) -> list[Reading]:
    """What an identifier may mean, in the order in which to try it: the first that something answers to is meant.

    Blanks around a pk or uuid do not count; those of a label do.

    :raises ricordi.errors.WrongValue: it is empty.
    """
    if not text.strip():
        raise WrongValue('an empty identifier names nothing')
    if text.endswith(LABEL_MARK):
        # The label itself may end so; that it is found as it is shown does no harm where the other is not there
        marked = text.removesuffix(LABEL_MARK)
        return [Reading(Way.LABEL, label) for label in (marked, text) if label]
    bare = text.strip()
    found = [Reading(Way.PK, int(bare))] if looks_like_pk(bare) else []
    start = uuid_start(bare)
    if start is not None and (len(start) >= FEWEST_DIGITS_OF_UUID or not found):
        found.append(Reading(Way.UUID, start))
    return [*found, Reading(Way.LABEL, text)]


def looks_like_pk(text: str) -> bool:
    """Whether text is a pk as one is printed: with a zero in front, digits are the start of a uuid."""
    return len(text) <= _DIGITS_OF_PK and text.isascii() and text.isdecimal() and not text.startswith('0')


def uuid_start(text: str) -> str | None:
    """A uuid or the start of one as it is stored: in lower case, hyphens where they belong; None for what is neither.

    :param text: in either case, with hyphens anywhere but in front, or without.
    """
    digits = text.replace('-', '').lower()
    if not 0 < len(digits) <= DIGITS_OF_UUID or text.startswith('-') or not _HEX.issuperset(digits):
        return None
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return '-'.join(part for part in parts if part)


def is_whole_uuid(text: str) -> bool:
    """Whether text is a uuid and not only the start of one."""
    return len(uuid_start(text) or '') == DIGITS_OF_UUID + 4


def identifier_of(label: str) -> str:
    """How to name what has a label, so that it is read as one: with the mark where it could be something else."""
    is_read_so = bool(label.strip()) and [reading.way for reading in read_identifier(label)] == [Way.LABEL]
    return label if is_read_so else label + LABEL_MARK


def full_label_parts(text: str) -> tuple[str, str] | None:
    """Label of a code and of its computer from `label@computer`; None where no computer is named.

    The label of a code holds no `@`, but that of a computer may.
    """
    label, _, computer = text.partition('@')
    return (label, computer) if computer else None
