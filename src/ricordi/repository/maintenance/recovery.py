"""What a crash left behind, and tidying it up. Only what is certain to be nobody's is touched.

disk-objectstore's repack writes pack -1, points the rows at it, deletes the old pack, links -1 back to the old number,
points the rows back and unlinks -1; it may have been killed after any of these.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Collection, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ricordi.model.file_trees import is_key
from ricordi.repository.container.layout import REPACK_ID, Layout
from ricordi.repository.container.loose import chunks_of
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.container.pack_writer import fresh_pack_id
from ricordi.repository.container.packer_lock import is_ours
from ricordi.repository.maintenance.inventory import Inventory
from ricordi.repository.maintenance.packing import Work
from ricordi.repository.maintenance.problems import Problems


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What is there to tidy.

    :param stray_repack: rows name pack -1 and its file is there: it needs a number of its own.
    :param locks: pack locks that nobody holds.
    :param orphans: packs (with their bytes) that no row names.
    :param tails: bytes behind the last object of a pack, by pack.
    :param sandbox: files that were being written.
    :param duplicates: second copies.
    """

    stray_repack: bool
    locks: tuple[Path, ...]
    orphans: tuple[tuple[int, int], ...]
    tails: tuple[tuple[int, int], ...]
    sandbox: tuple[Path, ...]
    duplicates: tuple[Path, ...]

    @property
    def freed(self) -> int:
        """Bytes that tidying up gives back, second copies not counted."""
        return sum(size for _, size in self.orphans + self.tails) + sum(_size(path) for path in self.sandbox)

    @property
    def items(self) -> int:
        """How many things there are."""
        return (
            int(self.stray_repack)
            + len(self.locks)
            + len(self.orphans)
            + len(self.tails)
            + len(self.sandbox)
            + len(self.duplicates)
        )

    def describe(self) -> str:
        """A line for a person."""
        parts = [
            'a repack of disk-objectstore that was killed' if self.stray_repack else '',
            _counted(len(self.orphans), 'pack without rows', 'packs without rows'),
            _counted(len(self.tails), 'pack with an unnamed tail', 'packs with unnamed tails'),
            _counted(len(self.locks), 'stale pack lock', 'stale pack locks'),
            _counted(len(self.sandbox), 'half-written file', 'half-written files'),
            _counted(len(self.duplicates), 'second copy', 'second copies'),
        ]
        return ', '.join(part for part in parts if part)


def find_leftovers(
    container: ObjectStore, inventory: Inventory, full: bool, may_remove: bool, but: Collection[int]
) -> Leftovers:
    """What there is to tidy up: live only what is certain, in full all; bytes only if `may_remove`.

    :param may_remove: whether everything that nodes name is at hand, so that bytes without a row are surely useless.
    :param but: packs whose tails stay: they go as a whole, or hold something damaged.
    """
    layout, packs = container.layout, inventory.packs.values()
    locks = [path for path in layout.pack_locks() if full or is_ours(path)]
    removes = full and may_remove
    stray = full and REPACK_ID in inventory.packs and inventory.packs[REPACK_ID].objects > 0
    return Leftovers(
        stray_repack=stray and inventory.packs[REPACK_ID].file_bytes is not None,
        locks=tuple(locks),
        orphans=tuple(
            (p.pack_id, p.file_bytes or 0)
            for p in packs
            if removes and not p.objects and not (stray and _is_second_name(layout, p.pack_id))
        ),
        tails=tuple(
            (p.pack_id, p.file_bytes - p.end)
            for p in packs
            if removes and p.objects and p.file_bytes is not None and p.file_bytes > p.end
            if p.pack_id not in but
        ),
        sandbox=tuple(Path(e.path) for e in layout.leftovers(layout.sandbox)) if full else (),
        duplicates=tuple(path for path in _duplicates(container) if _has_use(container, path)),
    )


def _is_second_name(layout: Layout, pack_id: int) -> bool:
    """Whether a pack file is the very file of pack -1, which a repack that was killed has linked."""
    stray, path = layout.pack_path(REPACK_ID), layout.pack_path(pack_id)
    return pack_id != REPACK_ID and stray.exists() and path.exists() and path.samefile(stray)


def settle_aborted_repack(container: ObjectStore) -> int:
    """Give what lies in pack -1 a number of its own, so that every program finds it. Needs the exclusive lock.

    First a second name for the file, then the rows, then the old name goes: killed anywhere, it can be done again.
    Where a file system has no hard links it is a copy, which has no rows until then, and goes as any pack without rows.
    A second name that a crash left (of this function, or of disk-objectstore's repack) is used, since objects may have
    been appended under it meanwhile: two packs must never be one file, for cutting one would cut the other.

    :returns: how many objects were found again.
    """
    layout, index = container.layout, container.index
    stray = layout.pack_path(REPACK_ID)
    if not stray.exists() or (rows := index.packs().get(REPACK_ID)) is None:
        return 0
    linked = (pack_id for pack_id in layout.pack_sizes() if pack_id != REPACK_ID)
    number = next((pack_id for pack_id in linked if layout.pack_path(pack_id).samefile(stray)), None)
    if number is None:
        number = fresh_pack_id(layout, index)
        layout.opened.packs.link_or_copy(stray.name, str(number))
    layout.opened.packs.sync()  # the new name is on disk before a row uses it
    with index.transaction():
        index.renumber(REPACK_ID, number)
    layout.opened.packs.unlink(stray.name)
    layout.opened.packs.sync()
    return rows.objects


