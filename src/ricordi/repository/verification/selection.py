"""Which parts of the content are to be read: that which was read longest ago first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from ricordi.backend.verification_report import Subset
from ricordi.repository.verification.loose import LooseInventory
from ricordi.repository.verification.notes import DIGITS, Notes
from ricordi.repository.verification.places import Cell


class HasLength(Protocol):
    """What takes bytes."""

    @property
    def length(self) -> int:
        """How many."""


Measured = TypeVar('Measured', bound=HasLength)


class Part(NamedTuple):
    """What is read, and remembered as read, at once: a cell of a pack, or the loose objects that begin with a digit.

    :param read_at: when it was last read, in seconds since the epoch; 0: never, or it has changed since.
    :param length: bytes on disk.
    """

    read_at: int
    objects: int
    length: int
    cell: Cell | None = None
    digit: str = ''


def all_parts(cells: Iterable[Cell], loose: LooseInventory, notes: Notes) -> list[Part]:
    """The whole content, in the order in which it should be read."""
    found = [Part(notes.time_of(cell), cell.objects, cell.length, cell) for cell in cells]
    for digit in DIGITS:
        amount = loose.amounts[digit]
        if amount.objects:
            # some of them were never read, as new ones come all the time: then they are as good as unread
            read_at = 0 if amount.unread else notes.time_of_loose(digit)
            found.append(Part(read_at, amount.objects, amount.bytes, digit=digit))
    return sorted(found, key=_age_and_place)


def _age_and_place(part: Part) -> tuple[int, int, int, str]:
    cell = part.cell
    return (part.read_at, 1, 0, part.digit) if cell is None else (part.read_at, 0, cell.pack_id, f'{cell.number:09d}')


def chosen(parts: list[Part], subset: Subset | None) -> list[Part]:
    """Those parts that are asked for."""
    return parts if subset is None else chosen_of(parts, subset, _number)


def chosen_of(parts: Sequence[Measured], subset: Subset, number: Callable[[Measured], int]) -> list[Measured]:
    """Those that are asked for, of parts of anything.

    :param parts: in the order in which they should be read.
    :param number: by which they are dealt out evenly, the same each time.
    """
    if subset.parts:
        return [part for part in parts if number(part) % subset.parts == subset.part - 1]
    wanted = subset.size or subset.share * sum(part.length for part in parts)
    found = []
    for part in parts:
        if wanted <= 0:
            break
        found.append(part)
        wanted -= part.length
    return found


def _number(part: Part) -> int:
    """A number by which parts are dealt out evenly, the same each time."""
    return DIGITS.index(part.digit) if part.cell is None else part.cell.pack_id + part.cell.number
