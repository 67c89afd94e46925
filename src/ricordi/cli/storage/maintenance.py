"""A maintenance run from the command line: the question before, signals and progress meanwhile, the report after."""

from __future__ import annotations

import sys

from ricordi.backend.maintenance import OUT_OF_ROOM, MaintenanceOptions, MaintenanceReport
from ricordi.cli.pages.output import PagePlace
from ricordi.cli.session import CommandSession
from ricordi.cli.storage.maintenance_report import (
    doubt_in_words,
    exit_code_of,
    left_lines,
    problem_lines,
    report_as_data,
    report_as_text,
)
from ricordi.cli.terminal.long_work import long_work
from ricordi.cli.terminal.output import write_details
from ricordi.cli.terminal.prompt import confirm
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
    if options.full and not options.dry_run:
        question = (
            f'Full maintenance locks profile `{profile.name}` until it is done and removes, for good, the objects that '
            'no node names. Go on?'
        )
        if not confirm(question, yes):
            raise InvalidOperation('nothing was done')
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


def _print_report(profile: str, report: MaintenanceReport, output_format: str | None) -> None:
    if output_format in (None, 'table'):
        print(report_as_text(profile, report))
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
