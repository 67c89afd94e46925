"""Every byte of chosen packs against its SHA-256, what was read longest ago first."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import Subset, Topic
from ricordi.errors import CorruptStorage, NotExistent
from ricordi.progress import Run
from ricordi.repository.bucket.index import Placement
from ricordi.repository.bucket.verification.notes import ReadNotes
from ricordi.repository.verification.selection import chosen_of

if TYPE_CHECKING:
    from ricordi.repository.bucket.bucket import BucketRepository

_PARTS = """
SELECT p.uuid, sum(o.stored)::bigint, {read} FROM packs AS p JOIN objects AS o ON o.pack = p.uuid
WHERE p.state = 'live' GROUP BY p.uuid
"""
_INLINE = 'SELECT coalesce(sum(stored), 0)::bigint, count(*), {read} FROM objects WHERE pack IS NULL'
_ALL_INLINE_READ = 'CASE WHEN max(touched) <= (SELECT inline_read FROM store) THEN (SELECT inline_read FROM store) END'
_COLUMNS = 'hash, pack, start, stored, size, compressed, inline'
_OF_PACK = f'SELECT {_COLUMNS} FROM objects WHERE pack = %s AND (start, hash) > (%s, %b) ORDER BY start, hash LIMIT %s'
_OF_INLINE = f'SELECT {_COLUMNS} FROM objects WHERE pack IS NULL AND hash > %b ORDER BY hash LIMIT %s'


class BucketPart(NamedTuple):
    """What is read, and noted as read, at once.

    :param pack: None: all that is kept in the database.
    :param length: bytes of objects as they lie there.
    :param read: when it was last read; None: never, or not all of it.
    """

    pack: UUID | None
    length: int
    read: datetime | None

    @property
    def number(self) -> int:
        """By which parts are dealt out evenly, the same each time."""
        return self.pack.int if self.pack else 0


def parts_of(bucket: BucketRepository) -> list[BucketPart]:
    """The whole content, in the order in which it should be read."""
    is_noted = bucket.index.has_notes
    found = [
        BucketPart(*row) for row in bucket.database.rows(_PARTS.format(read='p.read_whole' if is_noted else 'NULL'))
    ]
    inline = _INLINE.format(read=_ALL_INLINE_READ if is_noted else 'NULL')
    ((length, objects, read),) = bucket.database.rows(inline)
    if objects:
        found.append(BucketPart(None, length, read))
    return sorted(found, key=lambda part: (part.read.timestamp() if part.read else 0.0, part.number))


class BucketContent:
    """Reads parts, notes those that were read whole, and tells what is damaged."""

    def __init__(self, bucket: BucketRepository, notes: ReadNotes, run: Run) -> None:
        self._bucket = bucket
        self._notes = notes
        self._run = run
        self._checked = self._bytes = 0
        self._is_cut = False

    def check(self, subset: Subset | None) -> Iterator[Finding | Topic]:
        """Findings, then the topic."""
        begin = time.perf_counter()
        parts = parts_of(self._bucket)
        wanted = parts if subset is None else chosen_of(parts, subset, lambda part: part.number)
        with self._run.step('read content', sum(part.length for part in wanted)):
            for part in wanted:
                begun = self._notes.now()
                yield from self._read(part)
                if self._is_cut:
                    break
                self._notes.note_read(part.pack, begun)
        seconds = time.perf_counter() - begin
        yield Topic('content of objects', self._checked, 'objects', self._bytes, seconds, not self._is_cut)

    def _read(self, part: BucketPart) -> Iterator[Finding]:
        for places in self._portions(part.pack):
            if self._run.stop.reason:
                self._is_cut = True
                return
            for place in self._wrong(places):
                yield from self._finding(place)
            self._checked += len(places)
            self._bytes += sum(place.stored for place in places)

    def _portions(self, pack: UUID | None) -> Iterator[list[Placement]]:
        start, hash, most = -1, b'', self._bucket.limits.rows
        while True:
            asked = (_OF_INLINE, (hash, most)) if pack is None else (_OF_PACK, (pack, start, hash, most))
            places = [Placement(*row) for row in self._bucket.database.rows(*asked)]
            if not places:
                return
            yield places
            start, hash = places[-1].start, places[-1].hash

    def _wrong(self, places: Sequence[Placement]) -> Iterator[Placement]:
        """Objects that seem wrong; those that are too large to be held are looked at one by one in any case."""
        large = [place for place in places if place.is_above(self._bucket.limits.large_bytes)]
        small = [place for place in places if not place.is_above(self._bucket.limits.large_bytes)]
        for one in self._bucket.reader.contents(small, keep=False):
            self._run.progress.advance(one.place.stored)
            if isinstance(one.content, Exception):
                yield one.place
        for place in large:
            if self._run.stop.reason:
                self._is_cut = True
                return
            yield place
            self._run.progress.advance(place.stored)

    def _finding(self, place: Placement) -> Iterator[Finding]:
        for finding in damage_of(self._bucket, [place.key]):
            self._notes.note_damaged(place.key)
            yield finding


def damage_of(bucket: BucketRepository, keys: Sequence[str]) -> Iterator[Finding]:
    """What is wrong with objects wherever they are by now; each is read anew, what is gone is passed over."""
    for key in keys:
        try:
            if bucket.get_object_hash(key) != key:
                raise CorruptStorage('its bytes are not what its key says')
        except NotExistent:
            continue
        except CorruptStorage as error:
            reason = str(error).partition('; ')[0].removeprefix(f'object {key} ')
            yield Finding('damaged object', reason, key=key, remedy='source')


def check_remembered(bucket: BucketRepository, notes: ReadNotes, run: Run) -> Iterator[Finding]:
    """What was found damaged once, each time again."""
    for hash in notes.damaged():
        if run.stop.reason:
            return
        found = [*islice(damage_of(bucket, [hash.hex()]), 1)]
        if not found:
            notes.note_sound([hash])
        yield from found
