"""Packs against the index, by one listing of the bucket."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import Topic
from ricordi.errors import LostObject
from ricordi.progress import Run
from ricordi.repository.bucket.objects import Listed
from ricordi.repository.bucket.publishing import PACKS, pack_name

if TYPE_CHECKING:
    from ricordi.repository.bucket.bucket import BucketRepository

_IN_USE = "state = 'live' AND EXISTS (SELECT 1 FROM objects AS o WHERE o.pack = packs.uuid)"
_LIVE = f'SELECT uuid, bytes FROM packs WHERE {_IN_USE} AND uuid > %s ORDER BY uuid LIMIT %s'
_IS_LIVE = f'SELECT 1 FROM packs WHERE {_IN_USE} AND uuid = %s'
_FIRST = UUID(int=0)


class OddPack(NamedTuple):
    """A pack that is not in the bucket as the index has it.

    :param expected: bytes, by the index.
    :param found: bytes that are there; None: it is gone.
    """

    uuid: UUID
    expected: int
    found: int | None


def check_packs(bucket: BucketRepository, run: Run) -> Iterator[Finding | Topic]:
    """Findings about packs, then the topic."""
    begin, checked, complete = time.perf_counter(), 0, True
    for _, odd in compared_packs(bucket, bucket.store.listed(PACKS)):
        if odd is not None and odd.found is None:
            yield _finding('missing pack', 'the index names objects in it, and it is not in the bucket', odd)
        elif odd is not None:
            yield _finding('wrong pack size', f'it has {odd.found} bytes, and the index says {odd.expected}', odd)
        checked += 1
        if run.stop.reason:
            complete = False
            break
    yield Topic('packs', checked, 'packs', seconds=time.perf_counter() - begin, complete=complete)


def compared_packs(bucket: BucketRepository, listing: Iterator[Listed]) -> Iterator[tuple[UUID, OddPack | None]]:
    """Each pack in which the index has objects, and how it differs from that.

    :param listing: of all packs in the bucket; its end may be left.
    """
    for pack, expected, found in _beside_each_other(bucket, listing):
        odd = None
        if found != expected and bucket.database.rows(_IS_LIVE, (pack,)):
            found = _size_now(bucket, pack)
            odd = OddPack(pack, expected, found) if found != expected else None
        yield pack, odd


def _beside_each_other(bucket: BucketRepository, listing: Iterator[Listed]) -> Iterator[tuple[UUID, int, int | None]]:
    """Each pack in use, its bytes by the index, and by the listing of the bucket: both in the order of names."""
    listed = ((one.name.rpartition('/')[2], one.bytes) for one in listing)
    name, size = next(listed, ('', 0))
    last = _FIRST
    while rows := bucket.database.rows(_LIVE, (last, bucket.limits.listed)):
        for pack, expected in rows:
            while name and name < str(pack):
                name, size = next(listed, ('', 0))
            yield pack, expected, size if name == str(pack) else None
        last = rows[-1][0]


def _size_now(bucket: BucketRepository, pack: UUID) -> int | None:
    """Asked once more: a listing may be of an earlier moment, or not be in order."""
    try:
        return bucket.store.size(pack_name(pack))
    except LostObject:
        return None


def _finding(kind: str, detail: str, odd: OddPack) -> Finding:
    return Finding(kind, detail, where=pack_name(odd.uuid), remedy='source')
