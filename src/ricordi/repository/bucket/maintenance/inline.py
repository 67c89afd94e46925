"""Objects that are kept in the database go into packs; by any number of hosts at once, each takes others."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from ricordi.backend.maintenance import MaintenanceStep
from ricordi.errors import AccessError, CorruptStorage, UnreachableStorage
from ricordi.repository.bucket.database import Link
from ricordi.repository.bucket.index import PackEntry, Placement, make_live
from ricordi.repository.bucket.maintenance.step import BucketWork
from ricordi.repository.bucket.publishing import PackDraft, pack_name, writer
from ricordi.repository.bucket.putting import form_of
from ricordi.repository.bucket.reading import content_in

_COUNT = 'SELECT count(*), coalesce(sum(stored), 0)::bigint FROM objects WHERE pack IS NULL'
# The lock lets nodes be committed that name these objects; what another host packs is passed over.
_TAKE = """
SELECT hash, NULL, start, stored, size, compressed, inline FROM objects
WHERE pack IS NULL AND hash > %b ORDER BY hash LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
"""
_MOVE = """
UPDATE objects AS o SET pack = %s, start = n.start, stored = n.stored, compressed = n.compressed, inline = NULL
FROM unnest(%b::bytea[], %b::bigint[], %b::bigint[], %b::boolean[]) AS n (hash, start, stored, compressed)
WHERE o.hash = n.hash
"""


class InlinePacking:
    """Packs what is in the database."""

    name = 'pack'

    def __init__(self, work: BucketWork) -> None:
        self._work = work
        self._bucket = work.bucket
        self._damaged: set[bytes] = set()
        self._last = b''

    def plan(self) -> MaintenanceStep | None:
        ((objects, size),) = self._bucket.database.rows(_COUNT)
        if objects <= len(self._damaged):
            return None
        detail = 'what is in the database goes into packs'
        return MaintenanceStep(self.name, detail, objects, read=size, write=size)

    def carry_out(self) -> MaintenanceStep:
        objects = size = 0
        self._last = b''
        while not self._work.run.stop.reason:
            entries = self._pack_some()
            if not entries:
                break
            objects, size = objects + len(entries), size + sum(entry.stored for entry in entries)
            self._work.run.progress.advance(len(entries))
        return MaintenanceStep(self.name, 'what is in the database goes into packs', objects, read=size, write=size)

    def _pack_some(self) -> list[PackEntry]:
        """Pack as much as a pack holds; anew where it fails or was given up meanwhile, as often as is worth it."""
        pause = self._bucket.limits.pause_seconds
        for _ in range(self._bucket.limits.tries - 1):
            last = self._last
            try:
                return self._once_packed()
            except (UnreachableStorage, AccessError):
                self._last = last
                time.sleep(pause)
                pause *= 2
        return self._once_packed()

    def _once_packed(self) -> list[PackEntry]:
        """Taken, uploaded and moved in one transaction, behind the intent."""
        pack = self._bucket.index.intend(0, writer())
        try:
            entries = self._bucket.database.once(lambda link: self._in_transaction(link, pack))
        except (UnreachableStorage, AccessError):
            self._bucket.publisher.give_up(pack)
            raise
        if not entries:
            self._bucket.database.change("DELETE FROM packs WHERE uuid = %s AND state = 'writing'", (pack,))
        return entries

    def _in_transaction(self, link: Link, pack: UUID) -> list[PackEntry]:
        draft = self._filled(link)
        if draft.entries:
            data = draft.sealed()
            self._bucket.store.put(pack_name(pack), data)
            if not make_live(link, pack, len(data), draft.list_bytes):
                raise AccessError('a pack was given up while it was uploaded; try again')
            hashes, starts, stored, _, compressed = ([*column] for column in zip(*draft.entries, strict=True))
            link.execute(_MOVE, (pack, hashes, starts, stored, compressed))
        return draft.entries

    def _filled(self, link: Link) -> PackDraft:
        """A pack of what lies behind the last, as far as nobody else has taken it."""
        draft = PackDraft()
        while len(draft.data) < self._bucket.limits.pack_bytes:
            with link.cursor(binary=True) as cursor:
                rows = cursor.execute(_TAKE.encode(), (self._last, self._bucket.limits.rows)).fetchall()
            if not rows:
                break
            for row in rows:
                self._add(draft, Placement(*row))
            self._last = bytes(rows[-1][0])
        return draft

    def _add(self, draft: PackDraft, place: Placement) -> None:
        try:
            content = content_in(place, place.inline or b'')
        except CorruptStorage as error:
            self._damaged.add(place.hash)
            self._work.problems.add('damaged', place.key, str(error).partition('; ')[0])
            return
        form: Any = form_of(content, self._work.options.compress)
        draft.add(place.hash, form.data, form.size, form.compressed)
