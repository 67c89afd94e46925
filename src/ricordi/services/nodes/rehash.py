"""Computing the hashes of nodes anew, so that AiiDA's caching finds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ricordi.backend.rows import EntityKind, NodeRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import Interrupted
from ricordi.orm.nodes.node import Node
from ricordi.progress import Run
from ricordi.services.nodes.list import NodeFilter, list_nodes

HASH_KEY = '_aiida_hash'
"""The extra in which AiiDA keeps the hash."""

_BATCH = 500


@dataclass(frozen=True, slots=True)
class RehashReport:
    """What was done, or would be.

    :param changed: nodes whose hash is another now.
    :param same: nodes that had this hash already.
    :param unknown: nodes of types that only a plug-in of AiiDA knows, and processes with inputs of such types; their
        hash was left as it was.
    """

    changed: int
    same: int
    unknown: int

    @property
    def total(self) -> int:
        """All nodes that were looked at."""
        return self.changed + self.same + self.unknown


def find_to_rehash(storage: StorageBackend, pks: Sequence[int] | None, types: Sequence[str]) -> list[int]:
    """The pks of the nodes to rehash, ascending.

    :param pks: among these; None: among all nodes.
    :param types: only nodes of these types (`ricordi.services.nodes.types`); empty: of any.
    """
    chosen = NodeFilter(types=tuple(types), pks=None if pks is None else tuple(pks))
    return [pk for (pk,) in list_nodes(storage, chosen, ('pk',), order_by='pk')]


def rehash_nodes(
    storage: StorageBackend,
    pks: Sequence[int],
    dry_run: bool = False,
    run: Run | None = None,
) -> RehashReport:
    """Compute the hash of each node and keep it in its extras where it is another; batch after batch.

    :param dry_run: count and change nothing.
    :raises ricordi.errors.Interrupted: a stop was asked for; the batches before it are kept.
    """
    run = run or Run()
    counts = {'changed': 0, 'same': 0, 'unknown': 0}
    with run.step('compute hashes', len(pks), 'rows'):
        for begin in range(0, len(pks), _BATCH):
            if run.stop.reason:
                raise Interrupted(f'{run.stop.reason}: {begin:,} of {len(pks):,} nodes were rehashed')
            batch = pks[begin : begin + _BATCH]
            for outcome in _rehash_batch(storage, batch, dry_run):
                counts[outcome] += 1
            run.progress.advance(len(batch))
    return RehashReport(**counts)


def _rehash_batch(storage: StorageBackend, pks: Sequence[int], dry_run: bool) -> list[str]:
    if dry_run:
        return [_rehash(storage, row, dry_run) for row in storage.find(NodeRow, {'pk': list(pks)})]
    with storage.transaction():
        locked = (storage.get(NodeRow, pk, lock=True) for pk in pks)
        # One that was deleted meanwhile is passed over.
        return [_rehash(storage, row, dry_run) for row in locked if row is not None]


def _rehash(storage: StorageBackend, row: NodeRow, dry_run: bool) -> str:
    computed = Node.from_row(row, storage).base.caching.compute_hash()
    if computed is None:
        return 'unknown'
    if row.extras.get(HASH_KEY) == computed:
        return 'same'
    if not dry_run:
        storage.update(EntityKind.NODE, row.pk, {'extras': {**row.extras, HASH_KEY: computed}})
    return 'changed'
