"""Taking away packs of which no snapshot names anything, beside others who make snapshots and who do the same.

Nobody is locked out, and no clock of a host is asked. In this order, and in no other:

1. what little is named of a pack is put into a new pack, unless another pack that stays has it, sound;
2. a marker says that the old pack is going;
3. only then is looked who else has said so of which pack, which packs there are, and what is named by now;
4. a pack goes if all that is named of it lies in packs where this run has put or read it, that are there, and that
   nobody has marked; else it stays, and this run's marker goes;
5. the markers of a pack go after it.

Who makes a snapshot says so before he looks at the markers: so one of the two sees the other
(docs/decisions/backups-in-buckets.md).

A pack that does not tell what is in it may hold anything. It goes if all that is named by now lies in packs that stay,
where it was read; what nobody has read yet is read for that.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid4

from ricordi.backend.maintenance import (
    Amount,
    KeyStream,
    MaintenanceOptions,
    MaintenanceReport,
    MaintenanceStep,
    UndoneStep,
)
from ricordi.backend.objects import StoredForm
from ricordi.errors import AccessError, CorruptStorage, NotExistent, RicordiError
from ricordi.progress import Run
from ricordi.repository.bucket.counting import counted
from ricordi.repository.bucket.index import Placement
from ricordi.repository.bucket.listed.catalogue import VARIABLES
from ricordi.repository.bucket.listed.choosing import GoingPacks, PackChoice, bytes_of, portions
from ricordi.repository.bucket.listed.publishing import marker
from ricordi.repository.bucket.listed.verification import PackReading
from ricordi.repository.bucket.publishing import PackDraft, pack_name
from ricordi.repository.bucket.reading import ReadObject
from ricordi.repository.parallel import in_order

if TYPE_CHECKING:
    from ricordi.repository.bucket.listed.repository import ListedRepository

AT_ONCE = 5000


def give_back(
    repository: ListedRepository, options: MaintenanceOptions, named_keys: KeyStream, run: Run
) -> MaintenanceReport:
    """Plan and, unless `options.dry_run`, carry out; see `RepositoryBackend.maintain`.

    :param named_keys: as of each time that it is asked, those of snapshots in the making too.
    :raises ricordi.errors.CorruptStorage: what snapshots name is not certain; this run's markers are gone then.
    """
    before = repository.files.traffic
    work = GivingBack(repository, named_keys, run)
    report = work.plan(options)
    if not options.dry_run:
        report = work.carry_out(report)
    return report._replace(traffic=repository.files.traffic.since(before))


class GivingBack:
    """One run."""

    def __init__(self, repository: ListedRepository, named_keys: KeyStream, run: Run) -> None:
        self._repository = repository
        self._catalogue = repository.catalogue
        self._store = repository.files
        self._choice = PackChoice(repository, named_keys)
        self._run = run
        self._id = uuid4()
        self._losses = 0
        self._going = GoingPacks([], [], [], [], [])
        self._leaving: frozenset[UUID] = frozenset()

    def plan(self, options: MaintenanceOptions) -> MaintenanceReport:
        """What could go now."""
        self._repository.notes.take_in()
        self._catalogue.look_again(lasting=False)
        self._catalogue.check()
        self._losses = self._catalogue.file.losses
        with self._run.step('find what snapshots name', None, 'objects'):
            self._choice.measure()
        self._going = self._choice.going(datetime.now(UTC) if options.dry_run else self._store.now())
        self._leaving = frozenset(self._going.all)
        return MaintenanceReport(options, self._choice.state, steps=(*self._choice.steps(self._going),))

    def carry_out(self, report: MaintenanceReport) -> MaintenanceReport:
        """Take away what can go; packs that others have taken away meanwhile leave no markers."""
        self._remove_leftover_markers()
        if not report.steps:
            return report
        begin = time.perf_counter()
        written = self._write_anew()
        read = self._read_unread()
        going = [] if self._run.stop.reason else [*self._going.all]
        freed = self._take_away(going) - written.bytes
        done = MaintenanceStep(
            'remove packs',
            f'{counted(len(going))}, what is named of them written anew',
            written.objects,
            read=written.bytes + read,
            write=written.bytes,
            freed=freed,
            seconds=time.perf_counter() - begin,
        )
        if reason := self._run.stop.reason:
            left = tuple(UndoneStep(step.name, step.detail, step.objects) for step in report.steps)
            return report._replace(steps=(done,), left=left, interrupted=reason)
        return report._replace(steps=(done,))

    def _read_unread(self) -> int:
        """Read what nobody has read yet, where that decides whether a pack may go; bytes. What is damaged is noted."""
        if not self._going.unread or self._run.stop.reason:
            return 0
        reading = PackReading(self._repository, self._run)
        there = [pack for pack in self._going.unread if pack in self._catalogue.packs]
        for _ in reading.read_packs(there):
            pass  # whoever verifies is told; here it is enough that a damaged copy counts for nothing
        return bytes_of(self._catalogue.packs, [pack for pack in there if pack in self._catalogue.packs])

    def _remove_leftover_markers(self) -> None:
        """Of packs that are gone, whose names are never used again: listed first, none is of a pack to come."""
        going = self._catalogue.going()
        self._catalogue.look_again()
        gone = [name for pack, names in going.items() if pack not in self._catalogue.packs for name in names]
        self._store.delete(gone)

    def _write_anew(self) -> Amount:
        """Put what is named of packs with little into new ones, checked; how much that was."""
        if not self._going.wasteful:
            return Amount()
        self._note_what_moves()
        objects = size = 0
        with self._run.step('repack', None, 'objects'):
            for draft in self._drafts():
                pack = self._repository.publisher.upload(draft)
                self._note_moved((entry.hash, pack) for entry in draft.entries)
                objects, size = objects + len(draft.entries), size + sum(entry.stored for entry in draft.entries)
                self._run.progress.advance(len(draft.entries))
        return Amount(objects, size)

    def _note_moved(self, rows: Iterable[tuple[bytes, UUID]]) -> None:
        """Remember in which packs what is named of others lies, as it should be."""
        self._change('INSERT OR IGNORE INTO temp.moved VALUES (?, ?)', ((hash, pack.bytes) for hash, pack in rows))

    def _note_what_moves(self) -> None:
        wasteful = {*self._going.wasteful}
        rows = (
            (place.pack.bytes, place.hash)
            for place, is_named in self._choice.with_names()
            if is_named and place.pack is not None and place.pack in wasteful
        )
        for some in portions(rows, AT_ONCE):
            self._change('INSERT OR IGNORE INTO temp.moving VALUES (?, ?)', some)

    def _drafts(self) -> Iterator[PackDraft]:
        """New packs of what no other pack has; an object that cannot be read is left out, and so its old pack stays."""
        draft, there = PackDraft(), set[bytes]()
        for one in self._moving():
            if one.place.hash in there:
                continue
            if not self._goes(one.place) and not isinstance(one.content, Exception):
                self._note_moved([(one.place.hash, cast(UUID, one.place.pack))])
                continue
            if (form := self._form(one)) is None:
                continue
            draft.add(one.place.hash, form.data, form.size, form.compressed)
            there.add(one.place.hash)
            if len(draft.data) >= self._repository.limits.pack_bytes:
                yield draft
                draft, there = PackDraft(), set()
        if draft.entries:
            yield draft

    def _form(self, one: ReadObject) -> StoredForm | None:
        """How an object that was read shall lie; None of one that no copy yields."""
        if not isinstance(one.content, Exception):
            return StoredForm(one.stored, one.place.size, one.place.compressed)
        try:
            content = self._repository.get_object_content(one.place.key)
        except (CorruptStorage, NotExistent):
            return None
        return StoredForm(content, len(content))

    def _moving(self) -> Iterator[ReadObject]:
        """What is named of packs with little: the copy in another pack, where there is one that stays."""
        for pack in self._going.wasteful:
            if self._run.stop.reason:
                return
            rows = self._catalogue.file.rows('SELECT hash FROM temp.moving WHERE uuid = ?', (pack.bytes,))
            for some in portions((hash for (hash,) in rows), AT_ONCE):
                copies = [self._catalogue.copies(hash) for hash in some]
                yield from self._repository.reader.contents([min(one, key=self._goes) for one in copies if one])

    def _goes(self, place: Placement) -> bool:
        """Whether the pack of a copy is to go, as this run or another one has it."""
        pack = self._catalogue.packs.get(cast(UUID, place.pack))
        return pack is None or pack.is_going or place.pack in self._leaving

    def _take_away(self, packs: list[UUID]) -> int:
        """Mark packs, look anew, and remove those that may go; bytes that are free now."""
        if not packs:
            return 0
        sizes = {pack: self._catalogue.packs[pack] for pack in packs if pack in self._catalogue.packs}
        marked: list[UUID] = []
        try:
            for pack in sizes:
                marked.append(pack)
                self._store.put(marker(pack, self._id), b'')
            self._catalogue.look_again()
            staying = self._staying({*marked})
        except BaseException:
            with suppress(RicordiError):  # what is left of markers does no harm
                self._store.delete([marker(pack, self._id) for pack in marked])
            raise
        self._store.delete([marker(pack, self._id) for pack in marked if pack in staying])
        gone = [pack for pack in marked if pack not in staying]
        self._store.delete([pack_name(pack) for pack in gone])
        markers = self._catalogue.going()  # after the packs: until then each says that its pack is not to be relied on
        self._store.delete([name for pack in gone for name in markers.get(pack, ())])
        self._catalogue.look_again()
        return bytes_of(sizes, gone)

    def _staying(self, marked: set[UUID]) -> set[UUID]:
        """Of marked packs those that hold something named by now that lies in no new pack of this run that stays."""
        blind = marked & self._catalogue.without_list()
        staying, digests = set[UUID](), {pack: hashlib.sha256() for pack in marked}
        for some in portions(self._in_marked(digests), VARIABLES):
            moved = self._moved(hash for hash, _ in some)
            staying |= {pack for hash, pack in some if hash not in moved}
        # what is kept on this machine of a pack is not relied on where the pack goes: its own list is asked
        with closing(in_order(self._digest_in_bucket, sorted(marked - staying - blind))) as found:
            staying |= {pack for pack, digest in found if digest != digests[pack].digest()}
        if blind and not self._is_all_elsewhere():
            return staying | blind
        reading = PackReading(self._repository, self._run)  # what is readable by now is looked at the next time
        return staying | {pack for pack in blind if not any(reading.look_at_list(pack))}

    def _is_all_elsewhere(self) -> bool:
        """Whether all that is named by now lies, read, in packs that are there and not marked."""
        for some in portions(self._choice.named_hashes(), VARIABLES):
            there = self._catalogue.proven(some)
            lacking = [hash for hash in some if hash not in there]
            if lacking and len(self._moved(lacking)) < len(lacking):
                return False
        return True

    def _in_marked(self, digests: dict[UUID, Any]) -> Iterator[tuple[bytes, UUID]]:
        """What is named of marked packs.

        :param digests: by pack, take all that is in it.
        """
        for place, is_named in self._choice.with_names():
            if place.pack in digests:
                digests[place.pack].update(place.hash)
                if is_named:
                    yield place.hash, place.pack

    def _digest_in_bucket(self, pack: UUID) -> tuple[UUID, bytes]:
        try:
            entries = self._catalogue.entries(pack, self._catalogue.packs[pack].bytes)
        except (CorruptStorage, KeyError):
            return pack, b''
        return pack, hashlib.sha256(b''.join(sorted({entry.hash for entry in entries}))).digest()

    def _moved(self, hashes: Iterable[bytes]) -> set[bytes]:
        """Those that this run has put into a new pack, which is there and not marked."""
        some = [*hashes]
        rows = self._catalogue.file.rows(
            'SELECT m.hash FROM temp.moved AS m JOIN packs AS p ON p.uuid = m.uuid '
            'JOIN temp.seen AS s ON s.number = p.number '
            f'WHERE s.lasting AND m.hash IN ({",".join("?" * len(some))})',
            some,
        )
        return {hash for (hash,) in rows}

    def _change(self, statement: str, rows: Iterable[tuple[bytes, bytes]]) -> None:
        self._catalogue.file.change((statement, rows))
        if self._catalogue.file.losses != self._losses:
            raise AccessError('the notes of this run on this machine were lost; nothing was removed: try again')
