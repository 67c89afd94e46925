"""A maintenance run from the command line: the question before, signals and progress meanwhile, the report after."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ricordi.backend.maintenance import OUT_OF_ROOM, MaintenanceOptions, MaintenanceReport
from ricordi.cli.monitoring.logfmt import failure_line, maintenance_line
from ricordi.cli.pages.output import PagePlace
from ricordi.cli.remedies import message_of
from ricordi.cli.session import CommandSession
from ricordi.cli.storage.maintenance_report import (
    distrust_in_words,
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
from ricordi.cli.terminal.prose import complain, prose
from ricordi.cli.terminal.quantities import format_bytes, plural
from ricordi.errors import Interrupted, InvalidOperation, RicordiError, UsageError
from ricordi.progress import Stop
from ricordi.services import storage
from ricordi.services.profiles.profiles import find_profile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ricordi.config import Profile
    from ricordi.progress import Run

LOGFMT = 'logfmt'


@dataclass(frozen=True, slots=True)
class MaintenanceCall:
    """What the command line asks for.

    :param wait: seconds to wait for the lock, None: do not wait.
    :param max_runtime: seconds that waiting and work may take, None for no limit.
    :param page: where the report goes as a page, in place of a text.
    """

    session: CommandSession
    options: MaintenanceOptions
    yes: bool
    wait: float | None
    max_runtime: float | None
    output_format: str | None
    page: PagePlace | None = None

    @property
    def told(self) -> bool:
        """Whether a report is printed, or written."""
        return self.page is not None or self.session.reports(self.output_format, self.options.dry_run)

    @property
    def needs_consent(self) -> bool:
        """Whether a person has to agree, and has not yet."""
        return self.options.full and not self.options.dry_run and not self.yes


def maintain_one(call: MaintenanceCall) -> int:
    """Ask if need be, maintain the profile that is named, print the report; returns the exit code."""
    if call.page is not None:
        call.page.refuse()
    profile = find_profile(call.session.profile_name)
    if call.options.grace_seconds is not None and storage.locks_for_full(profile):
        raise UsageError(f'--grace is about objects in a bucket, and those of profile {profile.name!r} are in none')
    if call.needs_consent:
        _ask(call, profile)
    stop = _new_stop(call)
    with long_work(call.session, stop, writes=not call.options.dry_run) as run:
        report = storage.maintain(profile, call.options, wait=call.wait, run=run)
    if call.page is not None:
        from ricordi.cli.pages.maintenance_page import maintenance_page

        call.page.write(call.session, maintenance_page(profile.name, report))
    elif call.told:
        _print_report(profile.name, report, call.output_format)
    _tell_what_is_wrong(report, told=call.told, profile=f'profile {profile.name}: ' if report.interrupted else '')
    return exit_code_of(report)


def maintain_all(call: MaintenanceCall) -> int:
    """Ask once if need be, and maintain all profiles but those that can only be read, one after the other.

    :returns: the exit code of the first profile that is not well.
    """
    profiles = storage.maintainable_profiles()
    if not profiles:
        call.session.tell('There are no profiles that can be maintained: nothing to do.')
        return 0
    if call.needs_consent:
        _ask_of_all(profiles)
    stop, codes, data = _new_stop(call), [], []
    with long_work(call.session, stop, writes=not call.options.dry_run) as run:
        for number, profile in enumerate(profiles):
            if stop.reason:
                left = ', '.join(one.name for one in profiles[number:])
                call.session.tell_error(f'{stop.reason}: ended early, in a clean state; not begun: {left}')
                codes.append(Interrupted.exit_code)
                break
            if number and call.told and call.output_format in (None, 'table'):
                print()
            code, told = _one_of_all(call, profile, run)
            codes.append(code)
            data.append(told)
    if call.told and call.output_format not in (None, 'table', LOGFMT):
        write_details({'profiles': data}, call.output_format)
    return next((code for code in codes if code), 0)


def _one_of_all(call: MaintenanceCall, profile: Profile, run: Run) -> tuple[int, dict[str, Any]]:
    """Maintain a profile, and say what came of it; its exit code, and what a program is told."""
    try:
        report = storage.maintain(profile, call.options, wait=call.wait, run=run)
    except RicordiError as error:
        reason = message_of(error)
        if call.output_format == LOGFMT:
            print(failure_line(profile.name, call.options.full, error.exit_code, reason))
        sys.stdout.flush()
        call.session.tell_error(f'profile {profile.name}: {reason}')
        return error.exit_code, {'profile': profile.name, 'error': reason, 'exit_code': error.exit_code}
    data = report_as_data(profile.name, report)
    if call.told and call.output_format in (None, 'table', LOGFMT):
        _print_report(profile.name, report, call.output_format)
    _tell_what_is_wrong(report, told=call.told, profile=f'profile {profile.name}: ')
    return exit_code_of(report), data


def _new_stop(call: MaintenanceCall) -> Stop:
    return Stop(call.max_runtime, out_of_time='the time given by --max-runtime is over')


def _ask(call: MaintenanceCall, profile: Profile) -> None:
    """Show the plan of a full maintenance and ask whether to carry it out; nothing where there is nothing to do.

    :raises ricordi.errors.UsageError: there is nobody to ask.
    :raises ricordi.errors.InvalidOperation: the answer is no.
    """
    start = f'Full maintenance locks profile `{profile.name}` until it is done'
    if not storage.locks_for_full(profile):
        start = f'Full maintenance of profile `{profile.name}` goes on beside those who use it'
    if not is_interactive():
        confirm(f'{start} and removes, for good, the objects that no node names. Go on?', yes=False)
    with long_work(call.session, Stop(), writes=False) as run:
        plan = storage.maintain(profile, call.options._replace(dry_run=True), wait=None, run=run)
    if plan.nothing_to_do:
        return
    told = f'{report_as_text(profile.name, plan)}\n\n{start}{_consequences(plan)}.'
    print(prose(told, sys.stderr), file=sys.stderr)
    _refuse_unless(confirm('Go on?', yes=False))


def _ask_of_all(profiles: Sequence[Profile]) -> None:
    names = f'{plural(len(profiles), "profile")} ({", ".join(one.name for one in profiles)})'
    question = (
        f'Full maintenance locks {names} until each is done and removes, for good, the objects that no node names. '
        'Go on?'
    )
    _refuse_unless(confirm(question, yes=False))


def _refuse_unless(wanted: bool) -> None:
    if not wanted:
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
    elif output_format == LOGFMT:
        print(maintenance_line(profile, report))
    else:
        write_details(report_as_data(profile, report), output_format)


def _tell_what_is_wrong(report: MaintenanceReport, told: bool, profile: str = '') -> None:
    """Say on stderr why the exit code will not be 0; with the problems one by one if no report has told them.

    :param profile: which one it is, where there are several.
    """
    sys.stdout.flush()
    if report.problem_count:
        lines = list(problem_lines(report))
        complain(f'ricordi: error: {profile}{lines[0].rstrip(":")}')
        if not told:
            print('\n'.join(lines[1:]), file=sys.stderr)
    if report.distrust:
        complain(f'ricordi: error: {profile}{distrust_in_words(report)}')
    if report.doubt:
        complain(f'ricordi: error: {profile}{doubt_in_words(report)}')
    if report.interrupted:
        complain(f'ricordi: error: {profile}{_early_end(report)}')


def _early_end(report: MaintenanceReport) -> str:
    """Why not all was done, what is left, and what to do about it, in a line."""
    what = '; '.join(left_lines(report)) or 'more'
    lacks_room = report.interrupted == OUT_OF_ROOM
    way_out = 'free some space and run it again' if lacks_room else 'run it again to go on'
    reason = f'{report.interrupted}: ended early, in a clean state, with more to do'
    return f'{reason} ({what}); {way_out}' if lacks_room else f'{reason}; {way_out}'
