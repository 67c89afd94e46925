"""Arguments that name processes: as nodes are named, or the one that was made last."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from ricordi.cli.identifiers import nodes_argument, read_identifiers
from ricordi.cli.session import CommandSession
from ricordi.cli.verb import Function, option
from ricordi.errors import UsageError

if TYPE_CHECKING:
    from ricordi.backend.rows import NodeRow
    from ricordi.backend.storage import StorageBackend


def processes_argument(function: Function) -> Function:
    """`NODES…` and `-M`, handed over as `nodes` and `most_recent_node`."""
    function = option('--most-recent-node', '-M', is_flag=True, help='The process that was made last.')(function)
    return nodes_argument(required=False)(function)


def depth_option(text: str) -> Callable[[Function], Function]:
    """`-m/--max-depth`: how many levels."""
    return option('--max-depth', '-m', type=click.IntRange(min=1), help=text)


def read_processes(session: CommandSession, nodes: tuple[str, ...], most_recent_node: bool) -> list[str] | None:
    """The identifiers that were given; None for the process that was made last.

    :raises ricordi.errors.UsageError: neither was given, or both.
    """
    if most_recent_node and nodes:
        raise UsageError('name processes, or ask for the one that was made last (-M), not both')
    if not most_recent_node and not nodes:
        raise UsageError('name one or several processes by pk or uuid, or ask for the one that was made last with -M')
    return None if most_recent_node else read_identifiers(session, nodes)


def chosen_processes(session: CommandSession, storage: StorageBackend, identifiers: list[str] | None) -> list[NodeRow]:
    """The processes that `read_processes` speaks of."""
    from ricordi.services.processes.finding import find_processes, most_recent_process

    if identifiers is not None:
        return find_processes(storage, identifiers)
    row = most_recent_process(storage)
    session.tell(f'The process that was made last is {row.pk} ({row.uuid}).')
    return [row]
