"""`ricordi profile dump`, `group dump` and `process dump`: the provenance as folders of files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.multiple import several
from ricordi.cli.opened import opened
from ricordi.cli.parameters import COMPUTER, DAYS, GROUP, NODE, USER, ParamType, PathName
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.long_work import long_work
from ricordi.cli.terminal.output import write_details
from ricordi.cli.terminal.quantities import format_bytes, format_count, format_seconds, plural
from ricordi.cli.terminal.table import format_table
from ricordi.cli.verb import Function, format_option, option, verb
from ricordi.errors import InvalidOperation, ProblemsFound
from ricordi.progress import Stop

if TYPE_CHECKING:
    from ricordi.services.dump.content import Shape
    from ricordi.services.dump.request import DumpReport, DumpRequest

WHERE, CHOICE, LAYOUT, CONTENT, OUTPUT = 'Where', 'What to dump', 'Folders', 'What is in a folder', 'Output'

_COUNTS = (
    ('groups', 'groups'),
    ('new', 'processes, new'),
    ('changed', 'processes, changed'),
    ('same', 'processes, as they were'),
    ('linked', 'links made'),
    ('moved', 'folders renamed'),
    ('removed', 'folders removed'),
)


class Moment(ParamType[datetime]):
    """A date, with or without a time; without a zone, that of this machine."""

    name = 'moment'

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, with its zone."""
        try:
            return datetime.fromisoformat(str(value)).astimezone()
        except ValueError:
            self.fail(f'{value!r} is no date such as 2025-01-31 or 2025-01-31T12:00', param, ctx)


def _switch(
    name: str, default: bool, group: str, text: str, negative: str | None = None
) -> Callable[[Function], Function]:
    flags = f'--{name}/--{negative or f"no-{name}"}'
    shown = flags.split('/')[0 if default else 1].removeprefix('--')
    return option(flags, name.replace('-', '_'), default=default, group=group, help=f'{text} [default: {shown}]')


_WHERE = (
    option('--path', type=PathName(path_type=Path), metavar='FOLDER', group=WHERE, help='The folder of the dump.'),
    option('-n', '--dry-run', is_flag=True, group=WHERE, help='Tell what would be done, and write nothing.'),
    option('-o', '--overwrite', is_flag=True, group=WHERE, help='Begin anew: remove what an earlier dump made there.'),
)
_CHOICE = (
    option('-p', '--past-days', type=DAYS, group=CHOICE, help='Modified in the last so many days.'),
    option('--start-date', type=Moment(), metavar='DATE', group=CHOICE, help='Modified then or later.'),
    option('--end-date', type=Moment(), metavar='DATE', group=CHOICE, help='Modified then or before.'),
    _switch(
        'filter-by-last-dump-time',
        True,
        CHOICE,
        'Trust the log for what has not changed since the last dump; else look for each of its files.',
    ),
    _switch('dump-unsealed', False, CHOICE, 'Also processes that are not sealed.'),
)
_LAYOUT = (
    _switch('only-top-level-calcs', True, LAYOUT, 'Calculations that were called only in the folder of their caller.'),
    _switch('only-top-level-workflows', True, LAYOUT, 'Workflows that were called only in the folder of their caller.'),
    _switch('symlink-calcs', False, LAYOUT, 'A calculation that has a folder already is a symbolic link to it.'),
    _switch('delete-missing', True, LAYOUT, 'Remove the folders of what is not in the profile or group any more.'),
)
_CONTENT = (
    _switch('include-inputs', True, CONTENT, 'Files of the inputs of calculations.', 'exclude-inputs'),
    _switch('include-outputs', False, CONTENT, 'Files of the outputs of calculations.', 'exclude-outputs'),
    _switch('include-attributes', True, CONTENT, 'Attributes in the metadata.', 'exclude-attributes'),
    _switch('include-extras', False, CONTENT, 'Extras in the metadata.', 'exclude-extras'),
    option(
        '-f', '--flat', is_flag=True, group=CONTENT, help='Files of a process in its folder, whatever their origin.'
    ),
    format_option(),
)


