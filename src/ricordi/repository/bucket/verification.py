"""Verification of a store in a bucket: what the contract asks for, and whether packs are there at their length."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

from ricordi.backend.maintenance import KeyStream
from ricordi.backend.plain_verification import verify_plainly
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import Topic, VerifyOptions
from ricordi.errors import LostObject
from ricordi.progress import Run
from ricordi.repository.bucket.publishing import PACKS, pack_name

if TYPE_CHECKING:
    from ricordi.repository.bucket.bucket import BucketRepository

_LIVE = "SELECT uuid, bytes FROM packs WHERE state = 'live' AND uuid > %s ORDER BY uuid LIMIT %s"
_IS_LIVE = "SELECT 1 FROM packs WHERE state = 'live' AND uuid = %s"
_FIRST = UUID(int=0)


def verify_bucket(
    bucket: BucketRepository, options: VerifyOptions, named_keys: KeyStream, run: Run
) -> Iterator[Finding | Topic]:
    """As of `RepositoryBackend.verify`: packs against the index by one listing of the bucket, then objects."""
    yield from _check_packs(bucket, run)
    yield from verify_plainly(bucket, options, named_keys, run)


def _check_packs(bucket: BucketRepository, run: Run) -> Iterator[Finding | Topic]:
    begin, checked, complete = time.perf_counter(), 0, True
    for pack, expected, found in _beside_each_other(bucket):
        if found != expected and bucket.database.rows(_IS_LIVE, (pack,)):
            found = _size_now(bucket, pack)
            if found is None:
                yield _finding('missing pack', 'the index names objects in it, and it is not in the bucket', pack)
            elif found != expected:
                yield _finding('wrong pack size', f'it has {found} bytes, and the index says {expected}', pack)
        checked += 1
        if run.stop.reason:
            complete = False
            break
    yield Topic('packs', checked, 'packs', seconds=time.perf_counter() - begin, complete=complete)


def _beside_each_other(bucket: BucketRepository) -> Iterator[tuple[UUID, int, int | None]]:
    """Each live pack, its bytes by the index, and by the listing of the bucket: both come in the order of names."""
    listed = ((one.name.rpartition('/')[2], one.bytes) for one in bucket.store.listed(PACKS))
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


def _finding(kind: str, detail: str, pack: UUID) -> Finding:
    return Finding(kind, detail, where=pack_name(pack), remedy='source')
