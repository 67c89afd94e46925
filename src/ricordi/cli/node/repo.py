"""`ricordi node repo`: the files of a node: ls, cat, dump."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ricordi.cli.opened import opened
from ricordi.cli.parameters import NODE, PathName
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import OutputColumn, write_list
from ricordi.cli.terminal.quantities import format_bytes, plural
from ricordi.cli.terminal.screen import refuses_colors
from ricordi.cli.terminal.streams import write_colored
from ricordi.cli.verb import format_option, option, verb

if TYPE_CHECKING:
    from ricordi.backend.rows import NodeRow
    from ricordi.backend.storage import StorageBackend

_COLUMNS = (
    OutputColumn('name', 'Name'),
    OutputColumn('kind', 'Kind'),
    OutputColumn('size', 'Size', lambda size: format_bytes(size)),
    OutputColumn('key', 'Key'),
)


@verb('ricordi node repo ls 42', 'ricordi node repo ls -l 42 raw_input', 'ricordi node repo ls 42 --format json')
@click.argument('node', type=NODE)
@click.argument('relative_path', required=False)
@option('--long', '-l', is_flag=True, group='Output', help='A table with sizes and keys.')
@option('--color', '-c', is_flag=True, group='Output', help='Show folders in colour.')
@format_option()
def ls(
    session: CommandSession, node: str, relative_path: str | None, long: bool, color: bool, output_format: str | None
) -> int:
    """List the files of a node, or of a folder in it.

    Folders end with a slash.
    """
    from ricordi.services.nodes.finding import find_node

    with opened(session, 'node repo ls') as storage:
        write_listing(storage, find_node(storage, node), relative_path, long, color, output_format)
    return 0


def write_listing(
    storage: StorageBackend, row: NodeRow, path: str | None, long: bool, color: bool, output_format: str | None
) -> None:
    """Write the names of what is in a folder of a node, or a list with sizes and keys."""
    from ricordi.services.nodes import repository as service

    entries = service.list_files(row, path)
    if not long and output_format is None:
        colored = color and not refuses_colors()
        for entry in entries:
            name = f'{entry.name}/' if entry.is_folder else entry.name
            if colored and entry.is_folder:
                write_colored(name, '34;1')
            else:
                print(name)
        return
    sizes = service.file_sizes(storage, entries)
    rows = [
        {
            'name': entry.name,
            'path': entry.path,
            'kind': 'folder' if entry.is_folder else 'file',
            'size': sizes.get(entry.path),
            'key': entry.key,
        }
        for entry in entries
    ]
    write_list(rows, _COLUMNS, output_format, ('name', 'path', 'kind', 'size', 'key'))


@verb('ricordi node repo cat 42 aiida.out | less', 'ricordi node repo cat 42')
@click.argument('node', type=NODE)
@click.argument('relative_path', required=False)
def cat(session: CommandSession, node: str, relative_path: str | None) -> int:
    """Write the content of a file of a node to stdout, as it is.

    The path may be left out where the node has a single file. Exits with 6 where the content is missing or damaged.
    """
    from ricordi.services.nodes.finding import find_node
    from ricordi.services.nodes.repository import read_file

    with opened(session, 'node repo cat') as storage:
        for chunk in read_file(storage, find_node(storage, node), relative_path):
            sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()
    return 0


@verb('ricordi node repo dump 42 files-of-42')
@click.argument('node', type=NODE)
@click.argument('output_directory', type=PathName(file_okay=False, path_type=Path))
def dump(session: CommandSession, node: str, output_directory: Path) -> int:
    """Write all files of a node into a new folder.

    The folder must not exist yet; those above it are made. Exits with 6 where some files could not be written.
    """
    from ricordi.services.nodes.finding import find_node
    from ricordi.services.nodes.repository import dump_files

    with opened(session, 'node repo dump') as storage:
        count = dump_files(storage, find_node(storage, node), output_directory)
    session.tell(f'Wrote {plural(count, "file")} to {output_directory}.')
    return 0
