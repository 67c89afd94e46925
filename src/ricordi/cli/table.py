"""Tables of text: aligned columns, as wide as they are. Its own few lines, since `tabulate` takes 40 ms to load."""

from __future__ import annotations

from collections.abc import Sequence


def format_table(rows: Sequence[Sequence[str]], headings: Sequence[str] = (), right: Sequence[int] = ()) -> str:
    """Lines of aligned columns, two blanks between them; under the headings, if there are any, a line of dashes.

    :param right: numbers of the columns that are aligned to the right.
    """
    lines = [list(row) for row in ([headings, *rows] if headings else rows)]
    if not lines:
        return ''
    columns = range(max(map(len, lines)))
    widths = [max(display_width(line[number]) if number < len(line) else 0 for line in lines) for number in columns]
    if headings:
        lines.insert(1, ['-' * width for width in widths])
    return '\n'.join(_line(line, widths, right) for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> str:
    padded = []
    for number, cell in enumerate(cells):
        blanks = ' ' * (widths[number] - display_width(cell))
        padded.append(blanks + cell if number in right else cell + blanks)
    return '  '.join(padded).rstrip()


def display_width(text: str) -> int:
    """Columns that a text takes on a terminal: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in 'WF' else 1 for char in text)
