"""How a maintenance report is told: as text for a person, as plain data with stable keys for a program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ricordi.backend.maintenance import Amount, ContainerState, MaintenanceReport, MaintenanceStep, Problem, UndoneStep
from ricordi.cli.remedies import with_remedy
from ricordi.cli.storage.verification_report import WAYS_OUT
from ricordi.cli.terminal.colors import Toned, painted
from ricordi.cli.terminal.quantities import format_bytes, format_count, format_seconds, plural
from ricordi.cli.terminal.table import format_table
from ricordi.errors import Interrupted, ProblemsFound
from ricordi.remedies import Remedy


def exit_code_of(report: MaintenanceReport) -> int:
    """0 where all that was asked for is done; else that of problems, or of an early end."""
    if report.problem_count or report.doubt or report.distrust:
        return ProblemsFound.exit_code
    return Interrupted.exit_code if report.interrupted else 0


def report_as_data(profile: str, report: MaintenanceReport) -> dict[str, Any]:
    """The report as plain data; the keys are documented in docs/json-output.md and stay."""
    options = report.options
    return {
        'profile': profile,
        'full': options.full,
        'dry_run': options.dry_run,
        'options': {'repack': options.repack, 'max_waste': options.max_waste, 'compress': options.compress},
        'nothing_to_do': report.nothing_to_do and not report.interrupted,
        'interrupted': report.interrupted,
        'before': _state_as_data(report.before),
        'after': _state_as_data(report.after) if report.after else None,
        'steps': [_step_as_data(step) for step in report.steps],
        'left': [_left_as_data(step) for step in report.left],
        'freed_bytes': freed(report),
        'space_needed_bytes': report.space_needed,
        'seconds': None if options.dry_run else round(seconds(report), 6),
        'problem_count': report.problem_count,
        'problems': [problem_as_data(problem) for problem in report.problems],
        'notes': [with_remedy(*note) for note in report.notes],
        'doubt': report.doubt or None,
        'distrust': report.distrust or None,
        'object_store': report.traffic and report.traffic._asdict(),
        'exit_code': exit_code_of(report),
    }


def freed(report: MaintenanceReport) -> int:
    """Bytes of disk that are free now and were not before, negative if it is the other way round; expected, in a plan.

    What one step gives back another may have taken, so the container is compared as a whole.
    """
    if report.after is None:
        return sum(step.freed for step in report.steps)
    database = sum(step.freed for step in report.steps if step.name == 'vacuum database')
    return _disk_use(report.before) - _disk_use(report.after) + database


def _disk_use(state: ContainerState) -> int:
    return state.loose.bytes + state.packed.bytes + state.waste_bytes + state.index_bytes


def seconds(report: MaintenanceReport) -> float:
    """Time that the steps took together."""
    return sum(step.seconds or 0.0 for step in report.steps)


def report_as_text(profile: str, report: MaintenanceReport) -> str:
    """The report for a person; one line where there was nothing to do."""
    parts = []
    if report.nothing_to_do and not report.interrupted:
        parts.append(_nothing_to_do(profile, report))
    else:
        parts += [_title(profile, report), states_table(report.before, report.after), _steps_table(report)]
        parts.append(_summary(report))
    if report.distrust:
        parts.append(distrust_in_words(report))
    if report.doubt:
        parts.append(doubt_in_words(report))
    if report.left:
        parts.append('\n'.join(['Left to do:', *(f'  {line}' for line in left_lines(report))]))
    if report.notes:
        parts.append('\n'.join(f'Note: {with_remedy(*note)}' for note in report.notes))
    if report.problem_count:
        first, *others = problem_lines(report)
        parts.append('\n'.join([painted(first, 'bad'), *others]))
    return '\n\n'.join(parts)


def doubt_in_words(report: MaintenanceReport) -> str:
    """Why objects that no node names were left, and how a person can say whose they are."""
    done = 'would be removed' if report.options.dry_run else 'was removed'
    return (
        f'nothing {done} for want of a name, and no pack rewritten: {report.doubt}, so that what no node here names '
        'may be named there. If the objects are those of this database alone, say so once: '
        '`ricordi storage maintain --full --adopt`; what only nodes of the other one name is then removed for good'
    )


def distrust_in_words(report: MaintenanceReport) -> str:
    """Why objects that no node names were left, for rows that name them may be lost, and what can be done."""
    done = 'would be removed' if report.options.dry_run else 'was removed'
    reason = f'rows of nodes may be lost, so that nothing {done} or rewritten for want of a name: {report.distrust}'
    return with_remedy(reason, Remedy('trust rows'))


def states_table(before: ContainerState, after: ContainerState | None) -> str:
    """What the container held before and holds after, side by side."""
    states = [before] if after is None else [before, after]
    rows = []
    for name, cells in zip(_STATE_ROWS, zip(*(_state_cells(state) for state in states), strict=True), strict=True):
        rows.append([name, *(text for cell in cells for text in cell)])
    headings = ['', 'now', ''] if after is None else ['', 'before', '', 'after', '']
    return format_table(rows, headings, right=range(1, len(headings)))


def problem_lines(report: MaintenanceReport) -> Iterator[str]:
    """The problems with their keys, nodes and paths, a line each."""
    objects = report.problem_count - report.unclear_trees
    parts = [f'{plural(objects, "object")} missing or damaged'] if objects else []
    if report.unclear_trees:
        parts.append(f'{plural(report.unclear_trees, "file tree")} of a shape that is not known')
    done = 'would be' if report.options.dry_run else 'was'
    yield f'{", ".join(parts)}; nothing that could still be used {done} removed:'
    for problem in report.problems:
        if problem.kind == 'file tree':
            (pk, uuid, _) = problem.nodes[0]
            yield f'  file tree of node {pk} ({uuid}): {problem.detail}'
            continue
        yield from object_lines(problem)
    unnamed = report.problem_count - len(report.problems)
    if unnamed > 0:
        yield f'  and {plural(unnamed, "more problem" if report.unclear_trees else "more object")}'
    if objects:
        yield f'  way out: {WAYS_OUT["source"]}'


def object_lines(problem: Problem) -> Iterator[str]:
    """An object that is missing or damaged, with its nodes and paths, a line each."""
    yield f'  {problem.kind} {problem.key}' + (f' ({problem.detail})' if problem.detail else '')
    for pk, uuid, path in problem.nodes:
        yield f'    node {pk} ({uuid}): {path}'


def left_lines(report: MaintenanceReport) -> Iterator[str]:
    """What is left of the plan after an early end, a line each."""
    for step in report.left:
        room = f'; needs {format_bytes(step.space_needed)} of free disk' if step.space_needed else ''
        yield f'{step.name}: {step.detail}{room}'


_STATE_ROWS = (
    'loose objects',
    'packed objects',
    'garbage',
    'waste in packs',
    'missing objects',
    'packs',
    'files',
    'index',
)


def _state_cells(state: ContainerState) -> list[tuple[str, str]]:
    def amount(value: Amount | None) -> tuple[str, str]:
        return ('unknown', '') if value is None else (format_count(value.objects), format_bytes(value.bytes))

    return [
        amount(state.loose),
        amount(state.packed),
        amount(state.garbage),
        ('', format_bytes(state.waste_bytes)),
        ('unknown' if state.missing is None else format_count(state.missing), ''),
        (format_count(state.packs), ''),
        (format_count(state.files), ''),
        ('', format_bytes(state.index_bytes)),
    ]


def _title(profile: str, report: MaintenanceReport) -> str:
    kind = 'full' if report.options.full else 'live'
    if report.options.dry_run:
        return f'Plan of a {kind} maintenance of profile `{profile}`; nothing was changed.'
    return f'{kind.capitalize()} maintenance of profile `{profile}`.'


def _nothing_to_do(profile: str, report: MaintenanceReport) -> str:
    state = report.before
    held = f'{plural(state.packed.objects, "packed object")} in {plural(state.packs, "pack")}'
    if state.loose.objects:
        held += f', {plural(state.loose.objects, "loose object")}'
    what = 'Nothing that can be done' if report.problem_count or report.distrust else 'Nothing to do'
    return f'{what} for profile `{profile}`: {held}, {format_bytes(state.packed.bytes + state.loose.bytes)}.'


def _steps_table(report: MaintenanceReport) -> str:
    planned = report.options.dry_run
    rows = []
    for step in report.steps:
        amounts = [format_bytes(count) if count else '' for count in (step.read, step.write, step.freed)]
        took = (
            []
            if planned
            else [format_seconds(step.seconds) if step.seconds is not None else Toned('not done', 'warning')]
        )
        rows.append([step.name, format_count(step.objects) if step.objects else '', *amounts, *took, step.detail])
    headings = ['step', 'objects', 'read', 'written', 'freed', *([] if planned else ['time']), '']
    return format_table(rows, headings, right=range(1, len(headings) - 1))


def _summary(report: MaintenanceReport) -> str:
    given_back = freed(report)
    amount = f'{format_bytes(abs(given_back))} of disk'
    if report.options.dry_run:
        return f'Would {_expected(report)}; needs {format_bytes(report.space_needed)} of free disk meanwhile.'
    done = []
    if given_back:
        done.append(painted(f'Gave back {amount}', 'good') if given_back > 0 else f'Took {amount}')
    if report.after is not None and report.after.files < report.before.files:
        done.append(f'{plural(report.before.files - report.after.files, "file")} fewer')
    return f'{", ".join(done) or "Disk use is as before"}, in {format_seconds(seconds(report))}.'


def _expected(report: MaintenanceReport) -> str:
    """What a plan comes to: disk given back, or files fewer, which take a block each."""
    gains = [f'give back {format_bytes(freed(report))} of disk'] if freed(report) else []
    if packed := sum(step.objects for step in report.steps if step.name == 'pack'):
        gains.append(f'put {plural(packed, "file")} into packs')
    return ' and '.join(gains) or 'give back no disk'


def _amount_as_data(amount: Amount) -> dict[str, int]:
    return {'objects': amount.objects, 'bytes': amount.bytes}


def _state_as_data(state: ContainerState) -> dict[str, Any]:
    return {
        'loose': _amount_as_data(state.loose),
        'packed': _amount_as_data(state.packed),
        'content_bytes': state.content_bytes,
        'garbage': _amount_as_data(state.garbage) if state.garbage else None,
        'waste_bytes': state.waste_bytes,
        'missing': state.missing,
        'packs': state.packs,
        'files': state.files,
        'index_bytes': state.index_bytes,
    }


def _step_as_data(step: MaintenanceStep) -> dict[str, Any]:
    return {
        'name': step.name,
        'detail': step.detail,
        'objects': step.objects,
        'read_bytes': step.read,
        'write_bytes': step.write,
        'freed_bytes': step.freed,
        'seconds': None if step.seconds is None else round(step.seconds, 6),
    }


def _left_as_data(step: UndoneStep) -> dict[str, Any]:
    return {
        'name': step.name,
        'detail': step.detail,
        'objects': step.objects,
        'space_needed_bytes': step.space_needed or None,
    }


def problem_as_data(problem: Problem) -> dict[str, Any]:
    nodes = [{'pk': pk, 'uuid': uuid, 'path': path} for pk, uuid, path in problem.nodes]
    return {'kind': problem.kind, 'key': problem.key, 'detail': problem.detail, 'nodes': nodes}
