"""`ricordi process show` and `call-root`: what there is to tell about processes."""

from __future__ import annotations

from ricordi.cli.identifiers import nodes_argument, read_identifiers
from ricordi.cli.node.show import write_nodes
from ricordi.cli.opened import opened
from ricordi.cli.process.arguments import chosen_processes, processes_argument, read_processes
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import write_list
from ricordi.cli.verb import format_option, verb


@verb('ricordi process show 42', 'ricordi process show -M', 'ricordi process show 9c1d --format json')
@processes_argument
@format_option()
def show(session: CommandSession, nodes: tuple[str, ...], most_recent_node: bool, output_format: str | None) -> int:
    """Show processes: properties, inputs, outputs, callers, called processes.

    NODES are pks, uuids, starts of uuids, or - for standard input.
    """
    from ricordi.services.nodes.show import show_node

    identifiers = read_processes(session, nodes, most_recent_node)
    with opened(session, 'process show') as storage:
        found = [show_node(storage, row) for row in chosen_processes(session, storage, identifiers)]
    write_nodes(found, output_format)
    return 0


@verb('ricordi process call-root 42')
@nodes_argument()
@format_option()
def call_root(session: CommandSession, nodes: tuple[str, ...], output_format: str | None) -> int:
    """Show the processes at the root of the calls that led to processes: their bare pks.

    NODES are pks, uuids, starts of uuids, or - for standard input.
    """
    from ricordi.services.processes import calls

    identifiers = read_identifiers(session, nodes)
    with opened(session, 'process call-root') as storage:
        found = [(row.pk, calls.call_root(storage, row)) for row in chosen_processes(session, storage, identifiers)]
    if output_format in (None, 'table'):
        for pk, root in found:
            print(f'No callers found for Process<{pk}>' if root is None else root)
    else:
        write_list(({'pk': pk, 'root_pk': root} for pk, root in found), (), output_format, ('pk', 'root_pk'))
    return 0
