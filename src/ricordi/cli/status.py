"""`ricordi status`: whether profiles can be used, for a person and for monitoring."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ricordi.cli.parameters import DURATION, PERCENT, PathName
from ricordi.cli.remedies import message_of, with_remedy
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.prose import complain, prose
from ricordi.cli.verb import Verb, format_option, option, verb
from ricordi.errors import RicordiError, UsageError

if TYPE_CHECKING:
    from ricordi.services.status import Status, StatusCheck, StatusQuestion

_KEYS = ('name', 'state', 'detail', 'exit_code')
_OF_MONITORS = ('logfmt', 'prometheus', 'nagios')
_UNKNOWN = 3
"""What a plug-in of Nagios ends with that could not look."""

Found = list[tuple[str, 'Status']]


class StatusVerb(Verb):
    """Tells a wrong command line to Nagios as Nagios wants it, `UNKNOWN`: another code than that of all verbs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the options apart."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if not any(word in ('nagios', '--format=nagios') for word in given):
                raise
            from ricordi.cli.monitoring.nagios import unknown_line

            print(unknown_line(error.format_message()))
            raise click.exceptions.Exit(_UNKNOWN) from None


@verb(
    'ricordi status',
    'ricordi -p main status >status.txt || mail -s "profile main" ada@example.org <status.txt',
    'ricordi -p main status --format nagios --max-age-full 8d --max-garbage 20% --max-age-backup 2d || true',
    'ricordi status --all-profiles --format prometheus -O ricordi.prom',
    kind=StatusVerb,
)
@option('--all-profiles', is_flag=True, group='What to look at', help='All profiles of the configuration.')
@option(
    '--count',
    type=click.Choice(('auto', 'yes', 'no')),
    default='auto',
    group='What to look at',
    help='Whether to compare what all nodes name with all objects, about a second for a million of both: auto does so '
    'up to five millions; else garbage and missing objects are not known. [default: auto]',
)
@option(
    '--max-age-full',
    type=DURATION,
    metavar='DURATION',
    group='Thresholds',
    help='Warn where the last full maintenance is longer ago (8d, 36h), or none is known of.',
)
@option(
    '--max-garbage',
    type=PERCENT,
    metavar='PERCENT',
    group='Thresholds',
    help='Warn where more of the bytes of all objects is garbage (20%), or that is not known.',
)
@option(
    '--max-age-backup',
    type=DURATION,
    metavar='DURATION',
    group='Thresholds',
    help='Warn where the last backup is older (2d, 36h), or none is known of.',
)
@option('--no-rmq', is_flag=True, help='Accepted for the sake of scripts: there is no broker here to be looked at.')
@option('-t', '--print-traceback', is_flag=True, hidden=True, help='Accepted for the sake of scripts; see --debug.')
@format_option(*_OF_MONITORS)
@option(
    '-O',
    '--output-file',
    type=PathName(path_type=Path),
    metavar='FILE',
    group='Output',
    help='With --format prometheus, the file that is replaced by the result as a whole.',
)
def status(
    session: CommandSession,
    all_profiles: bool,
    count: str,
    max_age_full: float | None,
    max_garbage: float | None,
    max_age_backup: float | None,
    no_rmq: bool,
    print_traceback: bool,
    output_format: str | None,
    output_file: Path | None,
) -> int:
    """Show whether the profile can be used and what maintenance would gain.

    Nothing is changed. The exit code is that of the first thing that is not well, so that monitoring needs no more: 1
    no configuration or profile, 3 storage unreachable or corrupt, 4 another schema, 5 locked, 6 missing objects, or
    open findings of the last verification, 7 all can be used and something should be done: a threshold is exceeded, or
    AiiDA cannot read all objects. What is not well is told on stderr, too. With --format nagios the codes are those of
    a plug-in (0, 1, 2, 3), with --format prometheus it is 0 where the numbers could be written, whatever they say.
    """
    from ricordi.services.status import StatusQuestion

    if output_file is not None and output_format != 'prometheus':
        raise UsageError('-O is for --format prometheus; write others to a file by `>`')
    question = StatusQuestion(max_age_full, max_age_backup, max_garbage, count)  # type: ignore[arg-type]  # by click
    try:
        found = _look(session, all_profiles, question)
    except RicordiError as error:
        if output_format != 'nagios':
            raise
        from ricordi.cli.monitoring.nagios import unknown_line

        print(unknown_line(message_of(error)))
        return _UNKNOWN
    if output_format in _OF_MONITORS:
        return _write_for_program(found, question, str(output_format), output_file)
    _write(found, all_profiles, output_format)
    sys.stdout.flush()
    for name, one in found:
        _tell_wrong(f'profile {name}: ' if all_profiles else '', one)
    return _exit_code(found)


