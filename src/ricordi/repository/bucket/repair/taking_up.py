"""Packs that lie in the bucket and of which the index knows no object are taken up again, beside writers and the sweep.

By the order in which packs come in (`publishing.py`): first a row says `writing`, and a sweep leaves what has one; only
then what lies in it is read and compared; then it is live, with its objects, in one transaction. What a sweep has given
a row first is left to the sweep. A live pack without objects goes through `writing`, too: while it is live, whoever
condemns empty packs could find it so just before its objects come in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from ricordi.repository.bucket.index import PackEntry
from ricordi.repository.bucket.publishing import writer
from ricordi.repository.bucket.repair.copies import faults_of
from ricordi.repository.bucket.repair.whereabouts import PackFound, PackList, placed

if TYPE_CHECKING:
    from ricordi.repository.bucket.bucket import BucketRepository

_NEW = 'INSERT INTO packs (uuid, bytes, writer) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING'
_EMPTY = """
UPDATE packs SET state = 'writing', created = clock_timestamp(), writer = %s WHERE uuid = %s AND state = 'live'
AND NOT EXISTS (SELECT 1 FROM objects AS o WHERE o.pack = packs.uuid)
"""
_IS_OURS = "SELECT 1 FROM packs WHERE uuid = %s AND state = 'writing' AND writer = %s"
_LEAVE_NEW = "DELETE FROM packs WHERE uuid = %s AND state = 'writing' AND writer = %s"
_LEAVE_EMPTY = "UPDATE packs SET state = 'live' WHERE uuid = %s AND state = 'writing' AND writer = %s"


class PackTaking:
    """Takes up packs of one store."""

    def __init__(self, bucket: BucketRepository) -> None:
        self._bucket = bucket
        self._who = f'{writer()} repair {uuid4().hex[:8]}'

    def take_up(self, listed: PackList) -> set[bytes]:
        """Make a pack a part of the store with all of it that is sound; the hashes of that, none where it was not done.

        What the index has elsewhere by now stays there.
        """
        pack = listed.pack
        if not self._take(pack):
            return set()
        sound: list[PackEntry] = []
        try:
            sound = self._sound(listed)
        finally:
            if not sound:  # nor anything where it could not be read
                self._leave(pack)
        end = max((one.start + one.stored for one in listed.entries), default=0)
        if not sound or not self._bucket.index.publish(pack.uuid, pack.bytes, pack.bytes - end, sound):
            return set()
        return {one.hash for one in sound}

    def _take(self, pack: PackFound) -> bool:
        database = self._bucket.database
        if pack.state:
            database.change(_EMPTY, (self._who, pack.uuid))
        else:
            database.change(_NEW, (pack.uuid, pack.bytes, self._who))
        return bool(database.rows(_IS_OURS, (pack.uuid, self._who)))

    def _leave(self, pack: PackFound) -> None:
        self._bucket.database.change(_LEAVE_EMPTY if pack.state else _LEAVE_NEW, (pack.uuid, self._who))

    def _sound(self, listed: PackList) -> list[PackEntry]:
        places = {placed(listed.pack.uuid, entry): entry for entry in listed.entries}
        known: dict[bytes, PackEntry] = {}
        for place, fault in faults_of(self._bucket, [*places]):
            if not fault:
                known[place.hash] = places[place]
        return [*known.values()]
