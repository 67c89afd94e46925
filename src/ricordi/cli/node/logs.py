"""`ricordi node logs`: the log records of nodes."""

from __future__ import annotations

from dataclasses import asdict

import click

from ricordi.cli.identifiers import nodes_argument, read_identifiers
from ricordi.cli.opened import opened
from ricordi.cli.session import Session
from ricordi.cli.terminal.output import Column, keys_of, write_list
from ricordi.cli.terminal.times import local_time
from ricordi.cli.verb import format_option, option, verb

_COLUMNS = (
    Column('pk', 'PK'),
    Column('node_pk', 'Node'),
    Column('time', 'Time', local_time),
    Column('levelname', 'Level'),
    Column('message', 'Message'),
)


@verb('ricordi node logs 42', 'ricordi node logs -l WARNING 42 43 --format json')
@nodes_argument()
@option(
    '--levelname',
    '-l',
    type=click.Choice(['NOTSET', 'DEBUG', 'INFO', 'REPORT', 'WARNING', 'ERROR', 'CRITICAL'], case_sensitive=False),
    default='NOTSET',
    help='The lowest level that counts. [default: all]',
)
@format_option()
def logs(session: Session, nodes: tuple[str, ...], levelname: str, output_format: str | None) -> int:
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
