"""Counting a container: what is loose, packed, garbage, waste, missing. Content is not read, nothing is changed.

Keys come as sorted streams and are compared range by range, so memory does not grow.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from itertools import chain, islice
from operator import ge
from typing import Any, NamedTuple

from ricordi.backend.maintenance import Amount, CleanMark, ContainerState, KeyStream, MaintenanceOptions
from ricordi.errors import CorruptStorage
from ricordi.repository.container.index import EMPTY_PACK, PackSummary
from ricordi.repository.container.index_state import index_state
from ricordi.repository.container.layout import EMPTY_KEY
from ricordi.repository.container.objects import ObjectStore

LAST_KEY = 'g'
"""Above every key."""
_IS_GARBAGE = 'EXISTS (SELECT 1 FROM temp.garbage AS g WHERE g.hashkey = o.hashkey)'
_IS_LOOSE = 'EXISTS (SELECT 1 FROM temp.loose AS l WHERE l.hashkey = o.hashkey)'


class PackInventory(NamedTuple):
    """One pack.

    :param file_bytes: size of the file, or None if it is gone.
    :param objects: rows that name it.
    :param length: bytes they cover.
    :param size: bytes of content.
    :param end: where the last object ends.
    :param compressed: how many objects are zlib streams.
    :param garbage: those of its objects that no node names.
    """

    pack_id: int
    file_bytes: int | None
    objects: int
    length: int
    size: int
    end: int
    compressed: int
    garbage: Amount

    @property
    def waste_bytes(self) -> int:
        """Bytes that no row covers; never negative, even where rows overlap."""
        return max(0, (self.file_bytes or 0) - self.length)

    def size_or(self, gone: int) -> int:
        """Bytes of the file, or what stands for one that is gone."""
        return gone if self.file_bytes is None else self.file_bytes

    @property
    def is_gapless(self) -> bool:
        """Whether its objects lie one after the other from the first byte of the file to the last."""
        return self.file_bytes == self.length == self.end

    @property
    def is_cut(self) -> bool:
        """Whether rows name bytes that the file has not."""
        return self.objects > 0 and (self.file_bytes is None or self.end > self.file_bytes)


class Inventory:
    """What a container holds at one moment, and the key sets behind the numbers, until `close`."""

    def __init__(self, container: ObjectStore, named_keys: KeyStream | None, clean: CleanMark | None = None) -> None:
        """
        :param named_keys: what nodes name, or None to leave garbage and missing objects uncounted.
        :param clean: what the container was like when nodes named all objects, and no other; None: not known.
        """
        self._container = container
        self.index = container.new_index()
        self.knows_names = named_keys is not None
        self.named = 0
        """How many objects nodes name, where that is known."""
        self._create_tables()
        with self.index.guarded():
            self._fill_loose()
        self.loose = self._amount('SELECT COUNT(*), TOTAL(size) FROM temp.loose')
        self.largest_loose = int(self._one('SELECT COALESCE(MAX(size), 0) FROM temp.loose')[0])
        self._index_state = index_state(self.index.path, container.limits.settled_seconds)
        counted = _counted_before(clean, self._index_state)
        packs = packs_now(container, counted)
        self.fingerprint = self._fingerprint(packs)
        is_clean = clean is not None and self.fingerprint == clean.container
        if counted is not None and not is_clean:  # no work rests on a note
            packs = packs_now(container)
            self.fingerprint = self._fingerprint(packs)
        if is_clean:
            self.named = sum(pack.objects for pack in packs.values())
        elif named_keys is not None:
            with self.index.guarded():
                self._compare(named_keys())
        self.loose_garbage = self._loose_garbage()
        garbage = self._packed_garbage()
        self.packs = {pack_id: pack._replace(garbage=garbage.get(pack_id, Amount())) for pack_id, pack in packs.items()}
        self.missing = int(self._one('SELECT COUNT(*) FROM temp.missing')[0])
        self.unreadable, self._in_lost_packs = self._unreadable_counts()

    def close(self) -> None:
        """Let go of the key sets."""
        self.index.close()

    def state(self) -> ContainerState:
        """The numbers, for a report."""
        layout, packs = self._container.layout, self.packs.values()
        garbage = Amount(
            self.loose_garbage.objects + sum(p.garbage.objects for p in packs),
            self.loose_garbage.bytes + sum(p.garbage.bytes for p in packs),
        )
        pack_files = [pack for pack in packs if pack.file_bytes is not None]
        leftovers = len(layout.leftovers(layout.sandbox)) + len(layout.leftovers(layout.duplicates))
        return ContainerState(
            loose=self.loose,
            packed=Amount(sum(p.objects for p in packs), sum(p.length for p in packs)),
            content_bytes=sum(p.size for p in packs),
            garbage=garbage if self.knows_names else None,
            waste_bytes=sum(p.waste_bytes for p in packs),
            missing=self.missing + self._in_lost_packs if self.knows_names else None,
            packs=len(pack_files),
            files=self.loose.objects + len(pack_files) + leftovers + len(layout.pack_locks()) + 2,
            index_bytes=layout.index.stat().st_size,
        )

    def may_remove(self, options: MaintenanceOptions) -> bool:
        """Whether what no node names may go: nobody else is there, and all that nodes name is at hand."""
        return options.full and not (self.missing or self.unreadable or options.keep_unnamed)

    def is_garbage(self, key: str) -> bool:
        """Whether no node names an object."""
        return bool(self._one('SELECT count(*) FROM temp.garbage WHERE hashkey = ?', (key,))[0])

    def mark(self) -> CleanMark:
        """The container's part of a mark; with what was counted in the index, if nobody has written to it since."""
        now = index_state(self.index.path, self._container.limits.settled_seconds)
        if now is None or now != self._index_state:
            return CleanMark('', self.fingerprint)
        rows = ((p.pack_id, p.objects, p.length, p.size, p.end, p.compressed) for p in self.packs.values() if p.objects)
        return CleanMark('', self.fingerprint, now, tuple(rows))

    # -- streams over the key sets ----------------------------------------------------------------------------

    def loose_keys(self, named: bool | None) -> Iterator[tuple[str, int]]:
        """Key and bytes of loose objects, ascending: those that nodes name, those they do not, or (None) all."""
        condition = {None: 'TRUE', True: f'NOT {_IS_GARBAGE}', False: _IS_GARBAGE}[named]
        rows = self.index.ascending('hashkey, size', f'temp.loose AS o WHERE {condition}', (), key='hashkey', after='')
        return ((key, size) for key, size in rows)

    def packed_garbage_keys(self) -> Iterator[str]:
        """Packed objects that no node names, ascending."""
        statement = 'SELECT hashkey FROM temp.garbage JOIN db_object USING (hashkey) ORDER BY hashkey'
        with self.index.guarded():
            for (key,) in self.index.connection.execute(statement):
                yield key

    def garbage_keys_of_pack(self, pack_id: int) -> Iterator[str]:
        """The same of one pack; no statement stays open in between, so that the log of the index can be emptied."""
        source = 'temp.garbage JOIN db_object USING (hashkey) WHERE pack_id = ?'
        return (key for (key,) in self.index.ascending('hashkey', source, (pack_id,), key='hashkey', after=''))

    def missing_keys(self) -> Iterator[str]:
        """Keys that nodes name and the container lacks, ascending."""
        with self.index.guarded():
            for (key,) in self.index.connection.execute('SELECT hashkey FROM temp.missing ORDER BY hashkey'):
                yield key

    def unreadable_keys(self) -> Iterator[tuple[str, int]]:
        """Key and pack of objects whose pack is gone or ends too early; only named ones where names are known."""
        with self.index.guarded():
            for pack in self.packs.values():
                if pack.is_cut:
                    yield from self.index.connection.execute(
                        'SELECT hashkey, pack_id FROM db_object AS o WHERE pack_id = ? AND "offset" + length > ? '
                        f'AND NOT {_IS_LOOSE} AND NOT {_IS_GARBAGE} AND NOT (length = 0 AND hashkey = ? AND ?) '
                        'ORDER BY hashkey',
                        (pack.pack_id, pack.size_or(-1), EMPTY_KEY, pack.file_bytes is not None),
                    )

    def freed_with_garbage(self, rewritten: Collection[int]) -> int:
        """Bytes of disk that go with packed garbage: packs that hold nothing else, and the ends of others.

        :param rewritten: packs of which it is the repack that gives back what garbage took.
        """
        packs = [pack for pack in self.packs.values() if pack.garbage.objects and pack.pack_id not in rewritten]
        ends = self._ends_of_garbage() if packs else {}
        return sum(self._freed_of(pack, ends[pack.pack_id]) for pack in packs if pack.file_bytes is not None)

    # -- filling and counting ---------------------------------------------------------------------------------

    def _create_tables(self) -> None:
        with self.index.guarded():
            for table, columns in (('loose', ', size INTEGER'), ('garbage', ''), ('missing', '')):
                self.index.connection.execute(
                    f'CREATE TEMP TABLE {table} (hashkey TEXT PRIMARY KEY{columns}) WITHOUT ROWID'
                )

    def _fill_loose(self) -> None:
        loose = self._container.layout.loose_objects(self._container.config.loose_prefix_len)
        connection = self.index.connection
        connection.execute('BEGIN')
        connection.executemany('INSERT OR IGNORE INTO temp.loose VALUES (?, ?)', loose)
        connection.execute('COMMIT')

    def _compare(self, named: Iterator[str]) -> None:
        """Walk through all keys in ranges, and note the differences: normally there are few."""
        lower, upper, most = '', '', self._container.limits.compare_at_once
        while upper != LAST_KEY:
            names = list(islice(named, most))
            if any(map(ge, names, names[1:])) or (lower and names and lower >= names[0]):
                raise CorruptStorage(
                    'the database does not list the keys that nodes name in ascending order, so that what is garbage '
                    'cannot be told; nothing was changed'
                )
            self.named += len(names)
            upper = names[-1] if len(names) == most else LAST_KEY
            if not self.loose.objects and self._are_packed(names, lower, upper):
                lower = upper
                continue
            wanted, packed, loose = (
                set(names),
                self._range('db_object', lower, upper),
                self._range('loose', lower, upper),
            )
            self._note('garbage', (packed | loose) - wanted)
            # asked once more, since a writer may have stored the object after the loose files were listed
            self._note('missing', {key for key in wanted - packed - loose if not self._container.has_object(key)})
            lower = upper

    def _are_packed(self, names: list[str], lower: str, upper: str) -> bool:
        """Whether the packed objects of a range are these and no others: told fast, in one string of all keys.

        It can be told from the string, as all keys in it are of one length. False may also mean: not known.
        """
        statement = (
            "SELECT count(*), min(length(hashkey)), group_concat(hashkey, '') FROM "
            '(SELECT hashkey FROM db_object WHERE hashkey > ? AND hashkey <= ? ORDER BY hashkey LIMIT ?)'
        )
        limits = (lower, upper, len(names) + 1)
        number, shortest, keys = self.index.connection.execute(statement, limits).fetchone()
        if not number or number != len(names):
            return not number and not names
        if shortest * number != len(keys) or {*map(len, names)} != {shortest}:
            return False
        return bool(keys == ''.join(names))

    def _range(self, table: str, lower: str, upper: str) -> set[str]:
        statement = f'SELECT hashkey FROM {table} WHERE hashkey > ? AND hashkey <= ?'
        return set(chain.from_iterable(self.index.connection.execute(statement, (lower, upper)).fetchall()))

    def _note(self, table: str, keys: set[str]) -> None:
        if keys:
            rows = ((key,) for key in sorted(keys))
            self.index.connection.executemany(f'INSERT INTO temp.{table} VALUES (?)', rows)

    def _fingerprint(self, packs: Mapping[int, PackInventory]) -> str:
        """Another one after whatever comes, goes or moves in the container."""
        words = [self._container.config.container_id, *self.loose, *packs.values()]
        return hashlib.sha256(json.dumps(words).encode()).hexdigest()

    def _freed_of(self, pack: PackInventory, end_of_garbage: int) -> int:
        file_bytes = pack.file_bytes or 0
        if pack.objects == pack.garbage.objects:
            return file_bytes
        if end_of_garbage < pack.end:
            return 0  # a repack alone gives back what lies before an object that stays
        statement = f'SELECT MAX("offset" + length) FROM db_object AS o WHERE pack_id = ? AND NOT {_IS_GARBAGE}'
        (end,) = self._one(statement, (pack.pack_id,))
        return max(0, min(pack.end, file_bytes) - int(end))

    def _ends_of_garbage(self) -> dict[int, int]:
        statement = (
            'SELECT pack_id, MAX("offset" + length) FROM temp.garbage CROSS JOIN db_object USING (hashkey) '
            'GROUP BY pack_id'
        )
        with self.index.guarded():
            return dict(self.index.connection.execute(statement).fetchall())

    def _one(self, statement: str, parameters: tuple[Any, ...] = ()) -> tuple[Any, ...]:
        with self.index.guarded():
            row = self.index.connection.execute(statement, parameters).fetchone()
        return tuple(row)

    def _amount(self, statement: str) -> Amount:
        objects, size = self._one(statement)
        return Amount(int(objects), int(size))

    def _loose_garbage(self) -> Amount:
        return self._amount('SELECT COUNT(*), TOTAL(size) FROM temp.garbage JOIN temp.loose USING (hashkey)')

    def loose_and_packed(self) -> Amount:
        """Loose objects that nodes name and that are packed as well; bytes of the loose files."""
        return self._amount(
            'SELECT COUNT(*), TOTAL(o.size) FROM temp.loose AS o CROSS JOIN db_object AS p '
            f'WHERE p.hashkey = o.hashkey AND NOT {_IS_GARBAGE}'
        )

    def _packed_garbage(self) -> dict[int, Amount]:
        statement = (
            'SELECT pack_id, COUNT(*), SUM(length) FROM temp.garbage CROSS JOIN db_object USING (hashkey) '
            'GROUP BY pack_id'
        )
        with self.index.guarded():
            return {pack: Amount(objects, size) for pack, objects, size in self.index.connection.execute(statement)}

    def _unreadable_counts(self) -> tuple[int, int]:
        """How many objects lie in packs that are gone or end too early, and of these in packs that are gone."""
        unreadable = lost = 0
        if any(pack.is_cut for pack in self.packs.values()):
            for _, pack_id in self.unreadable_keys():
                unreadable += 1
                lost += self.packs[pack_id].file_bytes is None
        return unreadable, lost


