"""The report on a storage as a page: what takes the space, in which state it is, how well it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

from ricordi.backend.usage import Dimension
from ricordi.cli.pages import charts
from ricordi.cli.pages.document import Card, cards, chart, document, folded, heading, table
from ricordi.cli.storage.maintenance_report import distrust_in_words, freed
from ricordi.cli.storage.usage_cells import cells, name_of
from ricordi.cli.terminal.output import one_line
from ricordi.cli.terminal.quantities import format_bytes, format_count, plural
from ricordi.cli.terminal.times import local_time
from ricordi.services.ages import ago
from ricordi.services.last_verified import state_in_words
from ricordi.services.usage.usage import NamedShare, SpaceReport

if TYPE_CHECKING:
    from ricordi.services.usage.storage_report import StorageReport

MAPS = {
    'process': Dimension.PROCESS,
    'type of node': Dimension.TYPE,
    'group': Dimension.GROUP,
    'user': Dimension.USER,
    'kind of file': Dimension.FILE,
}
ROWS = 25
"""So many rows of a table are shown."""


def storage_page(report: StorageReport) -> str:
    """The page.

    :raises ricordi.errors.InvalidOperation: what draws it is not installed.
    """
    figures = _figures(report)
    title = f'Storage of profile {report.profile}'
    return document(title, _sections(report), report.made, charts.with_figures(figures))


def _figures(report: StorageReport) -> dict[str, charts.Figure]:
    spaces = report.spaces
    figures: dict[str, charts.Figure] = {}
    if report.total.usage.total.objects:
        figures['space'] = charts.treemaps({name: spaces[by] for name, by in MAPS.items()})
        figures['growth'] = charts.growth(spaces[Dimension.MONTH].shares)
        figures['sizes'] = charts.sizes(spaces[Dimension.SIZE])
    if _groups(report):
        figures['freed'] = charts.freed(_groups(report))
    if report.plan is not None:
        figures['state'] = charts.state(report.plan, report.database_bytes)
    return figures


def _groups(report: StorageReport) -> list[NamedShare]:
    """The groups, those first that would free most."""
    groups = _whole(report.spaces[Dimension.GROUP])
    shares = [one for one in groups if one.pk is not None and one.share.stored_bytes]
    return sorted(shares, key=lambda one: (-one.share.freed_bytes, -one.share.stored_bytes))


def _whole(space: SpaceReport) -> list[NamedShare]:
    return [one for one in space.shares if one.share.within is None]


def _sections(report: StorageReport) -> Iterator[str]:
    yield cards(_at_a_glance(report))
    if not report.total.usage.total.objects:
        yield '<p>No node has a file yet.</p>'
        yield from _state(report)
        return
    yield from _space(report)
    yield heading('Growth', 'What the nodes of each month take, by the month in which they were made (UTC).')
    yield chart('growth', 'What nodes take, by month, and all together up to it')
    yield _months(report)
    yield '<div class="pair"><section>'
    yield from _state(report)
    yield '</section><section>'
    yield heading('Sizes of objects', 'By powers of ten of bytes of their content.')
    yield chart('sizes', 'How many objects of each size there are, and what they take')
    yield '</section></div>'
    yield from _freed(report)
    yield from _files(report)


def _at_a_glance(report: StorageReport) -> Iterator[Card]:
    usage = report.total.usage
    yield Card(format_bytes(usage.total.stored_bytes), f'in {plural(usage.total.objects, "object")} that nodes name')
    yield Card(format_bytes(report.database_bytes or 0), f'database, {plural(report.entities["node"], "node")}')
    if usage.missing:
        yield Card(format_count(usage.missing), 'objects are missing', 'bad')
    if report.plan is None:  # an archive, of which nothing is kept in mind
        return
    gain = max(0, freed(report.plan))
    tone = 'warn' if gain > usage.total.stored_bytes // 10 else 'good'
    yield Card(format_bytes(gain), 'a full maintenance would give back', tone)
    yield _maintained(report)
    yield _verified(report)
    yield _backed_up(report)


def _maintained(report: StorageReport) -> Card:
    when = report.maintained.get('full')
    if when is None:
        return Card('never', 'full maintenance, as far as is known', 'warn')
    return Card(ago(datetime.fromisoformat(when), report.made), f'last full maintenance, {_moment(when)}')


def _verified(report: StorageReport) -> Card:
    state = report.verified
    if state is None or (state.structure is None and state.oldest is None):
        return Card('never', 'verified, as far as is known', 'warn')
    if state.findings:
        return Card(format_count(state.findings), 'open findings of the verification', 'bad')
    last = max(moment for moment in (state.structure, state.oldest) if moment is not None)
    return Card(ago(last, report.made), f'verified: {state_in_words(state, report.made)}', 'good')


def _backed_up(report: StorageReport) -> Card:
    last = next(iter(report.backups), None)
    if last is None:
        return Card('none', 'snapshot that is known of', 'warn')
    lacks = '' if last.complete else '; it lacks objects'
    words = f'last snapshot, {local_time(last.time)}, in {last.place}{lacks}'
    return Card(ago(last.time, report.made), words, '' if last.complete else 'bad')


def _moment(text: str) -> str:
    return local_time(datetime.fromisoformat(text))


def _space(report: StorageReport) -> Iterator[str]:
    yield heading('What takes the space', 'Click a field to go into it, the bar above to come back.')
    buttons = ''.join(f'<button type="button" data-map="{name}" aria-pressed="false">{name}</button>' for name in MAPS)
    yield f'<fieldset class="choice"><legend>By</legend>{buttons}</fieldset>'
    yield chart('space', 'What takes the space')
    tables = ''.join(
        f'<div data-table="{name}"{" hidden" if number else ""}>{_space_table(report.spaces[by], name)}</div>'
        for number, (name, by) in enumerate(MAPS.items())
    )
    yield folded('The same as a table', tables)
    unnamed = report.total.usage.unnamed
    if unnamed.objects:
        garbage = f'{plural(unnamed.objects, "object")} that no node names, {format_bytes(unnamed.bytes)}'
        yield f'<p>Not in it: {garbage}.</p>'


def _space_table(space: SpaceReport, name: str) -> str:
    rows = [[name_of(one), *cells(one.share)] for one in _whole(space)]
    headings = (name.capitalize(), 'Stored', 'Content', 'Shared', 'Freed', 'Objects', 'Nodes')
    left_out = max(0, len(rows) - ROWS)
    caption = 'Shared is what other rows have as well; freed, what deleting just these nodes gives back.'
    return table(
        headings, rows[:ROWS], range(1, 7), caption + (f' {left_out:,} more rows are not shown.' if left_out else '')
    )


def _months(report: StorageReport) -> str:
    months = sorted(report.spaces[Dimension.MONTH].shares, key=lambda one: one.name or '', reverse=True)
    rows = [[one.name or '', *cells(one.share)[::5], *cells(one.share)[4:5]] for one in months]
    return folded('The same as a table', table(('Month', 'Stored', 'Nodes', 'Objects'), rows[: 4 * ROWS], range(1, 4)))


def _state_words(report: StorageReport) -> str:
    if report.plan is None:
        return 'It is read only, and needs no maintenance.'
    before = report.plan.before
    return f'{plural(before.files, "file")}, {format_count(before.packs)} of them packs.'


def _state(report: StorageReport) -> Iterator[str]:
    yield heading('State of the repository', _state_words(report))
    plan = report.plan
    if plan is None:
        return
    yield chart('state', 'What packed and loose objects, garbage, waste, index and database take')
    if plan.problem_count:
        yield f'<p class="bad">{plan.problem_count:,} missing, damaged or unclear.</p>'
    if plan.distrust:
        yield f'<p class="bad">{escape(distrust_in_words(plan))}</p>'
    elif plan.nothing_to_do:
        yield '<p class="good">Nothing to do for a full maintenance.</p>'
        return
    rows = [[step.name, step.detail, format_bytes(step.freed) if step.freed else ''] for step in plan.steps]
    yield table(('Step', 'What', 'Frees'), rows, (2,), 'What a full maintenance would do')


def _freed(report: StorageReport) -> Iterator[str]:
    groups = _groups(report)
    if not groups:
        return
    below = 'If just its nodes were deleted, without those that go along by the rules, and full maintenance ran.'
    yield heading('What deleting the nodes of a group would free', below)
    yield chart('freed', 'What deleting the nodes of each group would free')
    rows = [[name_of(one), str(one.pk), *cells(one.share)] for one in groups]
    headings = ('Group', 'PK', 'Stored', 'Content', 'Shared', 'Freed', 'Objects', 'Nodes')
    yield folded('The same as a table', table(headings, rows[: 4 * ROWS], range(1, 8)))


def _files(report: StorageReport) -> Iterator[str]:
    yield heading('The largest files', 'Each object once, with the nodes that name it.')
    rows = []
    for file in report.total.files[:ROWS]:
        places = [f'{place.pk}: {one_line(place.path)}' for place in file.places] or [file.key]
        more = f' and {file.nodes - len(file.places):,} more' if file.nodes > len(file.places) > 0 else ''
        rows.append([format_bytes(file.stored_bytes), format_bytes(file.content_bytes), ', '.join(places) + more])
    yield table(('Stored', 'Content', 'Node: file'), rows, (0, 1))
