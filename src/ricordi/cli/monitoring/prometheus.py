"""`ricordi status` in the text form of Prometheus, as a node exporter takes it from a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ricordi.backend.maintenance import ContainerState, MaintenanceReport
    from ricordi.services.status import Status

GAUGES = {
    'ricordi_profiles': 'How many profiles were looked at.',
    'ricordi_up': 'Whether the profile can be used: 1, or 0.',
    'ricordi_status_code': 'The exit code that `ricordi status` has for the profile.',
    'ricordi_warnings': 'What should be done soon, thresholds that are exceeded among it.',
    'ricordi_objects': 'Objects, by state; left out where they were not counted.',
    'ricordi_object_bytes': 'What objects take on disk, by state.',
    'ricordi_waste_bytes': 'Bytes of packs that no object covers.',
    'ricordi_missing_objects': 'Objects that nodes name and the repository lacks.',
    'ricordi_problems': 'Objects that are missing or damaged, and file trees that are not clear.',
    'ricordi_freeable_bytes': 'What a full maintenance would give back.',
    'ricordi_hidden_objects': 'Objects that AiiDA cannot read since a repack of its was killed.',
    'ricordi_open_findings': 'Open findings of the last verification.',
    'ricordi_last_maintenance_timestamp_seconds': 'When maintenance last did all it should, by kind; 0: not known of.',
    'ricordi_last_backup_timestamp_seconds': 'When the last snapshot that is known of was made; 0: none is.',
    'ricordi_last_verification_timestamp_seconds': 'When the structure was last verified.',
}
USABLE = (0, 6, 7)
"""Exit codes with which a profile can be used."""


class Sample(NamedTuple):
    """A number, and what tells it from others of its name."""

    name: str
    value: float
    labels: dict[str, str]


def exposition(found: Sequence[tuple[str, Status]]) -> str:
    """The text for all profiles, each with its name; the last line has its end too."""
    samples = [Sample('ricordi_profiles', len(found), {})]
    for profile, status in found:
        samples += [one._replace(labels={'profile': profile, **one.labels}) for one in _samples(status)]
    lines: list[str] = []
    for name, text in GAUGES.items():
        own = [one for one in samples if one.name == name]
        if own:
            lines += [f'# HELP {name} {text}', f'# TYPE {name} gauge', *map(_line, own)]
    return '\n'.join(lines) + '\n'


def _line(one: Sample) -> str:
    labels = ','.join(f'{key}="{_escaped(text)}"' for key, text in one.labels.items())
    return f'{one.name}{{{labels}}} {one.value:.17g}' if labels else f'{one.name} {one.value:.17g}'


def _escaped(text: str) -> str:
    return text.replace('\\', '\\\\').replace('"', '\\"').replace('\n', '\\n')


def _samples(status: Status) -> Iterator[Sample]:
    yield Sample('ricordi_up', status.exit_code in USABLE, {})
    yield Sample('ricordi_status_code', status.exit_code, {})
    yield Sample('ricordi_warnings', sum(check.state == 'warning' for check in status.checks), {})
    if any(check.name == 'storage' and check.state in ('ok', 'warning') for check in status.checks):
        yield Sample('ricordi_hidden_objects', status.hidden, {})
    if status.plan is not None:
        yield from _counted(status.plan)
    if status.verification is not None:
        yield Sample('ricordi_open_findings', status.verification.findings, {})
        if status.verification.structure is not None:
            moment = status.verification.structure.timestamp()
            yield Sample('ricordi_last_verification_timestamp_seconds', moment, {})
    for kind, last in status.maintained.items():
        if last is not None or status.needs_care:
            # A gauge that is not there would silence the rule that asks how long ago it was.
            yield Sample('ricordi_last_maintenance_timestamp_seconds', last.timestamp() if last else 0, {'kind': kind})
    if status.backup is not None or status.needs_care:
        moment = status.backup.time.timestamp() if status.backup else 0
        yield Sample('ricordi_last_backup_timestamp_seconds', moment, {})


def _counted(plan: MaintenanceReport) -> Iterator[Sample]:
    for state, amount in amounts(plan.before).items():
        yield Sample('ricordi_objects', amount[0], {'state': state})
        yield Sample('ricordi_object_bytes', amount[1], {'state': state})
    yield Sample('ricordi_waste_bytes', plan.before.waste_bytes, {})
    if plan.before.missing is not None:
        yield Sample('ricordi_missing_objects', plan.before.missing, {})
    yield Sample('ricordi_problems', plan.problem_count, {})
    yield Sample('ricordi_freeable_bytes', sum(step.freed for step in plan.steps), {})


def amounts(state: ContainerState) -> dict[str, tuple[int, int]]:
    """Objects and their bytes by state; garbage, which is loose or packed as well, only where it is known."""
    found = {'loose': state.loose, 'packed': state.packed, 'garbage': state.garbage}
    return {word: (amount.objects, amount.bytes) for word, amount in found.items() if amount is not None}
