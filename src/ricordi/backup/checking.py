"""Whether a snapshot has all that it is made of."""

from __future__ import annotations

from collections.abc import Iterator

from ricordi.backend.repository import RepositoryBackend
from ricordi.backup.key_spool import KeySpool, lacking
from ricordi.backup.pieces import keys_named_in, pieces_ahead, pieces_in
from ricordi.backup.records import PartRecord, SnapshotRecord
from ricordi.errors import CorruptStorage, NotExistent

FIRST_LOST = 3
"""So many keys of objects that are not there are told."""


def faults_of(record: SnapshotRecord, store: RepositoryBackend) -> Iterator[str]:
    """What is wrong with a snapshot, in words: every list and piece of it is read.

    Objects that nodes name are looked for, not read. What the snapshot says that it lacks is no fault.
    """
    faults: list[str] = []
    with KeySpool() as named:
        named.add(key for part in record.parts for key in _keys_in(part, store, faults))
        yield from faults
        listed, unlisted = {*record.missing}, record.missing_count - len(record.missing)
        lost, first = 0, list[str]()
        for key in lacking(named.ascending(), store.list_objects()):
            if key in listed:
                continue
            unlisted -= 1
            if unlisted < 0:
                lost += 1
                first += [key] if len(first) < FIRST_LOST else []
        if lost:
            yield _not_there(lost, first)
        if not faults and named.count_and_digest() != (record.objects.objects, record.keys_digest):
            yield 'the nodes of the snapshot name other objects than its manifest says'


def _not_there(lost: int, first: list[str]) -> str:
    if lost == 1:
        return f'object {first[0]}, which nodes of the snapshot name, is not there'
    more = ', …' if lost > len(first) else ''
    return f'{lost:,} objects, which nodes of the snapshot name, are not there: {", ".join(first)}{more}'


def _keys_in(record: PartRecord, store: RepositoryBackend, faults: list[str]) -> Iterator[str]:
    """The keys that the rows of a part name; what is wrong with those that cannot be read is added to `faults`."""
    table = record.part.table
    for lists in record.lists:
        try:
            entries = pieces_in(store, lists)
        except (CorruptStorage, NotExistent) as error:
            faults.append(f'{lists.rows:,} rows of {table} from pk {lists.first} on cannot be found: {error}')
            continue
        for entry, piece in pieces_ahead(store, entries):
            try:
                yield from keys_named_in(piece().data, record.part)
            except (CorruptStorage, NotExistent) as error:
                faults.append(f'{entry.rows:,} rows of {table} from pk {entry.first} on cannot be read: {error}')
