"""`ricordi node show`: what there is to tell about nodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ricordi.cli.identifiers import nodes_argument, read_identifiers
from ricordi.cli.opened import opened
from ricordi.cli.process.list import tone_of_state
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.colors import Toned
from ricordi.cli.terminal.output import one_line, write_list
from ricordi.cli.terminal.table import format_table
from ricordi.cli.terminal.times import local_time
from ricordi.cli.verb import format_option, option, verb
from ricordi.model.node_types import state_in_words

if TYPE_CHECKING:
    from ricordi.services.nodes.show import Neighbour, NodeDetails


@verb('ricordi node show 42', 'ricordi node show --print-groups 42', 'ricordi node show 9c1d --format json')
@nodes_argument()
@option('--print-groups', is_flag=True, group='Output', help='Also show the groups that the nodes are in.')
@format_option()
def show(session: CommandSession, nodes: tuple[str, ...], print_groups: bool, output_format: str | None) -> int:
    """Show nodes: properties, inputs, outputs, callers, called processes.

    NODES are pks, uuids, starts of uuids, or - for standard input. The formats for programs always have the groups.
    """
    from ricordi.services.nodes.finding import find_nodes
    from ricordi.services.nodes.show import show_node

    identifiers = read_identifiers(session, nodes)
    with opened(session, 'node show') as storage:
        found = [show_node(storage, row) for row in find_nodes(storage, identifiers)]
    write_nodes(found, output_format, print_groups)
    return 0


def write_nodes(found: Sequence[NodeDetails], output_format: str | None, print_groups: bool = False) -> None:
    """Write what there is to tell about nodes."""
    from dataclasses import asdict

    if output_format in (None, 'table'):
        print('\n\n'.join('\n\n'.join(_parts(one, print_groups)) for one in found), end='\n' if found else '')
    else:
        write_list((asdict(one) for one in found), (), output_format)


def _parts(node: NodeDetails, print_groups: bool) -> Iterator[str]:
    yield format_table(list(_properties(node)), ('Property', 'Value'))
    if node.inputs:
        yield _neighbours('Inputs', node.inputs)
    if node.outputs:
        yield _neighbours('Outputs', node.outputs)
    if node.callers:
        yield _neighbours('Caller', node.callers)
    if node.called:
        yield _neighbours('Called', node.called)
    if print_groups:
        rows = [[str(group.pk), one_line(group.label), group.type_string] for group in node.groups]
        yield format_table(rows, ('PK', 'Group', 'Type'), right=(0,)) if rows else 'In no group.'


def _properties(node: NodeDetails) -> Iterator[list[str]]:
    yield ['type', one_line(node.name)]
    if node.state is not None:
        yield ['state', Toned(one_line(_state(node)), tone_of_state(node.state, node.exit_status))]
    yield ['pk', str(node.pk)]
    yield ['uuid', node.uuid]
    yield ['node type', node.node_type]
    if node.process_type:
        yield ['process type', node.process_type]
    yield ['label', one_line(node.label)]
    yield ['description', one_line(node.description)]
    yield ['ctime', local_time(node.ctime)]
    yield ['mtime', local_time(node.mtime)]
    yield ['user', node.user]
    if node.computer is not None:
        yield ['computer', f'[{node.computer_pk}] {node.computer}']
    yield from _counts(node)
    if node.damaged:
        yield ['damaged', Toned(one_line('; '.join(node.damaged)), 'bad')]


def _state(node: NodeDetails) -> str:
    """State of a process in words: `finished [0]`, `finished [401] no convergence`, `excepted: …`."""
    if node.state == 'finished':
        return state_in_words(node.state, node.exit_status) + (f' {node.exit_message}' if node.exit_message else '')
    if node.state == 'excepted' and node.exception:
        return f'{node.state}: {node.exception}'
    return str(node.state)


def _counts(node: NodeDetails) -> Iterator[list[str]]:
    if node.comment_count:
        yield ['comments', f'{node.comment_count:,} (`ricordi node comment show {node.pk}`)']
    if node.log_count:
        yield ['log messages', f'{node.log_count:,} (`ricordi process report {node.pk}`)']


def _neighbours(heading: str, found: tuple[Neighbour, ...]) -> str:
    """A table of neighbours; the namespaces of labels (`a__b`) indent what is in them."""
    rows: list[list[str]] = []
    open_namespaces: list[str] = []
    for one in found if heading in ('Caller', 'Called') else sorted(found, key=lambda one: one.link_label):
        *namespaces, label = one.link_label.split('__')
        for depth, name in enumerate(namespaces):
            if open_namespaces[: depth + 1] != namespaces[: depth + 1]:
                rows.append([f'{"    " * depth}{name}', '', ''])
        open_namespaces = namespaces
        rows.append([f'{"    " * len(namespaces)}{label}', str(one.pk), one_line(one.name)])
    return format_table(rows, (heading, 'PK', 'Type'), right=(1,))
