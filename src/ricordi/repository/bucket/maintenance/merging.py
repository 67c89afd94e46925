"""Packs with waste, and packs that are too small, are written anew: what is in them goes into new packs, checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal
from uuid import UUID

from ricordi.backend.maintenance import MaintenanceStep
from ricordi.errors import LostObject
from ricordi.repository.bucket.counting import PackUse, counted
from ricordi.repository.bucket.database import Link
from ricordi.repository.bucket.index import Placement, is_live, make_live
from ricordi.repository.bucket.maintenance.step import BucketWork
from ricordi.repository.bucket.publishing import PackDraft
from ricordi.repository.bucket.putting import form_of
from ricordi.repository.bucket.reading import ReadObject

ELECTION = 'ricordi_bucket.repack'

_OBJECTS = """
SELECT hash, pack, start, stored, size, compressed FROM objects WHERE pack = ANY(%s) ORDER BY pack, start, hash
"""
# An object that was removed, or put elsewhere, since it was read stays as it is by now.
_MOVE = """
UPDATE objects AS o SET pack = %s, start = n.start, stored = n.stored, compressed = n.compressed
FROM unnest(%b::bytea[], %b::bigint[], %b::bigint[], %b::boolean[], %s::uuid[], %b::bigint[])
AS n (hash, start, stored, compressed, old_pack, old_start)
WHERE o.hash = n.hash AND o.pack = n.old_pack AND o.start = n.old_start
"""


class PackMerging:
    """Repacks. One host at a time, which only saves work: what two do at once comes to the same."""

    name = 'repack'

    def __init__(self, work: BucketWork) -> None:
        self._work = work
        self._bucket = work.bucket

    def plan(self) -> MaintenanceStep | None:
        chosen = self._chosen()
        if not chosen:
            return None
        size, waste = sum(pack.stored for pack in chosen), sum(pack.waste for pack in chosen)
        return MaintenanceStep(
            self.name,
            f'{counted(len(chosen))} with waste, or small, {"is" if len(chosen) == 1 else "are"} written anew',
            sum(pack.objects for pack in chosen),
            read=size,
            write=size,
            freed=waste,
        )

    def _chosen(self) -> list[PackUse]:
        """Packs that are worth it; one that holds a single large object has nothing to gain."""
        options, limits = self._work.options, self._bucket.limits
        if options.repack == 'none':
            return []
        packs = sorted(
            (use for use in self._work.look.uses if use.state == 'live' and use.objects),
            key=lambda pack: (pack.stored, pack.uuid),
        )
        packs = [pack for pack in packs if pack.objects > 1 or pack.largest <= limits.large_bytes]
        if options.full and options.repack == 'all':
            return packs
        wasteful = [pack for pack in packs if options.full and pack.waste * 100 > options.max_waste * pack.bytes]
        taken = {pack.uuid for pack in wasteful}
        small = [
            pack for pack in packs if pack.stored < limits.small_pack * limits.pack_bytes and pack.uuid not in taken
        ]
        worth_it = len(small) >= limits.merge_from or (options.full and len(small) + bool(wasteful) > 1)
        return wasteful + (small if worth_it else [])

    def carry_out(self) -> MaintenanceStep:
        ((elected,),) = self._bucket.database.rows('SELECT pg_try_advisory_lock(hashtext(%s))', (ELECTION,))
        if not elected:
            return MaintenanceStep(self.name, 'another host does it')
        try:
            self._work.look.forget()  # another host may have done it by now
            return self._repack(self._chosen())
        finally:
            self._bucket.database.rows('SELECT pg_advisory_unlock(hashtext(%s))', (ELECTION,))

    def _repack(self, chosen: list[PackUse]) -> MaintenanceStep:
        objects = size = freed = 0
        for packs in self._portions(chosen):
            if self._work.run.stop.reason:
                break
            for draft, places in self._drafts(packs):
                self._publish(draft, places)
                objects, size = objects + len(places), size + sum(place.stored for place in places)
                self._work.run.progress.advance(len(places))
            freed += sum(pack.waste for pack in packs)
        return MaintenanceStep(self.name, '', objects, read=size, write=size, freed=freed)

    def _portions(self, packs: list[PackUse]) -> Iterator[list[PackUse]]:
        """Packs that come to about one new pack: so much is in memory at once."""
        portion: list[PackUse] = []
        for pack in packs:
            if portion and sum(one.stored for one in portion) + pack.stored > self._bucket.limits.pack_bytes:
                yield portion
                portion = []
            portion.append(pack)
        if portion:
            yield portion

    def _drafts(self, packs: list[PackUse]) -> Iterator[tuple[PackDraft, list[Placement]]]:
        """New packs of what is in old ones, as far as it is sound, and where each object was."""
        rows = self._bucket.database.rows(_OBJECTS, ([pack.uuid for pack in packs],))
        draft, places = PackDraft(), []
        for one in self._bucket.reader.contents([Placement(*row) for row in rows]):
            if isinstance(one.content, Exception):
                one = self._read_again(one)
            if isinstance(one.content, Exception):
                self._note(one, one.content)
                continue
            self._add(draft, one, one.content)
            places.append(one.place)
            if len(draft.data) >= self._bucket.limits.pack_bytes:
                yield draft, places
                draft, places = PackDraft(), []
        if places:
            yield draft, places

    def _add(self, draft: PackDraft, one: ReadObject, content: bytes) -> None:
        if self._work.options.compress == 'keep':
            draft.add(one.place.hash, one.stored, one.place.size, one.place.compressed)
        else:
            form = form_of(content, self._work.options.compress)
            draft.add(one.place.hash, form.data, form.size, form.compressed)

    def _read_again(self, one: ReadObject) -> ReadObject:
        """What comes of a second try: the way may be what is bad."""
        (again,) = self._bucket.reader.contents([one.place])
        return again

    def _note(self, one: ReadObject, error: Exception) -> None:
        """Tell of an object that cannot be read, unless it was only moved meanwhile."""
        now = self._bucket.index.find(one.place.key)
        if now is not None and now[:3] == one.place[:3]:
            kind: Literal['missing', 'damaged'] = 'missing' if isinstance(error, LostObject) else 'damaged'
            self._work.problems.add(kind, one.place.key, str(error).partition('; ')[0])

    def _publish(self, draft: PackDraft, places: list[Placement]) -> None:
        data = draft.sealed()
        rows = sorted(zip(draft.entries, places, strict=True))
        columns = (
            [entry.hash for entry, _ in rows],
            [entry.start for entry, _ in rows],
            [entry.stored for entry, _ in rows],
            [entry.compressed for entry, _ in rows],
            [place.pack for _, place in rows],
            [place.start for _, place in rows],
        )

        def publish(pack: UUID) -> bool:
            def work(link: Link) -> bool:
                if not make_live(link, pack, len(data), draft.list_bytes):
                    return is_live(link, pack)
                link.execute(_MOVE, (pack, *columns))
                return True

            return self._bucket.database.transaction(work)

        self._bucket.publisher.upload(data, publish)
