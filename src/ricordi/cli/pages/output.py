"""Where a page goes: `-O`, `--overwrite`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ricordi.cli.parameters import PathName
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.quantities import format_bytes
from ricordi.cli.verb import option
from ricordi.errors import UsageError


def page_options(required: bool) -> Callable[[Any], Any]:
    """`-O` and `--overwrite`.

    :param required: whether there is no page without `-O`.
    """

    def decorate(function: Any) -> Any:
        function = option('--overwrite', is_flag=True, group='Output', help='Replace the file if it is there.')(
            function
        )
        return option(
            '--output-file',
            '-O',
            required=required,
            type=PathName(dir_okay=False, allow_dash=True, path_type=Path),
            metavar='FILE',
            group='Output',
            help='The file that the page is written to, or - for stdout.',
        )(function)

    return decorate


def write_page(session: CommandSession, file: Path, overwrite: bool, make: Callable[[], str]) -> None:
    """Write a page: whole, or not at all. That it cannot be written is told before it is made.

    :param make: gathers what the page tells, and makes it.
    :raises ricordi.errors.UsageError: the file is there, or its folder is not, or may not be written to.
    """
    if str(file) == '-':
        content = make().encode()
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    from ricordi.files import new_file

    _refuse(file, overwrite)
    content = make().encode()
    try:
        with new_file(file, overwrite=overwrite) as handle:
            handle.write(content)
    except FileExistsError:  # somebody else has made it meanwhile
        _refuse(file, overwrite)
        raise
    session.tell(f'Wrote {file}: {format_bytes(len(content))}.')


def _refuse(file: Path, overwrite: bool) -> None:
    """Raise where a file cannot be written."""
    if not file.parent.is_dir():
        raise UsageError(f'{file} cannot be written: there is no folder {file.parent}')
    if not os.access(file.parent, os.W_OK | os.X_OK):
        raise UsageError(f'{file} cannot be written: the folder {file.parent} may not be written to')
    if os.path.lexists(file) and not overwrite:
        raise UsageError(f'{file} is there already: give another name, or --overwrite')
