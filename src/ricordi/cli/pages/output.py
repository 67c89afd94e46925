"""Where a page goes: `-O`, `--overwrite`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
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
            help=f'The file that the page{"" if required else " of --format html"} is written to, or - for stdout.',
        )(function)

    return decorate


@dataclass(frozen=True, slots=True)
class PagePlace:
    """Where a page is to go.

    :param file: `-` stands for standard output.
    :param overwrite: whether it may take the place of what is there.
    """

    file: Path
    overwrite: bool

    def refuse(self) -> None:
        """Raise where nothing can be written: to be asked before the work of which the page tells.

        :raises ricordi.errors.UsageError: the file is there, or its folder is not, or may not be written to.
        """
        if str(self.file) == '-':
            return
        folder = self.file.parent
        if not folder.is_dir():
            raise UsageError(f'{self.file} cannot be written: there is no folder {folder}')
        if not os.access(folder, os.W_OK | os.X_OK):
            raise UsageError(f'{self.file} cannot be written: the folder {folder} may not be written to')
        if self.file.is_dir():
            raise UsageError(f'{self.file} is a folder')
        if os.path.lexists(self.file) and not self.overwrite:
            raise UsageError(f'{self.file} is there already: give another name, or --overwrite')

    def write(self, session: CommandSession, text: str) -> None:
        """Write the page: whole, or not at all."""
        content = text.encode()
        if str(self.file) == '-':
            sys.stdout.flush()
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
            return
        from ricordi.files import new_file

        try:
            with new_file(self.file, overwrite=self.overwrite) as handle:
                handle.write(content)
        except FileExistsError:  # somebody else has made it meanwhile
            self.refuse()
            raise
        session.tell(f'Wrote {self.file}: {format_bytes(len(content))}.')
