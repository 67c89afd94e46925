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
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast
from uuid import UUID, uuid4

from ricordi.backend.maintenance import (
    Amount,
    ContainerState,
    KeyStream,
    MaintenanceOptions,
    MaintenanceReport,
    MaintenanceStep,
    UndoneStep,
)
from ricordi.backend.objects import StoredForm
from ricordi.errors import AccessError, CorruptStorage, NotExistent, RicordiError
from ricordi.progress import Run
from ricordi.repository.bucket.index import Placement
from ricordi.repository.bucket.listed.catalogue import VARIABLES, PackInBucket
from ricordi.repository.bucket.listed.publishing import marker
from ricordi.repository.bucket.listed.verification import PackReading
from ricordi.repository.bucket.publishing import PackDraft, pack_name
from ricordi.repository.bucket.reading import ReadObject
from ricordi.repository.parallel import in_order

if TYPE_CHECKING:
    from ricordi.repository.bucket.listed.repository import ListedRepository

LITTLE = 0.5
"""A pack is written anew if less than this share of it is named."""
AT_ONCE = 5000
Item = TypeVar('Item')


class NamedInPack(NamedTuple):
    """What of a pack is named. Bytes as they lie there."""

    objects: int = 0
    bytes: int = 0
    named: int = 0
    named_bytes: int = 0


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
        self._named_keys = named_keys
        self._run = run
        self._id = uuid4()
        self._empty: list[UUID] = []
        self._wasteful: list[UUID] = []
        self._uses: dict[UUID, NamedInPack] = {}
        self._losses = 0
        self._going: frozenset[UUID] = frozenset()
        self._small: list[UUID] = []
        """Of the wasteful ones those that are so for being small alone."""
        self._blind: list[UUID] = []
        """Packs that do not tell what is in them, and in which nothing named is for all that is known."""
        self._stuck: set[UUID] = set()
        """Packs with a damaged copy of something that is named and that no other pack has."""
        self._with_damage: set[UUID] = set()
        self._unread: list[UUID] = []

    # -- the plan -----------------------------------------------------------------------------------------------

    def plan(self, options: MaintenanceOptions) -> MaintenanceReport:
        """What could go now."""
        self._repository.notes.take_in()
        self._catalogue.look_again(lasting=False)
        self._catalogue.check()
        self._losses = self._catalogue.file.losses
        with self._run.step('find what snapshots name', None, 'objects'):
            self._uses = self._measured()
        self._choose(datetime.now(UTC) if options.dry_run else self._store.now())
        uses, sizes = self._uses.values(), self._catalogue.packs
        total = sum(use.bytes for use in uses)
        unnamed = [(use.objects - use.named, use.bytes - use.named_bytes) for use in uses]
        garbage = Amount(sum(count for count, _ in unnamed), sum(size for _, size in unnamed))
        state = ContainerState(
            packed=Amount(sum(use.objects for use in uses), total),
            garbage=garbage,
            waste_bytes=max(0, sum(one.bytes for one in sizes.values()) - total),
            packs=len(sizes),
            files=len(sizes),
        )
        return MaintenanceReport(options, state, steps=(*self._steps(),))

    def _measured(self) -> dict[UUID, NamedInPack]:
        uses = {pack: NamedInPack() for pack in self._catalogue.packs if pack not in self._catalogue.unreadable}
        bad = {(hash, pack) for hash, pack, _, is_bad in self._catalogue.copy_notes() if is_bad}
        for place, is_named in self._with_names():
            assert place.pack is not None
            if (place.hash, place.pack) in bad:
                is_stuck = is_named and not self._catalogue.known([place.hash])
                (self._stuck if is_stuck else self._with_damage).add(place.pack)
            use = uses.get(place.pack, NamedInPack())
            named = (1, place.stored) if is_named else (0, 0)
            uses[place.pack] = NamedInPack(
                use.objects + 1, use.bytes + place.stored, use.named + named[0], use.named_bytes + named[1]
            )
        return uses

    def _with_names(self) -> Iterator[tuple[Placement, bool]]:
        """Every copy of every object, and whether it is named by now."""
        keys = iter(self._named_keys())
        key = next(keys, None)
        for place in self._catalogue.placements():
            while key is not None and key < place.key:
                key = next(keys, None)
            yield place, key == place.key

    def _choose(self, now: datetime) -> None:
        """Packs of which nothing or little is named, or that another run has marked and left.

        What was put lately may be a snapshot's that is being made.
        """
        blind = self._catalogue.without_list()
        is_lacking = bool(blind) and self._is_lacking(blind)
        # only now: to ask what is named is to look at the packs again
        grace, packs = self._repository.limits.leftover_seconds, self._catalogue.packs
        old = {pack for pack, one in packs.items() if (now - one.modified).total_seconds() >= grace}
        known = {pack: use for pack, use in self._uses.items() if pack in old}
        blind &= old
        self._empty = [pack for pack, use in known.items() if not use.named and pack not in blind]
        named = {pack: use for pack, use in known.items() if use.named and pack not in self._stuck}
        self._wasteful = [
            pack
            for pack, use in named.items()
            if packs[pack].is_going
            or pack in blind
            or pack in self._with_damage
            or use.named_bytes < LITTLE * use.bytes
        ]
        self._small = self._worth_merging([pack for pack in named if pack not in {*self._wasteful}])
        self._wasteful += self._small
        # those of which something named is known are written anew first, and go as the others do
        self._blind = [] if is_lacking else sorted(blind)
        self._going = frozenset((*self._empty, *self._wasteful, *self._blind))
        if self._blind:
            read = self._catalogue.read_times()
            done = {*read, *self._going}
            self._unread = [
                pack for pack, use in self._uses.items() if use.named and pack in packs and pack not in done
            ]

    def _worth_merging(self, packs: list[UUID]) -> list[UUID]:
        """Packs that are small, where there are so many that it is worth it."""
        limits, sizes = self._repository.limits, self._catalogue.packs
        small = [pack for pack in packs if sizes[pack].bytes < limits.small_pack * limits.pack_bytes]
        return small if len(small) >= limits.merge_from else []

    def _is_lacking(self, blind: set[UUID]) -> bool:
        """Whether something is named that only these packs can have; what they are known to have is written anew."""
        for some in _portions(self._named_hashes(), VARIABLES):
            there = self._catalogue.known(some)
            lacking = [hash for hash in some if hash not in there]
            copies = {place.hash for hash in lacking for place in self._catalogue.copies(hash) if place.pack in blind}
            if len(copies) < len(lacking):
                return True
        return False

    def _named_hashes(self) -> Iterator[bytes]:
        """All that is named by now, ascending."""
        return (bytes.fromhex(key) for key in self._named_keys())

    def _steps(self) -> Iterator[MaintenanceStep]:
        sizes = self._catalogue.packs
        small = {*self._small}
        for packs, reason in (
            ([pack for pack in self._wasteful if pack not in small], 'of which little is named, or damaged,'),
            (self._small, 'that are small'),
        ):
            if not packs:
                continue
            uses = [self._uses[pack] for pack in packs]
            size = sum(use.named_bytes for use in uses)
            yield MaintenanceStep(
                'repack',
                f'{_packs(len(uses))} {reason} {"are" if len(uses) > 1 else "is"} written anew',
                sum(use.named for use in uses),
                read=size,
                write=size,
                freed=_bytes_of(sizes, packs) - size,
            )
        if self._empty:
            objects, freed = sum(self._uses[pack].objects for pack in self._empty), _bytes_of(sizes, self._empty)
            yield MaintenanceStep('remove packs', f'{_packs(len(self._empty))} without names', objects, freed=freed)
        if self._unread:
            detail = f'{_packs(len(self._unread))}, so that damaged ones are not needed for certain'
            yield MaintenanceStep('read packs', detail, read=_bytes_of(sizes, self._unread))
        if self._blind:
            alone = [pack for pack in self._blind if pack not in {*self._wasteful}]
            detail = f'{_packs(len(self._blind), "damaged pack")}, of which nobody knows what is in it'
            yield MaintenanceStep('remove packs', detail, freed=_bytes_of(sizes, alone))

    # -- the work -----------------------------------------------------------------------------------------------

    def carry_out(self, report: MaintenanceReport) -> MaintenanceReport:
        """Take away what can go; packs that others have taken away meanwhile leave no markers."""
        self._remove_leftover_markers()
        if not report.steps:
            return report
        begin = time.perf_counter()
        written = self._write_anew()
        read = self._read_unread()
        packs = dict.fromkeys((*self._empty, *self._wasteful, *self._blind))
        going = [] if self._run.stop.reason else [*packs]
        freed = self._take_away(going) - written.bytes
        done = MaintenanceStep(
            'remove packs',
            f'{_packs(len(going))}, what is named of them written anew',
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
        if not self._unread or self._run.stop.reason:
            return 0
        reading = PackReading(self._repository, self._run)
        there = [pack for pack in self._unread if pack in self._catalogue.packs]
        for _ in reading.read_packs(there):
            pass  # whoever verifies is told; here it is enough that a damaged copy counts for nothing
        return _bytes_of(self._catalogue.packs, [pack for pack in there if pack in self._catalogue.packs])

    def _remove_leftover_markers(self) -> None:
        """Of packs that are gone, whose names are never used again: listed first, none is of a pack to come."""
        going = self._catalogue.going()
        self._catalogue.look_again()
        gone = [name for pack, names in going.items() if pack not in self._catalogue.packs for name in names]
        self._store.delete(gone)

    def _write_anew(self) -> Amount:
        """Put what is named of packs with little into new ones, checked; how much that was."""
        if not self._wasteful:
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
        wasteful = {*self._wasteful}
        rows = (
            (place.pack.bytes, place.hash)
            for place, is_named in self._with_names()
            if is_named and place.pack is not None and place.pack in wasteful
        )
        for some in _portions(rows, AT_ONCE):
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
        for pack in self._wasteful:
            if self._run.stop.reason:
                return
            rows = self._catalogue.file.rows('SELECT hash FROM temp.moving WHERE uuid = ?', (pack.bytes,))
            for some in _portions((hash for (hash,) in rows), AT_ONCE):
                copies = [self._catalogue.copies(hash) for hash in some]
                yield from self._repository.reader.contents([min(one, key=self._goes) for one in copies if one])

    def _goes(self, place: Placement) -> bool:
        """Whether the pack of a copy is to go, as this run or another one has it."""
        pack = self._catalogue.packs.get(cast(UUID, place.pack))
        return pack is None or pack.is_going or place.pack in self._going

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
        return _bytes_of(sizes, gone)

    def _staying(self, marked: set[UUID]) -> set[UUID]:
        """Of marked packs those that hold something named by now that lies in no new pack of this run that stays."""
        blind = marked & self._catalogue.without_list()
        staying, digests = set[UUID](), {pack: hashlib.sha256() for pack in marked}
        for some in _portions(self._in_marked(digests), VARIABLES):
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
        for some in _portions(self._named_hashes(), VARIABLES):
            there = self._catalogue.proven(some)
            lacking = [hash for hash in some if hash not in there]
            if lacking and len(self._moved(lacking)) < len(lacking):
                return False
        return True

    def _in_marked(self, digests: dict[UUID, Any]) -> Iterator[tuple[bytes, UUID]]:
        """What is named of marked packs.

        :param digests: by pack, take all that is in it.
        """
        for place, is_named in self._with_names():
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


def _bytes_of(sizes: Mapping[UUID, PackInBucket], packs: Iterable[UUID]) -> int:
    return sum(sizes[pack].bytes for pack in packs)


def _packs(count: int, noun: str = 'pack') -> str:
    return f'{count} {noun}{"" if count == 1 else "s"}'


def _portions(items: Iterable[Item], at_once: int) -> Iterator[list[Item]]:
    source = iter(items)
    while some := list(islice(source, at_once)):
        yield some
