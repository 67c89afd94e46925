"""Tables of text: aligned columns, two blanks between them, under the headings a line of dashes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain, zip_longest

Line = Sequence[str]

_NARROW = dict.fromkeys(map(ord, '♻✔⏹⏵⏸⨯☠·│├└─…'))
"""Signs of our own, each one column wide: for them alone `wcwidth` need not be loaded."""


def format_table(rows: Sequence[Line], headings: Line = (), right: Collection[int] = ()) -> str:
    """Rows as lines, their columns as wide as the widest cell. A cell of several lines makes its row as high.

    :param headings: above the columns; where there are fewer, the rest has none.
    :param right: numbers of the columns that are aligned to the right.
    """
    high = list(chain.from_iterable(map(_lines_of, rows)))
    number = max(map(len, [headings, *high]), default=0)
    top = [[*headings, *[''] * (number - len(headings))]] if headings else []
    widths = column_widths([*top, *high])
    if top:
        top.append(['-' * width for width in widths])
    return '\n'.join(format_line(line, widths, right) for line in chain(top, high))


def column_widths(lines: Sequence[Line]) -> list[int]:
    """The width of the widest cell of each column."""
    return [max(map(display_width, column)) for column in zip_longest(*lines, fillvalue='')]


def format_line(cells: Line, widths: Sequence[int], right: Collection[int] = ()) -> str:
    """Cells beside one another, each filled up with blanks to the width of its column."""
    padded = []
    for number, (cell, width) in enumerate(zip(cells, widths, strict=False)):
        blanks = ' ' * (width - display_width(cell))
        padded.append(blanks + cell if number in right else cell + blanks)
    return '  '.join(padded).rstrip()


def display_width(text: str) -> int:
    """Columns that a text takes on a terminal: two for wide characters, none for combining ones."""
    if text.isascii() or text.translate(_NARROW).isascii():
        return len(text)
    from wcwidth import wcswidth

    return max(0, wcswidth(text))


def _lines_of(row: Line) -> Iterator[Line]:
    if not any('\n' in cell for cell in row):
        return iter((row,))
    return iter(zip_longest(*(cell.split('\n') for cell in row), fillvalue=''))
