"""How snapshots, and what was done with them, are told: as text for a person, as plain data for a program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ricordi.cli.remedies import with_remedy
from ricordi.cli.storage.maintenance_report import freed
from ricordi.cli.storage.verification_report import WAYS_OUT
from ricordi.cli.terminal.output import one_line
from ricordi.cli.terminal.quantities import format_bytes, format_count, format_seconds, plural
from ricordi.errors import Interrupted, ProblemsFound
from ricordi.remedies import Remedy
from ricordi.services.backups.backup import put

if TYPE_CHECKING:
    from ricordi.backend.maintenance import Amount
    from ricordi.backend.snapshots import Misfit
    from ricordi.backup.forgetting import ForgetReport
    from ricordi.backup.records import SnapshotRecord
    from ricordi.services.backups.backup import BackupReport

NODES = 'db_dbnode'
SHOWN = 10
"""So many missing objects and misfits are shown to a person."""


# one backup ------------------------------------------------------------------------------------------------


def backup_as_data(profile: str, report: BackupReport) -> dict[str, Any]:
    """A backup as plain data; the keys are documented in docs/json-output.md and stay."""
    record, plan = report.record, report.plan
    pieces, objects = put(report)
    return {
        'profile': profile,
        'place': str(report.place),
        'dry_run': record is None,
        'snapshot': record and record.name,
        'time': record and record.time,
        'tags': list(record.tags) if record else [],
        'rows': dict(record.rows if record else plan.rows if plan else {}),
        'named_objects': _named(report),
        'named_bytes': record and record.objects.bytes,
        'put': {'pieces': pieces._asdict(), 'objects': objects._asdict()},
        'complete': not _missing_count(report) and not _lost_rows(report),
        'missing': {'count': _missing_count(report), 'first': list(record.missing) if record else []},
        'lost_rows': _lost_rows(report) or None,
        'misfits': [misfit._asdict() for misfit in _misfits(report)],
        'forgotten': forgotten_as_data(report.forgotten) if report.forgotten else None,
        'busy': report.busy or None,
        'seconds': round(report.seconds, 3),
        'exit_code': exit_code_of_backup(report),
    }


def exit_code_of_backup(report: BackupReport) -> int:
    """0 where there is a whole snapshot and all that was asked for is done."""
    if _missing_count(report) or _lost_rows(report):
        return ProblemsFound.exit_code
    return exit_code_of_forgetting(report.forgotten) if report.forgotten else 0


def backup_as_text(profile: str, report: BackupReport) -> str:
    """A backup for a person."""
    record = report.record
    pieces, objects = put(report)
    lines = [
        f'Snapshot {record.name} of profile `{profile}` in {report.place}'
        if record
        else f'Plan of a backup of profile `{profile}` into {report.place}; nothing was written.'
    ]
    rows = record.rows if record else report.plan.rows if report.plan else {}
    size = f', {format_bytes(record.objects.bytes)}' if record else ''
    lines.append(f'  holds {plural(rows.get(NODES, 0), "node")} and {plural(_named(report), "object")}{size}')
    verb = 'put' if record else 'would put'
    lines.append(f'  {verb} {_amount(pieces, "piece")} of the database and {_amount(objects, "object")}')
    lines.append(f'  took {format_seconds(report.seconds)}')
    if report.forgotten:
        lines.append('  ' + forgotten_in_words(report.forgotten))
    return '\n'.join([*lines, *_misfit_lines(_misfits(report))])


def missing_lines(report: BackupReport) -> Iterator[str]:
    """What a snapshot lacks, a line each; none where it is complete."""
    count = _missing_count(report)
    if not count:
        return
    yield f'{plural(count, "object")} that nodes name {"is" if count == 1 else "are"} missing or damaged'
    missing = report.record.missing if report.record else ()
    for key in missing[:SHOWN]:
        yield f'  {key}'
        for pk, uuid, path in report.lost.get(key, ()):
            yield f'    node {pk} ({uuid}): {one_line(path)}'
    if missing and count > SHOWN:
        yield f'  and {count - SHOWN:,} more'
    if missing:
        yield f'  way out: {WAYS_OUT["source"]}; what is damaged `ricordi storage verify --read` has to find before'


def lost_rows_in_words(report: BackupReport) -> str:
    """That the database may have lost rows, and what can be done about it; empty where nothing tells of any."""
    if not (reason := _lost_rows(report)):
        return ''
    about = 'the snapshot' if report.record else 'a snapshot'
    words = f'{about} lacks what the database has lost, and does not count as complete: {reason}'
    return with_remedy(words, Remedy('trust rows'))


def _lost_rows(report: BackupReport) -> str:
    if report.record is not None:
        return report.record.lost_rows
    return report.plan.lost_rows if report.plan else ''


def _missing_count(report: BackupReport) -> int:
    if report.record is not None:
        return report.record.missing_count
    return report.plan.missing_count if report.plan else 0


def _named(report: BackupReport) -> int:
    if report.record is not None:
        return report.record.objects.objects
    return report.plan.named if report.plan else 0


def _misfits(report: BackupReport) -> tuple[Misfit, ...]:
    if report.record is not None:
        return report.record.misfits
    return report.plan.misfits if report.plan else ()


def _misfit_lines(misfits: tuple[Misfit, ...]) -> Iterator[str]:
    if not misfits:
        return
    yield f'Note: {plural(len(misfits), "value")} that PostgreSQL would refuse, which SQLite takes:'
    for misfit in misfits[:SHOWN]:
        yield f'  {misfit.table} {misfit.pk}, {misfit.column}: {misfit.reason}'
    if len(misfits) > SHOWN:
        yield f'  and {len(misfits) - SHOWN:,} more'


def _amount(amount: Amount, noun: str) -> str:
    size = f' ({format_bytes(amount.bytes)})' if amount.objects else ''
    return plural(amount.objects, f'new {noun}') + size


# removing --------------------------------------------------------------------------------------------------


def forgotten_as_data(report: ForgetReport) -> dict[str, Any]:
    """What was done to remove snapshots, as plain data."""
    done = report.maintenance
    return {
        'removed': list(report.removed),
        'kept': report.kept,
        'freed_bytes': freed(done) if done else 0,
        'trouble': report.trouble or None,
        'interrupted': done.interrupted if done else None,
        'problem_count': done.problem_count if done else 0,
    }


def exit_code_of_forgetting(report: ForgetReport) -> int:
    """0 where all that was asked for is done."""
    done = report.maintenance
    if report.trouble or (done is not None and done.problem_count):
        return ProblemsFound.exit_code
    return Interrupted.exit_code if done is not None and done.interrupted else 0


def forgotten_in_words(report: ForgetReport) -> str:
    """What was done to remove snapshots, or would be, in a line."""
    done = report.maintenance
    planned = done is not None and done.options.dry_run
    verbs = ('would remove', 'keep', 'give back') if planned else ('removed', 'kept', 'gave back')
    text = f'{verbs[0]} {plural(len(report.removed), "snapshot")}, {verbs[1]} {report.kept:,}'
    return f'{text}; {verbs[2]} {format_bytes(max(0, freed(done)))} of disk' if done else text


def trouble_of(report: ForgetReport) -> str:
    """Why not all was done, for a person; empty where it was."""
    done = report.maintenance
    if report.trouble:
        return report.trouble
    if done is not None and done.problem_count:
        return (
            f'{plural(done.problem_count, "object")} in the store of the place missing or damaged; no space was given '
            'back that could still be of use'
        )
    if done is not None and done.interrupted:
        return f'{done.interrupted}: ended early, in a clean state; run it again to give back the rest'
    return ''


# lists -----------------------------------------------------------------------------------------------------


def _lacks(record: SnapshotRecord) -> str:
    parts = [format_count(record.missing_count) if record.missing_count else '', 'rows' if record.lost_rows else '']
    return ', '.join(filter(None, parts))


def snapshot_as_row(record: SnapshotRecord) -> dict[str, Any]:
    """A snapshot in a list; the keys are documented in docs/json-output.md and stay."""
    return {
        'name': record.name,
        'time': record.time,
        'profile': record.origin.profile,
        'profile_uuid': record.origin.profile_uuid,
        'backend': record.origin.backend,
        'host': record.origin.host,
        'schema': record.schema,
        'complete': record.complete,
        'missing': record.missing_count,
        'lost_rows': record.lost_rows or None,
        'lacks': _lacks(record),
        'nodes': record.rows.get(NODES, 0),
        'objects': record.objects.objects,
        'bytes': record.objects.bytes,
        'added_bytes': record.added.bytes + record.added_pieces.bytes,
        'misfits': len(record.misfits),
        'tags': list(record.tags),
        'seconds': record.seconds,
        'program': record.program,
    }
