"""What a process had to report: its log, that of the work chains below it, what the scheduler wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ricordi.backend.query import Comparison, Edge, EdgeKind, Field, Projection, Query, Vertex
from ricordi.backend.rows import EntityKind, NodeRow
from ricordi.backend.storage import StorageBackend
from ricordi.model.links import CALLS, names_of
from ricordi.model.node_types import CALCJOB, WORKCHAIN, name_of
from ricordi.model.values import is_damaged
from ricordi.services.calcjobs.files import retrieved_text
from ricordi.services.nodes.logs import LogRecord, logs_of

_ROWS = 1000


@dataclass(frozen=True, slots=True)
class JobReport:
    """What is known of the job of a calculation.

    :param state: what is being done for it: `withscheduler`, `retrieving` …; None once it has ended.
    :param stdout: what the scheduler wrote; None where that did not come back.
    """

    state: str | None
    scheduler_state: str | None
    stdout: str | None
    stderr: str | None


@dataclass(frozen=True, slots=True)
class ProcessReport:
    """What a process had to report.

    :param job: of a calculation job.
    :param is_workchain: whether work chains below it are reported with it.
    :param logs: by time, each with how many calls lie between the process and the one that reported.
    """

    pk: int
    uuid: str
    process_label: str
    label: str
    job: JobReport | None
    is_workchain: bool
    logs: tuple[tuple[LogRecord, int], ...]


def report_of(storage: StorageBackend, row: NodeRow, level: str = 'REPORT', depth: int | None = None) -> ProcessReport:
    """What a process had to report, as verdi has it: the level counts for work chains alone, of others all is told.

    :param level: the lowest of `ricordi.services.nodes.log_levels.LEVELS` that counts.
    :param depth: how many levels of work chains, that of the process counted; None: all.
    """
    assert row.pk is not None
    attributes = {} if is_damaged(row.attributes) else row.attributes
    is_workchain = row.node_type.startswith(WORKCHAIN)
    depths = workchains_below(storage, row.pk, depth) if is_workchain else {row.pk: 0}
    logs = logs_of(storage, list(depths), level if is_workchain else 'NOTSET')
    return ProcessReport(
        pk=row.pk,
        uuid=row.uuid,
        process_label=name_of(row.node_type, attributes.get('process_label')),
        label=row.label,
        job=_job(storage, row) if row.node_type.startswith(CALCJOB) else None,
        is_workchain=is_workchain,
        logs=tuple((record, depths[record.node_pk]) for record in logs),
    )


def workchains_below(storage: StorageBackend, pk: int, depth: int | None = None) -> dict[int, int]:
    """The pks of a work chain and of those below it that only work chains have called, each with its level from 0."""
    found = {pk: 0}
    level, number = [pk], 1
    while level and (depth is None or number < depth):
        level = [called for called in _called_workchains(storage, level) if called not in found]
        found |= dict.fromkeys(level, number)
        number += 1
    return found


def _called_workchains(storage: StorageBackend, pks: Sequence[int]) -> list[int]:
    query = Query(
        (Vertex('caller', EntityKind.NODE), Vertex('node', EntityKind.NODE)),
        (Edge('call', 'caller', 'node', EdgeKind.LINK),),
        (
            ('caller', Comparison(Field('pk'), 'in', tuple(pks))),
            ('call', Comparison(Field('type'), 'in', names_of(CALLS))),
            ('node', Comparison(Field('node_type'), 'like', f'{WORKCHAIN}%')),
        ),
        (Projection('node', Field('pk')),),
    )
    return [pk for (pk,) in storage.query_rows(query, _ROWS)]


def _job(storage: StorageBackend, row: NodeRow) -> JobReport:
    attributes = {} if is_damaged(row.attributes) else row.attributes
    return JobReport(
        state=attributes.get('state'),
        scheduler_state=attributes.get('scheduler_state'),
        stdout=retrieved_text(storage, row, 'scheduler_stdout'),
        stderr=retrieved_text(storage, row, 'scheduler_stderr'),
    )
