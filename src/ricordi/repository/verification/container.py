"""Verification of a container: index, packs, loose files, what nodes name, and every byte where that is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import RECENT_DAYS, Topic, VerificationState, VerifyOptions
from ricordi.errors import CorruptStorage, StorageError
from ricordi.model.file_trees import is_key
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.verification.copies import Copies
from ricordi.repository.verification.leftovers import leftovers
from ricordi.repository.verification.loose import LooseInventory, count_loose
from ricordi.repository.verification.notes import Notes, notes_of
from ricordi.repository.verification.packs import (
    check_index_file,
    check_overlaps,
    check_pack_files,
    check_rows,
)
from ricordi.repository.verification.places import Cell, ObjectPlaces, known_cells, packed_bytes
from ricordi.repository.verification.reading import read_parts
from ricordi.repository.verification.selection import Part, all_parts, chosen
from ricordi.repository.verification.watch import Watch, in_words, watching

if TYPE_CHECKING:
    from ricordi.backend.maintenance import KeyStream
    from ricordi.progress import Run
    from ricordi.repository.container.index import Index

MOST_TOLD = 100_000
"""So many objects are remembered as told of: beyond that, one that several checks find wrong is told several times."""
DAY = 86_400


def verify_container(
    store: ObjectStore, options: VerifyOptions, named_keys: KeyStream, run: Run
) -> Iterator[Finding | Topic]:
    """See `RepositoryBackend.verify`."""
    run.progress.begin('look at the structure', None, 'objects')
    work = _Verification(store, options, run)
    try:
        index = store.new_index()
    except CorruptStorage as error:
        yield Finding('damaged object index', in_words(error), store.layout.index.name, remedy='index')
        yield Topic('index', complete=False)
        yield from work.without_index()
        work.save()
        return
    with closing(index):
        try:
            yield from work.with_index(index, named_keys)
        finally:
            work.save()  # whatever ends it: what was read until then was read


def state_of(store: ObjectStore, notes: Notes) -> VerificationState:
    """What is known of earlier verifications; of a container that was never verified nothing is looked at."""
    if notes.is_empty:
        return VerificationState()
    loose = LooseInventory()
    for _ in count_loose(store, notes, loose):
        continue  # told of by a verification
    cells, never_read = list[Cell](), 0
    with suppress(StorageError):  # told of elsewhere
        if notes.knows_packs:
            cells = known_cells(store.index, store.limits.cell_bytes, notes.kept_cells)
        else:
            never_read = packed_bytes(store.index)
    parts = all_parts(cells, loose, notes)
    now, unread = notes.clock(), {digit: amount.unread_bytes for digit, amount in loose.amounts.items()}
    times = [
        (notes.time_of_loose(part.digit) if part.digit else part.read_at, _read_bytes(part, unread)) for part in parts
    ]
    read = [(seconds, length) for seconds, length in times if seconds and length]
    return VerificationState(
        structure=_moment(notes.structure_time),
        findings=notes.structure_findings + len(notes.damaged) + notes.more_damaged,
        total=sum(part.length for part in parts) + never_read,
        read=sum(length for _, length in read),
        recent=sum(length for seconds, length in read if seconds >= now - RECENT_DAYS * DAY),
        oldest=_moment(min((seconds for seconds, _ in read), default=0)),
        of_rows=notes.structure_of_rows,
    )


def _read_bytes(part: Part, unread: dict[str, int]) -> int:
    return part.length - unread.get(part.digit, 0)


def _moment(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


class _Verification:
    """One verification."""

    def __init__(self, store: ObjectStore, options: VerifyOptions, run: Run) -> None:
        self._store = store
        self._options = options
        self._run = run
        self._notes = notes_of(store)
        self._copies = Copies(store)
        self._loose = LooseInventory()
        self._told: set[str] = set()

    def without_index(self) -> Iterator[Finding | Topic]:
        """What can be told though nobody knows what lies in the packs: the loose files."""
        yield from self._loose_files()
        if self._options.read and not self._run.stop.reason:
            yield from self._content(None, iter(()))

    def with_index(self, index: Index, named_keys: KeyStream) -> Iterator[Finding | Topic]:
        """All of it, topic by topic."""
        places: ObjectPlaces | None = None
        index.take_any_text()
        with watching('index', 'rows') as topic:
            yield from check_index_file(index, self._options.read)
            yield from check_rows(index)
            places = ObjectPlaces(index)
            topic.checked = places.objects
            yield from check_overlaps(places)
        yield from topic.told()
        steps: list[tuple[str, Callable[[], Iterator[Finding | Topic]]]] = []
        if (found := places) is not None:
            steps.append(('pack files', lambda: self._pack_files(found)))
        steps.append(('loose files', self._loose_files))
        if places is not None and self._options.read:
            # the other processors read already, while this one compares names
            steps.append(('named objects', lambda: self._content(places, self._named(index, named_keys))))
        elif places is not None:
            steps.append(('named objects', lambda: self._named(index, named_keys)))
        elif self._options.read:
            steps.append(('content of loose files', lambda: self._content(None, iter(()))))
        for name, step in steps:
            if self._run.stop.reason:
                yield Topic(name, complete=False)
            else:
                yield from step()

    def save(self) -> str:
        """Write down what was read; returns why that cannot be, or an empty text."""
        return self._notes.save() if self._options.remember else ''

    # -- structure --------------------------------------------------------------------------------------------

    def _pack_files(self, places: ObjectPlaces) -> Iterator[Finding | Topic]:
        with watching('pack files', 'packs') as topic:
            topic.checked = len({*places.extents(), *self._store.layout.pack_sizes()})
            yield from self._noting(check_pack_files(self._store, places, self._copies, self._is_told))
        yield from topic.told()

    def _loose_files(self) -> Iterator[Finding | Topic]:
        with watching('loose files', 'files') as topic:
            yield from count_loose(self._store, self._notes, self._loose)
            topic.checked = self._loose.objects
            yield from self._findings(self._loose.empty)
            yield from leftovers(self._store)
        yield from topic.told()

    def _remembered(self) -> Iterator[Finding]:
        """What was found damaged once, each time again."""
        for key in list(self._notes.damaged):
            if self._run.stop.reason:
                return
            found = [finding for finding in self._copies.findings(key) if finding.kind != 'missing object']
            if not found:
                self._notes.remove_damaged(key)
            elif not self._is_told(key):
                yield from self._noting(found)

    def _named(self, index: Index, named_keys: KeyStream) -> Iterator[Finding | Topic]:
        yield from self._remembered()
        with watching('named objects', 'objects') as topic:
            keys, topic.complete = named_keys(), False
            while some := list(islice(keys, self._store.limits.compare_at_once)):
                if self._run.stop.reason:
                    break
                topic.checked += len(some)
                self._run.progress.advance(0)
                # asked once more: an object may have been stored, or moved, since the index was asked
                yield from self._missing(key for key in index.absent(some) if not self._store.has_object(key))
            else:
                topic.complete = True
        yield from topic.told()

    def _missing(self, keys: Iterable[str]) -> Iterator[Finding]:
        for key in keys:
            if not is_key(key):
                yield Finding('missing object', 'what a node names is no key of an object', key=key)
            elif not self._is_told(key):
                yield from self._noting(self._copies.findings(key))

    # -- content ----------------------------------------------------------------------------------------------

    def _content(self, places: ObjectPlaces | None, meanwhile: Iterator[Finding | Topic]) -> Iterator[Finding | Topic]:
        cells = list[Cell]()
        if places is not None:
            cells = places.cells(self._store.limits.cell_bytes)
            self._notes.keep_cells(places.mark(), cells)
        parts = all_parts(cells, self._loose, self._notes)
        wanted = chosen(parts, self._options.subset)
        total = sum(part.length for part in wanted)
        packs, loose = Watch('content of packs', 'objects'), Watch('content of loose files', 'objects')
        packs.complete = loose.complete = not wanted
        begun, begin = int(self._notes.clock()), time.perf_counter()
        self._run.progress.begin('read content', total)
        try:
            yield from self._read(places, wanted, total, begun, (packs, loose), meanwhile)
            yield from meanwhile  # where there was nothing to read
            if packs.complete and len(wanted) == len(parts):
                self._notes.mark_all()
        except CorruptStorage as error:  # the index, where its rows are read once more
            packs.fault, packs.complete = in_words(error), False
        finally:
            self._run.progress.end()
        if reason := self.save():
            yield _unremembered(self._store, reason)
        # Both are read by the same processes: the time is shared out by the bytes.
        seconds, size = time.perf_counter() - begin, packs.bytes + loose.bytes or 1
        for topic, is_loose in ((packs, False), (loose, True)):
            topic.seconds = seconds * topic.bytes / size
            if any(bool(part.digit) == is_loose for part in parts):
                yield from topic.told()

    def _read(
        self,
        places: ObjectPlaces | None,
        parts: list[Part],
        total: int,
        begun: int,
        topics: tuple[Watch, Watch],
        meanwhile: Iterator[Finding | Topic],
    ) -> Iterator[Finding | Topic]:
        """Read parts and note them; `meanwhile` is done while the first are read.

        :param begun: when, in seconds since the epoch.
        """
        packs, loose = topics
        noted, left = time.monotonic(), len(parts)
        for part in parts:
            if part.cell is not None:
                self._notes.identity(part.cell.pack_id)  # before anything of the pack is read
        for question, answer in read_parts(self._store, places, parts, total, self._run):
            assert answer is not None
            yield from meanwhile
            topic, part = (loose if question.part.digit else packs), question.part
            topic.checked, topic.bytes = topic.checked + answer.objects, topic.bytes + answer.length
            yield from self._findings(key for key, _ in answer.wrong)
            if not question.is_last:
                continue
            left -= 1
            packs.complete = loose.complete = not left
            if part.cell is not None:
                self._notes.mark(part.cell)
            else:
                self._notes.mark_loose(part.digit, begun)
            if time.monotonic() - noted >= self._store.limits.note_seconds:
                self.save()
                noted = time.monotonic()

    # -- what all of it needs ---------------------------------------------------------------------------------

    def _findings(self, keys: Iterable[str]) -> Iterator[Finding]:
        """What is wrong with objects that seemed wrong: each is looked at again, and may be right, or gone."""
        for key in keys:
            found = [finding for finding in self._copies.findings(key) if finding.where]
            if found and not self._is_told(key):
                yield from self._noting(found)

    def _noting(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        for finding in findings:
            if finding.kind == 'damaged object':
                self._notes.add_damaged(finding.key)
            yield finding

    def _is_told(self, key: str) -> bool:
        """Whether an object has been told of already; from now on it has."""
        if key in self._told:
            return True
        if len(self._told) < MOST_TOLD:
            self._told.add(key)
        return False


def _unremembered(store: ObjectStore, reason: str) -> Finding:
    detail = f'what was read cannot be remembered for the next time: {reason}'
    return Finding('not remembered', detail, store.layout.verified.name, notice=True)
