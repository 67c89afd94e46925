"""`ricordi process status`: where processes stand, and those that they called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from itertools import chain
from typing import TYPE_CHECKING

from ricordi.cli.opened import opened
from ricordi.cli.process.arguments import chosen_processes, depth_option, processes_argument, read_processes
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import one_line, write_list
from ricordi.cli.terminal.prose import branched
from ricordi.cli.verb import format_option, option, verb

if TYPE_CHECKING:
    from ricordi.services.processes.calls import CalledProcess

_USUAL_LINK = 'CALL'


@verb('ricordi process status 42', 'ricordi process status -M', 'ricordi process status -c -m 2 42')
@processes_argument
@option('--call-link-label', '-c', is_flag=True, group='Output', help='With the labels of calls, where they have one.')
@depth_option('At most so many levels. [default: all]')
@format_option()
def status(
    session: CommandSession,
    nodes: tuple[str, ...],
    most_recent_node: bool,
    call_link_label: bool,
    max_depth: int | None,
    output_format: str | None,
) -> int:
    """Show where processes stand, with those that they called as a tree.

    NODES are pks, uuids, starts of uuids, or - for standard input.
    """
    from ricordi.services.processes.calls import call_tree

    identifiers = read_processes(session, nodes, most_recent_node)
    with opened(session, 'process status') as storage:
        rows = chosen_processes(session, storage, identifiers)
        found = chain.from_iterable(call_tree(storage, row, max_depth) for row in rows)
        if output_format in (None, 'table'):
            _print(found, call_link_label)
        else:
            write_list(map(asdict, found), (), output_format)
    return 0


def _print(found: Iterable[CalledProcess], with_links: bool) -> None:
    lasts: list[bool] = []
    for one in found:
        lasts[one.depth :] = [one.last]
        stems = ''.join('    ' if last else '│   ' for last in lasts[:-1])
        branch = '' if one.depth == 0 else '└── ' if one.last else '├── '
        print(branched(stems, branch, one_line(_as_text(one, with_links))))


def _as_text(one: CalledProcess, with_links: bool) -> str:
    """`Relax<42> Finished [0] [2:while_(should_run)(1:run)]`."""
    link = f' | {one.link_label}' if with_links and one.link_label not in (None, '', _USUAL_LINK) else ''
    state = one_line(one.process_state).capitalize() or 'None'
    exit_status = '' if one.exit_status is None else f' [{one.exit_status}]'
    step = f' [{one.step}]' if one.step else ''
    return f'{one.process_label}<{one.pk}{link}> {state}{exit_status}{step}'
