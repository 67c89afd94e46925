"""A line of `key=value` for a journal, as of `storage maintain --format logfmt` and `status --format logfmt`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ricordi.cli.monitoring.prometheus import amounts
from ricordi.cli.remedies import with_remedy
from ricordi.cli.storage.maintenance_report import exit_code_of, freed, seconds

if TYPE_CHECKING:
    from ricordi.backend.maintenance import MaintenanceReport
    from ricordi.services.status import Status

_BARE = re.compile(r'[^\s"=\\]+')


def line_of(values: Mapping[str, Any]) -> str:
    """`key=value` for each value that is known, blanks between; quoted as in JSON where a value needs it."""
    return ' '.join(f'{key}={_written(value)}' for key, value in values.items() if value is not None)


def _written(value: Any) -> str:
    text = str(value)
    return text if _BARE.fullmatch(text) and text.isprintable() else json.dumps(text, ensure_ascii=False)


def maintenance_line(profile: str, report: MaintenanceReport) -> str:
    """What a maintenance did, or would do, in a line."""
    state = report.after or report.before
    return line_of(
        {
            'profile': profile,
            'maintenance': 'full' if report.options.full else 'live',
            'dry_run': 'yes' if report.options.dry_run else 'no',
            'result': _result(report),
            'exit_code': exit_code_of(report),
            'steps': ','.join(step.name.replace(' ', '-') for step in report.steps) or None,
            **_sizes(amounts(state)),
            'waste_bytes': state.waste_bytes,
            'missing': state.missing,
            'problems': report.problem_count,
            'freed_bytes': freed(report),
            'seconds': None if report.options.dry_run else round(seconds(report), 3),
        }
    )


def _result(report: MaintenanceReport) -> str:
    if report.problem_count or report.doubt or report.distrust:
        return 'problems'
    if report.interrupted:
        return 'interrupted'
    if report.nothing_to_do:
        return 'nothing-to-do'
    return 'planned' if report.options.dry_run else 'done'


def failure_line(profile: str, full: bool, exit_code: int, reason: str) -> str:
    """A maintenance that could not begin."""
    kind = 'full' if full else 'live'
    return line_of(
        {'profile': profile, 'maintenance': kind, 'result': 'failed', 'exit_code': exit_code, 'error': reason}
    )


def status_line(profile: str, status: Status) -> str:
    """How a profile is, in a line."""
    worst, plan = status.worst, status.plan
    return line_of(
        {
            'profile': profile,
            'status': 'ok' if worst is None else worst.state,
            'exit_code': status.exit_code,
            'check': worst and worst.name,
            'detail': worst and with_remedy(worst.detail, worst.remedy),
            **(_sizes(amounts(plan.before)) if plan else {}),
            **dict(_ages(status)),
        }
    )


def _ages(status: Status) -> Iterator[tuple[str, str]]:
    for kind, moment in status.maintained.items():
        if moment is not None:
            yield f'last_{kind}', moment.isoformat(timespec='seconds')
    if status.backup is not None:
        yield 'last_backup', status.backup.time.isoformat(timespec='seconds')


def _sizes(found: Mapping[str, tuple[int, int]]) -> dict[str, int]:
    return {
        f'{state}_{unit}': number
        for state, amount in found.items()
        for unit, number in zip(('objects', 'bytes'), amount, strict=True)
    }
