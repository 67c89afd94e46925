"""Whether a snapshot has all that it is made of."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

from ricordi.backend.repository import RepositoryBackend
from ricordi.backend.snapshots import TablePart
from ricordi.backup.key_spool import KeySpool, lacking
from ricordi.backup.pieces import keys_named_in, pieces_ahead, pieces_in
from ricordi.backup.records import PartRecord, PieceEntry, SnapshotRecord
from ricordi.errors import CorruptStorage, NotExistent

FIRST_LOST = 3
"""So many keys of objects that are not there are told."""
MOST_REMEMBERED = 100_000
"""Pieces of which it is remembered what they name, some twenty mebibytes of memory."""


class SoundPieces:
    """Pieces that were read and found sound, with the keys that they name: what several snapshots have is read once.

    The keys are in a file without a name. To be closed.
    """

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        """
        :param most: so many pieces are remembered.
        """
        self._file = tempfile.TemporaryFile(prefix='ricordi-pieces-')  # noqa: SIM115 - closed by `close`
        self._most = most
        self._places: dict[tuple[TablePart, PieceEntry], tuple[int, int]] = {}
        self._end = 0

    def add(self, part: TablePart, entry: PieceEntry, digests: bytes) -> None:
        """Remember a sound piece.

        :param digests: the keys that it names, 32 bytes each.
        """
        if len(self._places) < self._most:
            self._file.write(digests)
            self._places[part, entry] = (self._end, len(digests))
            self._end += len(digests)

    def digests(self, part: TablePart, entry: PieceEntry) -> bytes | None:
        """The keys that a piece names; None of one that is not remembered."""
        place = self._places.get((part, entry))
        if place is None:
            return None
        self._file.flush()
        start, length = place
        return os.pread(self._file.fileno(), length, start) if length else b''

    def close(self) -> None:
        """Forget them."""
        self._file.close()


def faults_of(record: SnapshotRecord, store: RepositoryBackend, sound: SoundPieces) -> Iterator[str]:
    """What is wrong with a snapshot, in words: every list of it is read, and every piece that is not known to be sound.

    Objects that nodes name are looked for, not read. What the snapshot says that it lacks is no fault.

    :param sound: what was read for other snapshots of the same place; what is read now comes in.
    """
    faults: list[str] = []
    with KeySpool() as named:
        named.add_digests(digests for part in record.parts for digests in _named_by(part, store, sound, faults))
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


def _named_by(record: PartRecord, store: RepositoryBackend, sound: SoundPieces, faults: list[str]) -> Iterator[bytes]:
    """The keys that the rows of a part name; what is wrong with those that cannot be read is added to `faults`."""
    part = record.part
    for lists in record.lists:
        try:
            entries = pieces_in(store, lists)
        except (CorruptStorage, NotExistent) as error:
            faults.append(f'{lists.rows:,} rows of {part.table} from pk {lists.first} on cannot be found: {error}')
            continue
        unread = []
        for entry in entries:
            known = sound.digests(part, entry)
            if known is None:
                unread.append(entry)
            else:
                yield known
        for entry, piece in pieces_ahead(store, unread):
            try:
                digests = bytes.fromhex(''.join(keys_named_in(piece().data, part)))
            except (CorruptStorage, NotExistent) as error:
                faults.append(f'{entry.rows:,} rows of {part.table} from pk {entry.first} on cannot be read: {error}')
            else:
                sound.add(part, entry, digests)
                yield digests
