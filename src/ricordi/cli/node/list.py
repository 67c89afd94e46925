"""`ricordi node list`: the nodes that fit, streamed as they come from the database."""

from __future__ import annotations

from typing import Any

import click

from ricordi.cli.multiple import several
from ricordi.cli.opened import opened
from ricordi.cli.parameters import COMPUTER, DAYS, FIELD, FILTER, GROUP, NODE, NODE_TYPE, USER
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import OutputColumn, write_list
from ricordi.cli.terminal.streamed_table import write_raw, write_table
from ricordi.cli.verb import format_option, option, order_direction_option, verb

DEFAULT = ('pk', 'uuid', 'node_type')
HEADINGS = {
    **{name: name.capitalize() for name in ('label', 'description', 'user', 'computer', 'attributes', 'extras')},
    'pk': 'PK',
    'id': 'ID',
    'uuid': 'UUID',
    'node_type': 'Node type',
    'process_type': 'Process type',
    'ctime': 'Created',
    'mtime': 'Modified',
}


@verb(
    'ricordi node list -e core.dict -p 7',
    "ricordi node list --where 'attributes.exit_status > 0' -P pk attributes.process_label ctime -O ctime -D desc",
    'ricordi node list -q --group old | ricordi group add-nodes -G new -',
)
@several(
    '--where',
    group='Which nodes',
    type=FILTER,
    metavar='FILTER',
    help="Such as 'attributes.exit_status > 0', \"label like 'run%' and ctime > 2025-01-31\", "
    "'user == ada@example.org', 'computer != localhost'.",
)
@several(
    '--type',
    '-e',
    '--entry-point',
    'types',
    group='Which nodes',
    type=NODE_TYPE,
    metavar='TYPE',
    help='Such as core.dict, Dict, process.workflow.',
)
@option('--subclassing/--no-subclassing', default=True, group='Which nodes', help='Whether subclasses of TYPE count.')
@several('--group', '-G', 'groups', type=GROUP, group='Which nodes', help='Members of this group.')
@several('--computer', '-Y', 'computers', type=COMPUTER, group='Which nodes', help='Bound to this computer.')
@several('--user', '-u', 'users', type=USER, group='Which nodes', help='Of this user.')
@option('--past-days', '-p', type=DAYS, group='Which nodes', help='Made in the last so many days.')
@option('--ancestor-of', type=NODE, group='Which nodes', help='From which data provenance leads to this node.')
@option('--descendant-of', type=NODE, group='Which nodes', help='To which data provenance leads from this node.')
@several(
    '--project', '-P', type=FIELD, metavar='FIELD', group='Output', help='What to show. [default: pk uuid node_type]'
)
@option(
    '--order-by',
    '-O',
    type=FIELD,
    default='ctime',
    metavar='FIELD',
    group='Output',
    help='Sort by this. [default: ctime]',
)
@order_direction_option()
@option('--limit', '-l', type=click.IntRange(min=0), group='Output', help='At most so many.')
@option('--raw', '-r', is_flag=True, group='Output', help='Bare values without heading, separated by tabs.')
@format_option()
def list_nodes(
    session: CommandSession,
    project: tuple[str, ...],
    order_by: str,
    order_direction: str,
    limit: int | None,
    raw: bool,
    output_format: str | None,
    **chosen: Any,
) -> int:
    """List nodes.

    FIELD is a column (pk, uuid, node_type, process_type, label, description, ctime, mtime, user, computer, attributes,
    extras, repository_metadata), '*' for all of them, or a key inside attributes or extras (attributes.exit_status).
    With --quiet: the bare pks.
    """
    from ricordi.services.nodes import list as service

    project = service.expand_projections(project or DEFAULT)
    bare = session.quiet and output_format is None and not raw
    with opened(session, 'node list') as storage:
        rows = service.list_nodes(
            storage,
            service.NodeFilter(**chosen),
            ('pk',) if bare else project,
            order_by,
            descending=order_direction == 'desc',
            limit=limit,
        )
        if bare or (raw and output_format is None):
            write_raw(rows)
        elif output_format in (None, 'table'):
            if not write_table(rows, [HEADINGS.get(name, name) for name in project], project):
                session.tell('No nodes fit.')
        else:
            named = (dict(zip(project, row, strict=True)) for row in rows)
            write_list(named, [OutputColumn(name, name) for name in project], output_format)
    return 0
