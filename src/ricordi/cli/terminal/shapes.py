"""How columns of a table give way where the terminal is too narrow: by their worth, each in its own manner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from ricordi.cli.terminal.widths import display_width, longest_word, shortened, wrapped

Line = Sequence[str]

GAP = 2
"""Blanks between two columns."""


class ColumnShape(NamedTuple):
    """How a column gives way.

    :param worth: those of little worth give way first.
    :param least: columns of the terminal that it keeps.
    :param gives: what becomes of a text that is too long: its end or its start is left out, or it is wrapped between
        words; or it is as it is, and the column keeps its width.
    """

    worth: int
    least: int = 0
    gives: Literal['end', 'start', 'lines', 'nothing'] = 'lines'

    def fitted(self, text: str, room: int) -> list[str]:
        """A cell as lines that are `room` columns wide at most."""
        if self.gives in ('lines', 'nothing') or '\n' in text:
            return wrapped(text, room)
        return [shortened(text, room, keeps_end=self.gives == 'start')]


UUID = ColumnShape(1, least=9, gives='end')
TYPE = ColumnShape(2, least=16, gives='start')
TEXT = ColumnShape(3, least=16)
NAME = ColumnShape(5, least=12)
TIME = ColumnShape(6, least=14)
NUMBER = ColumnShape(9, gives='nothing')

_BY_KEY = {
    **dict.fromkeys(('pk', 'id', 'exit_status', 'size'), NUMBER),
    'uuid': UUID,
    'type': TYPE,
    'type_string': TYPE,
    'time': TIME,
    'since': TIME,
    'label': NAME,
    'name': NAME,
}
_LONGEST_KEPT = 28
"""Longer words are taken apart before a table is given up for blocks."""


def shape_of(key: str) -> ColumnShape:
    """How a column of a name gives way: uuids, type strings, times and labels are known by it."""
    last = key.rpartition('.')[2]
    if last.endswith('_type'):
        return TYPE
    return TIME if last in ('ctime', 'mtime') else _BY_KEY.get(last, TEXT)


def fitted_widths(lines: Sequence[Line], natural: Sequence[int], shapes: Sequence[ColumnShape], room: int) -> list[int]:
    """The width of each column so that a table fits; nothing where it cannot be made to.

    :param lines: the headings, also where they are empty, and the first rows.
    :param natural: how wide the columns would like to be.
    :param room: columns of the terminal.
    """
    room -= GAP * (len(natural) - 1)
    whole = [shape.gives == 'nothing' for shape in shapes]
    widths = [width if kept else min(width, max(room, 1)) for width, kept in zip(natural, whole, strict=True)]
    excess = sum(widths) - room
    if excess <= 0:
        return widths
    floors = [
        _floor([line[number] for line in lines if number < len(line)], shape, width)
        for number, (shape, width) in enumerate(zip(shapes, widths, strict=True))
    ]
    for number, shape in enumerate(shapes):
        if shape.gives == 'end' and excess > 0:  # what has lost its end is not worth more for being longer
            excess -= widths[number] - floors[number]
            widths[number] = floors[number]
    for worth in sorted({shape.worth for shape in shapes}):
        while excess > 0:
            able = [n for n, shape in enumerate(shapes) if shape.worth == worth and widths[n] > floors[n]]
            if not able:
                break
            widths[max(able, key=lambda number: widths[number])] -= 1
            excess -= 1
    return widths if excess <= 0 else []


def _floor(cells: Sequence[str], shape: ColumnShape, width: int) -> int:
    """How narrow a column may become."""
    if shape.gives == 'nothing':
        return width
    if shape.gives in ('end', 'start'):
        return min(width, shape.least)
    others = cells[1:]
    longest = min(max(map(longest_word, cells), default=0), _LONGEST_KEPT)
    widest = max((display_width(line) for cell in others for line in cell.split('\n')), default=0)
    return min(width, max(longest, min(shape.least, widest)))
