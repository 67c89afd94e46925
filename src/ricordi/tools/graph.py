"""Deleting nodes with what must go along with them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ricordi.backend.context import get_current_backend
from ricordi.backend.rows import NodeRow
from ricordi.services.groups.members import pks_in_groups
from ricordi.services.nodes import delete as nodes_delete

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend

DryRun = bool | Callable[[set[int]], bool]


def delete_nodes(
    pks: Iterable[int], dry_run: DryRun = True, backend: StorageBackend | None = None, **traversal_rules: bool
) -> tuple[set[int], bool]:
    """Delete nodes, and those that cannot be without them; all or none.

    :param pks: of those that are not there, a warning is logged.
    :param dry_run: True: only tell; a function: it is told the pks, and nothing is deleted if it answers True.
    :param backend: the storage; that of the loaded profile for None.
    :param traversal_rules: `create_forward`, `call_calc_forward`, `call_work_forward`.
    :returns: the pks of all that go, and whether they were deleted.
    """
    storage = backend if backend is not None else get_current_backend()
    known = _known(storage, pks)
    if not known:
        return set(), dry_run is not True
    plan = nodes_delete.plan_deletion(storage, known, traversal_rules)
    chosen = set(plan.pks)
    if dry_run is True:
        return chosen, False
    if callable(dry_run) and dry_run(set(chosen)):
        return chosen, False
    nodes_delete.delete_nodes(storage, plan)
    return chosen, True


def delete_group_nodes(
    pks: Iterable[int], dry_run: DryRun = True, backend: StorageBackend | None = None, **traversal_rules: bool
) -> tuple[set[int], bool]:
    """Delete the nodes in some groups, as `delete_nodes` does; the groups stay.

    :param pks: of the groups.
    """
    storage = backend if backend is not None else get_current_backend()
    return delete_nodes(pks_in_groups(storage, list(pks)), dry_run, storage, **traversal_rules)


def _known(storage: StorageBackend, pks: Iterable[int]) -> list[int]:
    wanted = set(pks)
    known = {row.pk for row in storage.find(NodeRow, {'pk': sorted(wanted)})}
    if wanted - known:
        missing = ', '.join(map(str, sorted(wanted - known)))
        logging.getLogger(__name__).warning('there is no node with pk %s', missing)
    return sorted(known)
