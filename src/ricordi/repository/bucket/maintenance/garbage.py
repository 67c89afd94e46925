"""Objects that no node names: found by the references that the database keeps, or else by the names that nodes have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ricordi.backend.maintenance import Amount, KeyStream, MaintenanceStep
from ricordi.repository.bucket.counting import UseLook
from ricordi.repository.bucket.database import Link
from ricordi.repository.bucket.index import Placement
from ricordi.repository.bucket.maintenance.all_named import named_until, note_all_named
from ricordi.repository.bucket.maintenance.step import BucketWork
from ricordi.repository.maintenance.problems import Problems

if TYPE_CHECKING:
    from ricordi.repository.bucket.bucket import BucketRepository

_UNNAMED = """
FROM objects AS o WHERE touched <= clock_timestamp() - %s * interval '1 s'
AND NOT EXISTS (SELECT 1 FROM node_references AS r WHERE r.hash = o.hash)
"""
_COUNT = f'SELECT count(*), coalesce(sum(stored), 0)::bigint {_UNNAMED}'
_COUNT_SINCE = f'{_COUNT} AND touched > %s'
# Who references one of these meanwhile waits for the lock, and is then told that it is gone; who has done so since the
# look is seen by the second statement. Those that others hold are not waited for.
_TAKE = f'SELECT hash, stored {_UNNAMED} AND hash > %b ORDER BY hash LIMIT %s FOR UPDATE SKIP LOCKED'
_DELETE = """
DELETE FROM objects AS o WHERE hash = ANY(%b)
AND NOT EXISTS (SELECT 1 FROM node_references AS r WHERE r.hash = o.hash) RETURNING hash, stored
"""


class Unnamed:
    """Which objects no node names, and which nodes name that are not there."""

    def __init__(
        self,
        bucket: BucketRepository,
        look: UseLook,
        named_keys: KeyStream,
        problems: Problems,
        grace_seconds: float,
        remember: bool = True,
    ) -> None:
        """
        :param look: at all rows; where it shows that nothing was put since all was named, it is enough.
        :param remember: note it where all is named, which spares the next look most of the work.
        """
        self._remember = remember
        self._bucket = bucket
        self._look = look
        self._named_keys = named_keys
        self._problems = problems
        self.grace_seconds = grace_seconds
        self.is_known = not (bucket.index.has_notes and bucket.index.guard.is_incomplete)
        """Whether the database knows all that is named; else what it does not know of must not be taken for garbage."""
        self.by_references = self.is_known and bucket.index.has_guard
        self.missing = 0
        """Keys that nodes name and the index lacks; with references to all the database lets none come about."""

    def amount(self) -> Amount:
        """How many, and what they take; counts what is missing, too."""
        if self.by_references:
            return self._counted()
        self.missing = objects = size = 0
        for place in self.walk():
            objects, size = objects + 1, size + place.stored
        return Amount(objects, size)

    def _counted(self) -> Amount:
        """By the references; what an earlier look has found named is passed over, unless references have gone since."""
        index, grace = self._bucket.index, self.grace_seconds
        before = named_until(index)
        if before is not None and before.since is not None and not self._look.put_since(before.since):
            return Amount()
        if before is None or before.since is None:
            ((objects, size),) = index.database.rows(_COUNT, (grace,))
        else:
            ((objects, size),) = index.database.rows(_COUNT_SINCE, (grace, before.since))
        if before is not None and self._remember and not objects:
            note_all_named(index, before, grace, self._bucket.limits.leftover_seconds)
        return Amount(objects, size)

    def walk(self) -> Iterator[Placement]:
        """Those that no node names, ascending by key; what is missing goes to the problems."""
        named = self._named_keys()
        key = next(named, None)
        for place in self._bucket.index.placements():
            while key is not None and key < place.key:
                self._miss(key)
                key = next(named, None)
            if key == place.key:
                key = next(named, None)
            else:
                yield place
        while key is not None:
            self._miss(key)
            key = next(named, None)

    def _miss(self, key: str) -> None:
        self.missing += 1
        self._problems.add('missing', key, 'the object is not there')


class GarbageRemoval:
    """Takes objects that no node names out of the index; their bytes are waste from then on."""

    name = 'remove garbage'

    def __init__(self, work: BucketWork, unnamed: Unnamed, garbage: Amount) -> None:
        self._work = work
        self._unnamed = unnamed
        self._garbage = garbage

    def plan(self) -> MaintenanceStep | None:
        if not self._garbage.objects:
            return None
        return MaintenanceStep(self.name, '', self._garbage.objects, freed=self._garbage.bytes)

    def carry_out(self) -> MaintenanceStep:
        objects = freed = 0
        for removed in self._by_references() if self._unnamed.by_references else self._by_names():
            objects, freed = objects + removed.objects, freed + removed.bytes
            self._work.run.progress.advance(removed.objects)
        return MaintenanceStep(self.name, '', objects, freed=freed)

    def _by_references(self) -> Iterator[Amount]:
        """Beside whoever writes: the database knows what is referenced at each instant."""
        bucket, last = self._work.bucket, b''

        def take(link: Link) -> tuple[list[tuple[bytes, int]], bytes]:
            parameters = (self._unnamed.grace_seconds, last, bucket.limits.listed)
            with link.cursor(binary=True) as cursor:
                hashes = [hash for hash, _ in cursor.execute(_TAKE.encode(), parameters)]
                gone = cursor.execute(_DELETE.encode(), (hashes,)).fetchall() if hashes else []
            return [(bytes(hash), int(stored)) for hash, stored in gone], hashes[-1] if hashes else b''

        while not self._work.run.stop.reason:
            gone, last = bucket.database.transaction(take)
            if not last:
                return
            bucket.forget([hash for hash, _ in gone])
            yield Amount(len(gone), sum(stored for _, stored in gone))

    def _by_names(self) -> Iterator[Amount]:
        """Under the lock of the profile: nobody writes meanwhile."""
        waiting: list[Placement] = []
        for place in self._unnamed.walk():
            waiting.append(place)
            if len(waiting) >= self._work.bucket.limits.listed:
                yield self._delete(waiting)
                waiting = []
            if self._work.run.stop.reason:
                return
        yield self._delete(waiting)

    def _delete(self, places: list[Placement]) -> Amount:
        self._work.run.check_lock()
        hashes = [place.hash for place in places]
        removed = self._work.bucket.index.delete(hashes)
        self._work.bucket.forget(hashes)
        return Amount(removed, sum(place.stored for place in places))
