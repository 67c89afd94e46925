"""Results as tables of Parquet or Arrow: where they go."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ricordi.cli.pages.output import PagePlace
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.quantities import format_bytes
from ricordi.errors import UsageError

TABLE_FORMATS = ('parquet', 'arrow')
STDOUT = Path('-')


def check_table_place(file: Path | None, overwrite: bool) -> PagePlace:
    """Where a table goes; asked before the work of which it tells.

    :param file: None or `-`: standard output.
    :raises ricordi.errors.UsageError: that is a terminal, or nothing can be written there.
    """
    if file is None or file == STDOUT:
        if sys.stdout.isatty():
            raise UsageError('a table of this format is not for a terminal: name a file with -O, or pipe it on')
        return PagePlace(STDOUT, overwrite)
    place = PagePlace(file, overwrite)
    place.refuse()
    return place


def write_batches_to(
    session: CommandSession, place: PagePlace, batches: Iterator[Any], form: str, write: Callable[..., int]
) -> None:
    """Write record batches as they come: a file appears whole, or not at all.

    :param write: what writes them to a handle, and tells how many rows there were.
    """
    if place.file == STDOUT:
        sys.stdout.flush()
        write(batches, sys.stdout.buffer, form, stream=True)
        sys.stdout.buffer.flush()
        return
    from ricordi.files import new_file

    with new_file(place.file, overwrite=place.overwrite) as handle:
        rows = write(batches, handle, form)
        size = handle.tell()
    session.tell(f'Wrote {place.file}: {rows:,} rows, {format_bytes(size)}.')
