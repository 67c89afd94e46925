"""What lies in the packs by the lists at their ends, whatever the index says."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from ricordi.errors import CorruptStorage
from ricordi.progress import Run
from ricordi.repository.bucket.index import PackEntry, Placement
from ricordi.repository.bucket.objects import Listed
from ricordi.repository.bucket.pack_form import entries_of
from ricordi.repository.bucket.publishing import PACKS, pack_name, pack_of
from ricordi.repository.parallel import in_order

if TYPE_CHECKING:
    from ricordi.repository.bucket.bucket import BucketRepository

AT_ONCE = 8
"""Packs of which the lists are fetched together."""

_STANDING = """
SELECT uuid, state, EXISTS (SELECT 1 FROM objects AS o WHERE o.pack = packs.uuid) FROM packs WHERE uuid = ANY(%s)
"""


class PackFound(NamedTuple):
    """A pack that lies in the bucket.

    :param state: what the index says of it; empty: nothing.
    :param is_used: whether the index has objects in it.
    """

    uuid: UUID
    bytes: int
    state: str
    is_used: bool

    @property
    def is_free(self) -> bool:
        """Whether it can be taken up as a whole: nobody reads or writes it, nor is anybody about to remove it."""
        return not self.state or (self.state == 'live' and not self.is_used)


class PackList(NamedTuple):
    """A pack with the list of its objects, as far as that can be read."""

    pack: PackFound
    entries: list[PackEntry]

    def places(self, wanted: Collection[bytes]) -> Iterator[Placement]:
        """Where those of these lie that are in it."""
        for entry in self.entries:
            if entry.hash in wanted:
                yield placed(self.pack.uuid, entry)


def placed(pack: UUID, entry: PackEntry) -> Placement:
    """Where an object lies that a list tells of."""
    return Placement(entry.hash, pack, entry.start, entry.stored, entry.size, entry.compressed)


def lists_of_packs(bucket: BucketRepository, run: Run) -> Iterator[PackList]:
    """All packs in the bucket with what they list; ends early where it is told to stop."""
    with closing(in_order(partial(_listed, bucket), _packs(bucket), AT_ONCE, AT_ONCE)) as lists:
        for one in lists:
            if run.stop.reason:
                return
            yield one


def _packs(bucket: BucketRepository) -> Iterator[PackFound]:
    listed = bucket.store.listed(PACKS)
    while some := list(islice(listed, bucket.limits.rows)):
        found: dict[UUID, Listed] = {pack: one for one in some if (pack := pack_of(one.name)) is not None}
        rows = {uuid: told for uuid, *told in bucket.database.rows(_STANDING, ([*found],))} if found else {}
        for pack, one in found.items():
            state, is_used = rows.get(pack, ('', False))
            yield PackFound(pack, one.bytes, state, is_used)


def _listed(bucket: BucketRepository, pack: PackFound) -> PackList:
    name = pack_name(pack.uuid)
    try:
        entries = entries_of(lambda start, length: bucket.store.get_range(name, start, length), pack.bytes)
    except CorruptStorage:  # also where it is gone by now
        return PackList(pack, [])
    return PackList(pack, [one for one in entries if len(one.hash) == 32 and one.stored + one.start <= pack.bytes])
