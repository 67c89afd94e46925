"""Mending a container in the right order: first the index, which all else needs, then objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ricordi.backend.maintenance import KeyStream
from ricordi.backend.repair import Mending, RepairOrder, RepairSource, SetAside
from ricordi.errors import CorruptStorage
from ricordi.progress import Run
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.repair.index import describe_rebuild, rebuild_index
from ricordi.repository.repair.objects import ObjectMender


def repair_container(
    store: ObjectStore, order: RepairOrder, sources: Sequence[RepairSource], named_keys: KeyStream, run: Run
) -> Iterator[Mending | SetAside]:
    """See `RepositoryBackend.repair`."""
    if not order.dry_run:
        store.layout.make_subfolders()
    rebuilds = order.new_index or _is_odd(store)
    if rebuilds and order.dry_run:
        yield describe_rebuild(store)
    elif rebuilds:
        yield from rebuild_index(store, named_keys, run)
    if rebuilds and order.dry_run and not _is_readable(store):
        return  # what else is missing shows when there is an index
    keys = list(dict.fromkeys((*order.keys, *_neighbours(store, order.overlapping))))
    with run.step('look at objects', len(keys), 'objects'):
        yield from ObjectMender(store, sources, order.dry_run, run).mend(keys)


def _is_odd(store: ObjectStore) -> bool:
    """Whether the index cannot be read, or has rows that say what cannot be: nobody can work with these."""
    try:
        return store.index.odd_rows() > 0
    except CorruptStorage:
        return True


def _is_readable(store: ObjectStore) -> bool:
    try:
        store.index.check()
    except CorruptStorage:
        return False
    return True


def _neighbours(store: ObjectStore, keys: Iterable[str]) -> Iterator[str]:
    """Objects, and those that the index has in the same places."""
    for row in store.index.find_many(keys):
        yield row.key
        yield from store.index.keys_within(row.pack_id, row.offset, row.offset + row.length)