_SHARED = (*_WHERE, *_CHOICE, *_LAYOUT, *_CONTENT)
_OF_ONE_PROCESS = (*_WHERE, _CHOICE[-1], *_CONTENT)


def _with(options: Sequence[Callable[[Function], Function]]) -> Callable[[Function], Function]:
    """Several options at once."""

    def decorate(function: Function) -> Function:
        for one in reversed(options):
            function = one(function)
        return function

    return decorate


@verb(
    'ricordi profile dump --all --path provenance',
    'ricordi profile dump --groups bands phonons --also-ungrouped --dry-run',
    'ricordi profile dump --all --also-ungrouped --past-days 7 --symlink-calcs',
    'ricordi profile dump --archive published.aiida --all --also-ungrouped',
)
@option('-a', '--all', 'everything', is_flag=True, group=CHOICE, help='All groups.')
@several('-G', '--groups', type=GROUP, metavar='GROUP…', group=CHOICE, help='These groups.')
@_switch('also-ungrouped', False, CHOICE, 'Also processes that are in none of these groups.')
@several('-X', '--codes', metavar='CODE…', group=CHOICE, help='Processes that used one of these codes.')
@several('-Y', '--computers', type=COMPUTER, metavar='COMPUTER…', group=CHOICE, help='On one of these computers.')
@option('-u', '--user', type=USER, group=CHOICE, help='Of this user.')
@_switch('organize-by-groups', True, LAYOUT, 'A folder for each group.')
@_switch('relabel-groups', True, LAYOUT, 'Rename the folder of a group that has got another label.')
@_with(_SHARED)
def profile_dump(
    session: CommandSession, path: Path | None, dry_run: bool, output_format: str | None, **chosen: Any
) -> int:
    """Dump the processes of a profile with their files into folders, by groups.

    The folder is named after the profile unless --path names it. A second run writes only what is new or has changed;
    one that was interrupted is completed by the next. What else is in the folder is left alone.
    """
    from ricordi.services.dump.dumping import dump_profile

    stop, request = Stop(), _request(dry_run, **chosen)
    with opened(session, 'profile dump') as storage:
        folder = path or _default_folder(storage.profile.name)
        with long_work(session, stop, writes=not dry_run) as run:
            report = dump_profile(storage, folder, request, run)
    if not (request.also_ungrouped or report.new or report.changed or report.same or report.unsealed):
        session.tell('ricordi: no group that was chosen has a process; --also-ungrouped dumps those that are in none')
    return _tell(session, report, output_format)


@verb('ricordi group dump bands', 'ricordi group dump bands --path /data/bands --include-outputs')
@click.argument('group', type=GROUP)
@_with(_SHARED)
def group_dump(
    session: CommandSession, group: str, path: Path | None, dry_run: bool, output_format: str | None, **chosen: Any
) -> int:
    """Dump the processes of a group with their files into folders.

    The folder is named after the group unless --path names it. A second run writes only what is new or has changed;
    one that was interrupted is completed by the next. What else is in the folder is left alone.
    """
    from ricordi.services.dump.dumping import dump_group
    from ricordi.services.groups.groups import find_group

    stop, request = Stop(), _request(dry_run, **chosen)
    with opened(session, 'group dump') as storage:
        folder = path or _default_folder(find_group(storage, group).label)
        with long_work(session, stop, writes=not dry_run) as run:
            report = dump_group(storage, group, folder, request, run)
    return _tell(session, report, output_format)


