"""The plan or the report of a maintenance as a page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape

from ricordi.backend.maintenance import ContainerState, MaintenanceReport, MaintenanceStep
from ricordi.cli.pages.document import Card, cards, document, heading, listing, table
from ricordi.cli.remedies import with_remedy
from ricordi.cli.storage.maintenance_report import (
    distrust_in_words,
    doubt_in_words,
    freed,
    left_lines,
    problem_lines,
    seconds,
)
from ricordi.cli.terminal.quantities import format_bytes, format_count, format_seconds


def maintenance_page(profile: str, report: MaintenanceReport) -> str:
    """The page.

    :param profile: its name.
    """
    kind = 'full' if report.options.full else 'live'
    words = f'plan of a {kind} maintenance' if report.options.dry_run else f'{kind} maintenance'
    return document(f'Profile {profile}: {words}', _parts(report), datetime.now(UTC))


def _parts(report: MaintenanceReport) -> Iterator[str]:
    yield cards(_at_a_glance(report))
    if report.interrupted:
        early = f'Ended early: {report.interrupted}. The state is clean, and there is more to do.'
        yield f'<p class="warn">{escape(early)}</p>'
    if report.distrust:
        yield f'<p class="bad">{escape(distrust_in_words(report))}</p>'
    if report.doubt:
        yield f'<p class="bad">{escape(doubt_in_words(report))}</p>'
    if report.problem_count:
        first, *lines = problem_lines(report)
        yield f'{heading("Problems")}<p class="bad">{escape(first)}</p>{listing(line.strip() for line in lines)}'
    if report.steps:
        yield heading('Steps', 'What would be done.' if report.options.dry_run else 'What was done.')
        yield _steps(report)
    if report.left:
        yield heading('Left to do') + listing(left_lines(report))
    yield heading('State of the repository') + _states(report)
    if report.notes:
        yield heading('Notes') + listing(with_remedy(*note) for note in report.notes)


def _at_a_glance(report: MaintenanceReport) -> Iterator[Card]:
    plans = report.options.dry_run
    if report.problem_count or report.doubt or report.distrust:
        yield Card('problems', 'see below', 'bad')
    elif report.interrupted:
        yield Card('more to do', 'it ended early, in a clean state', 'warn')
    elif report.nothing_to_do:
        yield Card('nothing to do', 'all is packed and clean', 'good')
    else:
        yield Card('planned' if plans else 'done', 'nothing was changed' if plans else 'all that was planned', 'good')
    gain = freed(report)
    if plans:
        yield Card(format_bytes(gain), 'of disk would be given back')
        yield Card(format_bytes(report.space_needed), 'of free disk are needed meanwhile')
        return
    yield Card(format_bytes(abs(gain)), 'of disk given back' if gain >= 0 else 'of disk taken')
    if report.after is not None:
        yield Card(f'{report.before.files - report.after.files:,}', 'files fewer')
    yield Card(format_seconds(seconds(report)), 'of work')


def _steps(report: MaintenanceReport) -> str:
    plans = report.options.dry_run
    headings = ['Step', 'What', 'Objects', 'Read', 'Written', 'Freed', *([] if plans else ['Time'])]
    return table(headings, [_step(step, plans) for step in report.steps], range(2, 7))


def _step(step: MaintenanceStep, plans: bool) -> list[str]:
    amounts = [format_bytes(count) if count else '' for count in (step.read, step.write, step.freed)]
    took = [] if plans else ['not done' if step.seconds is None else format_seconds(step.seconds)]
    return [step.name, step.detail, format_count(step.objects) if step.objects else '', *amounts, *took]


def _states(report: MaintenanceReport) -> str:
    states = [report.before, *([report.after] if report.after is not None else [])]
    columns = [_state(state) for state in states]
    rows = [[name, *(column[name] for column in columns)] for name in columns[0]]
    return table(['', *(['Before', 'After'] if len(states) > 1 else ['Now'])], rows, (1, 2))


def _state(state: ContainerState) -> dict[str, str]:
    garbage = state.garbage
    return {
        'packed objects': f'{state.packed.objects:,}, {format_bytes(state.packed.bytes)}',
        'loose objects': f'{state.loose.objects:,}, {format_bytes(state.loose.bytes)}',
        'garbage': 'not known' if garbage is None else f'{garbage.objects:,}, {format_bytes(garbage.bytes)}',
        'waste in packs': format_bytes(state.waste_bytes),
        'missing objects': 'not known' if state.missing is None else format_count(state.missing),
        'packs': format_count(state.packs),
        'files': format_count(state.files),
        'index': format_bytes(state.index_bytes),
    }
