"""Tables and bare values of rows that stream: memory does not grow with the number of rows."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any

from ricordi.cli.terminal.output import one_line
from ricordi.cli.terminal.table import column_widths, format_line
from ricordi.cli.terminal.times import local_time

_ROWS = 1000

Values = tuple[Any, ...]


def write_raw(rows: Iterator[Values]) -> None:
    """A line per row, values separated by tabs; written a batch at a time: little work per row."""
    while batch := list(islice(rows, _ROWS)):
        columns = [map(_plain, column) for column in zip(*batch, strict=True)]
        sys.stdout.write('\n'.join(map('\t'.join, zip(*columns, strict=True))) + '\n')


def write_table(rows: Iterator[Values], headings: Sequence[str]) -> None:
    """Aligned columns under headings, as wide as the first rows ask for."""
    first = [list(map(_shown, row)) for row in islice(rows, _ROWS)]
    widths = column_widths([headings, *first])
    rules = ['-' * width for width in widths]
    following: Iterable[Sequence[str]] = (list(map(_shown, row)) for row in rows)
    for line in chain([headings, rules], first, following):
        sys.stdout.write(format_line(line, widths) + '\n')


def _plain(value: Any) -> str:
    if type(value) is int:
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else one_line(value)


def _shown(value: Any) -> str:
    return local_time(value) if isinstance(value, datetime) else one_line(value)
