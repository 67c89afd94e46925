"""Mending objects that are missing or damaged, or of which the index tells what is not so, beside other users.

Whatever is killed on the way, the next run goes on: a damaged copy is kept elsewhere, and a sound one is in its place,
before the index lets go of the damaged one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, NamedTuple
from uuid import UUID

from ricordi.backend.repair import Deed, Mending, RepairSource, SetAside
from ricordi.errors import CorruptStorage, NotEnoughSpace, NotExistent, RicordiError
from ricordi.files import DISK_IS_FULL
from ricordi.progress import Run
from ricordi.repository.bucket.index import Placement
from ricordi.repository.bucket.putting import pieces_of, read_up_to
from ricordi.repository.bucket.repair.aside import BucketAside
from ricordi.repository.bucket.repair.copies import content_of, fault_of, faults_of, open_copy
from ricordi.repository.bucket.repair.placing import Placing
from ricordi.repository.bucket.repair.taking_up import PackTaking
from ricordi.repository.bucket.repair.whereabouts import PackList, lists_of_packs

if TYPE_CHECKING:
    from ricordi.repository.bucket.bucket import BucketRepository


class FaultyObject(NamedTuple):
    """An object that is not as it should be.

    :param place: where the index has it; None: nowhere.
    :param fault: what is wrong with what lies there; empty: nothing, but its pack is gone or to be given up.
    """

    hash: bytes
    place: Placement | None
    fault: str

    @property
    def key(self) -> str:
        """Its key."""
        return self.hash.hex()

    @property
    def name(self) -> str:
        """What is wrong, in the words of a verification."""
        if self.place is None:
            return 'missing object'
        return 'damaged object' if self.fault else 'stranded object'


class BucketMender:
    """Mends objects of one store, from what lies in the bucket and from sources."""

    def __init__(self, bucket: BucketRepository, sources: Sequence[RepairSource], dry_run: bool, run: Run) -> None:
        """
        :param dry_run: tell what would be done, and change nothing.
        """
        self._bucket = bucket
        self._sources = sources
        self._dry_run = dry_run
        self._run = run
        self._aside = BucketAside(bucket)
        self._placing = Placing(bucket)
        self._taking = PackTaking(bucket)

    def mend(self, hashes: Sequence[bytes], given_up: Collection[UUID]) -> Iterator[Mending | SetAside]:
        """Mend objects; tells, when it is durable, of each that was not sound. Ends early where it is told to stop.

        :param given_up: packs of which nothing shall be left, though it may be sound.
        """
        with self._run.step('look at objects', len(hashes), 'objects'):
            faulty = {one.hash: one for one in self._look(hashes, given_up)}
        elsewhere: dict[bytes, list[Placement]] = {}
        yield from self._from_lists(faulty, elsewhere)
        told: list[Mending] = []
        with self._run.step('mend objects', len(faulty), 'objects'):
            for hash, one in faulty.items():
                if self._run.stop.reason:
                    break
                told.append(self._mend(one, elsewhere.get(hash, [])))
                self._run.progress.advance(1)
                if self._placing.is_full:
                    yield from self._settled(told)
                    told = []
            yield from self._settled(told)

    def _settled(self, told: list[Mending]) -> Iterator[Mending | SetAside]:
        self._run.check_lock()
        self._placing.flush()
        yield from told
        yield from self._aside.taken()

    def _look(self, hashes: Sequence[bytes], given_up: Collection[UUID]) -> Iterator[FaultyObject]:
        at_once = self._bucket.limits.rows
        for first in range(0, len(hashes), at_once):
            if self._run.stop.reason:
                return
            some = [*dict.fromkeys(hashes[first : first + at_once])]
            places = self._bucket.index.find_many(some)
            there = {place.hash for place in places}
            yield from (FaultyObject(hash, None, 'the index does not have it') for hash in some if hash not in there)
            for place, fault in faults_of(self._bucket, places):
                if (fault and self._is_there_still(place)) or place.pack in given_up:
                    yield FaultyObject(place.hash, place, fault)
                self._run.progress.advance(1)

    def _is_there_still(self, place: Placement) -> bool:
        """Whether the index says of an object what it said before it was read: else it was moved meanwhile."""
        return self._bucket.index.find(place.key) == place

    # -- what lies in the bucket ------------------------------------------------------------------------------

    def _from_lists(
        self, faulty: dict[bytes, FaultyObject], elsewhere: dict[bytes, list[Placement]]
    ) -> Iterator[Mending]:
        """Take up packs that hold what the index does not have, and note where else the others lie.

        :param faulty: without those that are mended, afterwards.
        :param elsewhere: places by hash; filled.
        """
        if all(one.place is not None and not one.fault for one in faulty.values()):
            return
        with self._run.step('look what packs list', None, 'objects'):
            for listed in lists_of_packs(self._bucket, self._run):
                places = [*listed.places(faulty)]
                lost = [place for place in places if faulty[place.hash].place is None]
                found = (
                    self._taken_up(listed, {place.hash for place in lost}) if lost and listed.pack.is_free else set()
                )
                for place in places:
                    if place.hash not in found:
                        elsewhere.setdefault(place.hash, []).append(place)
                    elif faulty.pop(place.hash, None) is not None:
                        detail = f'it lies in pack {place.pack}, byte {place.start}'
                        yield Mending('missing object', 'correct the index', place.key, detail)
                self._run.progress.advance(len(listed.entries))

    def _taken_up(self, listed: PackList, lost: set[bytes]) -> set[bytes]:
        return lost if self._dry_run else self._taking.take_up(listed) & lost

    # -- one object -------------------------------------------------------------------------------------------

    def _mend(self, one: FaultyObject, copies: Iterable[Placement]) -> Mending:
        if one.place is not None and not one.fault:
            deed: Deed = 'write it anew into another pack'
            return self._with_copy(one, one.place, deed, 'what is wrong is its pack')
        for place in copies:
            if place == one.place or fault_of(self._bucket, place):
                continue
            where = f'pack {place.pack}, byte {place.start}'
            if one.place is not None and place.pack == one.place.pack and not self._dry_run:
                self._aside.keep_damaged(one.place)
                self._placing.correct(one.place, place)
            if one.place is not None and place.pack == one.place.pack:
                return Mending('wrong index row', 'correct the index', one.key, f'it lies where its pack says: {where}')
            return self._with_copy(one, place, 'take it from a second copy', where)
        if kept := self._bucket.cache.get(one.hash):
            self._put(one, kept)
            return Mending(one.name, 'take it from a second copy', one.key, 'what this machine keeps of what was read')
        return self._from_sources(one)

    def _with_copy(self, one: FaultyObject, place: Placement, deed: Deed, detail: str) -> Mending:
        try:
            if place.is_above(self._bucket.limits.large_bytes):
                with closing(open_copy(self._bucket, place)) as handle:
                    self._put_stream(one, handle)
            else:
                self._put(one, content_of(self._bucket, place))
        except (CorruptStorage, NotExistent) as error:  # it went since it was looked at
            return Mending(one.name, '', one.key, str(error).partition('; ')[0])
        return Mending(one.name, deed, one.key, detail)

    def _put(self, one: FaultyObject, content: bytes) -> None:
        if not self._dry_run:
            self._keep(one)
            self._placing.add(one.hash, content, one.place)

    def _put_stream(self, one: FaultyObject, handle: BinaryIO, head: bytes = b'') -> None:
        if not self._dry_run:
            self._keep(one)
            self._placing.stream(one.hash, chain([head] if head else [], pieces_of(handle)), one.place)

    def _keep(self, one: FaultyObject) -> None:
        if one.place is not None and one.fault:
            self._aside.keep_damaged(one.place)

    def _from_sources(self, one: FaultyObject) -> Mending:
        wrong = []
        for source in self._sources:
            try:
                if not source.objects.has_object(one.key):
                    continue
                if not self._dry_run:
                    self._from_source(one, source)
                return Mending(one.name, 'take it from a source', one.key, source=source.name)
            except NotEnoughSpace:
                raise
            except (RicordiError, OSError) as error:
                if isinstance(error, OSError) and error.errno in DISK_IS_FULL:
                    raise
                wrong.append(f'{source.name}: {str(error).partition("; ")[0]}')
        reason = '; '.join(wrong) or 'it is in none of the sources, nor anywhere in the bucket'
        return Mending(one.name, '', one.key, reason)

    def _from_source(self, one: FaultyObject, source: RepairSource) -> None:
        with source.objects.open(one.key) as handle:
            head = read_up_to(handle, self._bucket.limits.large_bytes + 1)
            if len(head) > self._bucket.limits.large_bytes:
                self._put_stream(one, handle, head)
            elif sha256(head).digest() != one.hash:
                raise CorruptStorage('it has other bytes')
            else:
                self._put(one, head)
