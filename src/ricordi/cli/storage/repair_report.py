"""How a repair is told: as text for a person, as plain data with stable keys for a program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ricordi.cli.storage.verification_report import finding_lines, in_numbers, lines_of
from ricordi.cli.terminal.output import one_line
from ricordi.cli.terminal.quantities import format_seconds, plural
from ricordi.errors import Interrupted, ProblemsFound
from ricordi.services.repair.faults import ODD_PACKS

if TYPE_CHECKING:
    from ricordi.backend.repair import Mending
    from ricordi.services.repair.repair import RepairReport

MOST_SHOWN = 20
"""So many faults that are mended in the same way are shown to a person; the JSON has all."""


def exit_code_of(report: RepairReport) -> int:
    """0 where nothing is wrong; else that of an early end, or of problems: also a plan tells that there are some."""
    if report.interrupted:
        return Interrupted.exit_code
    return 0 if report.is_whole else ProblemsFound.exit_code


# for a program ---------------------------------------------------------------------------------------------


def report_as_data(name: str, report: RepairReport, noun: str = 'profile') -> dict[str, Any]:
    """The report as plain data; the keys are documented in docs/json-output.md and stay.

    :param name: of the profile, or the place.
    :param noun: which of both it is: the key of its name.
    """
    options = report.options
    return {
        noun: name,
        'dry_run': options.dry_run,
        'read': options.read,
        'database': options.database,
        'sources': list(options.sources),
        'interrupted': report.interrupted,
        'found': None if report.found is None else dict(report.found.counts),
        'planned': [_as_data(one) for one in report.planned],
        'done': [_as_data(one) for one in report.done],
        'set_aside': list(report.aside),
        'left': None if report.after is None else dict(report.after.counts),
        'by_maintenance': report.by_maintenance,
        'seconds': round(report.seconds, 6),
        'exit_code': exit_code_of(report),
    }


def _as_data(one: Mending) -> dict[str, Any]:
    return {
        'fault': one.fault,
        'subject': one.subject,
        'deed': one.deed or None,
        'source': one.source or None,
        'detail': one.detail,
    }


# for a person ----------------------------------------------------------------------------------------------


def plan_as_text(subject: str, report: RepairReport) -> str:
    """The plan for a person.

    :param subject: what is repaired, in words.
    """
    parts = [f'Repair of {subject}: what would be done.', *_deeds(report.planned)]
    if not report.planned:
        parts[0] = f'Repair of {subject}: there is nothing that it could mend.'
    if others := _others(report):
        parts.append(others)
    return '\n\n'.join([*parts, *_maintenance(report)])


def question_of(subject: str, report: RepairReport) -> str:
    """What a person is asked; where nothing is certain to be mended, whether to look for it."""
    deeds = {one.deed for one in report.planned if one.deed}
    mends = 'mend this' if deeds != {'look for it in the packs'} else 'look through its packs, where it may not be'
    return f'Lock {subject} and {mends}?' if report.alone else f'{mends.capitalize()} in {subject}?'


def report_as_text(subject: str, report: RepairReport) -> str:
    """The report for a person: what was done, what is kept, what is left."""
    parts = [f'Repair of {subject}.', *_deeds(report.done)]
    if report.aside:
        number = plural(len(report.aside), 'file')
        parts.append(f'What was put out of use is kept beside the objects: {number}, such as {report.aside[0]}.')
    if report.after is not None:
        left = in_numbers(report.after.counts) if report.after.finding_count else 'nothing'
        parts.append(f'Left: {left}. Done in {format_seconds(report.seconds)}.')
        if report.after.finding_count:
            parts.append('\n'.join(finding_lines(report.after)))
    return '\n\n'.join([*parts, *_maintenance(report)])


def left_in_words(report: RepairReport) -> str:
    """What is left, in a line; empty where nothing is."""
    if report.is_whole:
        return ''
    verified = report.after or report.found
    if verified is not None and verified.finding_count:
        state = 'found' if report.after is None else 'left'
        return f'{in_numbers(verified.counts)} {state}'
    return f'{plural(len(report.left), "fault")} left' if report.left else ''


def left_lines(report: RepairReport) -> Iterator[str]:
    """What is left, one by one."""
    for one in report.left:
        yield _line(one)


def _others(report: RepairReport) -> str:
    """What was found and would be left, with the nodes that it is about."""
    if report.found is None:
        return ''
    mended = {one.subject for one in report.planned if one.deed}
    settled = ODD_PACKS if report.planned and all(one.deed for one in report.planned) else ()  # by their objects
    left = [
        one
        for one in report.found.findings
        if not one.notice and one.key not in mended and one.where not in mended and one.kind not in settled
    ]
    lines = [line for one in left[:MOST_SHOWN] for line in lines_of(one)]
    more = [f'  and {len(left) - MOST_SHOWN:,} more'] if len(left) > MOST_SHOWN else []
    return '\n'.join(['Found, and not mended by itself:', *lines, *more]) if left else ''


def _deeds(mendings: Iterable[Mending]) -> Iterator[str]:
    """What is done, by what it is; what is left comes last."""
    groups: dict[str, list[Mending]] = {}
    for one in mendings:
        groups.setdefault(f'{one.deed} ({one.source})' if one.source else one.deed, []).append(one)
    for deed, group in sorted(groups.items(), key=lambda pair: (not pair[0], pair[0])):
        heading = f'{deed[0].upper()}{deed[1:]}' if deed else 'Cannot be mended from what is at hand'
        counts = Counter(one.fault for one in group)
        lines = [f'{heading}: {in_numbers(counts)}', *(f'  {_line(one)}' for one in group[:MOST_SHOWN])]
        if (more := len(group) - MOST_SHOWN) > 0:
            lines.append(f'  and {more:,} more')
        yield '\n'.join(lines)


def _line(one: Mending) -> str:
    return f'{one.fault} {one.subject}{f": {one_line(one.detail)}" if one.detail else ""}'


def _maintenance(report: RepairReport) -> Iterator[str]:
    if report.by_maintenance:
        yield f'Note: a maintenance tidies {in_numbers(report.by_maintenance)}.'
