"""Which objects are in a bucket, told by the lists at the ends of its packs."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from ricordi.errors import CorruptStorage, LostObject
from ricordi.repository.bucket.index import PackEntry, Placement, hashes_of
from ricordi.repository.bucket.limits import BucketLimits
from ricordi.repository.bucket.listed.catalogue_file import CatalogueFile, Rows
from ricordi.repository.bucket.objects import PackStore
from ricordi.repository.bucket.pack_form import entries_of
from ricordi.repository.bucket.publishing import PACKS, pack_name
from ricordi.repository.parallel import in_order

CONDEMNED = 'condemned'
LISTS_AT_ONCE = 4
VARIABLES = 500

_FROM = ' FROM objects AS o JOIN temp.seen AS s ON s.number = o.pack JOIN packs AS p ON p.number = o.pack '
_IS_BAD = "EXISTS (SELECT 1 FROM bad WHERE bad.hash IN (o.hash, x'') AND bad.uuid = p.uuid AND bad.is_bad)"
WHOLE_LIST = b''
"""In place of a hash where the list of a pack is what is damaged: who has not read it before finds nothing of it."""
_PLACE = 'o.hash, p.uuid, o.start, o.stored, o.size, o.compressed'


CopyNote = tuple[bytes, UUID, float, bool]
"""Hash, pack, when that was found by the clock of the store, and whether the copy is damaged."""


class PackInBucket(NamedTuple):
    """A pack as the bucket lists it.

    :param modified: when it was put, by the clock of the store.
    :param is_going: whether somebody has said that it is to be removed.
    """

    bytes: int
    modified: datetime
    is_going: bool


class PackCatalogue:
    """The objects of one place, as of the last look at it. Lists of packs are read once and kept on this machine."""

    def __init__(self, store: PackStore, file: CatalogueFile, limits: BucketLimits) -> None:
        self.store = store
        self.file = file
        self._limits = limits
        self._looks = threading.RLock()
        self._losses = file.losses
        self._lasting = 0
        self._has_looked = False
        self.packs: dict[UUID, PackInBucket] = {}
        """Those that were there at the last look."""
        self.unreadable: dict[UUID, str] = {}
        """Packs of which nobody knows what they hold, and why."""

    # -- looking ------------------------------------------------------------------------------------------------

    def look_again(self, lasting: bool | None = None) -> None:
        """See what is there now.

        :param lasting: whether packs that are going shall count as gone, but for who reads an object by its key; None:
            as until now.
        """
        with self._looks:
            self._lasting = self._lasting if lasting is None else int(lasting)
            here = self.file.packs()
            going = self.going()  # before the packs: one that is gone from there is gone from here, too
            found = {pack: PackInBucket(size, time, pack in going) for pack, size, time in self._listed()}
            kept = {pack for pack, size in here.items() if pack in found and found[pack].bytes == size}
            self.file.remove([pack for pack in here if pack not in kept])
            self.unreadable = {}
            self._learn({pack: found[pack].bytes for pack in found if pack not in kept})
            self.packs, self._has_looked, self._losses = found, True, self.file.losses
            self.file.see({pack: not one.is_going for pack, one in found.items()})

    def check(self) -> None:
        """Read the lists anew that are not kept here as they were: from now on what is gone will not be missed."""
        self._ready()
        if wrong := self.file.wrong():
            self.file.remove(wrong)
            self.look_again()

    def going(self) -> dict[UUID, list[str]]:
        """Packs that somebody has said are to be removed, with the names of what says so."""
        found: dict[UUID, list[str]] = {}
        for one in self.store.listed(CONDEMNED):
            if (pack := _uuid_of(one.name.rpartition('/')[2].partition('.')[0])) is not None:
                found.setdefault(pack, []).append(one.name)
        return found

    def _listed(self) -> Iterator[tuple[UUID, int, datetime]]:
        for one in self.store.listed(PACKS):
            pack = _uuid_of(one.name.rpartition('/')[2])
            if pack is not None and one.name == pack_name(pack):
                yield pack, one.bytes, one.modified

    def _learn(self, new: dict[UUID, int]) -> None:
        """Read the lists of packs that are not known here, some at once."""
        for pack, entries in in_order(self._list_of, new.items(), LISTS_AT_ONCE, LISTS_AT_ONCE):
            if isinstance(entries, list):
                self.file.add(pack, new[pack], entries)
            elif not isinstance(entries, LostObject):  # else it is gone by now
                self.unreadable[pack] = str(entries)

    def _list_of(self, pack: tuple[UUID, int]) -> tuple[UUID, list[PackEntry] | CorruptStorage]:
        uuid, size = pack
        try:
            return uuid, self.entries(uuid, size)
        except CorruptStorage as error:
            return uuid, error

    def entries(self, pack: UUID, size: int) -> list[PackEntry]:
        """The list at the end of a pack, read from the bucket.

        :raises ricordi.errors.CorruptStorage: there is none, or the pack is gone.
        """
        return entries_of(partial(self.store.get_range, pack_name(pack)), size)

    def _ready(self) -> None:
        """Have looked; once more where the file was lost."""
        if not self._has_looked or self._losses != self.file.losses:
            self.look_again()

    def _rows(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        self._ready()
        rows = self.file.rows(statement, parameters)
        if self._losses != self.file.losses:
            self._ready()
            rows = self.file.rows(statement, parameters)
        return rows

    def _of_hashes(self, statement: str, hashes: Sequence[bytes]) -> Iterator[tuple[Any, ...]]:
        for first in range(0, len(hashes), VARIABLES):
            some = hashes[first : first + VARIABLES]
            yield from self._rows(statement.format(marks=','.join('?' * len(some))), some)

    # -- objects ------------------------------------------------------------------------------------------------

    def find(self, key: str) -> Placement | None:
        """Where one object is, a copy that is not known to be damaged before others."""
        return next((place for hash in hashes_of([key]) for place in self.copies(hash)), None)

    def copies(self, hash: bytes) -> list[Placement]:
        """All places of an object, the best first."""
        rows = self._rows(f'SELECT {_PLACE}{_FROM}WHERE o.hash = ? ORDER BY {_IS_BAD}, s.lasting DESC, o.pack', [hash])
        return [_placement(*row) for row in rows]

    def find_many(self, hashes: Sequence[bytes]) -> list[Placement]:
        """Where objects are, as of `find`; those that are not there are left out."""
        statement = f'SELECT {_PLACE}{_FROM}WHERE o.hash IN ({{marks}}) ORDER BY {_IS_BAD} DESC, s.lasting, o.pack DESC'
        best = {row[0]: row for row in self._of_hashes(statement, hashes)}
        return [_placement(*row) for row in best.values()]

    def known(self, hashes: Sequence[bytes]) -> set[bytes]:
        """Those that are there, are not known to be damaged, and stay where that was asked for."""
        statement = (
            f'SELECT o.hash{_FROM}WHERE o.hash IN ({{marks}}) AND s.lasting >= {self._lasting} AND NOT {_IS_BAD}'
        )
        return {row[0] for row in self._of_hashes(statement, hashes)}

    def proven(self, hashes: Sequence[bytes]) -> set[bytes]:
        """Those of which a copy stays that was read, and found sound, by whoever has noted it."""
        statement = (
            f'SELECT o.hash{_FROM}JOIN verified AS v ON v.uuid = p.uuid '
            f'WHERE o.hash IN ({{marks}}) AND s.lasting AND NOT {_IS_BAD}'
        )
        return {row[0] for row in self._of_hashes(statement, hashes)}

    def there(self, hashes: Sequence[bytes]) -> set[bytes]:
        """Those that are there, and stay where that was asked for."""
        statement = f'SELECT o.hash{_FROM}WHERE o.hash IN ({{marks}}) AND s.lasting >= {self._lasting}'
        return {row[0] for row in self._of_hashes(statement, hashes)}

    def behind(self, place: Placement, length: int) -> list[Placement]:
        """The object alone: in this order nothing is looked up here."""
        return [place]

    def put_inline(self, hash: bytes, content: bytes) -> None:
        """Nothing is kept outside of packs.

        :raises NotImplementedError: always.
        """
        raise NotImplementedError('there is no index to keep an object in')

    def hashes(self) -> Iterator[bytes]:
        """All objects that are there, ascending, by portions; as of `there`."""
        return (row[0] for row in self._walk('o.hash', f's.lasting >= {self._lasting}', distinct=True))

    def placements(self) -> Iterator[Placement]:
        """All copies of all objects, ascending by hash."""
        return (_placement(*row) for row in self._walk(_PLACE, '1'))

    # `columns` begin with the hash
    def _walk(self, columns: str, which: str, distinct: bool = False) -> Iterator[tuple[Any, ...]]:
        last: tuple[bytes, int] = (b'', 0)
        # in the order of the table: SQLite would rather begin with the packs, and sort
        source = (
            'objects AS o CROSS JOIN temp.seen AS s ON s.number = o.pack CROSS JOIN packs AS p ON p.number = o.pack'
        )
        statement = (
            f'SELECT o.pack, {columns} FROM {source} WHERE (o.hash, o.pack) > (?, ?) AND {which} '
            f'ORDER BY o.hash, o.pack LIMIT {self._limits.listed}'
        )
        before = b''
        while rows := self._rows(statement, last):
            for row in rows:
                if not distinct or row[1] != before:
                    yield row[1:]
                before = row[1]
            last = (rows[-1][1], rows[-1][0])

    # -- what was put, and what is damaged ----------------------------------------------------------------------

    def add(self, pack: UUID, size: int, entries: Iterable[PackEntry]) -> None:
        """Take in a pack that was just put."""
        self._ready()
        self.file.add(pack, size, entries)
        self.file.change(
            ('INSERT OR REPLACE INTO temp.seen SELECT number, 1 FROM packs WHERE uuid = ?', [(pack.bytes,)])
        )

    def note_bad(self, hash: bytes, pack: UUID, is_bad: bool, time: float) -> None:
        """Remember whether a copy of an object is damaged, or the list of a pack (`WHOLE_LIST`).

        :param time: by the clock of the store, seconds since 1970; what was noted later stands.
        """
        if is_bad:
            self.note_copies([(hash, pack, time, True)])
        else:
            statement = 'UPDATE bad SET is_bad = 0, time = ? WHERE hash = ? AND uuid = ? AND time < ?'
            self.file.change((statement, [(time, hash, pack.bytes, time)]))

    def note_copies(self, notes: Iterable[CopyNote]) -> None:
        """Take in what is known of copies; of two about one the later stands, of one time the worse."""
        statement = (
            'INSERT INTO bad (hash, uuid, time, is_bad) VALUES (?, ?, ?, ?) ON CONFLICT (hash, uuid) DO UPDATE '
            'SET time = excluded.time, is_bad = excluded.is_bad '
            'WHERE (excluded.time, excluded.is_bad) > (bad.time, bad.is_bad)'
        )
        rows = ((hash, pack.bytes, time, int(is_bad)) for hash, pack, time, is_bad in notes)
        self.file.change((statement, rows))

    def note_read(self, packs: Mapping[UUID, float]) -> None:
        """Remember when packs were read whole, by the clock of the store."""
        statement = (
            'INSERT INTO verified VALUES (?, ?) ON CONFLICT (uuid) DO UPDATE SET time = max(time, excluded.time)'
        )
        self.file.change((statement, ((pack.bytes, time) for pack, time in packs.items())))

    def read_times(self) -> dict[UUID, float]:
        """When packs were read whole."""
        return {UUID(bytes=uuid): time for uuid, time in self.file.rows('SELECT uuid, time FROM verified')}

    def copy_notes(self) -> list[CopyNote]:
        """All that is noted of copies, by hash and pack; also that they were damaged once and are not."""
        rows = self.file.rows('SELECT hash, uuid, time, is_bad FROM bad ORDER BY hash, uuid')
        return [(hash, UUID(bytes=uuid), time, bool(is_bad)) for hash, uuid, time, is_bad in rows]

    def bad(self) -> frozenset[bytes]:
        """Objects of which all copies are known to be damaged."""
        statement = (
            "SELECT hash FROM bad WHERE is_bad AND hash <> x'' UNION SELECT o.hash FROM bad AS b "
            "JOIN packs AS p ON p.uuid = b.uuid JOIN objects AS o ON o.pack = p.number WHERE b.hash = x'' AND b.is_bad"
        )
        noted = [hash for (hash,) in self._rows(statement)]
        return frozenset(self.there(noted) - self.known(noted))

    def without_list(self) -> set[UUID]:
        """Packs that do not tell what is in them: of which that is not known here, or was noted by anybody."""
        return {pack for hash, pack, _, is_bad in self.copy_notes() if is_bad and hash == WHOLE_LIST} | {
            *self.unreadable
        }


def _placement(hash: bytes, pack: bytes, start: int, stored: int, size: int, compressed: int) -> Placement:
    return Placement(hash, UUID(bytes=pack), start, stored, size, bool(compressed))


def _uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
