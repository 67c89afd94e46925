"""`ricordi data … content` and `export`: files of data nodes as they are stored, structures as other programs read."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ricordi.cli.identifiers import nodes_argument, read_identifiers
from ricordi.cli.opened import opened
from ricordi.cli.parameters import GROUP, NODE, PathName
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.quantities import plural
from ricordi.cli.verb import Function, option, verb
from ricordi.errors import UsageError

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend


def _export_options(formats: tuple[str, ...], default: str) -> Function:
    """NODE, `--format`, `--output` and `--force` of a verb that exports."""

    def add(function: Function) -> Function:
        function = option('--force', '-f', is_flag=True, group='Output', help='Replace a file that is there.')(function)
        function = option(
            '--output', '-o', type=PathName(path_type=Path), group='Output', help='Write into this file, not to stdout.'
        )(function)
        function = option(
            '--format',
            '-F',
            'file_format',
            type=click.Choice(formats),
            default=default,
            group='Output',
            help=f'Format of the file. [default: {default}]',
        )(function)
        return click.argument('node', type=NODE)(function)

    return add


@verb('ricordi data core.singlefile content 52')
@click.argument('node', type=NODE)
def singlefile_content(session: CommandSession, node: str) -> int:
    """Write the file of a SinglefileData node to stdout, as it is."""
    with opened(session, 'data core.singlefile content') as storage:
        _write(_stored(storage, [node], 'core.singlefile'), None, False)
    return 0


@verb('ricordi data core.cif content 42')
@nodes_argument()
def cif_content(session: CommandSession, nodes: tuple[str, ...]) -> int:
    """Write CIF files to stdout, as they are, one after the other."""
    with opened(session, 'data core.cif content') as storage:
        _write(_stored(storage, read_identifiers(session, nodes), 'core.cif'), None, False)
    return 0


@verb('ricordi data core.cif export 42 -o structure.cif')
@_export_options(('cif',), 'cif')
def cif_export(session: CommandSession, node: str, file_format: str, output: Path | None, force: bool) -> int:
    """Export a CIF file, as it is."""
    with opened(session, 'data core.cif export') as storage:
        _write(_stored(storage, [node], 'core.cif'), output, force)
    return 0


@verb('ricordi data core.structure export 45', 'ricordi data core.structure export 45 -F xsf -o silicon.xsf')
@_export_options(('cif', 'xsf', 'xyz'), 'xyz')
def structure_export(session: CommandSession, node: str, file_format: str, output: Path | None, force: bool) -> int:
    """Export a structure: xyz (extended, with the cell), or xsf of XCrySDen.

    The format cif needs libraries for crystals that are not asked for here: `verdi data core.structure export -F cif`.
    """
    from ricordi.services.contents.data import find_data
    from ricordi.services.contents.structures import as_xsf, as_xyz

    _refuse_cif('structure', node, file_format)
    make = {'xyz': as_xyz, 'xsf': as_xsf}[file_format]
    with opened(session, 'data core.structure export') as storage:
        text = make(find_data(storage, [node], 'core.structure')[0])
    _write([text.encode(), b'\n'] if output is None else [text.encode()], output, force)
    return 0


@verb('ricordi data core.trajectory export -F xsf 42 -o run.xsf')
@option('--trajectory-index', '-i', type=click.IntRange(min=0), help='Only this step, counted from 0.')
@_export_options(('cif', 'xsf'), 'cif')
def trajectory_export(
    session: CommandSession,
    node: str,
    file_format: str,
    trajectory_index: int | None,
    output: Path | None,
    force: bool,
) -> int:
    """Export a trajectory: -F xsf, for XCrySDen.

    The format cif, which is the default of verdi, needs libraries for crystals that are not asked for here:
    `verdi data core.trajectory export`.
    """
    from ricordi.services.contents.data import find_data
    from ricordi.services.contents.structures import trajectory_as_xsf

    _refuse_cif('trajectory', node, file_format)
    with opened(session, 'data core.trajectory export') as storage:
        row = find_data(storage, [node], 'core.array.trajectory')[0]
        text = (part.encode() for part in trajectory_as_xsf(storage, row, trajectory_index))
        _write(text, output, force)
        if output is None:
            print()
    return 0


@verb('ricordi data core.upf export -F upf 42 -o Si.upf')
@_export_options(('upf', 'json'), 'json')
def upf_export(session: CommandSession, node: str, file_format: str, output: Path | None, force: bool) -> int:
    """Export a pseudopotential: -F upf, the file as it is.

    The format json, which is the default of verdi, is made by `verdi data core.upf export`.
    """
    if file_format == 'json':
        raise UsageError(
            f'pseudopotentials as JSON are not made here: use `verdi data core.upf export {node}`, or -F upf for the '
            'file as it is'
        )
    with opened(session, 'data core.upf export') as storage:
        _write(_stored(storage, [node], 'core.upf'), output, force)
    return 0


@verb('ricordi data core.upf exportfamily pseudos my-family')
@click.argument('folder', type=PathName(path_type=Path))
@click.argument('group', type=GROUP)
def upf_exportfamily(session: CommandSession, folder: Path, group: str) -> int:
    """Write the files of a family of pseudopotentials into a folder; those that are there stay as they are."""
    from ricordi.services.contents.families import export_family

    if not folder.is_dir():
        raise UsageError(f'there is no folder {folder}: make it first')
    with opened(session, 'data core.upf exportfamily') as storage:
        written, there = export_family(storage, group, folder)
    for name in there:
        session.tell(f'ricordi: warning: {name} is in {folder} already, and stays as it is')
    session.tell(f'Wrote {plural(written, "file")} to {folder}.')
    return 0


def _refuse_cif(noun: str, node: str, file_format: str) -> None:
    if file_format == 'cif':
        others = '-F xyz or -F xsf' if noun == 'structure' else '-F xsf'
        raise UsageError(
            f'the format cif needs libraries for crystals: use `verdi data core.{noun} export -F cif {node}`, or '
            f'{others} here'
        )


def _stored(storage: StorageBackend, nodes: list[str], entry_point: str) -> Iterator[bytes]:
    """The content of the only file of each node."""
    from ricordi.services.contents.data import find_data, only_file

    for row in find_data(storage, nodes, entry_point):
        yield from only_file(storage, row)


def _write(pieces: Iterable[bytes], output: Path | None, force: bool) -> None:
    """Write to stdout, or into a file, which is there whole or not at all.

    :raises ricordi.errors.UsageError: there can be no such file, or there is one already.
    """
    if output is None:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return
    from ricordi.files import new_file

    if output.is_dir():
        raise UsageError(f'{output} is a folder: give the name of a file')
    try:
        with new_file(output, overwrite=force) as handle:
            handle.writelines(pieces)
    except FileExistsError:
        raise UsageError(f'{output} is there already: add --force to replace it') from None
    except FileNotFoundError:
        raise UsageError(f'there is no folder {output.parent} for {output.name}: make it first') from None
