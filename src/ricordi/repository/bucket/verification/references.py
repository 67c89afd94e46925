"""Whether the database notes what nodes name: an object of which it has no note would be taken for garbage."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from ricordi.backend.plain_verification import ASK_AT_ONCE
from ricordi.backend.verification import Finding
from ricordi.repository.bucket.index import hashes_of

if TYPE_CHECKING:
    from ricordi.repository.bucket.bucket import BucketRepository

UNNOTED = 'unnoted references'

_WITHOUT = """
SELECT EXISTS (SELECT 1 FROM objects AS o WHERE hash = ANY(%b)
AND NOT EXISTS (SELECT 1 FROM node_references AS r WHERE r.hash = o.hash))
"""


class ReferenceCheck:
    """Looks on while the keys that nodes name pass."""

    def __init__(self, bucket: BucketRepository) -> None:
        self._bucket = bucket
        self._guarded = bucket.index.has_guard
        self._is_odd = False
        self._is_incomplete = bucket.index.has_notes and bucket.index.guard.is_incomplete

    def passing(self, keys: Iterator[str]) -> Iterator[str]:
        """The keys as they come."""
        while some := list(islice(keys, ASK_AT_ONCE)):
            if self._guarded and not self._is_odd:
                self._is_odd = self._bucket.database.rows(_WITHOUT, (hashes_of(some),)) == [(True,)]
            yield from some

    def findings(self) -> Iterator[Finding]:
        """What is wrong, once all have passed; counted anew, for nodes may have come and gone meanwhile."""
        guard = self._bucket.index.guard
        # Without a guard it is none of this storage yet, or it is made when it is opened, or objects are missing.
        if not self._guarded or not guard.has_nodes:
            return
        if not guard.has_working_triggers:
            yield _finding('the database does not note what nodes name')
        elif (self._is_odd or self._is_incomplete) and (number := guard.unnoted()):
            yield _finding(f'{number:,} times the database has not noted that a node names an object')
        elif self._is_incomplete and not guard.lacking():
            yield _finding('the database has not noted yet that the objects which were missing are there')


def _finding(detail: str) -> Finding:
    return Finding(UNNOTED, f'{detail}: nothing can be told to be garbage', 'node_references', remedy='index')
