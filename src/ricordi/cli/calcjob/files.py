"""`ricordi calcjob inputls`, `inputcat`, `outputls`, `outputcat`: the files of a calculation job that are stored."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ricordi.cli.node.repo import write_listing
from ricordi.cli.opened import opened
from ricordi.cli.parameters import NODE
from ricordi.cli.session import CommandSession
from ricordi.cli.verb import Function, format_option, option, verb

if TYPE_CHECKING:
    from ricordi.backend.rows import NodeRow
    from ricordi.backend.storage import StorageBackend


def _path_arguments(function: Function) -> Function:
    return click.argument('calcjob', type=NODE)(click.argument('path', required=False)(function))


def _list_options(function: Function) -> Function:
    function = format_option()(function)
    function = option('--color', '-c', is_flag=True, group='Output', help='Show folders in colour.')(function)
    function = option('--long', '-l', is_flag=True, group='Output', help='A table with sizes and keys.')(function)
    return _path_arguments(function)


@verb('ricordi calcjob inputls 42', 'ricordi calcjob inputls -l 42 .aiida')
@_list_options
def inputls(
    session: CommandSession, calcjob: str, path: str | None, long: bool, color: bool, output_format: str | None
) -> int:
    """List the input files of a calculation job, or those in a folder of them."""
    with opened(session, 'calcjob inputls') as storage:
        write_listing(storage, _job(storage, calcjob), path, long, color, output_format)
    return 0


@verb('ricordi calcjob outputls 42', 'ricordi calcjob outputls 42 --format json')
@_list_options
def outputls(
    session: CommandSession, calcjob: str, path: str | None, long: bool, color: bool, output_format: str | None
) -> int:
    """List the files that came back from a calculation job, or those in a folder of them."""
    from ricordi.services.calcjobs.files import retrieved_node

    with opened(session, 'calcjob outputls') as storage:
        folder = retrieved_node(storage, _job(storage, calcjob))
        write_listing(storage, folder, path, long, color, output_format)
    return 0


@verb('ricordi calcjob inputcat 42', 'ricordi calcjob inputcat 42 _aiidasubmit.sh')
@_path_arguments
def inputcat(session: CommandSession, calcjob: str, path: str | None) -> int:
    """Write an input file of a calculation job to stdout, as it is.

    Without PATH the file that the job says is its input, or the only one. Exits with 6 where the content is missing or
    damaged.
    """
    from ricordi.services.calcjobs.files import INPUT, default_file

    with opened(session, 'calcjob inputcat') as storage:
        job = _job(storage, calcjob)
        _write(storage, job, path or default_file(job, job, INPUT))
    return 0


@verb('ricordi calcjob outputcat 42', 'ricordi calcjob outputcat 42 _scheduler-stderr.txt')
@_path_arguments
def outputcat(session: CommandSession, calcjob: str, path: str | None) -> int:
    """Write a file that came back from a calculation job to stdout, as it is.

    Without PATH the file that the job says is its output, or the only one. Exits with 6 where the content is missing or
    damaged.
    """
    from ricordi.services.calcjobs.files import OUTPUT, default_file, retrieved_node

    with opened(session, 'calcjob outputcat') as storage:
        job = _job(storage, calcjob)
        folder = retrieved_node(storage, job)
        _write(storage, folder, path or default_file(job, folder, OUTPUT))
    return 0


def _job(storage: StorageBackend, identifier: str) -> NodeRow:
    from ricordi.model.node_types import CALCJOB
    from ricordi.services.processes.finding import find_processes

    return find_processes(storage, [identifier], CALCJOB)[0]


def _write(storage: StorageBackend, holder: NodeRow, path: str) -> None:
    from ricordi.services.nodes.repository import read_file

    for chunk in read_file(storage, holder, path):
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()
