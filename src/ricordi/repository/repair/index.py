"""Making `packs.idx` anew, from catalogues, from what can still be read of it, and from the packs themselves.

For one who holds the exclusive lock of the profile. Every row is proven: the bytes were read, and their SHA-256 is the
key. The old index is kept. The new one is whole on disk before it gets the name; killed before, the next run begins
anew.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ricordi.backend.maintenance import KeyStream
from ricordi.backend.repair import Mending, SetAside
from ricordi.errors import Interrupted, RicordiError
from ricordi.files import fsync_file
from ricordi.model.file_trees import is_key
from ricordi.progress import Run
from ricordi.repository.container.catalogue import catalogued_packs, keep_catalogues, read_catalogue
from ricordi.repository.container.index import EMPTY_PACK, Index, PackedObject
from ricordi.repository.container.layout import EMPTY_KEY, REPACK_ID
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.container.packer_lock import packer_lock
from ricordi.repository.repair.aside import Aside
from ricordi.repository.repair.whereabouts import found_by_scanning
from ricordi.repository.verification.reader import check_rows, fault_of_row

_ROWS_AT_ONCE = 10_000


class _Made(NamedTuple):
    """How many objects the new index has, by where they were found."""

    told: int
    scanned: int
    lacking: int


def describe_rebuild(store: ObjectStore) -> Mending:
    """What making the index anew would start from."""
    packs, catalogues = store.layout.pack_sizes(), catalogued_packs(store.layout)
    without = [pack_id for pack_id in packs if pack_id not in catalogues]
    detail = f'{len(packs):,} packs, {len(packs) - len(without):,} of them with a catalogue'
    if without:
        detail += '; the others are looked through for what nodes name'
    return Mending('damaged object index', 'make the index anew', store.layout.index.name, detail)


def rebuild_index(store: ObjectStore, named_keys: KeyStream, run: Run) -> Iterator[Mending | SetAside]:
    """Make the index anew, and put the old one aside; in the end the catalogues are in step with it.

    :param named_keys: what nodes name: objects that no catalogue knows are looked for if they are among these.
    :raises ricordi.errors.PackerBusy: another process packs.
    """
    layout, aside = store.layout, Aside(store.layout)
    with packer_lock(layout):
        draft = layout.sandbox / uuid.uuid4().hex
        try:
            Index.create(draft)
            with closing(Index(draft)) as index:
                index.connection.execute('PRAGMA synchronous=OFF')  # it is fsynced as a whole before it counts
                made = _IndexFilling(store, index, run).fill(named_keys)
                index.checkpoint()
            fsync_file(draft)
            run.check_lock()
            store.close()
            _exchange(store, draft, aside)
        finally:
            for ending in ('', '-wal', '-shm', '-journal'):
                layout.opened.sandbox.unlink(draft.name + ending, missing_ok=True)
        with suppress(OSError):
            keep_catalogues(store, store.index.packs(), made.lacking > 0)
    detail = f'{made.told + made.scanned:,} objects, {made.scanned:,} of them found by looking through packs'
    yield Mending('damaged object index', 'make the index anew', layout.index.name, detail)
    yield from aside.taken()


def _exchange(store: ObjectStore, draft: Path, aside: Aside) -> None:
    """Put the new index in the place of the old one."""
    layout = store.layout
    top = layout.opened.top
    # The log last, and with nothing in the place of the index: a log that is left is read into any index beside it.
    for ending in ('', '-wal', '-shm'):
        path = layout.index.with_name(layout.index.name + ending)
        if os.path.lexists(path):
            aside.keep_file(path, path.name)
            top.unlink(path.name, missing_ok=True)
            top.sync()
    layout.opened.sandbox.replace(draft.name, layout.index.name, top)
    top.sync()


class _IndexFilling:
    """Fills a new index."""

    def __init__(self, store: ObjectStore, index: Index, run: Run) -> None:
        self._store = store
        self._index = index
        self._run = run
        self._sizes = store.layout.pack_sizes()
        self._empty_in: int | None = None
        """The pack in which the empty object was told to lie."""

    def fill(self, named_keys: KeyStream) -> _Made:
        """Put in all that is known, then what is missing and can be found."""
        layout, told, scanned = self._store.layout, 0, 0
        order = sorted(self._sizes, key=lambda number: (number == REPACK_ID, number))
        with self._run.step('read packs', sum(self._sizes.values())):
            for pack_id in order:
                told += self._put_proven(pack_id, read_catalogue(layout, pack_id))
            told += self._put_readable()
        missing = [key for key in self._lacking(named_keys()) if key != EMPTY_KEY]  # which lies nowhere
        if missing:
            found = found_by_scanning(self._store, missing, self._index.objects_of_pack, self._run)
            scanned = self._put(list(found))
        told += self._put_empty()
        self._check()
        return _Made(told, scanned, len(missing) - scanned)

    def _put_readable(self) -> int:
        """What can still be read of the old index, as far as it is so."""
        told = 0
        rows = _readable(self._store)
        while some := list(islice(rows, _ROWS_AT_ONCE)):
            absent = set(self._index.absent([row.key for row in some]))
            for pack_id in {row.pack_id for row in some}:
                told += self._put_proven(pack_id, (row for row in some if row.key in absent and row.pack_id == pack_id))
        return told

    def _put_proven(self, pack_id: int, rows: Iterable[PackedObject]) -> int:
        """Put in those rows of a pack that are so and whose objects have none yet."""
        told, source = 0, iter(rows)
        while some := list(islice(source, _ROWS_AT_ONCE)):
            self._check()
            absent = set(self._index.absent([row.key for row in some]))
            new = {row.key: row for row in some if row.key in absent and row.length and self._is_within(row)}
            if any(row.key == EMPTY_KEY and not row.length for row in some):
                self._empty_in = pack_id
            wrong = self._wrong(pack_id, new)
            told += self._put([row for key, row in new.items() if key not in wrong])
        return told

    def _check(self) -> None:
        """
        :raises ricordi.errors.Interrupted: the work shall end.
        """
        self._run.check_lock()
        if reason := self._run.stop.reason:
            raise Interrupted(f'{reason}: ended before the index was made anew, and nothing was changed')

    def _put_empty(self) -> int:
        """Put in the empty object, for which any place is right: behind all others, as AiiDA wants it."""
        pack_id = self._empty_in
        if pack_id is None or not self._index.absent([EMPTY_KEY]):
            return 0
        end = self._index.packs().get(pack_id, EMPTY_PACK).end
        return self._put([PackedObject(EMPTY_KEY, 0, 0, end, 0, pack_id)])

    def _wrong(self, pack_id: int, rows: Mapping[str, PackedObject]) -> set[str]:
        """The keys of those rows that are not so; each was read once more by itself: neighbours are read together."""
        if not rows:
            return set()
        answer = check_rows(self._store, pack_id, json.dumps([row[:5] for row in rows.values()]))
        self._run.progress.advance(answer.length)
        path = self._store.layout.pack_path(pack_id)
        return {key for key, _ in answer.wrong if fault_of_row(path, rows[key])}

    def _is_within(self, row: PackedObject) -> bool:
        return row.offset + row.length <= self._sizes.get(row.pack_id, -1)

    def _put(self, rows: list[PackedObject]) -> int:
        if rows:
            with self._index.transaction():
                self._index.put(rows)
        return len(rows)

    def _lacking(self, names: Iterator[str]) -> Iterator[str]:
        """What nodes name, and is neither in the new index nor loose."""
        while some := list(islice(names, self._store.limits.compare_at_once)):
            for key in self._index.absent([key for key in some if is_key(key)]):
                if not os.path.exists(self._store.loose_path(key)):  # noqa: PTH110
                    yield key


def _readable(store: ObjectStore) -> Iterator[PackedObject]:
    """The rows of the old index, as far as it can be read and they say what can be."""
    try:
        index = Index(store.layout.index, read_only=True)
    except (RicordiError, OSError):
        return
    with closing(index), suppress(RicordiError):
        yield from (row for row in index.all_rows() if isinstance(row.key, str) and is_key(row.key) and row.is_possible)
