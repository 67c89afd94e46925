"""Verification of packs without an index: whether each tells what is in it, and whether that is what its keys say."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from ricordi.backend.maintenance import KeyStream
from ricordi.backend.plain_verification import verify_plainly
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import RECENT_DAYS, Subset, Topic, VerificationState, VerifyOptions
from ricordi.errors import CorruptStorage, LostObject
from ricordi.progress import Run
from ricordi.repository.bucket.index import PackEntry, Placement
from ricordi.repository.bucket.listed.catalogue import PackCatalogue
from ricordi.repository.bucket.publishing import pack_name

if TYPE_CHECKING:
    from ricordi.repository.bucket.listed.repository import ListedRepository


def verify_listed(
    repository: ListedRepository, options: VerifyOptions, named_keys: KeyStream, run: Run
) -> Iterator[Finding | Topic]:
    """As of `RepositoryBackend.verify`: lists of packs, then objects; what was read longest ago is read first."""
    catalogue, begin = repository.catalogue, time.perf_counter()
    catalogue.look_again(lasting=False)
    catalogue.check()
    for pack, reason in catalogue.unreadable.items():
        yield Finding('damaged pack', f'nobody knows what is in it: {reason}', where=pack_name(pack))
    yield Topic('packs', len(catalogue.packs), 'packs', seconds=time.perf_counter() - begin)
    yield from verify_plainly(repository, options._replace(read=False), named_keys, run)
    if options.read and not run.stop.reason:
        yield from PackReading(repository, run).read(options.subset, options.remember)


class PackReading:
    """Reads all objects of packs, copy by copy, by the list that stands in the pack itself."""

    def __init__(self, repository: ListedRepository, run: Run) -> None:
        self._repository = repository
        self._catalogue = repository.catalogue
        self._run = run
        self._objects = self._bytes = 0

    def read(self, subset: Subset | None, remember: bool) -> Iterator[Finding | Topic]:
        """Findings, and the topic at the end.

        :param remember: note which packs were read.
        """
        begin = time.perf_counter()
        packs = _chosen(self._catalogue, subset)
        self._run.progress.begin('read objects', sum(self._catalogue.packs[pack].bytes for pack in packs))
        complete = True
        for pack in packs:
            if self._run.stop.reason:
                complete = False
                break
            yield from self._pack(pack)
            if remember:
                note = 'INSERT OR REPLACE INTO verified VALUES (?, ?)'
                self._catalogue.file.change((note, [(pack.bytes, time.time())]))
            self._run.progress.advance(self._catalogue.packs[pack].bytes)
        self._run.progress.end()
        seconds = time.perf_counter() - begin
        yield Topic('content of objects', self._objects, 'objects', self._bytes, seconds, complete)

    def _pack(self, pack: UUID) -> Iterator[Finding]:
        try:
            entries = self._catalogue.entries(pack, self._catalogue.packs[pack].bytes)
        except LostObject:
            return  # removed since it was listed
        except CorruptStorage as error:
            yield Finding('damaged pack', f'nobody knows what is in it: {error}', where=pack_name(pack))
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
            with self._repository.reader.open_at(place) as handle:
                while handle.read(1 << 20):
                    pass
        except CorruptStorage as error:
            return error
        return None

    def _told(self, place: Placement, fault: Exception | None) -> Iterator[Finding]:
        """What was found of a copy, noted for the next backup, which puts the object anew if it has no other copy."""
        assert place.pack is not None
        if isinstance(fault, LostObject):
            return
        self._objects, self._bytes = self._objects + 1, self._bytes + place.size
        self._catalogue.note_bad(place.hash, place.pack, fault is not None)
        if fault is not None:
            is_spare = bool(self._catalogue.known([place.hash]))
            kind, detail = ('damaged copy' if is_spare else 'damaged object'), str(fault).partition('; ')[0]
            yield Finding(kind, detail, pack_name(place.pack), place.key, notice=is_spare)


def _place(pack: UUID, entry: PackEntry) -> Placement:
    return Placement(entry.hash, pack, entry.start, entry.stored, entry.size, entry.compressed)


def _chosen(catalogue: PackCatalogue, subset: Subset | None) -> list[UUID]:
    """Packs to read, what was read longest ago first."""
    read = _read_times(catalogue)
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


def _read_times(catalogue: PackCatalogue) -> dict[UUID, float]:
    return {UUID(bytes=uuid): when for uuid, when in catalogue.file.rows('SELECT uuid, time FROM verified')}


def note_structure(catalogue: PackCatalogue, findings: int) -> None:
    """Remember on this machine that the structure was looked at just now."""
    catalogue.file.change(('INSERT OR REPLACE INTO looked VALUES (1, ?, ?)', [(time.time(), findings)]))


def state_of_packs(catalogue: PackCatalogue) -> VerificationState:
    """What was noted on this machine of earlier verifications."""
    looked = catalogue.file.rows('SELECT time, findings FROM looked')
    read = {pack: when for pack, when in _read_times(catalogue).items() if pack in catalogue.packs}
    since = (datetime.now(UTC) - timedelta(days=RECENT_DAYS)).timestamp()
    return VerificationState(
        structure=datetime.fromtimestamp(looked[0][0], UTC) if looked else None,
        findings=(looked[0][1] if looked else 0) + len(catalogue.bad()),
        total=sum(one.bytes for one in catalogue.packs.values()),
        read=sum(catalogue.packs[pack].bytes for pack in read),
        recent=sum(catalogue.packs[pack].bytes for pack, when in read.items() if when >= since),
        oldest=datetime.fromtimestamp(min(read.values()), UTC) if read else None,
    )
