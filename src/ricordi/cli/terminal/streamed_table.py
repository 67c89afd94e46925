"""Tables and bare values of rows that stream: memory does not grow with the number of rows."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any

from ricordi.cli.terminal.output import are_numbers, one_line, shown, shown_nested
from ricordi.cli.terminal.shapes import NUMBER, shape_of
from ricordi.cli.terminal.table import all_lines, laid_out

_ROWS = 1000

Values = tuple[Any, ...]


def write_raw(rows: Iterator[Values]) -> None:
    """A line per row, values separated by tabs; written a batch at a time: little work per row."""
    while batch := list(islice(rows, _ROWS)):
        columns = [map(_plain, column) for column in zip(*batch, strict=True)]
        sys.stdout.write('\n'.join(map('\t'.join, zip(*columns, strict=True))) + '\n')


def write_table(rows: Iterator[Values], headings: Sequence[str], keys: Sequence[str] = ()) -> bool:
    """Aligned columns under headings, as wide as the first rows ask for and the terminal has room for.

    :param keys: by which the shapes of the columns are known; none: the headings.
    :returns: whether there was a row.
    """
    some = list(islice(rows, _ROWS))
    first = [list(map(shown, row)) for row in some]
    shapes = {number: shape_of(key) for number, key in enumerate(keys or headings)}
    right = [n for n, column in enumerate(zip(*some, strict=True)) if shapes[n] is NUMBER or are_numbers(column)]
    table = laid_out(first, headings, right, {n: shape for n, shape in shapes.items() if n not in right})
    show = shown if table.widths else shown_nested
    following: Iterable[Sequence[str]] = (list(map(show, row)) for row in chain(some, rows))
    for line in chain(table.top(), all_lines(table, following) if some else table.instead_of_rows()):
        sys.stdout.write(line + '\n')
    return bool(some)


def _plain(value: Any) -> str:
    if type(value) is int:
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else one_line(value)
