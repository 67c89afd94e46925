"""The members of groups: shown, added, removed, moved, copied. Any number of nodes, by few statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ricordi.backend.query import Comparison, Condition, Edge, EdgeKind, Field, Ordering, Projection, Query, Vertex
from ricordi.backend.rows import EntityKind, GroupRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import InvalidOperation, NotExistent
from ricordi.services.groups.groups import find_or_create_group

_ROWS = 1000


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A node of a group."""

    pk: int
    uuid: str
    node_type: str
    ctime: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """What a move would do.

    :param pks: the nodes that move.
    :param absent: nodes that were named and are not in the source.
    :param present: nodes among those that move that the target has already.
    """

    pks: tuple[int, ...]
    absent: tuple[int, ...]
    present: tuple[int, ...]


def list_members(storage: StorageBackend, group: GroupRow, limit: int | None = None) -> Iterator[GroupMember]:
    """The members of a group in the order they were added, streamed."""
    query = Query(
        (Vertex('group', EntityKind.GROUP), Vertex('node', EntityKind.NODE)),
        (Edge('member', 'group', 'node', EdgeKind.MEMBER),),
        filters=(('group', Comparison(Field('pk'), '==', group.pk)),),
        projections=tuple(Projection('node', Field(name)) for name in ('pk', 'uuid', 'node_type', 'ctime')),
        order_by=(Ordering('member', Field('pk')),),
        limit=limit,
    )
    return (GroupMember(*values) for values in storage.query_rows(query, _ROWS))


def member_pks(storage: StorageBackend, group: GroupRow, among: Sequence[int] | None = None) -> list[int]:
    """The pks of the members in the order they were added.

    :param among: only of these nodes.
    """
    filters: list[tuple[str, Condition]] = [('member', Comparison(Field('group_pk'), '==', group.pk))]
    if among is not None:
        filters.append(('member', Comparison(Field('node_pk'), 'in', tuple(among))))
    query = Query(
        (Vertex('member', EntityKind.GROUP_NODE),),
        filters=tuple(filters),
        projections=(Projection('member', Field('node_pk')),),
        order_by=(Ordering('member', Field('pk')),),
    )
    return [pk for (pk,) in storage.query_rows(query, _ROWS)]


def pks_in_groups(storage: StorageBackend, group_pks: Sequence[int]) -> list[int]:
    """The pks of the nodes that are in at least one of the groups, each once."""
    query = Query(
        (Vertex('member', EntityKind.GROUP_NODE),),
        filters=(('member', Comparison(Field('group_pk'), 'in', tuple(group_pks))),),
        projections=(Projection('member', Field('node_pk')),),
        distinct=True,
    )
    return [pk for (pk,) in storage.query_rows(query, _ROWS)]


def add_nodes(storage: StorageBackend, group: GroupRow, pks: Sequence[int]) -> int:
    """Make nodes members; returns how many were not members before."""
    return storage.add_nodes_to_group(group.pk, pks)


def remove_nodes(storage: StorageBackend, group: GroupRow, pks: Sequence[int] | None) -> int:
    """End the membership of nodes, or of all for None; the nodes stay. Returns how many were members."""
    return storage.remove_nodes_from_group(group.pk, pks)


def plan_move(storage: StorageBackend, source: GroupRow, target: GroupRow, pks: Sequence[int] | None) -> Move:
    """What moving nodes, or all for None, from one group to another would do.

    :raises ricordi.errors.InvalidOperation: both are the same group.
    :raises ricordi.errors.NotExistent: none of the nodes is in the source.
    """
    if source.pk == target.pk:
        raise InvalidOperation(f'source and target are the same group {source.label!r}')
    moving = member_pks(storage, source, pks)
    if not moving:
        raise NotExistent(
            f'none of these nodes is in group {source.label!r}' if pks else f'group {source.label!r} is empty'
        )
    absent = tuple(sorted(set(pks or ()) - set(moving)))
    return Move(tuple(moving), absent, tuple(member_pks(storage, target, moving)))


def move_nodes(storage: StorageBackend, source: GroupRow, target: GroupRow, pks: Sequence[int]) -> None:
    """Move nodes from one group to another, in one transaction."""
    with storage.transaction():
        add_nodes(storage, target, pks)
        remove_nodes(storage, source, pks)


def count_missing(storage: StorageBackend, source: GroupRow, target: GroupRow | None) -> int:
    """How many nodes of a group are not in another; all where there is no other."""
    members = member_pks(storage, source, None)
    present = [] if target is None else member_pks(storage, target, members)
    return len(members) - len(present)


def copy_group(storage: StorageBackend, source: GroupRow, identifier: str) -> tuple[GroupRow, int]:
    """Add the nodes of a group to another, made if there is none; returns it and how many were added."""
    with storage.transaction():
        target = find_or_create_group(storage, identifier)
        return target, add_nodes(storage, target, member_pks(storage, source))
