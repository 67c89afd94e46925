"""`ricordi node logs`: the log records of nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import click

from ricordi.cli.identifiers import nodes_argument, read_identifiers
from ricordi.cli.opened import opened
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import OutputColumn, keys_of, one_line, write_list
from ricordi.cli.terminal.screen import width
from ricordi.cli.terminal.times import local_time
from ricordi.cli.verb import Function, format_option, option, verb
from ricordi.services.nodes.log_levels import LEVELS


def _message(text: str) -> str:
    """A message in its lines on a terminal; elsewhere a record is a line."""
    return one_line(text) if width() is None else '\n'.join(map(one_line, text.splitlines()))


_COLUMNS = (
    OutputColumn('pk', 'PK'),
    OutputColumn('node_pk', 'Node'),
    OutputColumn('time', 'Time', local_time),
    OutputColumn('levelname', 'Level'),
    OutputColumn('message', 'Message', _message),
)


def level_option(default: str, shown: str) -> Callable[[Function], Function]:
    """`-l/--levelname`: the lowest level that counts.

    :param shown: how the help calls the default.
    """
    return option(
        '--levelname',
        '-l',
        type=click.Choice(list(LEVELS), case_sensitive=False),
        default=default,
        help=f'The lowest level that counts. [default: {shown}]',
    )


@verb('ricordi node logs 42', 'ricordi node logs -l WARNING 42 43 --format json')
@nodes_argument()
@level_option('NOTSET', 'all')
@format_option()
def logs(session: CommandSession, nodes: tuple[str, ...], levelname: str, output_format: str | None) -> int:
    """Show the log records of nodes, by time.

    `ricordi process report` shows them with those of the work chains below. NODES are pks, uuids, starts of uuids,
    or - for standard input.
    """
    from ricordi.services.nodes.finding import find_pks
    from ricordi.services.nodes.logs import LogRecord, logs_of

    identifiers = read_identifiers(session, nodes)
    with opened(session, 'node logs') as storage:
        records = logs_of(storage, find_pks(storage, identifiers), levelname)
        write_list(map(asdict, records), _COLUMNS, output_format, keys_of(LogRecord))
    return 0
