"""Sound content gets a place of its own in the bucket, and the index is told: small objects in packs, each large one as
a pack. A row is changed only if it still says what was found wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from ricordi.errors import AccessError, CorruptStorage
from ricordi.repository.bucket.database import Link
from ricordi.repository.bucket.index import PackEntry, Placement, add_objects, is_live, make_live
from ricordi.repository.bucket.publishing import PackDraft, StreamedObject, pack_name, writer

if TYPE_CHECKING:
    from uuid import UUID

    from ricordi.repository.bucket.bucket import BucketRepository

_MOVE = """
UPDATE objects AS o SET pack = %s, start = n.start, stored = n.stored, size = n.size, compressed = n.compressed,
       inline = NULL, touched = clock_timestamp()
FROM unnest(%b::bytea[], %b::bigint[], %b::bigint[], %b::bigint[], %b::boolean[], %s::uuid[], %b::bigint[])
AS n (hash, start, stored, size, compressed, old_pack, old_start)
WHERE o.hash = n.hash AND o.pack IS NOT DISTINCT FROM n.old_pack AND o.start = n.old_start
"""
_CORRECT = """
UPDATE objects SET start = %s, stored = %s, size = %s, compressed = %s WHERE hash = %b AND pack = %s AND start = %s
"""


class PlacedAnew(NamedTuple):
    """An object in a new pack, and where the index had it; None: nowhere."""

    entry: PackEntry
    before: Placement | None


class Placing:
    """Puts objects of one store."""

    def __init__(self, bucket: BucketRepository) -> None:
        self._bucket = bucket
        self._draft = PackDraft()
        self._before: list[Placement | None] = []

    @property
    def is_full(self) -> bool:
        """Whether as much waits as a pack holds."""
        return len(self._draft.data) >= self._bucket.limits.pack_bytes

    def add(self, hash: bytes, content: bytes, before: Placement | None) -> None:
        """Have a small object wait for `flush`.

        :param content: compared with the hash.
        :param before: where the index has it.
        """
        self._draft.add(hash, content, len(content), False)
        self._before.append(before)

    def flush(self) -> None:
        """Make durable what waits."""
        draft, before = self._draft, self._before
        self._draft, self._before = PackDraft(), []
        if not draft.entries:
            return
        data = draft.sealed()
        moved = [PlacedAnew(*pair) for pair in zip(draft.entries, before, strict=True)]
        self._bucket.publisher.upload(data, lambda pack: self._publish(pack, len(data), draft.list_bytes, moved))

    def stream(self, hash: bytes, pieces: Iterable[bytes], before: Placement | None) -> None:
        """Put a large object, durably, in constant memory.

        :raises ricordi.errors.CorruptStorage: what came has another hash; nothing was put.
        """
        bucket, streamed = self._bucket, StreamedObject(pieces)
        pack = bucket.index.intend(0, writer())
        try:
            size = bucket.store.put_stream(pack_name(pack), streamed)
            if streamed.entry.hash != hash:
                raise CorruptStorage('it has other bytes')
            if not self._publish(pack, size, size - streamed.stored, [PlacedAnew(streamed.entry, before)]):
                raise AccessError(f'a pack in the {bucket.store.place} was given up while it was uploaded; try again')
        except BaseException:
            bucket.publisher.give_up(pack)
            raise

    def correct(self, before: Placement, right: Placement) -> None:
        """Have the index say how an object lies in the pack in which it has it."""
        told = (right.start, right.stored, right.size, right.compressed, before.hash, before.pack, before.start)
        self._bucket.database.change(_CORRECT, told)

    def _publish(self, pack: UUID, size: int, list_bytes: int, objects: list[PlacedAnew]) -> bool:
        fresh = self._bucket.limits.grace_seconds / 4
        return self._bucket.database.transaction(_publication(pack, size, list_bytes, objects, fresh))


def _publication(
    pack: UUID, size: int, list_bytes: int, objects: list[PlacedAnew], fresh_seconds: float
) -> Callable[[Link], bool]:
    rows = sorted((one for one in objects if one.before is not None), key=lambda one: one.entry)
    columns = [[getattr(one.entry, name) for one in rows] for name in PackEntry._fields]
    old_packs = [one.before.pack for one in rows if one.before]
    old_starts = [one.before.start for one in rows if one.before]

    def work(link: Link) -> bool:
        if not make_live(link, pack, size, list_bytes):
            return is_live(link, pack)  # where the answer to the first try was lost, it may be
        if rows:
            link.execute(_MOVE.encode(), (pack, *columns, old_packs, old_starts))
        add_objects(link, pack, [one.entry for one in objects], fresh_seconds)
        return True

    return work