@verb('ricordi process dump 42', 'ricordi process dump 42 --path relax --include-outputs --flat')
@click.argument('process', type=NODE)
@_with(_OF_ONE_PROCESS)
def process_dump(
    session: CommandSession,
    process: str,
    path: Path | None,
    dry_run: bool,
    overwrite: bool,
    dump_unsealed: bool,
    output_format: str | None,
    **content: bool,
) -> int:
    """Dump a process with its files into a folder, with those that it called.

    The folder is named after the process unless --path names it; the processes that it called have folders inside. A
    second run writes only what is new or has changed. What else is in the folder is left alone.
    """
    from ricordi.services.dump.single import dump_process, folder_name, is_sealed
    from ricordi.services.dump.sync import SyncOptions
    from ricordi.services.processes.finding import find_processes

    stop = Stop()
    options = SyncOptions(_shape(**content), unsealed=dump_unsealed, dry_run=dry_run)
    with opened(session, 'process dump') as storage:
        row = find_processes(storage, [process])[0]
        if not is_sealed(row) and not dump_unsealed:
            raise InvalidOperation(
                f'process {row.pk} is not sealed (still running, or broken off): --dump-unsealed dumps it all the same'
            )
        folder = path or Path.cwd() / folder_name(row)
        with long_work(session, stop, writes=not dry_run) as run:
            report = dump_process(storage, row, folder, options, overwrite, run)
    return _tell(session, report, output_format)


def _shape(
    include_inputs: bool, include_outputs: bool, include_attributes: bool, include_extras: bool, flat: bool
) -> Shape:
    from ricordi.services.dump.content import Shape

    return Shape(include_inputs, include_outputs, include_attributes, include_extras, flat)


def _default_folder(name: str) -> Path:
    from ricordi.services.dump.names import group_path

    return Path.cwd() / group_path(name.removesuffix('.aiida'))


def _request(
    dry_run: bool,
    start_date: datetime | None,
    end_date: datetime | None,
    filter_by_last_dump_time: bool,
    dump_unsealed: bool,
    only_top_level_calcs: bool,
    only_top_level_workflows: bool,
    symlink_calcs: bool,
    include_inputs: bool,
    include_outputs: bool,
    include_attributes: bool,
    include_extras: bool,
    flat: bool,
    relabel_groups: bool = True,
    **chosen: Any,
) -> DumpRequest:
    from ricordi.services.dump.request import DumpRequest
    from ricordi.services.dump.sync import SyncOptions

    shape = _shape(include_inputs, include_outputs, include_attributes, include_extras, flat)
    return DumpRequest(
        start=start_date,
        end=end_date,
        top_calculations_only=only_top_level_calcs,
        top_workflows_only=only_top_level_workflows,
        relabel=relabel_groups,
        sync=SyncOptions(shape, symlink_calcs, dump_unsealed, not filter_by_last_dump_time, dry_run),
        **chosen,
    )


def _tell(session: CommandSession, report: DumpReport, output_format: str | None) -> int:
    if report.unsealed:
        session.tell(
            f'ricordi: {plural(report.unsealed, "process is", "processes are")} left out, not being sealed '
            '(still running, or broken off); --dump-unsealed takes such along'
        )
    if session.reports(output_format, report.dry_run):
        if output_format not in (None, 'table'):
            write_details(asdict(report), output_format)
        elif not report.nothing_to_do:
            print(format_table([[text, format_count(getattr(report, name))] for name, text in _COUNTS], right=(1,)))
    _tell_sentence(session, report)
    if report.problem_count:
        listed = '; '.join(report.problems[:5])
        raise ProblemsFound(
            f'{plural(report.problem_count, "file or file tree", "files or file trees")} could not be read; '
            f'all others are written: {listed}{" …" if report.problem_count > 5 else ""}'
        )
    return 0


def _tell_sentence(session: CommandSession, report: DumpReport) -> None:
    if report.nothing_to_do and not report.same:
        session.tell('Nothing to do: there is no process to dump.')
        return
    if report.nothing_to_do:
        session.tell(f'Nothing to do: {report.folder} is up to date ({plural(report.same, "folder")}).')
        return
    if report.dry_run:
        session.tell(f'Would be written to {report.folder}.')
        return
    size = f'{plural(report.files, "file")}, {format_bytes(report.bytes)}'
    session.tell(f'Wrote {size} to {report.folder} in {format_seconds(report.seconds)}.')