def _look(session: CommandSession, all_profiles: bool, question: StatusQuestion) -> Found:
    """What is found of each profile that is asked for, with its name."""
    from ricordi.services.status import all_profile_names, get_status

    if not all_profiles:
        one = get_status(session.profile_name, question)
        return [(one.profile or session.profile_name or '', one)]
    if session.profile_name is not None:
        raise UsageError('--all-profiles and a profile or archive by name contradict each other')
    return [(name, get_status(name, question)) for name in all_profile_names()]


def _exit_code(found: Found) -> int:
    """That of the first profile with an error, or else of the first with a warning."""
    worst = [one.worst for _, one in found if one.worst is not None]
    return next((check.exit_code for check in worst if check.state == 'error'), worst[0].exit_code if worst else 0)


def _write_for_program(found: Found, question: StatusQuestion, output_format: str, output_file: Path | None) -> int:
    if output_format == 'nagios':
        from ricordi.cli.monitoring.nagios import plugin_line

        line, code = plugin_line(found, question)
        print(line)
        return code
    if output_format == 'logfmt':
        from ricordi.cli.monitoring.logfmt import status_line

        for name, one in found:
            print(status_line(name, one))
        return _exit_code(found)
    from ricordi.cli.monitoring.prometheus import exposition

    text = exposition(found)
    if output_file is None:
        print(text, end='')
    else:
        from ricordi.files import write_atomic
        from ricordi.services.output_files import check_output_file

        check_output_file(output_file.absolute())
        write_atomic(output_file.absolute(), text.encode(), mode=0o644)
    return 0


def _write(found: Found, all_profiles: bool, output_format: str | None) -> None:
    if output_format in (None, 'table'):
        parts = [f'Profile `{name}`\n\n{_as_text(one)}' if all_profiles else _as_text(one) for name, one in found]
        print(prose('\n\n'.join(parts) or 'There are no profiles.'))
        return
    from ricordi.cli.terminal.output import write_details

    data = [_as_data(one) for _, one in found]
    write_details({'profiles': data} if all_profiles else data[0], output_format)


def _tell_wrong(profile: str, found: Status) -> None:
    """Say on stderr what is not well: the error, or the warnings."""
    worst = found.worst
    if worst is not None and worst.state == 'error':
        complain(f'ricordi: error: {profile}{worst.name}: {_told(worst)}')
        return
    for check in found.checks:
        if check.state == 'warning':
            complain(f'ricordi: warning: {profile}{check.name}: {_told(check)}')


def _told(check: StatusCheck) -> str:
    return with_remedy(check.detail, check.remedy)


def _as_text(found: Status) -> str:
    from ricordi.cli.terminal.colors import Toned
    from ricordi.cli.terminal.quantities import format_bytes
    from ricordi.cli.terminal.table import format_table

    marks = {
        'ok': Toned('ok', 'good'),
        'warning': Toned('WARNING', 'warning'),
        'error': Toned('ERROR', 'bad'),
        'not checked': '-',
    }
    text = format_table([[check.name, marks[check.state], _told(check)] for check in found.checks])
    if found.plan is not None and not found.plan.nothing_to_do:
        steps = ', '.join(step.detail for step in found.plan.steps)
        freed = sum(step.freed for step in found.plan.steps)
        gain = f'; it would free {format_bytes(freed)}' if freed else ''
        text += f'\n\n`ricordi storage maintain --full` would do: {steps}{gain}.'
    return text


def _as_data(found: Status) -> dict[str, Any]:
    from ricordi.cli.storage.maintenance_report import report_as_data
    from ricordi.services.last_verified import state_as_data
    from ricordi.services.status import garbage_percent

    checks = [replace(check, detail=_told(check)) for check in found.checks]
    return {
        'profile': found.profile,
        'exit_code': found.exit_code,
        'checks': [{name: getattr(check, name) for name in _KEYS} for check in checks],
        'last_maintained': {kind: found.maintained.get(kind) for kind in ('live', 'full')},
        'last_backup': found.backup.time if found.backup else None,
        'garbage_percent': garbage_percent(found.plan) if found.plan else None,
        'hidden_objects': found.hidden,
        'verified': found.verification and state_as_data(found.verification),
        'maintenance': report_as_data(found.profile, found.plan) if found.plan and found.profile else None,
    }
