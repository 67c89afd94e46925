"""Maintenance as `verdi` asks for it: ours, told through AiiDA's logger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from aiida.common.exceptions import AiidaException
from aiida.storage.log import STORAGE_LOGGER

from ricordi.backend.maintenance import MaintenanceOptions, MaintenanceReport, MaintenanceStep, maintenance_options
from ricordi.config import get_config_folder
from ricordi.plugin.locking import alone
from ricordi.plugin.profiles import config_folder
from ricordi.progress import Run
from ricordi.services.history import note_maintenance, with_what_was_seen

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend

OF_AIIDA = ('incremental_cleanup', 'pack_loose', 'clean_storage', 'do_vacuum')
"""What AiiDA's own storages may be told, and what is decided here by what there is to gain."""
MOST_PROBLEMS = 20


class UnsoundStorage(AiidaException):
    """Objects are missing or damaged, or rows may be lost; nothing that could still be used was removed."""


class UnfinishedMaintenance(AiidaException):
    """Maintenance has ended early, in a clean state; there is more to do."""


def options_of(full: bool, dry_run: bool, asked: dict[str, Any]) -> MaintenanceOptions:
    """What `verdi storage maintain` was asked for, as options of ours.

    :raises TypeError: something is unknown.
    """
    return maintenance_options(full, dry_run, {name: value for name, value in asked.items() if name not in OF_AIIDA})


def maintain(storage: StorageBackend, options: MaintenanceOptions) -> MaintenanceReport:
    """Maintain a storage; a full one takes the lock of the profile unless this process holds it."""
    if get_config_folder() != config_folder():  # the notes of maintenance are those of the folder that we see
        return _carry_out(storage, options)
    report = _carry_out(storage, with_what_was_seen(storage.profile, options))
    note_maintenance(storage.profile, report)
    return report


def _carry_out(storage: StorageBackend, options: MaintenanceOptions) -> MaintenanceReport:
    if not options.full or options.dry_run or not storage.full_alone:
        return storage.maintain(options)
    with alone(storage.profile, 'storage maintain, full') as check:
        return storage.maintain(options, run=Run(lock_check=check))


def tell(report: MaintenanceReport) -> None:
    """Report through AiiDA's logger what is planned or was done.

    :raises UnsoundStorage: objects are missing or damaged, or rows of the database may be lost.
    :raises UnfinishedMaintenance: it has ended early.
    """
    planned = report.options.dry_run
    if report.nothing_to_do:
        STORAGE_LOGGER.report('Nothing to do.')
    for step in report.steps:
        STORAGE_LOGGER.report(f'{"Would " if planned else ""}{_words(step)}')
    for note in report.notes:
        STORAGE_LOGGER.warning(note.text)
    if report.doubt:
        STORAGE_LOGGER.warning(f'Nothing was removed for want of a name: {report.doubt}')
    for line in _problems(report):
        STORAGE_LOGGER.error(line)
    if report.problem_count:
        raise UnsoundStorage(f'{report.problem_count} objects are missing or damaged, or cannot be told')
    if report.distrust:
        raise UnsoundStorage(f'rows may be lost, so that nothing was removed for want of a name: {report.distrust}')
    if report.interrupted:
        raise UnfinishedMaintenance(f'maintenance has ended early: {report.interrupted}')


def _words(step: MaintenanceStep) -> str:
    freed = f', {step.freed} bytes freed' if step.freed else ''
    detail = f': {step.detail}' if step.detail else ''
    return f'{step.name} ({step.objects} objects{freed}){detail}'


def _problems(report: MaintenanceReport) -> Iterator[str]:
    for problem in report.problems[:MOST_PROBLEMS]:
        nodes = ', '.join(f'{path or "?"} of node {pk}' for pk, _, path in problem.nodes[:3])
        yield f'{problem.kind} {problem.key} {problem.detail} {f"({nodes})" if nodes else ""}'.strip()
