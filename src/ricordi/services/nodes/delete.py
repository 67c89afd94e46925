"""Deleting nodes: first a plan of what goes along and by which rule, then the deletion, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ricordi.backend.query import Comparison, Field, Junction, Projection, Query, Vertex
from ricordi.backend.rows import EntityKind
from ricordi.backend.storage import StorageBackend
from ricordi.backend.usage import Freed
from ricordi.errors import InvalidOperation, NotExistent
from ricordi.model.node_types import REMOTE
from ricordi.model.traversal import DELETE_RULES, Rule, choose_rules
from ricordi.services.traversal import traverse


@dataclass(frozen=True, slots=True)
class DeletionPlan:
    """What would be deleted.

    :param start: pks of the nodes that were named.
    :param pks: pks of all nodes that go, ascending.
    :param by_rule: name of a traversal rule → how many nodes it brought in.
    :param by_type: node type → how many nodes of it go.
    :param links: number of links that go, to nodes that stay among them.
    :param memberships: number of memberships in groups that end.
    :param remote_folders: pks of `RemoteData` among the nodes; what they point at on other machines stays.
    :param freed: what full maintenance gives back afterwards; None: nobody asked, or it cannot be told.
    """

    start: tuple[int, ...]
    pks: tuple[int, ...]
    by_rule: dict[str, int]
    by_type: dict[str, int]
    links: int
    memberships: int
    comments: int
    logs: int
    remote_folders: int
    rules: tuple[Rule, ...]
    freed: Freed | None = None


def plan_deletion(
    storage: StorageBackend, pks: Iterable[int], switches: Mapping[str, bool | None] | None = None
) -> DeletionPlan:
    """Find out what goes when some nodes are deleted; changes nothing.

    :param switches: name of a traversal rule → whether to follow it; None: as by default.
    :raises ricordi.errors.NotExistent: one of the nodes is not there.
    """
    rules = choose_rules(DELETE_RULES, switches)
    found = traverse(storage, pks, rules)
    chosen = tuple(sorted(found.nodes))
    by_type = _count_by(storage, EntityKind.NODE, 'pk', chosen, 'node_type')
    return DeletionPlan(
        start=tuple(sorted(found.start)),
        pks=chosen,
        by_rule={rule.name: count for rule, count in found.by_rule.items()},
        by_type=dict(sorted(by_type.items())),
        links=_count_links(storage, chosen),
        memberships=_count(storage, EntityKind.GROUP_NODE, 'node_pk', chosen),
        comments=_count(storage, EntityKind.COMMENT, 'node_pk', chosen),
        logs=_count(storage, EntityKind.LOG, 'node_pk', chosen),
        remote_folders=sum(count for name, count in by_type.items() if name.startswith(REMOTE)),
        rules=rules,
    )


def with_freed(storage: StorageBackend, plan: DeletionPlan) -> DeletionPlan:
    """The plan, to be shown: with what full maintenance would give back after it was carried out."""
    return replace(plan, freed=storage.freed_by(plan.pks))


def delete_nodes(storage: StorageBackend, plan: DeletionPlan) -> None:
    """Carry a plan out: all of it, or nothing.

    Objects in the repository stay: `storage maintain --full` removes those that no other node names.

    :raises ricordi.errors.InvalidOperation: the graph has changed since the plan was made, so that more, or less, would
        go; nothing was deleted.
    """
    with storage.transaction():
        # In the transaction that deletes: nobody is to lose a node that was linked to these a moment ago.
        check_plan(storage, plan)
        storage.delete_nodes_and_connections(plan.pks)


def check_plan(storage: StorageBackend, plan: DeletionPlan) -> None:
    """See whether a plan made now would be the same.

    :raises ricordi.errors.InvalidOperation: it would not.
    """
    if _planned_now(storage, plan) != set(plan.pks):
        raise InvalidOperation(
            'other nodes were linked to these, or some were deleted, since the plan was made; nothing was deleted: '
            'run the command again to see the new plan'
        )


def _planned_now(storage: StorageBackend, plan: DeletionPlan) -> set[int]:
    """The nodes that a plan made now would delete; empty if one of those named is gone."""
    try:
        return traverse(storage, plan.start, plan.rules).nodes
    except NotExistent:
        return set()


def _count(storage: StorageBackend, kind: EntityKind, field: str, pks: Sequence[int]) -> int:
    query = Query(
        (Vertex('row', kind),),
        filters=(('row', Comparison(Field(field), 'in', tuple(pks))),),
        projections=(Projection('row', Field('pk')),),
    )
    return storage.count_rows(query)


def _count_links(storage: StorageBackend, pks: Sequence[int]) -> int:
    """Links with one end or both among the nodes."""
    ends = (Comparison(Field('input_pk'), 'in', tuple(pks)), Comparison(Field('output_pk'), 'in', tuple(pks)))
    query = Query(
        (Vertex('link', EntityKind.LINK),),
        filters=(('link', Junction(ends, any=True)),),
        projections=(Projection('link', Field('pk')),),
    )
    return storage.count_rows(query)


def _count_by(storage: StorageBackend, kind: EntityKind, field: str, pks: Sequence[int], by: str) -> dict[str, int]:
    query = Query(
        (Vertex('row', kind),),
        filters=(('row', Comparison(Field(field), 'in', tuple(pks))),),
        projections=(Projection('row', Field(by)), Projection('row', Field('pk'), function='count')),
    )
    return dict(storage.query_rows(query))
