"""`ricordi archive create`."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ricordi.cli.archive.output import STDOUT, archive_output
from ricordi.cli.multiple import several
from ricordi.cli.parameters import COMPUTER, GROUP, NODE, PathName
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.long_work import long_work
from ricordi.cli.terminal.output import write_details
from ricordi.cli.terminal.quantities import format_bytes, format_count, format_seconds
from ricordi.cli.terminal.table import format_table
from ricordi.cli.verb import Function, format_option, option, verb
from ricordi.errors import UsageError
from ricordi.progress import Stop

if TYPE_CHECKING:
    from ricordi.services.archive.create import CreatedArchive

CHOICE = 'What to archive'
ALONG = 'What goes along'
OUTPUT = 'Output'

SWITCHES = {
    'input_calc_forward': ('calculations that used data that is in', False),
    'input_work_forward': ('workflows that used data that is in', False),
    'create_backward': ('calculations that created data that is in', True),
    'return_backward': ('workflows that returned data that is in', False),
    'call_calc_backward': ('workflows that called calculations that are in', True),
    'call_work_backward': ('workflows that called workflows that are in', True),
}


def _switches(function: Function) -> Function:
    """`--create-backward/--no-create-backward` and so on; None where nothing was said."""
    for name, (text, default) in reversed(SWITCHES.items()):
        flag = name.replace('_', '-')
        function = option(
            f'--{flag}/--no-{flag}',
            name,
            default=None,
            group=ALONG,
            help=f'Whether to take {text}. [default: {"yes" if default else "no"}]',
        )(function)
    return function


@verb(
    'ricordi archive create everything.aiida --all',
    'ricordi -p main archive create paper.aiida --groups bands phonons --no-call-calc-backward',
    'ricordi archive create one.aiida --nodes 4711 --dry-run',
    'ricordi archive create - --all | gpg --encrypt -r ada@example.org >all.aiida.gpg',
)
@click.argument('output_file', type=PathName(allow_dash=True, path_type=Path))
@option(
    '-a', '--all', 'everything', is_flag=True, group=CHOICE, help='Everything: all nodes, groups, users, computers.'
)
@several('-N', '--nodes', type=NODE, metavar='NODE…', group=CHOICE, help='Nodes, by pk, uuid or start of a uuid.')
@several('-G', '--groups', type=GROUP, metavar='GROUP…', group=CHOICE, help='Groups with their nodes.')
@several('-X', '--codes', metavar='CODE…', group=CHOICE, help='Codes, by pk, uuid or label.')
@several('-Y', '--computers', type=COMPUTER, metavar='COMPUTER…', group=CHOICE, help='Computers.')
@_switches
@option('--include-comments/--exclude-comments', 'comments', default=True, group=ALONG, help='Comments. [default: in]')
@option('--include-logs/--exclude-logs', 'logs', default=True, group=ALONG, help='Logs of processes. [default: in]')
@option(
    '--include-authinfos/--exclude-authinfos',
    'authinfos',
    default=False,
    group=ALONG,
    help='How users reach computers: may tell user names and paths of keys. [default: out]',
)
@option(
    '--compress',
    type=click.IntRange(0, 9),
    default=6,
    metavar='LEVEL',
    group=OUTPUT,
    help='From 0 (stored as it is) to 9 (small, slow). [default: 6]',
)
@option('-f', '--force', is_flag=True, group=OUTPUT, help='Overwrite the file if it is there.')
@option('-n', '--dry-run', is_flag=True, group=OUTPUT, help='Tell what would go in, and write no file.')
@option('--test-run', 'test_run', is_flag=True, hidden=True)
@option('-b', '--batch-size', 'batch_size', type=int, hidden=True)
@format_option()
def create(
    session: CommandSession,
    output_file: Path,
    everything: bool,
    nodes: tuple[str, ...],
    groups: tuple[str, ...],
    codes: tuple[str, ...],
    computers: tuple[str, ...],
    comments: bool,
    logs: bool,
    authinfos: bool,
    compress: int,
    force: bool,
    dry_run: bool,
    test_run: bool,
    batch_size: int | None,
    output_format: str | None,
    **switches: bool | None,
) -> int:
    """Write all or a part of a profile into an archive.

    With a node go along, unless switched off, those that it came from and all that they led to inside their processes.
    Only processes that are sealed can go in. The file appears when it is complete; `-` is standard output.
    """
    from ricordi.services.archive.create import ArchiveRequest, create_archive
    from ricordi.services.profiles.profiles import find_profile

    if not (everything or nodes or groups or codes or computers):
        raise UsageError('say what the archive is to hold: --all, or --nodes, --groups, --codes, --computers')
    request = ArchiveRequest(
        everything=everything,
        nodes=nodes,
        groups=groups,
        computers=computers,
        codes=codes,
        switches=switches,
        authinfos=authinfos,
        comments=comments,
        logs=logs,
        level=compress,
    )
    dry_run = dry_run or test_run
    if output_file == STDOUT and output_format is not None and not dry_run:
        raise UsageError('the archive and a report cannot both go to standard output: leave --format out')
    profile, stop = find_profile(session.profile_name), Stop()
    place = nullcontext(output_file) if dry_run else archive_output(output_file)
    with place as path, long_work(session, stop, writes=not dry_run) as run:
        made = create_archive(profile, path, request, overwrite=force, dry_run=dry_run, run=run)
    to_stdout = output_file == STDOUT
    if session.reports(output_format, dry_run) and (dry_run or not to_stdout):
        _show(made, output_format)
    where = 'standard output' if to_stdout else str(made.path)
    if dry_run:
        size = format_bytes(made.database_bytes)
        session.tell(f'Would be written to {where}; the database takes {size} uncompressed.')
    else:
        session.tell(f'Wrote {where}: {format_bytes(made.archive_bytes or 0)} in {format_seconds(made.seconds)}.')
    return 0


def _show(made: CreatedArchive, output_format: str | None) -> None:
    if output_format not in (None, 'table'):
        write_details(asdict(made), output_format)
        return
    rows = [[kind, format_count(number)] for kind, number in made.entities.items()]
    rows += [['object', f'{format_count(made.objects)}, {format_bytes(made.content_bytes)} of content']]
    print(format_table(rows))
