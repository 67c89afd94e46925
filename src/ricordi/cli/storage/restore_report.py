"""How a restore or a rehearsal of one is told: as text for a person, as plain data with stable keys for a program."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ricordi.cli.session import CommandSession
from ricordi.cli.storage.maintenance_report import object_lines, problem_as_data
from ricordi.cli.terminal.output import write_details
from ricordi.cli.terminal.prose import complain, prose
from ricordi.cli.terminal.quantities import format_bytes, format_count, format_seconds, plural
from ricordi.cli.terminal.times import local_time
from ricordi.errors import ProblemsFound

if TYPE_CHECKING:
    from ricordi.services.backups.rehearsal import RehearsalReport
    from ricordi.services.backups.restore import RestoreReport


def tell_restore(session: CommandSession, report: RestoreReport, output_format: str | None) -> int:
    """Print what was restored; returns the exit code."""
    if session.reports(output_format):
        if output_format in (None, 'table'):
            print(prose('\n'.join(_restore_lines(report))))
        else:
            write_details(_restore_as_data(report), output_format)
    code = _tell_problems(report, 'the profile was restored without them')
    if report.lost_rows:
        _print_error([f'rows may have been lost before it was backed up: {report.lost_rows}'])
    return ProblemsFound.exit_code if report.lost_rows else code


def tell_rehearsal(session: CommandSession, report: RehearsalReport, output_format: str | None) -> int:
    """Print how a rehearsal went; returns the exit code."""
    if session.reports(output_format):
        if output_format in (None, 'table'):
            print(prose('\n'.join(_rehearsal_lines(report))))
        else:
            write_details(_rehearsal_as_data(report), output_format)
    code = _tell_problems(report, 'a restore would go on without them')
    if report.findings:
        _print_error(['what was restored is not as it should be:', *(f'  {text}' for text in report.findings)])
    return ProblemsFound.exit_code if report.findings else code


# -- for a person ----------------------------------------------------------------------------------------------


def _source_line(report: RestoreReport | RehearsalReport) -> str:
    taken = f' of {local_time(report.taken)}' if report.taken else ''
    made = ', made by verdi' if report.maker == 'verdi' else ''
    profile = f', profile `{report.of}`' if report.of else ''
    return f'{report.snapshot} in {report.place}{taken}{profile}{made}'


def _restore_lines(report: RestoreReport) -> Iterator[str]:
    profile = report.created.profile
    yield f'Restored profile `{profile.name}` from {_source_line(report)}'
    yield f'  {_amounts(report)}, in {format_seconds(report.seconds)}'
    user = profile.default_user_email
    yield f'  default user: {user}' if user else '  there is no user in it: add one before nodes are stored'
    yield '  now the default profile' if report.created.is_default else f'  use it with -p {shlex.quote(profile.name)}'


def _rehearsal_lines(report: RehearsalReport) -> Iterator[str]:
    outcome = 'succeeded' if report.succeeded else 'found problems'
    yield f'The rehearsal {outcome}: {_source_line(report)}'
    yield f'  {_amounts(report)}, {format_bytes(report.database_bytes)} of database'
    yield f'  restored in {format_seconds(report.restore_seconds)}, checked in {format_seconds(report.check_seconds)}'
    compared = ', and all rows compared with the backup' if report.compared else ''
    yield f'  checked: number of rows, foreign keys, every object against its key{compared}; nothing of it is left'


def _amounts(report: RestoreReport | RehearsalReport) -> str:
    objects, nodes = report.objects, report.rows.get('db_dbnode', 0)
    rows = sum(report.rows.values())
    return (
        f'{plural(nodes, "node")}, {format_count(rows)} rows in all, {plural(objects.objects, "object")} '
        f'({format_bytes(objects.bytes)})'
    )


def _tell_problems(report: RestoreReport | RehearsalReport, outcome: str) -> int:
    """Say on stderr which objects the backup lacks; returns the exit code."""
    if not report.problem_count:
        return 0
    lines = [f'{plural(report.problem_count, "object")} missing or damaged in the backup; {outcome}:']
    lines += [line for problem in report.problems for line in object_lines(problem)]
    if report.problem_count > len(report.problems):
        lines.append(f'  and {plural(report.problem_count - len(report.problems), "more object")}')
    _print_error(lines)
    return ProblemsFound.exit_code


def _print_error(lines: list[str]) -> None:
    sys.stdout.flush()
    complain('\n'.join([f'ricordi: error: {lines[0]}', *lines[1:]]))


# -- for a program ---------------------------------------------------------------------------------------------


def _source_as_data(report: RestoreReport | RehearsalReport) -> dict[str, Any]:
    return {
        'place': report.place,
        'made_by': report.maker,
        'snapshot': report.snapshot,
        'taken': report.taken.isoformat() if report.taken else None,
        'of_profile': report.of or None,
    }


def _content_as_data(report: RestoreReport | RehearsalReport) -> dict[str, Any]:
    return {
        'rows': dict(report.rows),
        'objects': report.objects.objects,
        'content_bytes': report.objects.bytes,
        'problem_count': report.problem_count,
        'problems': [problem_as_data(problem) for problem in report.problems],
    }


def _restore_as_data(report: RestoreReport) -> dict[str, Any]:
    profile = report.created.profile
    return {
        'profile': profile.name,
        'uuid': profile.uuid,
        'storage': profile.storage_backend,
        'default': report.created.is_default,
        'default_user': profile.default_user_email,
        **_source_as_data(report),
        **_content_as_data(report),
        'lost_rows': report.lost_rows or None,
        'seconds': round(report.seconds, 6),
        'exit_code': ProblemsFound.exit_code if report.problem_count or report.lost_rows else 0,
    }


def _rehearsal_as_data(report: RehearsalReport) -> dict[str, Any]:
    return {
        'succeeded': report.succeeded,
        **_source_as_data(report),
        **_content_as_data(report),
        'database_bytes': report.database_bytes,
        'compared': report.compared,
        'findings': list(report.findings),
        'restore_seconds': round(report.restore_seconds, 6),
        'check_seconds': round(report.check_seconds, 6),
        'exit_code': 0 if report.succeeded else ProblemsFound.exit_code,
    }