def _counted_before(clean: CleanMark | None, state: str | None) -> dict[int, PackSummary] | None:
    """What an earlier maintenance has counted in the index, if it is as it was; the note may hold anything."""
    if clean is None or state is None or clean.index_state != state:
        return None
    try:
        rows = [[*row] for row in clean.packs]
        if not all(type(number) is int for row in rows for number in row):
            return None
        return {pack_id: PackSummary(*numbers) for pack_id, *numbers in rows}
    except (TypeError, ValueError):
        return None


def packs_now(container: ObjectStore, counted: dict[int, PackSummary] | None = None) -> dict[int, PackInventory]:
    """Every pack that a file or a row names, by number; garbage uncounted.

    :param counted: what the index says of each pack, where that is known.
    """
    # Rows first: what a packer commits in between lies in files that are longer than the rows ask for, not shorter.
    summaries = container.index.packs() if counted is None else counted
    sizes = container.layout.pack_sizes()
    return {
        pack_id: PackInventory(pack_id, sizes.get(pack_id), *summaries.get(pack_id, EMPTY_PACK), garbage=Amount())
        for pack_id in sorted({*sizes, *summaries})
    }


def count_container(container: ObjectStore, detailed: bool) -> dict[str, Any]:
    """Objects and bytes as plain data; with `detailed` also what needs a look at each loose file, and each pack."""
    layout = container.layout
    packs = packs_now(container)
    files = [pack for pack in packs.values() if pack.file_bytes is not None]
    info: dict[str, Any] = {
        'uuid': container.config.container_id,
        'hash_algorithm': container.config.hash_type,
        'compression_algorithm': container.config.compression_algorithm,
        'loose': _loose_info(container, detailed),
        'packed': {
            'objects': sum(pack.objects for pack in packs.values()),
            'bytes': sum(pack.length for pack in packs.values()),
            'content_bytes': sum(pack.size for pack in packs.values()),
        },
        'waste_bytes': sum(pack.waste_bytes for pack in packs.values()),
        'packs': len(files),
        'index_bytes': layout.index.stat().st_size,
    }
    if detailed:
        info['pack_list'] = [
            {
                'pack': pack.pack_id,
                'file_bytes': pack.file_bytes,
                'objects': pack.objects,
                'bytes': pack.length,
                'content_bytes': pack.size,
                'waste_bytes': pack.waste_bytes,
            }
            for pack in packs.values()
        ]
    return info


def _loose_info(container: ObjectStore, detailed: bool) -> dict[str, int]:
    prefix_length = container.config.loose_prefix_len
    if not detailed:
        return {'objects': container.layout.count_loose(prefix_length)}
    objects = size = 0
    for _, one in container.layout.loose_objects(prefix_length):
        objects, size = objects + 1, size + one
    return {'objects': objects, 'bytes': size}
