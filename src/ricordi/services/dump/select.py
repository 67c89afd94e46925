"""Which processes a dump takes, streamed from the database in the order of their pks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ricordi.backend.query import (
    Comparison,
    Condition,
    Edge,
    EdgeKind,
    Field,
    Junction,
    Ordering,
    Projection,
    Query,
    Vertex,
)
from ricordi.backend.rows import EntityKind, NodeRow
from ricordi.backend.storage import StorageBackend
from ricordi.model.links import CALLS, names_of
from ricordi.model.node_types import CALCULATION, PROCESS
from ricordi.model.values import is_damaged

_CALLS = names_of(CALLS)

_ROWS = 1000
_FIELDS = (
    *(Field(name) for name in ('pk', 'uuid', 'node_type', 'label', 'process_type', 'mtime')),
    *(Field('attributes', (name,)) for name in ('process_label', 'sealed')),
)


@dataclass(frozen=True, slots=True)
class Process:
    """What is asked about every process; the rest only of those that are written."""

    pk: int
    uuid: str
    node_type: str
    label: str
    process_type: str | None
    mtime: str
    process_label: str | None
    sealed: bool

    @property
    def is_calculation(self) -> bool:
        """Whether it is a calculation; else a workflow."""
        return self.node_type.startswith(CALCULATION)


@dataclass(frozen=True, slots=True)
class ProcessFilter:
    """Which processes; all conditions have to hold.

    :param user: pk of the user that a process belongs to.
    :param computers: pks; a process is bound to one of them.
    :param codes: pks; a process has one of them as input.
    :param earliest: modified then or later.
    :param latest: then or before.
    """

    user: int | None = None
    computers: tuple[int, ...] = ()
    codes: tuple[int, ...] = ()
    earliest: datetime | None = None
    latest: datetime | None = None


def members(storage: StorageBackend, group_pk: int, kind: str, chosen: ProcessFilter) -> Iterator[Process]:
    """The processes of a group."""
    group = Vertex('group', EntityKind.GROUP)
    in_group = Edge('member', 'group', 'node', EdgeKind.MEMBER)
    return _processes(storage, kind, chosen, (group,), (in_group,), (('group', _equal('pk', group_pk)),))


def all_processes(storage: StorageBackend, kind: str, chosen: ProcessFilter) -> Iterator[Process]:
    """The processes of the profile."""
    return _processes(storage, kind, chosen)


def _processes(
    storage: StorageBackend,
    kind: str,
    chosen: ProcessFilter,
    vertices: tuple[Vertex, ...] = (),
    edges: tuple[Edge, ...] = (),
    filters: tuple[tuple[str, Condition], ...] = (),
) -> Iterator[Process]:
    after: tuple[Vertex, ...] = ()
    joined: tuple[Edge, ...] = ()
    conditions: list[Condition] = [Comparison(Field('node_type'), 'like', f'{kind}%')]
    if chosen.user is not None:
        conditions.append(_equal('user_pk', chosen.user))
    if chosen.computers:
        conditions.append(Comparison(Field('computer_pk'), 'in', chosen.computers))
    for operator, moment in (('>=', chosen.earliest), ('<=', chosen.latest)):
        if moment is not None:
            conditions.append(Comparison(Field('mtime'), operator, moment))
    if chosen.codes:
        after = (Vertex('code', EntityKind.NODE),)
        joined = (Edge('input', 'node', 'code', EdgeKind.LINK, forward=False),)
        filters = (*filters, ('code', Comparison(Field('pk'), 'in', chosen.codes)))
    query = Query(
        (*vertices, Vertex('node', EntityKind.NODE), *after),
        (*edges, *joined),
        (*filters, ('node', Junction(tuple(conditions)) if len(conditions) > 1 else conditions[0])),
        tuple(Projection('node', field) for field in _FIELDS),
        (Ordering('node', Field('pk')),),
    )
    return _each_once(map(_process, storage.query_rows(query, _ROWS)))


def _each_once(processes: Iterable[Process]) -> Iterator[Process]:
    last = None
    for process in processes:
        if process.pk != last:
            yield process
        last = process.pk


def _process(row: tuple[Any, ...]) -> Process:
    pk, uuid, node_type, label, process_type, mtime, process_label, sealed = row
    if not isinstance(process_label, str):
        process_label = None
    return Process(pk, uuid, node_type, label, process_type, mtime.isoformat(), process_label, bool(sealed))


def process_of(row: NodeRow) -> Process:
    """What is asked about every process, of one that is at hand."""
    attributes = {} if is_damaged(row.attributes) else row.attributes
    fields = (getattr(row, name) for name in ('pk', 'uuid', 'node_type', 'label', 'process_type', 'mtime'))
    return _process((*fields, attributes.get('process_label'), attributes.get('sealed')))


def _equal(name: str, value: Any) -> Condition:
    return Comparison(Field(name), '==', value)


# streams of pks --------------------------------------------------------------------------------------------


def grouped_pks(storage: StorageBackend, group_pks: Sequence[int]) -> Iterator[int]:
    """The pks of the processes that are in one of the groups, ascending."""
    query = Query(
        (Vertex('group', EntityKind.GROUP), Vertex('node', EntityKind.NODE)),
        (Edge('member', 'group', 'node', EdgeKind.MEMBER),),
        (
            ('group', Comparison(Field('pk'), 'in', tuple(group_pks))),
            ('node', Comparison(Field('node_type'), 'like', f'{PROCESS}%')),
        ),
        (Projection('node', Field('pk')),),
        (Ordering('node', Field('pk')),),
    )
    return (pk for (pk,) in storage.query_rows(query, _ROWS)) if group_pks else iter(())


def called_pks(storage: StorageBackend) -> Iterator[int]:
    """The pks of the processes that another one has called, ascending."""
    query = Query(
        (Vertex('caller', EntityKind.NODE), Vertex('node', EntityKind.NODE)),
        (Edge('call', 'caller', 'node', EdgeKind.LINK),),
        (('call', Comparison(Field('type'), 'in', _CALLS)),),
        (Projection('node', Field('pk')),),
        (Ordering('node', Field('pk')),),
    )
    return (pk for (pk,) in storage.query_rows(query, _ROWS))


def without(processes: Iterable[Process], pks: Iterator[int]) -> Iterator[Process]:
    """The processes whose pk is not among `pks`, both ascending: nothing is held in memory."""
    other = next(pks, None)
    for process in processes:
        while other is not None and other < process.pk:
            other = next(pks, None)
        if other != process.pk:
            yield process


# callers and called ones -----------------------------------------------------------------------------------


def called_by(storage: StorageBackend, pks: Sequence[int]) -> dict[int, list[tuple[str, Process]]]:
    """Of each caller, label of the link and process of those that it called, the earliest first."""
    if not pks:
        return {}
    query = Query(
        (Vertex('caller', EntityKind.NODE), Vertex('node', EntityKind.NODE)),
        (Edge('call', 'caller', 'node', EdgeKind.LINK),),
        (
            ('caller', Comparison(Field('pk'), 'in', tuple(pks))),
            ('call', Comparison(Field('type'), 'in', _CALLS)),
        ),
        (
            Projection('caller', Field('pk')),
            Projection('call', Field('label')),
            *(Projection('node', field) for field in _FIELDS),
        ),
        (Ordering('node', Field('ctime')), Ordering('node', Field('pk'))),
    )
    found: dict[int, list[tuple[str, Process]]] = {}
    for caller, label, *row in storage.query_rows(query, _ROWS):
        found.setdefault(caller, []).append((label, _process(tuple(row))))
    return found