def settle_duplicates(container: ObjectStore) -> Work:
    """Drop each second copy whose first is sound; of an object that has no other sound copy make it the first."""
    work = Work()
    for path in _duplicates(container):
        duplicates = container.layout.opened.duplicates
        size = _size(path)
        if _is_sound_elsewhere(container, path):
            duplicates.unlink(path.name, missing_ok=True)
            work.freed += size
        elif file_has_key(path, _key(path)):
            container.loose_writer().publish(path.name, _key(path), duplicates)
        else:
            continue  # damaged, and all that is left of its object: no use, no harm
        work.objects += 1
    return work


def tidy(container: ObjectStore, leftovers: Leftovers, problems: Problems, work: Work) -> None:
    """Remove the locks, tails, orphans and sandbox files that were found.

    Bytes without a row go only where every object of their pack is sound. Where some are not (programs that packed at
    the same time wrote rows that point beside their bytes), their content may be in just those bytes.

    :param work: to which is added what was done.
    """
    layout = container.layout
    for path in leftovers.locks:
        layout.opened.packs.unlink(path.name, missing_ok=True)
        work.objects += 1
    cut, freed = cut_tails(container, [pack_id for pack_id, _ in leftovers.tails], problems)
    work.objects += cut
    work.freed += freed
    for pack_id, size in leftovers.orphans if cut == len(leftovers.tails) else ():
        if pack_id not in container.index.packs():  # asked anew: what has got rows since it was counted stays
            layout.opened.packs.unlink(str(pack_id), missing_ok=True)
            work.objects += 1
            work.freed += size
    for path in leftovers.sandbox:
        work.freed += _size(path)
        layout.opened.sandbox.unlink(path.name, missing_ok=True)
        work.objects += 1
    if leftovers.items:
        layout.opened.packs.sync()


def cut_tails(container: ObjectStore, pack_ids: Iterable[int], problems: Problems) -> tuple[int, int]:
    """Cut those packs behind their last object whose objects are all sound; how many, and the bytes freed."""
    sound = [pack_id for pack_id in pack_ids if _is_sound(container, pack_id, problems)]
    return len(sound), sum(_cut_tail(container, pack_id) for pack_id in sound)


def _is_sound(container: ObjectStore, pack_id: int, problems: Problems) -> bool:
    """Whether each object of a pack has the content that its key says; those that have not are noted."""
    sound = True
    with closing(container.new_index()) as reader:
        for row in reader.objects_of_pack(pack_id):
            if not container.packed_copy_is_sound(row):
                problems.add('damaged', row.key, f'in pack {pack_id} at byte {row.offset}')
                sound = False
    return sound


def _cut_tail(container: ObjectStore, pack_id: int) -> int:
    """Cut a pack at the end of its last object, as the index says now; returns the bytes freed."""
    summary = container.index.packs().get(pack_id)
    try:
        descriptor = container.layout.opened.packs.open_linked(str(pack_id), os.O_RDWR)
    except PermissionError as error:
        if error.errno != errno.EPERM:
            raise
        return 0  # it may be a file from elsewhere
    try:
        status = os.fstat(descriptor)
        if summary is None or status.st_size <= summary.end or status.st_nlink > 1:
            return 0  # the second name may be that of another pack, of which the bytes behind the end are objects
        os.ftruncate(descriptor, summary.end)
        return status.st_size - summary.end
    finally:
        os.close(descriptor)


def _duplicates(container: ObjectStore) -> list[Path]:
    """The second copies, those whose names are as disk-objectstore gives them: key, dot, anything."""
    layout = container.layout
    paths = [Path(entry.path) for entry in layout.leftovers(layout.duplicates)]
    return [path for path in paths if '.' in path.name and is_key(_key(path))]


def _key(duplicate: Path) -> str:
    return duplicate.name.partition('.')[0]


def _has_use(container: ObjectStore, duplicate: Path) -> bool:
    return _is_sound_elsewhere(container, duplicate) or file_has_key(duplicate, _key(duplicate))


def _is_sound_elsewhere(container: ObjectStore, duplicate: Path) -> bool:
    key = _key(duplicate)
    row = container.index.find(key)
    return (row is not None and container.packed_copy_is_sound(row)) or file_has_key(
        Path(container.loose_path(key)), key
    )


def file_has_key(path: Path, key: str) -> bool:
    """Whether a file is there, can be read, and holds what a key says."""
    digest = hashlib.sha256()
    try:
        with path.open('rb') as handle:
            for chunk in chunks_of(handle):
                digest.update(chunk)
    except OSError:
        return False
    return digest.hexdigest() == key


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _counted(number: int, one: str, many: str) -> str:
    return '' if not number else f'{number} {one if number == 1 else many}'
