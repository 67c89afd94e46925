"""`ricordi process report`: what processes had to report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.node.logs import level_option
from ricordi.cli.opened import opened
from ricordi.cli.process.arguments import chosen_processes, depth_option, processes_argument, read_processes
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.output import one_line, write_list
from ricordi.cli.terminal.prose import prose
from ricordi.cli.terminal.times import local_time
from ricordi.cli.verb import format_option, option, verb

if TYPE_CHECKING:
    from ricordi.services.processes.report import JobReport, ProcessReport

_NO_LOGS = 'No log messages recorded for this entry'


@verb('ricordi process report 42', 'ricordi process report -M', 'ricordi process report -l WARNING -m 1 42')
@processes_argument
@option(
    '--indent-size',
    '-i',
    type=click.IntRange(min=0),
    default=2,
    group='Output',
    help='Blanks before what a work chain below reports, for each level. [default: 2]',
)
@level_option('REPORT', 'REPORT')
@depth_option('At most so many levels of work chains. [default: all]')
@format_option()
def report(
    session: CommandSession,
    nodes: tuple[str, ...],
    most_recent_node: bool,
    indent_size: int,
    levelname: str,
    max_depth: int | None,
    output_format: str | None,
) -> int:
    """Show what processes had to report: their logs.

    Of a work chain with those of the work chains it called, from --levelname on; of a calculation job with what the
    scheduler wrote. NODES are pks, uuids, starts of uuids, or - for standard input.
    """
    from ricordi.services.processes.report import report_of

    identifiers = read_processes(session, nodes, most_recent_node)
    with opened(session, 'process report') as storage:
        rows = chosen_processes(session, storage, identifiers)
        found = (report_of(storage, row, levelname, max_depth) for row in rows)
        if output_format in (None, 'table'):
            for one in found:
                if text := '\n'.join(_as_text(one, indent_size)):
                    print(prose(text, hanging='  '))
                else:
                    session.tell(_NO_LOGS)
        else:
            write_list(map(_as_data, found), (), output_format)
    return 0


def _as_text(found: ProcessReport, indent_size: int) -> Iterator[str]:
    if found.job is not None:
        return _of_job(found, found.job)
    return _of_workchain(found, indent_size) if found.is_workchain else _of_function(found)


def _of_job(found: ProcessReport, job: JobReport) -> Iterator[str]:
    state = one_line(job.state) if job.state else 'None'
    if job.state == 'withscheduler':
        state += f', scheduler state: {one_line(job.scheduler_state) or "(unknown)"}'
    label = f' [{one_line(found.label)}]' if found.label else ''
    yield f'*** {found.pk}{label}: {state}'
    yield _scheduler_text('output', job.stdout)
    yield _scheduler_text('errors', job.stderr)
    yield f'*** {len(found.logs)} LOG MESSAGES{":" if found.logs else ""}'
    for record, _ in found.logs:
        yield f'+-> {record.levelname} at {local_time(record.time)}'
        yield from (f' | {one_line(line)}' for line in record.message.splitlines())


def _scheduler_text(what: str, text: str | None) -> str:
    if text is None:
        return f'*** Scheduler {what}: N/A'
    return f'*** Scheduler {what}:\n{text}' if text else f'*** (empty scheduler {what} file)'


def _of_workchain(found: ProcessReport, indent_size: int) -> Iterator[str]:
    if not found.logs:
        yield _NO_LOGS
        return
    pks = max(len(str(record.pk)) for record, _ in found.logs)
    levels = max(len(record.levelname) for record, _ in found.logs)
    for record, depth in found.logs:
        indent = ' ' * (depth * indent_size)
        place = f'[{record.pk:<{pks}} | {record.levelname:>{levels}}]'
        yield f'{local_time(record.time)} {place}:{indent} {_lines(record.message)}'


def _of_function(found: ProcessReport) -> Iterator[str]:
    for record, _ in found.logs:
        yield f'{local_time(record.time)} [{record.pk}]: {_lines(record.message)}'


def _lines(message: str) -> str:
    """A message whose line ends stay; what else would steer a terminal is escaped."""
    return '\n'.join(map(one_line, message.split('\n')))


def _as_data(found: ProcessReport) -> dict[str, Any]:
    job = found.job
    return {
        'pk': found.pk,
        'uuid': found.uuid,
        'process_label': found.process_label,
        'label': found.label,
        'job_state': job.state if job else None,
        'scheduler_state': job.scheduler_state if job else None,
        'scheduler_stdout': job.stdout if job else None,
        'scheduler_stderr': job.stderr if job else None,
        'logs': [
            {
                'pk': record.pk,
                'uuid': record.uuid,
                'node_pk': record.node_pk,
                'depth': depth,
                'time': record.time,
                'levelname': record.levelname,
                'loggername': record.loggername,
                'message': record.message,
            }
            for record, depth in found.logs
        ],
    }
