"""`ricordi status`: whether the profile can be used, for a person and for monitoring."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ricordi.cli.remedies import with_remedy
from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.prose import prose
from ricordi.cli.verb import format_option, option, verb

if TYPE_CHECKING:
    from ricordi.services.status import Status

_KEYS = ('name', 'state', 'detail', 'exit_code')


@verb('ricordi status', 'ricordi -p main status >status.txt || mail -s "profile main" ada@example.org <status.txt')
@option('--no-rmq', is_flag=True, help='Accepted for the sake of scripts: there is no broker here to be looked at.')
@option('-t', '--print-traceback', is_flag=True, hidden=True, help='Accepted for the sake of scripts; see --debug.')
@format_option()
def status(session: CommandSession, no_rmq: bool, print_traceback: bool, output_format: str | None) -> int:
    """Show whether the profile can be used and what maintenance would gain.

    Nothing is changed. The exit code is that of the first thing that is not well, so that monitoring needs no more: 1
    no configuration or profile, 3 storage unreachable or corrupt, 4 another schema, 5 locked, 6 missing objects, or
    open findings of the last verification. What is not well is told on stderr, too.
    """
    import sys

    from ricordi.services.status import get_status

    found = get_status(session.profile_name)
    told = (replace(check, detail=with_remedy(check.detail, check.remedy)) for check in found.checks)
    found = replace(found, checks=tuple(told))
    if output_format in (None, 'table'):
        print(prose(_as_text(found)))
    else:
        from ricordi.cli.terminal.output import write_details

        write_details(_as_data(found), output_format)
    if found.exit_code:
        wrong = next(check for check in found.checks if check.exit_code)
        sys.stdout.flush()
        print(f'ricordi: error: {wrong.name}: {wrong.detail}', file=sys.stderr)
    return found.exit_code


def _as_text(found: Status) -> str:
    from ricordi.cli.terminal.colors import Toned
    from ricordi.cli.terminal.quantities import format_bytes
    from ricordi.cli.terminal.table import format_table

    marks = {'ok': Toned('ok', 'good'), 'error': Toned('ERROR', 'bad'), 'not checked': '-'}
    text = format_table([[check.name, marks[check.state], check.detail] for check in found.checks])
    if found.plan is not None and not found.plan.nothing_to_do:
        steps = ', '.join(step.detail for step in found.plan.steps)
        freed = sum(step.freed for step in found.plan.steps)
        gain = f'; it would free {format_bytes(freed)}' if freed else ''
        text += f'\n\n`ricordi storage maintain --full` would do: {steps}{gain}.'
    return text


def _as_data(found: Status) -> dict[str, Any]:
    from ricordi.cli.storage.maintenance_report import report_as_data
    from ricordi.services.last_verified import state_as_data

    return {
        'profile': found.profile,
        'exit_code': found.exit_code,
        'checks': [{name: getattr(check, name) for name in _KEYS} for check in found.checks],
        'verified': found.verification and state_as_data(found.verification),
        'maintenance': report_as_data(found.profile, found.plan) if found.plan and found.profile else None,
    }
