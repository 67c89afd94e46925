"""Where else in the packs an object may lie than where the index says: as catalogues tell it, or found by scanning."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from ricordi.progress import Run
from ricordi.repository.container.catalogue import catalogued_packs, read_catalogue
from ricordi.repository.container.index import PackedObject
from ricordi.repository.container.layout import REPACK_ID, Layout
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.repair.scanning import Scan, uncovered
from ricordi.repository.verification.reader import fault_of_row

RowsOf = Callable[[int], Iterable[PackedObject]]


def told_by_catalogues(layout: Layout, wanted: Collection[str]) -> Iterator[PackedObject]:
    """What the catalogues say of some objects, as far as it is so: each was read and has its SHA-256."""
    for pack_id in catalogued_packs(layout) if wanted else ():
        for row in read_catalogue(layout, pack_id):
            if row.key in wanted and not fault_of_row(layout.pack_path(pack_id), row):
                yield row


def found_by_scanning(store: ObjectStore, wanted: Iterable[str], rows_of: RowsOf, run: Run) -> Iterator[PackedObject]:
    """Objects that lie in the packs where no row says that anything lies; ends early where it is told to stop.

    :param rows_of: the rows of a pack that are to be believed.
    """
    scan = Scan(store.layout, wanted, store.limits)
    sizes = store.layout.pack_sizes()
    for pack_id in sorted(sizes, key=lambda number: (number == REPACK_ID, number)):
        if not scan.wanted:
            return
        for begin, end in uncovered(rows_of(pack_id), sizes[pack_id]):
            if run.stop.reason:
                return
            yield from scan.stretch(pack_id, begin, end)
