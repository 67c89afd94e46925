"""The processes that fit, as verdi chooses and names them; answered as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

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
from ricordi.backend.rows import EntityKind
from ricordi.backend.storage import StorageBackend
from ricordi.errors import NotExistentKeyError, QueryError
from ricordi.model.node_types import ACTIVE_STATES, PROCESS
from ricordi.services.processes.names import CACHED, PROJECTIONS, STATE

_COLUMNS = ('pk', 'uuid', 'ctime', 'mtime', 'label', 'description', 'node_type', 'process_type')
_FIELDS = {name: Field(name) for name in _COLUMNS} | {
    'process_state': Field('attributes', ('process_state',)),
    'process_status': Field('attributes', ('process_status',)),
    'exit_status': Field('attributes', ('exit_status',)),
    'exit_message': Field('attributes', ('exit_message',)),
    'sealed': Field('attributes', ('sealed',)),
    'process_label': Field('attributes', ('process_label',)),
    'paused': Field('attributes', ('paused',)),
    'job_state': Field('attributes', ('state',)),
    'scheduler_state': Field('attributes', ('scheduler_state',)),
    'exception': Field('attributes', ('exception',)),
    'cached_from': Field('extras', ('_aiida_cached_from',)),
}
_STANDING = ('process_state', 'paused', 'exit_status')

_ROWS = 1000
_PROCESS = 'process'
_LAST_CHANGES = ('process|state_change|calculation', 'process|state_change|work')
"""The settings in which AiiDA notes when a process has last changed its state."""


class Standing(NamedTuple):
    """Where a process stands.

    :param state: one of `ricordi.services.processes.names.STATES`; None where it is not known.
    """

    state: str | None
    paused: bool
    exit_status: int | None


@dataclass(frozen=True, slots=True)
class ProcessChoice:
    """Which processes; all conditions have to hold.

    :param states: in one of these; empty: in any.
    :param label: the process label is this; with `%` or `_` in it, it is a pattern.
    :param paused: only those that are paused.
    :param exit_status: finished with this status, whatever `states` says.
    :param failed: finished with another status than 0, whatever `states` says.
    :param past_days: made in the last so many days.
    :param group: label, pk or uuid; a process is in it.
    """

    states: tuple[str, ...] = ACTIVE_STATES
    label: str | None = None
    paused: bool = False
    exit_status: int | None = None
    failed: bool = False
    past_days: float | None = None
    group: str | None = None


def list_processes(
    storage: StorageBackend,
    chosen: ProcessChoice,
    project: Sequence[str],
    order_by: str = 'ctime',
    descending: bool = False,
    limit: int | None = None,
) -> Iterator[tuple[Any, ...]]:
    """The processes that fit, a tuple of the projected values for each, streamed in constant memory.

    :param project: names of `ricordi.services.processes.names.PROJECTIONS`; a `state` is a `Standing`, `cached` and
        `sealed` are True or False.
    :param order_by: `ctime` or `pk`.
    :raises ricordi.errors.QueryError: a projection that is not there.
    :raises ricordi.errors.NotExistent: the group is not there.
    """
    needed = _needed(project)
    vertices, edges, filters = _chosen(storage, chosen)
    order = [Ordering(_PROCESS, Field(name), descending=descending) for name in dict.fromkeys((order_by, 'pk'))]
    query = Query(
        vertices,
        edges,
        filters,
        tuple(Projection(_PROCESS, _FIELDS[name]) for name in needed),
        tuple(order),
        limit=limit,
    )
    place = {name: number for number, name in enumerate(needed)}
    readers = [_reader(name, place) for name in project]
    return (tuple(read(row) for read in readers) for row in storage.query_rows(query, _ROWS))


def last_state_change(storage: StorageBackend) -> datetime | None:
    """When a process has last changed its state, as AiiDA has noted it; None where it has not."""
    found = []
    for key in _LAST_CHANGES:
        try:
            found.append(datetime.fromisoformat(str(storage.get_global_variable(key))))
        except (NotExistentKeyError, NotImplementedError, ValueError):
            continue
    return max((one if one.tzinfo else one.replace(tzinfo=UTC) for one in found), default=None)


def _needed(project: Sequence[str]) -> list[str]:
    """The fields that the projections are made of, each once."""
    needed: dict[str, None] = {}
    for name in project:
        if name not in PROJECTIONS:
            raise QueryError(f'{name!r} is not known of a process; there are {", ".join(PROJECTIONS)}')
        parts = _STANDING if name == STATE else ('cached_from',) if name == CACHED else (name,)
        needed |= dict.fromkeys(parts)
    return list(needed)


def _reader(name: str, place: dict[str, int]) -> Any:
    """What makes the value of a projection of a row."""
    if name == STATE:
        state, paused, exit_status = (place[part] for part in _STANDING)
        return lambda row: Standing(row[state], row[paused] is True, row[exit_status])
    if name == CACHED:
        cached_from = place['cached_from']
        return lambda row: bool(row[cached_from])
    number = place[name]
    if name == 'sealed':
        return lambda row: bool(row[number])
    return lambda row: row[number]


def _chosen(
    storage: StorageBackend, chosen: ProcessChoice
) -> tuple[tuple[Vertex, ...], tuple[Edge, ...], tuple[tuple[str, Condition], ...]]:
    """Vertices, edges and filters of the query for the processes that fit."""
    process = (_PROCESS, Junction(tuple(_conditions(chosen))))
    if chosen.group is None:
        return (Vertex(_PROCESS, EntityKind.NODE),), (), (process,)
    from ricordi.services.groups.groups import find_group

    pk = find_group(storage, chosen.group).pk
    vertices = (Vertex('group', EntityKind.GROUP), Vertex(_PROCESS, EntityKind.NODE))
    edges = (Edge('member', 'group', _PROCESS, EdgeKind.MEMBER),)
    return vertices, edges, (('group', Comparison(Field('pk'), '==', pk)), process)


def _conditions(chosen: ProcessChoice) -> Iterator[Condition]:
    yield Comparison(Field('node_type'), 'like', f'{PROCESS}%')
    if chosen.failed or chosen.exit_status is not None:
        yield Comparison(_FIELDS['process_state'], '==', 'finished')
    elif chosen.states:
        yield Comparison(_FIELDS['process_state'], 'in', chosen.states)
    if chosen.exit_status is not None:
        yield Comparison(_FIELDS['exit_status'], '==', chosen.exit_status)
    elif chosen.failed:
        yield Comparison(_FIELDS['exit_status'], '>', 0)
    if chosen.label is not None:
        operator = 'like' if '%' in chosen.label or '_' in chosen.label else '=='
        yield Comparison(_FIELDS['process_label'], operator, chosen.label)
    if chosen.paused:
        yield Comparison(_FIELDS['paused'], '==', True)
    if chosen.past_days is not None:
        yield Comparison(Field('ctime'), '>', datetime.now(UTC) - timedelta(days=chosen.past_days))
