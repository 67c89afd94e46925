"""`ricordi node tree`: what follows from a node, or what led to it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.identifiers import nodes_argument, read_identifiers
from ricordi.cli.opened import opened
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import one_line, write_list
from ricordi.cli.terminal.prose import branched
from ricordi.cli.terminal.screen import width
from ricordi.cli.verb import format_option, option, verb

if TYPE_CHECKING:
    from ricordi.services.nodes.tree import TreeLine


@verb('ricordi node tree 42', 'ricordi node tree -l call 42', 'ricordi node tree --direction in -d 3 42')
@nodes_argument()
@option('--depth', '-d', type=click.IntRange(min=0), help='How many levels to show. [default: all]')
@option(
    '--direction',
    type=click.Choice(['out', 'in']),
    default='out',
    help='Along the links, to what follows, or against them, to what led here. [default: out]',
)
@option(
    '--link-types',
    '-l',
    type=click.Choice(['all', 'data', 'logic', 'call']),
    default='all',
    help='data: input_calc, create; logic: input_work, return; call: call_calc, call_work. [default: all]',
)
@format_option()
def tree(
    session: CommandSession,
    nodes: tuple[str, ...],
    depth: int | None,
    direction: str,
    link_types: str,
    output_format: str | None,
) -> int:
    """Show what follows from nodes as a tree.

    What is below a node is shown once; where it comes up again, it is marked with an arrow.
    """
    from ricordi.services.graph.subgraph import LINK_TYPES
    from ricordi.services.nodes.finding import find_pks
    from ricordi.services.nodes.tree import grow_tree

    identifiers = read_identifiers(session, nodes)
    with opened(session, 'node tree') as storage:
        types, forward = LINK_TYPES[link_types], direction == 'out'
        trees = (grow_tree(storage, pk, types, forward, depth) for pk in find_pks(storage, identifiers))
        if output_format in (None, 'table'):
            if _print(chain.from_iterable(trees)) and width() is not None:
                session.tell('↑ marks what stands further up already, with all that follows from it.')
        else:
            write_list(map(_as_data, chain.from_iterable(trees)), (), output_format)
    return 0


def _print(lines: Iterable[TreeLine]) -> bool:
    """Print the lines; returns whether one is marked as seen before."""
    lasts: list[bool] = []
    any_seen = False
    for line in lines:
        lasts[line.depth :] = [line.last]
        stems = ''.join('    ' if last else '│   ' for last in lasts[1:-1])
        branch = '' if line.depth == 0 else '└── ' if line.last else '├── '
        node = line.node
        text = f'{node.name} [{node.pk}]' + (f' {node.detail}' if node.detail else '')
        link = f'{line.link_label} ({line.link_type}) ' if line.link_type else ''
        print(branched(stems, branch, f'{one_line(link + text)}{" ↑" if line.seen else ""}'))
        any_seen |= line.seen
    return any_seen


def _as_data(line: TreeLine) -> dict[str, Any]:
    node = line.node
    return {
        'depth': line.depth,
        'parent_pk': line.parent_pk,
        'link_type': line.link_type,
        'link_label': line.link_label,
        'pk': node.pk,
        'uuid': node.uuid,
        'node_type': node.node_type,
        'name': node.name,
        'label': node.label,
        'state': node.state,
        'exit_status': node.exit_status,
        'seen': line.seen,
    }
