"""`ricordi calcjob res`: the parsed results of a calculation job."""

from __future__ import annotations

import click

from ricordi.cli.multiple import several
from ricordi.cli.node.values import OTHER_FORMATS
from ricordi.cli.opened import opened
from ricordi.cli.parameters import NODE
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import to_json, write_details
from ricordi.cli.verb import FORMATS, option, verb


@verb('ricordi calcjob res 42', 'ricordi calcjob res -k energy energy_units -- 42', 'ricordi calcjob res 42 -f yaml')
@click.argument('calcjob', type=NODE)
@several('--keys', '-k', help='Only these keys.')
@option(
    '--format',
    '-f',
    'output_format',
    type=click.Choice([*FORMATS, *OTHER_FORMATS]),
    group='Output',
    help='How to write the result. [default: json]',
)
def res(session: CommandSession, calcjob: str, keys: tuple[str, ...], output_format: str | None) -> int:
    """Show the results of a calculation job: the items of its output `output_parameters`.

    Where there is no such output, it is the only Dict among the outputs.
    """
    from ricordi.model.node_types import CALCJOB
    from ricordi.services.calcjobs.results import results_of
    from ricordi.services.processes.finding import find_processes

    with opened(session, 'calcjob res') as storage:
        results = results_of(storage, find_processes(storage, [calcjob], CALCJOB)[0], keys)
    output_format = OTHER_FORMATS.get(output_format or '', output_format)
    if output_format in (None, 'json'):
        print(to_json({key: results[key] for key in sorted(results)}, indent=4))
    else:
        write_details(results, output_format)
    return 0
