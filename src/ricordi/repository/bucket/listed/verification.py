"""Verification of packs without an index: whether each tells what is in it, and whether that is what its keys say."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

from ricordi.backend.maintenance import KeyStream
from ricordi.backend.plain_verification import verify_plainly
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import RECENT_DAYS, Subset, Topic, VerificationState, VerifyOptions
from ricordi.errors import CorruptStorage, LostObject, RicordiError
from ricordi.progress import Run
from ricordi.repository.bucket.index import PackEntry, Placement
from ricordi.repository.bucket.listed.catalogue import WHOLE_LIST, PackCatalogue
from ricordi.repository.bucket.publishing import pack_name

if TYPE_CHECKING:
    from ricordi.repository.bucket.listed.repository import ListedRepository


def verify_listed(
    repository: ListedRepository, options: VerifyOptions, named_keys: KeyStream, run: Run
) -> Iterator[Finding | Topic]:
    """As of `RepositoryBackend.verify`: lists of packs, then objects; what was read longest ago is read first."""
    catalogue, begin = repository.catalogue, time.perf_counter()
    repository.notes.take_in()
    catalogue.look_again(lasting=False)
    catalogue.check()
    packs = Topic('packs', len(catalogue.packs), 'packs', seconds=time.perf_counter() - begin)
    is_lacking = False
    for one in verify_plainly(repository, options._replace(read=False), named_keys, run):
        is_lacking = is_lacking or isinstance(one, Finding) or not one.complete
        yield one
    reading = PackReading(repository, run, options.remember, may_be_missed=is_lacking)
    for pack in sorted(catalogue.without_list()):
        yield from reading.look_at_list(pack)
    yield packs
    if options.read and not run.stop.reason:
        yield from reading.read(options.subset)
    if reading.failed:
        detail = f'what was read cannot be noted in the place, for others to know: {reading.failed}'
        yield Finding('not remembered', detail, notice=True)


class PackReading:
    """Reads all objects of packs, copy by copy, by the list that stands in the pack itself."""

    def __init__(
        self, repository: ListedRepository, run: Run, remember: bool = True, may_be_missed: bool = True
    ) -> None:
        """
        :param remember: note which packs were read, and what was found, in the place.
        :param may_be_missed: whether something that is named lies nowhere else: a pack that does not tell what is in it
            may have it.
        """
        self._repository = repository
        self._catalogue = repository.catalogue
        self._run = run
        self._remember = remember
        self._may_be_missed = may_be_missed
        self._reasons: dict[UUID, str] = {}
        self._told_packs: set[UUID] = set()
        self._objects = self._bytes = 0
        self.failed = ''
        """Why something could not be noted in the place; empty: all was, or nothing was to be noted."""

    @cached_property
    def _now(self) -> float:
        """When this was found, by the clock of the store; where nothing may be written, when the last pack was put."""
        if self._remember:
            try:
                return self._repository.files.now().timestamp()
            except RicordiError as error:
                self._fail(error)
        return max((one.modified.timestamp() for one in self._catalogue.packs.values()), default=0.0)

    def _fail(self, error: RicordiError) -> None:
        self.failed, self._remember = str(error).partition('; ')[0], False

    def read(self, subset: Subset | None) -> Iterator[Finding | Topic]:
        """Findings, and the topic at the end."""
        begin = time.perf_counter()
        complete = yield from self.read_packs(_chosen(self._catalogue, subset))
        seconds = time.perf_counter() - begin
        yield Topic('content of objects', self._objects, 'objects', self._bytes, seconds, complete)

    def read_packs(self, packs: Sequence[UUID]) -> Generator[Finding, None, bool]:
        """Findings in these packs; what was found is noted, also when it ends early. Returns whether all were read."""
        sizes = {pack: self._catalogue.packs[pack].bytes for pack in packs}
        try:
            with self._run.step('read objects', sum(sizes.values())):
                for pack in packs:
                    if self._run.stop.reason:
                        return False
                    yield from self._pack(pack)
                    if self._remember:
                        self._catalogue.note_read({pack: self._now})
                    self._run.progress.advance(sizes[pack])
            return True
        finally:
            self._publish()

    def _publish(self) -> None:
        if self._remember:
            try:
                self._repository.notes.publish()
            except RicordiError as error:
                self._fail(error)

    def look_at_list(self, pack: UUID) -> Iterator[Finding]:
        """What is wrong with a pack that has not told what is in it, told once."""
        if (
            pack in self._catalogue.packs
            and pack not in self._told_packs
            and self._list_of(pack) is None
            and pack in self._reasons
        ):
            self._told_packs.add(pack)
            is_spare = not self._may_be_missed and not self._catalogue.bad()
            yield Finding('damaged pack', self._reasons[pack], where=pack_name(pack), notice=is_spare)

    def _list_of(self, pack: UUID) -> list[PackEntry] | None:
        """What a pack tells that is in it, noted if it tells nothing; None then, and of one that is gone."""
        try:
            entries = self._catalogue.entries(pack, self._catalogue.packs[pack].bytes)
        except LostObject:
            return None  # removed since it was listed
        except CorruptStorage as error:
            self._reasons[pack] = f'nobody knows what is in it: {error}'
            self._catalogue.note_bad(WHOLE_LIST, pack, True, self._now)
            return None
        self._catalogue.note_bad(WHOLE_LIST, pack, False, self._now)
        return entries

    def _pack(self, pack: UUID) -> Iterator[Finding]:
        if (entries := self._list_of(pack)) is None:
            yield from self.look_at_list(pack)
            return
        largest = self._repository.limits.large_bytes
        places = [_place(pack, entry) for entry in entries]
        small = [place for place in places if max(place.size, place.stored) <= largest]
        for one in self._repository.reader.contents(small):
            if isinstance(one.content, Exception):  # once more: the way may be what is bad
                (one,) = self._repository.reader.contents([one.place])
            yield from self._told(one.place, one.content if isinstance(one.content, Exception) else None)
        for place in places:
            if max(place.size, place.stored) > largest:
                yield from self._told(place, self._fault_of_large(place))

    def _fault_of_large(self, place: Placement) -> Exception | None:
        try:
            self._repository.reader.hash_at(place)
        except CorruptStorage as error:
            return error
        return None

    def _told(self, place: Placement, fault: Exception | None) -> Iterator[Finding]:
        """What was found of a copy, noted for the next backup, which puts the object anew if it has no other copy."""
        assert place.pack is not None
        if isinstance(fault, LostObject):
            return
        self._objects, self._bytes = self._objects + 1, self._bytes + place.size
        self._catalogue.note_bad(place.hash, place.pack, fault is not None, self._now)
        if fault is not None:
            is_spare = bool(self._catalogue.known([place.hash]))
            kind, detail = ('damaged copy' if is_spare else 'damaged object'), str(fault).partition('; ')[0]
            yield Finding(kind, detail, pack_name(place.pack), place.key, notice=is_spare)


def _place(pack: UUID, entry: PackEntry) -> Placement:
    return Placement(entry.hash, pack, entry.start, entry.stored, entry.size, entry.compressed)


def _chosen(catalogue: PackCatalogue, subset: Subset | None) -> list[UUID]:
    """Packs to read, what was read longest ago first."""
    read = catalogue.read_times()
    packs = sorted(catalogue.packs, key=lambda pack: (read.get(pack, 0.0), pack))
    if subset is None:
        return packs
    if subset.parts:
        return [pack for pack in packs if pack.int % subset.parts == subset.part - 1]
    most = subset.size or subset.share * sum(one.bytes for one in catalogue.packs.values())
    chosen, total = [], 0
    for pack in packs:
        if total >= most:
            break
        chosen.append(pack)
        total += catalogue.packs[pack].bytes
    return chosen


def note_structure(catalogue: PackCatalogue, findings: int) -> None:
    """Remember on this machine that the structure was looked at just now."""
    catalogue.file.change(('INSERT OR REPLACE INTO looked VALUES (1, ?, ?)', [(time.time(), findings)]))


def state_of_packs(catalogue: PackCatalogue) -> VerificationState:
    """What is known of earlier verifications: what was read by anybody, what else was found on this machine."""
    looked = catalogue.file.rows('SELECT time, findings FROM looked')
    read = {pack: when for pack, when in catalogue.read_times().items() if pack in catalogue.packs}
    since = (datetime.now(UTC) - timedelta(days=RECENT_DAYS)).timestamp()
    return VerificationState(
        structure=datetime.fromtimestamp(looked[0][0], UTC) if looked else None,
        findings=(looked[0][1] if looked else 0) + len(catalogue.bad()),
        total=sum(one.bytes for one in catalogue.packs.values()),
        read=sum(catalogue.packs[pack].bytes for pack in read),
        recent=sum(catalogue.packs[pack].bytes for pack, when in read.items() if when >= since),
        oldest=datetime.fromtimestamp(min(read.values()), UTC) if read else None,
    )
