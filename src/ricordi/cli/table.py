"""Tables of text: aligned columns, as wide as they are."""

from __future__ import annotations

from collections.abc import Sequence


def format_table(rows: Sequence[Sequence[str]], headings: Sequence[str] = (), right: Sequence[int] = ()) -> str:
    """Lines of aligned columns, two blanks between them; under the headings, if there are any, a line of dashes.

    :param right: numbers of the columns that are aligned to the right.
    """
    import tabulate

    tabulate.MIN_PADDING = 0
    lines = [headings, *rows] if headings else rows
    width = max(map(len, lines), default=0)
    text = tabulate.tabulate(
        rows,
        headers=[*headings, *[''] * (width - len(headings))] if headings else (),
        tablefmt='simple' if headings else 'plain',
        colalign=['right' if number in right else 'left' for number in range(width)] if rows else None,
        disable_numparse=True,
        preserve_whitespace=True,
    )
    return '\n'.join(line.rstrip() for line in text.splitlines())


def display_width(text: str) -> int:
    """Columns that a text takes on a terminal: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth

    return max(0, wcswidth(text))
