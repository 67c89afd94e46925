"""Who called whom: the processes below a process as a tree, and the one at its root."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ricordi.backend.query import Comparison, Edge, EdgeKind, Field, Ordering, Projection, Query, Vertex
from ricordi.backend.rows import EntityKind, NodeRow
from ricordi.backend.storage import StorageBackend
from ricordi.model.links import CALLS, names_of
from ricordi.model.node_types import WORKCHAIN, name_of
from ricordi.model.values import is_damaged

_CALLS = names_of(CALLS)
_ROWS = 1000
_ATTRIBUTES = ('process_label', 'process_state', 'exit_status', 'stepper_state_info')


@dataclass(frozen=True, slots=True)
class CalledProcess:
    """A process in its place in the tree of calls.

    :param depth: 0 for the root.
    :param parent_pk: the one that called it; None for the root.
    :param link_label: of the call; None for the root.
    :param step: of a work chain: where its outline stands, if that was noted.
    :param last: whether no other process follows below the same parent.
    """

    depth: int
    parent_pk: int | None
    link_label: str | None
    pk: int
    uuid: str
    node_type: str
    process_label: str
    process_state: str | None
    exit_status: int | None
    step: str | None
    last: bool


@dataclass(frozen=True, slots=True)
class _Unplaced:
    """A process, before its place is known."""

    link_label: str | None
    pk: int
    uuid: str
    node_type: str
    attributes: tuple[Any, ...]


def call_tree(storage: StorageBackend, row: NodeRow, depth: int | None = None) -> Iterator[CalledProcess]:
    """The processes below one, from top to bottom, those of one caller by time.

    :param depth: how many levels, the root counted; None: all.
    """
    assert row.pk is not None
    attributes = {} if is_damaged(row.attributes) else row.attributes
    root = _Unplaced(None, row.pk, row.uuid, row.node_type, tuple(attributes.get(name) for name in _ATTRIBUTES))
    below: dict[int, list[_Unplaced]] = {}
    level, levels = [row.pk], 1
    while level and (depth is None or levels < depth):
        found = _called_by(storage, level)
        below |= found
        level = [one.pk for calls in found.values() for one in calls if one.pk not in below]
        levels += 1
    # A stack and no recursion: how deep work chains call one another is up to those who wrote them.
    waiting: list[tuple[int, int | None, _Unplaced, bool]] = [(0, None, root, True)]
    while waiting:
        number, parent, process, last = waiting.pop()
        yield _placed(number, parent, process, last)
        calls = below.pop(process.pk, [])
        for place, called in reversed(list(enumerate(calls))):
            waiting.append((number + 1, process.pk, called, place == len(calls) - 1))


def _called_by(storage: StorageBackend, pks: Sequence[int]) -> dict[int, list[_Unplaced]]:
    """Of each caller those that it called, the earliest first."""
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
            *(Projection('node', Field(name)) for name in ('pk', 'uuid', 'node_type')),
            *(Projection('node', Field('attributes', (name,))) for name in _ATTRIBUTES),
        ),
        (Ordering('node', Field('ctime')), Ordering('node', Field('pk'))),
    )
    found: dict[int, list[_Unplaced]] = {}
    for caller, label, pk, uuid, node_type, *attributes in storage.query_rows(query, _ROWS):
        found.setdefault(caller, []).append(_Unplaced(label, pk, uuid, node_type, tuple(attributes)))
    return found


def call_root(storage: StorageBackend, row: NodeRow) -> int | None:
    """The pk of the process at the root of the calls that led to one; None where nobody has called it."""
    assert row.pk is not None
    pk, seen = row.pk, {row.pk}
    while (caller := _caller(storage, pk)) is not None and caller not in seen:
        pk = caller
        seen.add(pk)
    return None if pk == row.pk else pk


def _caller(storage: StorageBackend, pk: int) -> int | None:
    query = Query(
        (Vertex('node', EntityKind.NODE), Vertex('caller', EntityKind.NODE)),
        (Edge('call', 'node', 'caller', EdgeKind.LINK, forward=False),),
        (('node', Comparison(Field('pk'), '==', pk)), ('call', Comparison(Field('type'), 'in', _CALLS))),
        (Projection('caller', Field('pk')),),
        limit=1,
    )
    return next((found for (found,) in storage.query_rows(query)), None)


def _placed(depth: int, parent: int | None, process: _Unplaced, last: bool) -> CalledProcess:
    label, state, exit_status, step = process.attributes
    return CalledProcess(
        depth=depth,
        parent_pk=parent,
        link_label=process.link_label,
        pk=process.pk,
        uuid=process.uuid,
        node_type=process.node_type,
        process_label=name_of(process.node_type, label),
        process_state=state,
        exit_status=exit_status,
        step=step if process.node_type.startswith(WORKCHAIN) else None,
        last=last,
    )
