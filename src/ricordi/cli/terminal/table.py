"""Tables and details for a person: aligned columns that fit the terminal; where they cannot, a block for each row.

Here alone is decided how wide what is shown may be: verbs hand over rows, headings and the shapes of columns. What
goes to a pipe or a file has no limit of width, and nothing in it is shortened.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from typing import NamedTuple

from ricordi.cli.terminal.colors import Toned, painted, tone_of
from ricordi.cli.terminal.screen import width as screen_width
from ricordi.cli.terminal.shapes import GAP, NAME, NUMBER, TEXT, ColumnShape, Line, fitted_widths
from ricordi.cli.terminal.widths import display_width, longest_word, wrapped

_PAIR = 2
"""Columns of a table of names and values, which needs no headings where it is no table."""
_NARROWEST_VALUE = 24
"""Columns for a value beside its name; with fewer it comes under it."""


class Table(NamedTuple):
    """How the rows of a table are written.

    :param widths: of the columns; none: a block for each row.
    :param right: numbers of the columns that are aligned to the right.
    :param room: columns of the terminal; None: it goes elsewhere, and nothing gives way.
    """

    headings: Line
    widths: Sequence[int]
    right: Collection[int]
    shapes: Sequence[ColumnShape]
    room: int | None

    def top(self) -> Iterator[str]:
        """The lines above the rows; a heading that is wider than its column is wrapped between words."""
        if self.headings and self.widths:
            headings = [*self.headings, *[''] * (len(self.widths) - len(self.headings))]
            high = [wrapped(heading, width) for heading, width in zip(headings, self.widths, strict=True)]
            yield from self._beside(zip_longest(*high, fillvalue=''))
            yield from self._beside([['-' * width for width in self.widths]])

    def instead_of_rows(self) -> Iterator[str]:
        """The headings of a table without rows that is wider than there is room for."""
        if self.headings and not self.widths:
            yield from wrapped(', '.join(filter(None, self.headings)), self.room or 0)

    def lines(self, row: Line) -> Iterator[str]:
        """A row in as many lines as it needs."""
        if self.room is None:
            return self._beside(_high(row))
        widths = self.widths
        if any(self._is_whole_and_wider(cell, number) for number, cell in enumerate(row)):
            widths = self._widened_for(row)
        if not widths:
            return self._block(row)
        high = zip_longest(*map(self._fitted, row, range(len(row))), fillvalue='')
        return (format_line(line, widths, self.right) for line in high)

    def _is_whole_and_wider(self, cell: str, number: int) -> bool:
        """Whether a cell that is not taken apart has no room in its column, which was measured by other rows."""
        return (
            bool(self.widths) and self.shapes[number].gives == 'nothing' and display_width(cell) > self.widths[number]
        )

    def _widened_for(self, row: Line) -> Sequence[int]:
        """The widths of a line of its own for such a row; none where that has no room either."""
        widths = list(self.widths)
        for number, cell in enumerate(row):
            if self.shapes[number].gives == 'nothing':
                widths[number] = max(widths[number], display_width(cell))
        fits = sum(widths) + GAP * (len(widths) - 1) <= (self.room or 0)
        return widths if fits else ()

    def _fitted(self, cell: str, number: int) -> list[str]:
        width = self.widths[number]
        if '\n' not in cell and (display_width(cell) <= width or self.shapes[number].gives == 'nothing'):
            return [cell]
        return [_like(cell, part) for part in self.shapes[number].fitted(cell, width)]

    def _beside(self, rows: Iterable[Line]) -> Iterator[str]:
        return (format_line(row, self.widths, self.right) for row in rows)

    def _block(self, row: Line) -> Iterator[str]:
        """A row as a name and a value a line; a column without heading belongs to the one before it.

        A mark without heading belongs to what comes after it. Where numbers stand before a name, that is the title.
        """
        pairs: list[tuple[str, str]] = []
        for number, (heading, cell) in enumerate(zip_longest(self.headings, row, fillvalue='')):
            is_mark = len(pairs) == 1 and not pairs[0][0] and len(pairs[0][1]) == 1
            if is_mark or (pairs and not heading and number in self.right):
                name, before = pairs.pop()
                cell = _like(before or cell, f'{before} {cell}'.strip())
                heading = name or heading
            pairs.append((heading, cell))
        last = len(pairs) - 1
        if 1 < last == len(self.right) and last not in self.right:
            pairs = [pairs[last], *pairs[:last]]
        (first, title), *others = [pair for pair in pairs if pair[1]] or [('', '')]
        yield from detail_lines([(first, title)], self.room) if first else wrapped(title, self.room or 0)
        yield from detail_lines([(f'  {name}', value) for name, value in others], self.room)


def _like(cell: str, part: str) -> str:
    """A part of a cell, in its tone."""
    tone = tone_of(cell)
    return part if tone is None else Toned(part, tone)


def laid_out(
    rows: Sequence[Line],
    headings: Line = (),
    right: Collection[int] = (),
    shapes: Mapping[int, ColumnShape] | None = None,
) -> Table:
    """How a table of which these are the first rows, or all, is written on the terminal.

    :param shapes: how columns give way, by their number; others wrap between words, and numbers keep their width.
    """
    number = max(map(len, [headings, *rows]), default=0)
    natural = column_widths([headings, *chain.from_iterable(map(_high, rows))], number)
    known = shapes or {}
    usual = [known.get(n, NUMBER if n in right else NAME if n == 0 else TEXT) for n in range(number)]
    room = screen_width()
    if room is None:
        return Table(headings, natural, right, usual, None)
    return Table(headings, fitted_widths([headings, *rows], natural, usual, room), right, usual, room)


def format_table(
    rows: Sequence[Line],
    headings: Line = (),
    right: Collection[int] = (),
    shapes: Mapping[int, ColumnShape] | None = None,
) -> str:
    """Rows as lines, their columns as wide as the widest cell. A cell of several lines makes its row as high.

    :param headings: above the columns; where there are fewer, the rest has none.
    :param right: numbers of the columns that are aligned to the right.
    :param shapes: how columns give way on a terminal, by their number.
    """
    table = laid_out(rows, headings, right, shapes)
    if len(headings) in (0, _PAIR) and rows and table.room is not None and not table.widths:
        return '\n'.join(detail_lines([(row[0], ' '.join(filter(None, row[1:]))) for row in rows if row], table.room))
    return '\n'.join(chain(table.top(), all_lines(table, rows) if rows else table.instead_of_rows()))


def all_lines(table: Table, rows: Iterable[Line]) -> Iterator[str]:
    """The lines of all rows; blocks have an empty line between them."""
    for number, row in enumerate(rows):
        if number and not table.widths:
            yield ''
        yield from table.lines(row)


def detail_lines(pairs: Sequence[tuple[str, str]], room: int | None, names: int | None = None) -> Iterator[str]:
    """Names and values, a pair a line; a long value is wrapped beside its name, or under it where there is no room.

    :param names: columns of the names; None: as the longest asks for.
    """
    wide = max((display_width(name) for name, _ in pairs), default=0) if names is None else names
    for name, value in pairs:
        if room is None or (wide + GAP + display_width(value) <= room and '\n' not in value):
            yield format_line([name, value], [wide, 0])
            continue
        left = room - wide - GAP
        indent = len(name) - len(name.lstrip(' ')) + 2
        if left >= _NARROWEST_VALUE and not left < longest_word(value) <= room - indent:
            first, *more = [_like(value, part) for part in wrapped(value, left)]
            yield format_line([name, first], [wide, 0])
            yield from (format_line(['', part], [wide, 0]) for part in more)
        else:
            yield from wrapped(name, room)
            for part in wrapped(value, room - indent):
                yield ' ' * indent + painted(part, tone_of(value))


def column_widths(lines: Iterable[Line], number: int | None = None) -> list[int]:
    """The width of the widest cell of each column."""
    widths = [max(map(display_width, column)) for column in zip_longest(*lines, fillvalue='')]
    return widths + [0] * ((number or 0) - len(widths))


def format_line(cells: Line, widths: Sequence[int], right: Collection[int] = ()) -> str:
    """Cells beside one another, each filled up with blanks to the width of its column."""
    padded = []
    for number, (cell, width) in enumerate(zip(cells, widths, strict=False)):
        blanks = ' ' * (width - display_width(cell))
        shown = painted(cell, tone_of(cell))
        padded.append(blanks + shown if number in right else shown + blanks)
    return (' ' * GAP).join(padded).rstrip()


def _high(row: Line) -> Iterator[Line]:
    if not any('\n' in cell for cell in row):
        return iter((row,))
    return iter(zip_longest(*(cell.split('\n') for cell in row), fillvalue=''))
