"""Mending objects that are missing or damaged, or of which the index tells what is not so.

For one who holds the exclusive lock of the profile. Whatever is killed on the way, the next run goes on: a sound copy
is in its place, durably, before a damaged one goes, and a damaged one is kept elsewhere before it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ricordi.backend.repair import Deed, Mending, RepairSource, SetAside
from ricordi.errors import RicordiError
from ricordi.files import DISK_IS_FULL
from ricordi.folders import OpenFolder
from ricordi.model.file_trees import is_key
from ricordi.progress import Run
from ricordi.repository.container.index import PackedObject
from ricordi.repository.container.layout import EMPTY_KEY
from ricordi.repository.container.loose import chunks_of
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.container.packer_lock import packer_lock
from ricordi.repository.repair.aside import Aside
from ricordi.repository.repair.pack_file import PackFile, corrected
from ricordi.repository.repair.whereabouts import found_by_scanning, told_by_catalogues
from ricordi.repository.verification.copies import second_copies
from ricordi.repository.verification.reader import GONE, NOT_ALLOWED, fault_of_row, read_file


class CopiesFound(NamedTuple):
    """The copies of one object, each read just now.

    :param row: what the index says; None: nothing.
    :param fault: what is wrong with what lies there.
    :param right: the row as it should be, where only that is wrong.
    :param loose: what is wrong with the loose copy; None where there is none.
    :param seconds: the second copies, and what is wrong with each.
    """

    row: PackedObject | None
    fault: str
    right: PackedObject | None
    loose: str | None
    seconds: tuple[tuple[Path, str], ...]

    @property
    def is_packed(self) -> bool:
        """Whether what the index says is so."""
        return self.row is not None and not self.fault

    @property
    def is_sound(self) -> bool:
        """Whether there is a sound copy in its place, and no other."""
        return (
            (self.is_packed or (self.row is None and self.loose == ''))
            and not self.loose
            and not any(fault for _, fault in self.seconds)
        )

    @property
    def name(self) -> str:
        """What is wrong, in the words of a verification."""
        if self.right is not None:
            return 'wrong index row'
        is_there = (self.row is not None and self.fault != GONE) or self.loose is not None or bool(self.seconds)
        return 'damaged object' if is_there else 'missing object'


class _Later(NamedTuple):
    """What becomes durable with the next commit: rows that come, keys whose rows go, and what is done after that."""

    rows: list[PackedObject]
    keys: list[str]
    after: list[Callable[[], None]]


class ObjectMender:
    """Mends objects of one container, from what is at hand and from sources."""

    def __init__(self, store: ObjectStore, sources: Sequence[RepairSource], dry_run: bool, run: Run) -> None:
        """
        :param dry_run: tell what would be done, and change nothing.
        """
        self._store = store
        self._sources = sources
        self._dry_run = dry_run
        self._run = run
        self._aside = Aside(store.layout)
        self._later = _Later([], [], [])
        self._seconds = second_copies(store.layout)
        self._catalogued: dict[str, PackedObject] = {}

    def mend(self, keys: Iterable[str]) -> Iterator[Mending | SetAside]:
        """Mend objects; tells, when it is durable, of each that was not sound. Ends early where it is told to stop."""
        with ExitStack() as stack:
            if not self._dry_run:
                stack.enter_context(packer_lock(self._store.layout))
            source = filter(is_key, keys)
            while some := list(islice(source, self._store.limits.repair_objects)):
                told = list(self._mend_some(some))
                self._commit()
                yield from told
                yield from self._aside.taken()
                if self._run.stop.reason:
                    return

    def _mend_some(self, keys: list[str]) -> Iterator[Mending]:
        looks = {key: self.look(key) for key in keys}
        faulty = {key: look for key, look in looks.items() if not look.is_sound}
        nowhere = {key for key, look in faulty.items() if not _is_at_hand(look)}
        self._catalogued = {row.key: row for row in told_by_catalogues(self._store.layout, nowhere)}
        left: dict[str, CopiesFound] = {}
        for key, look in faulty.items():
            if self._run.stop.reason:
                break
            self._run.check_lock()
            mended = self._mend(key, look)
            if mended is None:
                left[key] = look
            else:
                yield mended
            self._run.progress.advance(1)
        yield from self._scanned(left)

    def look(self, key: str) -> CopiesFound:
        """Read all copies of an object."""
        row = self._store.index.find(key)
        fault, right = '', None
        if row is not None:
            path = self._store.layout.pack_path(row.pack_id) if row.is_possible else Path()
            fault = fault_of_row(path, row) if row.is_possible else 'the index says of it what cannot be'
            right = corrected(path, row) if fault and row.is_possible else None
        loose = read_file(Path(self._store.loose_path(key)), key)[1]
        seconds = tuple((path, read_file(path, key)[1]) for path in self._seconds.get(key, ()))
        return CopiesFound(row, fault, right, None if loose == GONE else loose, seconds)

    # -- one object -------------------------------------------------------------------------------------------

    def _mend(self, key: str, look: CopiesFound) -> Mending | None:
        """Mend an object from a copy at hand, or from a source; None: it is in none of them."""
        if not_allowed := _not_allowed(look):
            return Mending(look.name, '', key, f'it cannot be read: {not_allowed}')
        right = look.right or self._catalogued.get(key)
        if not look.is_packed and right is not None:
            return self._with_row(key, look, right, 'it lies where a catalogue says')
        if look.is_packed:
            detail = 'the copy in its pack is sound'
            return self._told(key, look, 'set a damaged copy aside', detail, lambda: self._drop_bad_files(key, look))
        if look.loose == '':
            deed: Deed = 'take it from a second copy'
            return self._told(key, look, deed, 'the loose copy is sound', lambda: self._drop_row(key, look))
        if good := [path for path, fault in look.seconds if not fault]:
            place = f'{good[0].parent.name}/{good[0].name}'
            deed = 'take it from a second copy'
            return self._told(key, look, deed, place, lambda: self._from_second(key, look, good[0]))
        if key == EMPTY_KEY:
            deed = 'take it from a second copy'
            return self._told(key, look, deed, 'it is empty', lambda: self._from_chunks(key, look, ()))
        return self._from_sources(key, look)

    def _told(self, key: str, look: CopiesFound, deed: Deed, detail: str, act: Callable[[], object]) -> Mending:
        if not self._dry_run:
            act()
        return Mending(look.name, deed, key, detail)

    def _with_row(self, key: str, look: CopiesFound, row: PackedObject, detail: str) -> Mending:
        """Have the index say where an object lies in the packs."""
        detail = 'it lies where the index says, in another form or length' if row == look.right else detail

        def act() -> None:
            self._later.rows.append(row)
            self._later.after.append(lambda: self._drop_bad_files(key, look))

        return self._told(key, look, 'correct the index', f'{detail}: pack {row.pack_id}, byte {row.offset}', act)

    def _from_second(self, key: str, look: CopiesFound, path: Path) -> None:
        self._keep_bad_loose(key, look)
        self._store.loose_writer().publish(path.name, key, self._store.layout.opened.duplicates)
        self._drop_row(key, look._replace(seconds=tuple(one for one in look.seconds if one[0] != path)))

    def _from_chunks(self, key: str, look: CopiesFound, chunks: Iterable[bytes]) -> bool:
        """Put an object as a loose file; whether what came had its SHA-256."""
        writer = self._store.loose_writer()
        temporary, found = writer.stage(chunks)
        if found != key:
            writer.discard(temporary)
            return False
        try:
            self._keep_bad_loose(key, look)
            writer.publish(temporary, key)
        except BaseException:
            writer.discard(temporary)
            raise
        self._drop_row(key, look)
        return True

    def _from_sources(self, key: str, look: CopiesFound) -> Mending | None:
        wrong = []
        for source in self._sources:
            try:
                if not source.objects.has_object(key):
                    continue
                if self._dry_run or self._from_source(key, look, source):
                    deed: Deed = 'take it from a source'
                    return Mending(look.name, deed, key, source=source.name)
                wrong.append(f'{source.name} has other bytes')
            except (RicordiError, OSError) as error:
                if isinstance(error, OSError) and error.errno in DISK_IS_FULL:
                    raise
                wrong.append(f'{source.name}: {str(error).partition("; ")[0]}')
        return Mending(look.name, '', key, '; '.join(wrong)) if wrong else None

    def _from_source(self, key: str, look: CopiesFound, source: RepairSource) -> bool:
        with source.objects.open(key) as handle:
            return self._from_chunks(key, look, chunks_of(handle))

    def _scanned(self, left: dict[str, CopiesFound]) -> Iterator[Mending]:
        """What can be found only by looking through the packs."""
        found: dict[str, PackedObject] = {}
        if left and not self._dry_run:
            self._commit()
            rows = found_by_scanning(self._store, left, lambda pack_id: self._believed(pack_id, left), self._run)
            found = {row.key: row for row in rows}
        for key, look in left.items():
            if key in found:
                yield self._with_row(key, look, found[key], 'it was found there')
            elif self._dry_run:
                reason = 'none of the sources has it' if self._sources else 'no source was named'
                yield Mending(look.name, 'look for it in the packs', key, reason)
            else:
                elsewhere = 'it is in none of the sources' if self._sources else 'no source was named, and it is not'
                yield Mending(
                    look.name, '', key, f'{elsewhere}{", nor" if self._sources else ""} anywhere in the packs'
                )

    def _believed(self, pack_id: int, left: dict[str, CopiesFound]) -> list[PackedObject]:
        return [row for row in self._store.index.objects_of_pack(pack_id) if row.key not in left]

    # -- what goes --------------------------------------------------------------------------------------------

    def _keep_bad_loose(self, key: str, look: CopiesFound) -> None:
        if look.loose:
            with suppress(FileNotFoundError):
                self._aside.keep_file(Path(self._store.loose_path(key)), f'loose-{key}')

    def _drop_row(self, key: str, look: CopiesFound) -> None:
        """Have the row of an object go, which has a sound loose copy; what lies there is kept."""
        row = look.row
        if row is not None and row.is_possible and look.fault != GONE:
            with suppress(OSError), PackFile(self._store.layout.pack_path(row.pack_id)) as pack:
                place = f'pack-{row.pack_id}-at-{row.offset}-{key}'
                self._aside.keep_bytes(pack.chunks(row.offset, row.offset + row.length), place)
        if row is not None:
            self._later.keys.append(key)
        self._later.after.append(lambda: self._drop_bad_files(key, look._replace(loose=None)))

    def _drop_bad_files(self, key: str, look: CopiesFound) -> None:
        """Keep damaged files elsewhere, of an object that has a sound copy."""
        bad = [(Path(self._store.loose_path(key)), f'loose-{key}')] if look.loose else []
        bad += [(path, f'duplicate-{path.name}') for path, fault in look.seconds if fault]
        for path, name in bad:
            with suppress(FileNotFoundError):
                self._aside.keep_file(path, name)
                with OpenFolder(path.parent) as folder:
                    folder.unlink(path.name, missing_ok=True)
                    folder.sync()

    def _commit(self) -> None:
        rows, keys, after = self._later
        self._later = _Later([], [], [])
        if rows or keys:
            with self._store.index.transaction():
                self._store.index.put(rows)
                self._store.index.delete(keys)
        # Only when the rows are durable: a damaged copy goes when the sound one is named.
        for act in after:
            act()


def _is_at_hand(look: CopiesFound) -> bool:
    """Whether any copy can be used as it is."""
    return look.is_packed or look.right is not None or look.loose == '' or any(not fault for _, fault in look.seconds)


def _not_allowed(look: CopiesFound) -> str:
    faults = [look.fault, look.loose or '', *(fault for _, fault in look.seconds)]
    return next((fault for fault in faults if fault in NOT_ALLOWED), '')
