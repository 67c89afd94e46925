"""A maintenance run from the command line: the question before, signals and progress meanwhile, the report after."""

from __future__ import annotations

import sys

from ricordi.backend.maintenance import OUT_OF_ROOM, MaintenanceOptions, MaintenanceReport
from ricordi.cli.pages.output import PagePlace
from ricordi.cli.session import CommandSession
from ricordi.cli.storage.maintenance_report import (
    doubt_in_words,
    exit_code_of,
    freed,
    left_lines,
    problem_lines,
    report_as_data,
    report_as_text,
)
from ricordi.cli.terminal.long_work import long_work
from ricordi.cli.terminal.output import write_details
from ricordi.cli.terminal.prompt import confirm, is_interactive
from ricordi.cli.terminal.prose import prose
from ricordi.cli.terminal.quantities import format_bytes, plural
from ricordi.config import Profile
from ricordi.errors import InvalidOperation
from ricordi.progress import Stop
from ricordi.services import storage
from ricordi.services.profiles.profiles import find_profile


def run_maintenance(
    session: CommandSession,
    options: MaintenanceOptions,
    *,
    yes: bool,
    wait: float | None,
    max_runtime: float | None,
    output_format: str | None,
    page: PagePlace | None = None,
) -> int:
    """Ask if need be, maintain, print the report; returns the exit code.

    :param wait: seconds to wait for the lock, None: do not wait.
    :param max_runtime: seconds that waiting and work may take, None for no limit.
    :param page: where the report goes as a page, in place of a text.
    """
    if page is not None:
        page.refuse()
    profile = find_profile(session.profile_name)
    if options.full and not options.dry_run and not yes:
        _ask(session, profile, options)
    stop = Stop(max_runtime, out_of_time='the time given by --max-runtime is over')
    with long_work(session, stop) as run:
        report = storage.maintain(profile, options, wait=wait, run=run)
    told = page is not None or session.reports(output_format, options.dry_run)
    if page is not None:
        from ricordi.cli.pages.maintenance_page import maintenance_page

        page.write(session, maintenance_page(profile.name, report))
    elif told:
        _print_report(profile.name, report, output_format)
    _tell_what_is_wrong(report, told=told)
    return exit_code_of(report)


def _ask(session: CommandSession, profile: Profile, options: MaintenanceOptions) -> None:
    """Show the plan of a full maintenance and ask whether to carry it out; nothing where there is nothing to do.

    :raises ricordi.errors.UsageError: there is nobody to ask.
    :raises ricordi.errors.InvalidOperation: the answer is no.
    """
    start = f'Full maintenance locks profile `{profile.name}` until it is done'
    if not is_interactive():
        confirm(f'{start} and removes, for good, the objects that no node names. Go on?', yes=False)
    with long_work(session, Stop()) as run:
        plan = storage.maintain(profile, options._replace(dry_run=True), wait=None, run=run)
    if plan.nothing_to_do:
        return
    told = f'{report_as_text(profile.name, plan)}\n\n{start}{_consequences(plan)}.'
    print(prose(told, sys.stderr), file=sys.stderr)
    if not confirm('Go on?', yes=False):
        raise InvalidOperation('nothing was done')


def _consequences(plan: MaintenanceReport) -> str:
    """What becomes of the disk, and what is gone for good."""
    removed = plan.before.garbage if any(step.name == 'remove garbage' for step in plan.steps) else None
    parts = []
    if removed is not None and removed.objects:
        size = format_bytes(removed.bytes)
        parts.append(f'removes for good {plural(removed.objects, "object")} ({size}) that no node names')
    if (given_back := freed(plan)) > 0:
        parts.append(f'gives back {format_bytes(given_back)} of disk')
    return ''.join(f' and {part}' for part in parts)


def _print_report(profile: str, report: MaintenanceReport, output_format: str | None) -> None:
    if output_format in (None, 'table'):
        print(prose(report_as_text(profile, report)))
    else:
        write_details(report_as_data(profile, report), output_format)


def _tell_what_is_wrong(report: MaintenanceReport, told: bool) -> None:
    """Say on stderr why the exit code will not be 0; with the problems one by one if no report has told them."""
    sys.stdout.flush()
    if report.problem_count:
        lines = list(problem_lines(report))
        print(f'ricordi: error: {lines[0].rstrip(":")}', file=sys.stderr)
        if not told:
            print('\n'.join(lines[1:]), file=sys.stderr)
    if report.doubt:
        print(f'ricordi: error: {doubt_in_words(report)}', file=sys.stderr)
    if report.interrupted:
        print(f'ricordi: error: {_early_end(report)}', file=sys.stderr)


def _early_end(report: MaintenanceReport) -> str:
    """Why not all was done, what is left, and what to do about it, in a line."""
    what = '; '.join(left_lines(report)) or 'more'
    lacks_room = report.interrupted == OUT_OF_ROOM
    way_out = 'free some space and run it again' if lacks_room else 'run it again to go on'
    reason = f'{report.interrupted}: ended early, in a clean state, with more to do'
    return f'{reason} ({what}); {way_out}' if lacks_room else f'{reason}; {way_out}'
