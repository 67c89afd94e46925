"""Deleting groups, with or without the nodes in them: first a plan, then all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ricordi.backend.rows import EntityKind
from ricordi.backend.storage import StorageBackend
from ricordi.services.groups.groups import GroupSummary
from ricordi.services.groups.members import pks_in_groups
from ricordi.services.nodes.delete import DeletionPlan, delete_nodes, plan_deletion, with_freed


@dataclass(frozen=True, slots=True)
class GroupDeletionPlan:
    """What would be deleted.

    :param nodes: the nodes that go with the groups; None: no node goes.
    """

    groups: tuple[GroupSummary, ...]
    nodes: DeletionPlan | None


def plan_group_deletion(
    storage: StorageBackend,
    groups: Sequence[GroupSummary],
    with_nodes: bool = False,
    switches: Mapping[str, bool | None] | None = None,
) -> GroupDeletionPlan:
    """Find out what goes when groups are deleted; changes nothing.

    :param with_nodes: whether the members go too, and what goes along with them.
    :param switches: traversal rules, as of `plan_deletion`.
    """
    pks = pks_in_groups(storage, [group.pk for group in groups]) if with_nodes else []
    return GroupDeletionPlan(tuple(groups), plan_deletion(storage, pks, switches) if pks else None)


def with_freed_space(storage: StorageBackend, plan: GroupDeletionPlan) -> GroupDeletionPlan:
    """The plan, to be shown: with what full maintenance would give back after it was carried out."""
    return plan if plan.nodes is None else replace(plan, nodes=with_freed(storage, plan.nodes))


def delete_groups(storage: StorageBackend, plan: GroupDeletionPlan) -> None:
    """Carry a plan out, in one transaction.

    :raises ricordi.errors.InvalidOperation: the graph has changed since the plan was made; nothing was deleted.
    """
    with storage.transaction():
        if plan.nodes is not None:
            delete_nodes(storage, plan.nodes)
        storage.delete(EntityKind.GROUP, [group.pk for group in plan.groups])
