"""What is out of use leaves the bucket: packs without objects, packs that were never finished, what has no row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

from ricordi.backend.maintenance import MaintenanceStep
from ricordi.repository.bucket.counting import counted
from ricordi.repository.bucket.maintenance.step import BucketWork
from ricordi.repository.bucket.objects import DELETED_AT_ONCE, Listed
from ricordi.repository.bucket.publishing import PACKS, pack_name, pack_of, writer
from ricordi.repository.bucket.verification.packs import OddPack, compared_packs

_EMPTY = "state = 'live' AND NOT EXISTS (SELECT 1 FROM objects AS o WHERE o.pack = p.uuid)"
_LATE = "state = 'writing' AND created <= clock_timestamp() - %s * interval '1 s'"
_DUE = "state = 'condemned' AND condemned <= clock_timestamp() - %s * interval '1 s'"
# What is condemned only now stays for the grace period, and frees nothing yet.
_COUNT = f"""
SELECT count(*), coalesce(sum(bytes) FILTER (WHERE state = 'condemned' OR %s <= 0), 0)::bigint
FROM packs AS p WHERE ({_DUE}) OR ({_EMPTY}) OR ({_LATE})
"""
# Two statements. One for both would wait for a writer who is publishing his pack, then find it live, and look for its
# objects as of the time before he had put them in: it would condemn a pack that is in use.
_CONDEMN_LATE = f"UPDATE packs SET state = 'condemned', condemned = clock_timestamp() WHERE {_LATE}"
_CONDEMN_EMPTY = f"UPDATE packs AS p SET state = 'condemned', condemned = clock_timestamp() WHERE {_EMPTY}"
_TAKE = f'SELECT uuid, bytes FROM packs WHERE {_DUE} LIMIT %s'
_CLAIM = """
INSERT INTO packs (uuid, state, bytes, writer, condemned)
SELECT n.uuid, 'condemned', n.bytes, %s, clock_timestamp() FROM unnest(%s::uuid[], %s::bigint[]) AS n (uuid, bytes)
ON CONFLICT DO NOTHING
"""
_ONE_OF_PACK = 'SELECT hash, count(*) OVER () - 1 FROM objects WHERE pack = %s LIMIT 1'


class PackRemoval:
    """Condemns packs that nobody needs; and removes from the bucket, then from the index, those whose grace is over."""

    name = 'remove packs'

    def __init__(self, work: BucketWork) -> None:
        self._work = work
        self._bucket = work.bucket
        # Who holds the profile knows that nobody writes a pack now. Else one that is given up too early is put anew.
        alone = work.options.full and work.run.lock_check is not None
        self._writing_seconds = 0.0 if alone else self._bucket.limits.leftover_seconds

    def plan(self) -> MaintenanceStep | None:
        grace = self._work.grace_seconds
        parameters = (grace, grace, self._writing_seconds)
        ((packs, size),) = self._bucket.database.rows(_COUNT, parameters)
        return MaintenanceStep(self.name, f'{counted(packs)} out of use', freed=size) if packs else None

    def carry_out(self) -> MaintenanceStep:
        condemned = self._bucket.database.change(_CONDEMN_LATE, (self._writing_seconds,))
        condemned += self._bucket.database.change(_CONDEMN_EMPTY)
        removed = freed = 0
        while not self._work.run.stop.reason:
            parameters = (self._work.grace_seconds, DELETED_AT_ONCE)
            rows = self._bucket.database.rows(_TAKE, parameters)
            if not rows:
                break
            # The bucket first: a row that is left tells the next run what else there is to remove.
            self._bucket.store.delete([pack_name(pack) for pack, _ in rows])
            packs = [pack for pack, _ in rows]
            self._bucket.database.change("DELETE FROM packs WHERE uuid = ANY(%s) AND state = 'condemned'", (packs,))
            removed, freed = removed + len(rows), freed + sum(size for _, size in rows)
        detail = f'{counted(condemned)} put out of use, {removed} removed'
        return MaintenanceStep(self.name, detail, freed=freed)


class BucketSweep:
    """Removes what lies among the packs for long and has no row: an upload that came late, after its pack was removed.

    The listing comes before the look at the rows: a pack has its row before it is uploaded, so what has none by then
    is nobody's. It gets a row first, that of a condemned pack, and goes only then: a repair that takes up packs without
    rows leaves to the sweep what has this row, and what has the repair's the sweep leaves to it.
    """

    name = 'sweep'

    def __init__(self, work: BucketWork) -> None:
        self._work = work
        self._bucket = work.bucket
        self._found: dict[UUID, Listed] = {}
        """What was seen when this was planned; who takes it is decided by its row."""

    def plan(self) -> MaintenanceStep | None:
        self._found = {}
        listing = self._noted(self._bucket.store.listed(PACKS))
        missing = [odd for _, odd in compared_packs(self._bucket, listing) if odd is not None and odd.found is None]
        for _ in listing:  # behind the last pack of the index
            pass
        self._tell_missing(missing)
        if missing or not self._found:
            return None
        freed = sum(one.bytes for one in self._found.values())
        return MaintenanceStep(self.name, f'{counted(len(self._found), "file")} without a row', freed=freed)

    def carry_out(self) -> MaintenanceStep:
        found = self._taken(self._found)
        self._bucket.store.delete([one.name for one in found.values()])
        self._bucket.database.change("DELETE FROM packs WHERE uuid = ANY(%s) AND state = 'condemned'", ([*found],))
        freed = sum(one.bytes for one in found.values())
        return MaintenanceStep(self.name, f'{counted(len(found), "file")} without a row', freed=freed)

    def _tell_missing(self, missing: list[OddPack]) -> None:
        """Packs that are needed are not there: what has no row may hold what was in them, as after a database was put
        back to an earlier state, and only a repair can tell."""
        for odd in missing:
            for hash, others in self._bucket.database.rows(_ONE_OF_PACK, (odd.uuid,)):
                are = f'it and {counted(others, "other object")} are' if others else 'it is'
                detail = f'{pack_name(odd.uuid)}, in which {are}, is not in the bucket, so that nothing is swept'
                self._work.problems.add('missing', hash.hex(), detail)

    def _taken(self, found: dict[UUID, Listed]) -> dict[UUID, Listed]:
        """Those of these that nobody else has taken meanwhile; they have a row from now on."""
        packs, sizes = [*found], [one.bytes for one in found.values()]
        taken = f'{writer()} sweep {uuid4().hex[:8]}'  # told apart where the statement has to be sent twice
        self._bucket.database.change(_CLAIM, (taken, packs, sizes))
        rows = self._bucket.database.rows('SELECT uuid FROM packs WHERE uuid = ANY(%s) AND writer = %s', (packs, taken))
        return {pack: found[pack] for (pack,) in rows}

    def _noted(self, listing: Iterator[Listed]) -> Iterator[Listed]:
        """The listing; what of it is old and has no row is noted as found."""
        ((now,),) = self._bucket.database.rows('SELECT clock_timestamp()')
        before = now - timedelta(seconds=self._bucket.limits.leftover_seconds)
        waiting: dict[UUID, Listed] = {}
        for one in listing:
            pack = pack_of(one.name)
            if pack is not None and one.modified <= before:
                waiting[pack] = one
            if len(waiting) >= self._bucket.limits.rows:
                self._found |= self._without_row(waiting)
                waiting = {}
            yield one
        self._found |= self._without_row(waiting)

    def _without_row(self, listed: dict[UUID, Listed]) -> dict[UUID, Listed]:
        rows = self._bucket.database.rows('SELECT uuid FROM packs WHERE uuid = ANY(%s)', ([*listed],)) if listed else ()
        known = {pack for (pack,) in rows}
        return {pack: one for pack, one in listed.items() if pack not in known}
