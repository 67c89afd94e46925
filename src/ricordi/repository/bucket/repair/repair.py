"""Mending a store in a bucket in the right order: objects and their rows, and last what the database notes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from ricordi.backend.repair import Mending, RepairOrder, RepairSource, SetAside
from ricordi.progress import Run
from ricordi.repository.bucket.index import hashes_of
from ricordi.repository.bucket.publishing import pack_of
from ricordi.repository.bucket.repair.objects import BucketMender
from ricordi.repository.bucket.verification.references import UNNOTED

if TYPE_CHECKING:
    from ricordi.repository.bucket.bucket import BucketRepository

_OF_PACKS = 'SELECT hash FROM objects WHERE pack = ANY(%s) ORDER BY pack, start'


def repair_bucket(
    bucket: BucketRepository, order: RepairOrder, sources: Sequence[RepairSource], run: Run
) -> Iterator[Mending | SetAside]:
    """See `RepositoryBackend.repair`. Nobody has to leave: see `taking_up.py` and `placing.py`."""
    packs: list[UUID] = [pack for name in order.packs if (pack := pack_of(name)) is not None]
    hashes = hashes_of((*order.keys, *order.overlapping))
    hashes += [bytes(hash) for (hash,) in bucket.database.rows(_OF_PACKS, (packs,))] if packs else []
    if hashes:
        yield from BucketMender(bucket, sources, order.dry_run, run).mend(hashes, {*packs})
    yield from _note_what_is_named(bucket, order.dry_run, bool(hashes), run)


def _note_what_is_named(bucket: BucketRepository, dry_run: bool, is_last: bool, run: Run) -> Iterator[Mending]:
    """Have the database know what nodes name: objects may have come back, or it never knew.

    :param is_last: whether those were mended that can be; else it waits for that where any are missing.
    """
    guard = bucket.index.guard
    if run.stop.reason or not guard.has_nodes or not (bucket.guard_fault() or guard.is_incomplete or guard.unnoted()):
        return
    detail = 'the database notes anew what nodes name'
    if not dry_run:
        run.check_lock()
        left = guard.make_anew(if_complete=not is_last)
        if left is None:
            return
        if left:
            detail += f'; {left:,} times an object is missing, and until it is back maintenance removes nothing'
    yield Mending(UNNOTED, 'correct the index', 'node_references', detail)
