"""`ricordi data … show`: what dictionaries, arrays, structures and remote folders hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.identifiers import nodes_argument, read_identifiers
from ricordi.cli.node.values import OTHER_FORMATS
from ricordi.cli.opened import opened
from ricordi.cli.parameters import NODE
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import to_json, write_details
from ricordi.cli.terminal.table import format_table
from ricordi.cli.verb import FORMATS, Function, format_option, option, verb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ricordi.backend.rows import NodeRow
    from ricordi.backend.storage import StorageBackend


def _content_options(function: Function) -> Function:
    chosen = option(
        '--format',
        '-f',
        'output_format',
        type=click.Choice([*FORMATS, *OTHER_FORMATS]),
        group='Output',
        help='How to write the result. [default: json]',
    )
    return nodes_argument()(chosen(function))


@verb('ricordi data core.dict show 50', 'ricordi data core.dict show 50 -f yaml')
@_content_options
def dictionary(session: CommandSession, nodes: tuple[str, ...], output_format: str | None) -> int:
    """Show what Dict nodes hold, one after the other."""
    with opened(session, 'data core.dict show') as storage:
        for row in _found(session, storage, nodes, 'core.dict'):
            _write(row.attributes, output_format)
    return 0


@verb('ricordi data core.array show 44', 'ricordi data core.array show 44 -f yaml')
@_content_options
def array(session: CommandSession, nodes: tuple[str, ...], output_format: str | None) -> int:
    """Show the arrays of nodes, one node after the other.

    Any node with arrays will do: ArrayData, KpointsData, BandsData, TrajectoryData, XyData.
    """
    from ricordi.services.contents.data import arrays_of

    with opened(session, 'data core.array show') as storage:
        for row in _found(session, storage, nodes, 'core.array'):
            _write(arrays_of(storage, row), output_format)
    return 0


@verb('ricordi data core.structure show 45', 'ricordi data core.structure show 45 --format json')
@nodes_argument()
@format_option()
def structure(session: CommandSession, nodes: tuple[str, ...], output_format: str | None) -> int:
    """Show structures as text: formula, cell, atoms.

    Lengths are in Å. A picture is drawn by `verdi data core.structure show`, with a program that is made for that.
    """
    from ricordi.services.contents.structures import describe_structure

    with opened(session, 'data core.structure show') as storage:
        for row in _found(session, storage, nodes, 'core.structure'):
            found = describe_structure(row)
            if output_format in (None, 'table'):
                print(_structure_as_text(found))
            else:
                write_details(found, output_format)
    return 0


@verb('ricordi data core.remote show 4711', 'ricordi data core.remote show 4711 --format json')
@click.argument('node', type=NODE)
@format_option()
def remote(session: CommandSession, node: str, output_format: str | None) -> int:
    """Show where a remote folder is: computer and path."""
    from ricordi.backend.rows import ComputerRow
    from ricordi.services.contents.data import find_data

    with opened(session, 'data core.remote show') as storage:
        row = find_data(storage, [node], 'core.remote')[0]
        computer = None if row.computer_pk is None else storage.get(ComputerRow, row.computer_pk)
    label, path = computer and computer.label, row.attributes.get('remote_path')
    if output_format in (None, 'table'):
        print(f'- Remote computer name: {label}\n- Remote folder full path: {path}')
    else:
        write_details({'pk': row.pk, 'computer': label, 'path': path}, output_format)
    return 0


def _found(
    session: CommandSession, storage: StorageBackend, nodes: tuple[str, ...], entry_point: str
) -> Iterator[NodeRow]:
    from ricordi.services.contents.data import find_data

    yield from find_data(storage, read_identifiers(session, nodes), entry_point)


def _write(content: dict[str, Any], output_format: str | None) -> None:
    """Write a content by its keys, sorted, as verdi does."""
    in_order = {key: content[key] for key in sorted(content)}
    output_format = OTHER_FORMATS.get(output_format or '', output_format)
    if output_format in (None, 'json'):
        print(to_json(_sorted(in_order), indent=4))
    else:
        write_details(_sorted(in_order), output_format)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(one) for one in value] if isinstance(value, list) else value


def _structure_as_text(found: dict[str, Any]) -> str:
    label = f' ({found["label"]})' if found['label'] else ''
    cell = [
        [name, *map(_number, vector), 'periodic' if repeats else 'not periodic']
        for name, vector, repeats in zip('abc', found['cell'], found['pbc'], strict=True)
    ]
    sites = [[site['kind_name'], *map(_number, site['position'])] for site in found['sites']]
    right = (1, 2, 3)
    return '\n\n'.join(
        [
            f'Structure {found["pk"]}{label}: {found["formula"]}',
            format_table(cell, ('', 'x', 'y', 'z', ''), right),
            format_table(sites, ('Kind', 'x', 'y', 'z'), right) + '\n',
        ]
    )


def _number(value: float) -> str:
    return f'{value:.6f}'
