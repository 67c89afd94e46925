"""The index of a container against itself and against the files of the packs; no content is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ricordi.backend.verification import Finding
from ricordi.errors import CorruptStorage
from ricordi.model.file_trees import is_key
from ricordi.repository.container.index import Index
from ricordi.repository.container.layout import REPACK_ID
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.verification.copies import Copies
from ricordi.repository.verification.places import Extent, ObjectPlaces, impossible_rows
from ricordi.repository.verification.watch import in_words

MOST_FAULTS = 10
"""So many faults of the file of the index are named by SQLite."""
MOST_TEXT = 100
"""So many characters of what is no key are told."""


def check_index_file(index: Index, thorough: bool) -> Iterator[Finding]:
    """Have SQLite look at the file of the index: its pages, and if `thorough` also its table against its indexes."""
    try:
        for fault in index.faults(thorough, MOST_FAULTS):
            yield damaged_index(index, fault)
    except CorruptStorage as error:
        yield damaged_index(index, str(error.__cause__ or in_words(error)))


def damaged_index(index: Index, fault: str) -> Finding:
    """The finding of a file that SQLite complains of."""
    return Finding('damaged object index', fault, index.path.name, remedy='index')


def check_rows(index: Index) -> Iterator[Finding]:
    """The rows of the index that say what cannot be."""
    for key, compressed, size, offset, length, pack_id in impossible_rows(index):
        place = f'pack {_short(pack_id)}, offset {_short(offset)}, length {_short(length)}'
        detail = f'it says what cannot be: {place}, size {_short(size)}, compressed {_short(compressed)}'
        sound = isinstance(key, str) and is_key(key)
        if not sound:
            detail = f'its key is none ({_short(key)}); {place}'
        yield Finding('wrong index row', detail, index.path.name, str(key) if sound else '', remedy='index')


def _short(value: object) -> str:
    return repr(value)[:MOST_TEXT]


def check_overlaps(places: ObjectPlaces) -> Iterator[Finding]:
    """The objects that begin before the one in front of them ends: at least one of the two rows is wrong."""
    for key, pack_id, offset, overlap in places.overlaps():
        detail = f'it begins {overlap:,} bytes before the end of an object in front of it'
        yield Finding('overlapping index rows', detail, f'packs/{pack_id} at byte {offset}', key, remedy='index')


def check_pack_files(
    store: ObjectStore, places: ObjectPlaces, copies: Copies, is_told: Callable[[str], bool]
) -> Iterator[Finding]:
    """The packs against what the rows ask of them.

    :param is_told: whether an object has been told of already; it is from then on.
    """
    # Rows first: what a packer commits in between lies in files that are longer than these rows ask for, not shorter.
    extents = places.extents()
    sizes = {one: size for one, size in store.layout.pack_sizes().items() if store.layout.pack_path(one).is_file()}
    for pack_id, extent in sorted(extents.items()):
        size = sizes.get(pack_id)
        if size is None or size < extent.end:
            yield from _objects_beyond(places, copies, pack_id, size, is_told)
    yield from _unnamed_bytes(store, extents, sizes)


def _objects_beyond(
    places: ObjectPlaces, copies: Copies, pack_id: int, size: int | None, is_told: Callable[[str], bool]
) -> Iterator[Finding]:
    """A pack that is gone or ends too early: itself, and each of its objects that cannot be read from it now."""
    lost = 0
    for key in places.beyond(pack_id, -1 if size is None else size):
        found = list(copies.findings(key))
        lost += bool(found)
        if found and not is_told(key):
            yield from found
    if lost:
        place = f'packs/{pack_id}'
        if size is None:
            yield Finding('missing pack', f'its file is gone, and {lost:,} objects with it', place, remedy='source')
        else:
            detail = f'its file ends at byte {size:,}, before {lost:,} objects do'
            yield Finding('cut pack', detail, place, remedy='source')


def _unnamed_bytes(store: ObjectStore, extents: Mapping[int, Extent], sizes: Mapping[int, int]) -> Iterator[Finding]:
    """Notices of bytes at the ends of packs that no row names; where a packer is at work it has just written them."""
    busy = {path.name for path in store.layout.pack_locks()}
    behind = [pack_id for pack_id, size in sizes.items() if size > extents.get(pack_id, Extent(0, 0)).end]
    suspects = [pack_id for pack_id in behind if f'{pack_id}.lock' not in busy and pack_id != REPACK_ID]
    if not suspects:
        return
    # Looked at once more: what a packer had appended has its rows by now, for the lock of its pack was gone after that.
    try:
        now = store.index.packs()
    except CorruptStorage:
        return  # rows that cannot be are told of; what they name nobody knows
    for pack_id in suspects:
        end = now[pack_id].end if pack_id in now else 0
        if pack_id not in now:
            detail = f'no row of the index names any of its {sizes[pack_id]:,} bytes'
            yield Finding('unnamed pack', detail, f'packs/{pack_id}', remedy='full maintenance', notice=True)
        elif sizes[pack_id] > end:
            detail = f'no row of the index names its last {sizes[pack_id] - end:,} bytes'
            yield Finding('unnamed bytes', detail, f'packs/{pack_id}', remedy='full maintenance', notice=True)
