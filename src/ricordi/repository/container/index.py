"""The index of a container, `packs.idx`: which object lies where in the packs. SQLite in WAL mode.

Rows are committed durably (`synchronous=FULL`) and only after the bytes they point at are fsynced.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, islice
from operator import gt
from pathlib import Path
from typing import Any, NamedTuple

from ricordi.errors import CorruptStorage, MissingObject
from ricordi.folders import OpenFolder
from ricordi.remedies import Remedy
from ricordi.repository.container.index_connection import check_index_file, connect, state_of, translated
from ricordi.repository.limits import USUAL

SCHEMA = """
CREATE TABLE IF NOT EXISTS db_object (
    id INTEGER NOT NULL,
    hashkey VARCHAR NOT NULL,
    compressed BOOLEAN NOT NULL,
    size INTEGER NOT NULL,
    "offset" INTEGER NOT NULL,
    length INTEGER NOT NULL,
    pack_id INTEGER NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX IF NOT EXISTS ix_db_object_hashkey ON db_object (hashkey);
"""
COLUMNS = 'hashkey, compressed, size, "offset", length, pack_id'
FIND = f'SELECT {COLUMNS} FROM db_object WHERE hashkey = ?'
FIND_MANY = f'SELECT {COLUMNS} FROM json_each(?) AS wanted CROSS JOIN db_object ON hashkey = wanted.value'
MOST = 1 << 50
"""Above any number of bytes or packs that can be."""
IS_POSSIBLE = (
    "typeof(o.size) = 'integer' AND typeof(o.\"offset\") = 'integer' AND typeof(o.length) = 'integer' AND "
    "typeof(o.pack_id) = 'integer' AND typeof(o.compressed) = 'integer' AND "
    'min(o.size, o."offset", o.length, o.pack_id + 1) >= 0 AND '
    f'max(o.size, o."offset", o.length, o.pack_id) <= {MOST} AND '
    '(o.compressed = 1 OR (o.compressed = 0 AND o.size = o.length))'
)
"""The same as `PackedObject.is_possible`, of a row `o`."""
BY_PLACE = (
    'SELECT w.hashkey AS hashkey, o.compressed AS compressed, o.size AS size, o."offset" AS "offset", '
    'o.length AS length, o.pack_id AS pack_id FROM temp.wanted AS w LEFT JOIN db_object AS o ON '
    f'o.hashkey = w.hashkey AND {IS_POSSIBLE} ORDER BY o.pack_id, o."offset"'
)
CONTENT_BYTES = (
    "SELECT COUNT(*), TOTAL(CASE WHEN typeof(size) = 'integer' THEN size END) "
    'FROM json_each(?) AS wanted CROSS JOIN db_object ON hashkey = wanted.value'
)
PUT = (
    f'INSERT INTO db_object ({COLUMNS}) VALUES %s ON CONFLICT (hashkey) DO UPDATE SET '
    'compressed = excluded.compressed, size = excluded.size, "offset" = excluded."offset", '
    'length = excluded.length, pack_id = excluded.pack_id'
)
# What follows after SUM(compressed) tells whether any value is none that can be: `%` of what is no integer is none, and
# text and blobs are above all numbers.
COUNT_PACKS = (
    'SELECT pack_id, COUNT(*), SUM(length), SUM(size), MAX("offset" + length), SUM(compressed), '
    'SUM("offset" % 2), MIN(min(size, "offset", length)), MAX(max(size, "offset", length)), '
    'MIN(compressed), MAX(compressed) FROM db_object GROUP BY pack_id'
)
FIND_AT_ONCE = 2000
FETCH_AT_ONCE = 1000
PUT_AT_ONCE = 100
LOOKED_AT = 2000


class PackedObject(NamedTuple):
    """A row of the index: `length` bytes at `offset` of pack `pack_id` are the object, a zlib stream if `compressed`.

    `size` is the number of bytes of content.
    """

    key: str
    compressed: int
    size: int
    offset: int
    length: int
    pack_id: int

    @property
    def is_possible(self) -> bool:
        """Whether this can be a place of an object: SQLite keeps a value of any type in any column."""
        _, compressed, size, offset, length, pack_id = self
        return (
            type(size) is type(offset) is type(length) is type(pack_id) is int
            and min(size, offset, length, pack_id + 1) >= 0
            and max(size, offset, length, pack_id) <= MOST
            and (compressed == 1 or (compressed == 0 and size == length))
        )


class PackSummary(NamedTuple):
    """What the index says of one pack: rows, bytes they cover, bytes of content, end of the last, rows compressed."""

    objects: int
    length: int
    size: int
    end: int
    compressed: int


EMPTY_PACK = PackSummary(0, 0, 0, 0, 0)


class PackSpan(NamedTuple):
    """A range of the table's ids in which rows of a pack lie, first and last included.

    :param length: bytes of the pack that they cover.
    :param in_order: whether they lie in it as they were inserted.
    :param compressed: whether any object of the pack is a zlib stream.
    """

    pack_id: int
    first: int
    last: int
    length: int
    in_order: bool
    compressed: bool


class Index:
    """One connection to `packs.idx`. Not for two threads at once."""

    def __init__(self, path: Path, read_only: bool = False, busy_seconds: float = USUAL.busy_seconds) -> None:
        """
        :param path: the file; it must exist.
        :param read_only: open it so that nothing can be written, also in a folder without write permission.
        :param busy_seconds: how long to wait for another program that keeps it locked.
        :raises ricordi.errors.UnreachableStorage: it is not there or cannot be opened.
        :raises ricordi.errors.CorruptStorage: it is not an index.
        """
        self.path = path
        self._read_only = read_only
        self._busy_seconds = busy_seconds
        self._connection: sqlite3.Connection | None = None
        self._frozen_at: tuple[int, int, bool] | None = None
        self._packs: tuple[tuple[int, int], dict[int, PackSummary]] | None = None
        self.in_doubt = False
        """Whether a commit failed so that nobody knows if it counts after a crash: the disk failed, or an interrupt."""
        with self.guarded():
            columns = {row[1] for row in self.connection.execute('PRAGMA table_info(db_object)')}
        if not {'hashkey', 'compressed', 'size', 'offset', 'length', 'pack_id'} <= columns:
            self.close()
            raise CorruptStorage(f'{path} is not the index of a container: the table db_object is not in it')

    @staticmethod
    def create(path: Path) -> None:
        """Make an empty index file, where there is none."""
        with suppress(FileExistsError), OpenFolder(path.parent) as folder:
            os.close(folder.create(path.name, 0o644))  # SQLite follows links: there must be none when it comes
        check_index_file(path)
        try:
            connection = sqlite3.connect(path, isolation_level=None, timeout=USUAL.busy_seconds)
            try:
                connection.execute('PRAGMA journal_mode=WAL')
                connection.execute('PRAGMA synchronous=FULL')
                connection.executescript(f'BEGIN IMMEDIATE;{SCHEMA}COMMIT;')
            finally:
                connection.close()
        except sqlite3.DatabaseError as error:
            raise translated(error, path, USUAL.busy_seconds) from error

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, opened if it is not."""
        if self._connection is None or (self._frozen_at is not None and self._frozen_at != state_of(self.path)):
            self.close()
            self._connection, frozen = connect(self.path, self._read_only, self._busy_seconds)
            self._frozen_at = state_of(self.path) if frozen else None
        return self._connection

    def close(self) -> None:
        """Close the connection."""
        self._packs = None
        if self._connection is not None:
            self._connection.close()

    def suspend(self) -> None:
        """Close the connection, unless changes are under way in it; the next use opens another."""
        if self._connection is not None and not self._connection.in_transaction:
            self.close()
            self._connection = None

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Turn what SQLite says of a broken, locked or unreadable file into an error with a way out."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise translated(error, self.path, self._busy_seconds) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes inside are committed at the end, durably, or none is."""
        with self.guarded():
            self.connection.execute('BEGIN IMMEDIATE')
            try:
                yield
                # Set before, for an interrupt may come between the COMMIT and the next line.
                self.in_doubt = True
                self.connection.execute('COMMIT')
                self.in_doubt = False
            except BaseException as error:
                if getattr(error, 'sqlite_errorname', '').startswith(('SQLITE_FULL', 'SQLITE_BUSY')):
                    self.in_doubt = False
                if self.connection.in_transaction:
                    self.connection.execute('ROLLBACK')
                raise

    # -- reading ----------------------------------------------------------------------------------------------

    def find(self, key: str) -> PackedObject | None:
        """The row of one key."""
        try:
            row = self.connection.execute(FIND, (key,)).fetchone()
        except sqlite3.DatabaseError as error:
            raise translated(error, self.path, self._busy_seconds) from error
        return None if row is None else PackedObject._make(row)

    def find_many(self, keys: Iterable[str]) -> Iterator[PackedObject]:
        """The rows of those keys that have one, in no particular order; some thousand keys are asked for at once."""
        source = iter(keys)
        while some := list(islice(source, FIND_AT_ONCE)):
            with self.guarded():
                rows = self.connection.execute(FIND_MANY, (json.dumps(some),)).fetchall()
            yield from map(PackedObject._make, rows)

    def by_place(self, keys: Iterable[str]) -> Iterator[tuple[str, PackedObject | None]]:
        """Keys with their rows, one by one: see `blocks_by_place`."""
        return chain.from_iterable(self.blocks_by_place(keys))

    def blocks_by_place(self, keys: Iterable[str]) -> Iterator[list[tuple[str, PackedObject | None]]]:
        """Keys with their rows, pack by pack from front to back; those without one that can be come first.

        They are sorted by SQLite, so that memory does not grow. For a connection of its own, once.
        """
        raw = self.connection
        with self.guarded():
            raw.execute('CREATE TEMP TABLE wanted (hashkey VARCHAR PRIMARY KEY) WITHOUT ROWID')
            raw.execute('BEGIN')
            source = iter(keys)
            while some := list(islice(source, FIND_AT_ONCE)):
                raw.execute('INSERT INTO temp.wanted SELECT value FROM json_each(?)', (json.dumps(some),))
            raw.execute(f'CREATE TEMP TABLE placed AS {BY_PLACE}')
        for block in self.ascending_blocks(COLUMNS, 'temp.placed WHERE true', (), key='rowid', after=0):
            yield [(row[0], None if row[-1] is None else PackedObject._make(row)) for row in block]

    def content_bytes(self, keys: list[str]) -> tuple[int, int]:
        """How many of some thousand keys have a row, and the bytes of content of these."""
        with self.guarded():
            number, size = self.connection.execute(CONTENT_BYTES, (json.dumps(keys),)).fetchone()
        return int(number), int(size)

    def keys(self, first: str) -> list[str]:
        """All keys that begin with the hex digit `first`, ascending."""
        statement = 'SELECT hashkey FROM db_object WHERE hashkey >= ? AND hashkey < ? ORDER BY hashkey'
        with self.guarded():
            return [key for (key,) in self.connection.execute(statement, (first, chr(ord(first) + 1)))]

    def absent(self, keys: list[str]) -> list[str]:
        """Those of the keys that have no row."""
        statement = (
            'SELECT value FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM db_object WHERE hashkey = json_each.value)'
        )
        with self.guarded():
            return [key for (key,) in self.connection.execute(statement, (json.dumps(keys),))]

    def all_rows(self) -> Iterator[PackedObject]:
        """All rows as they lie there, whatever they say.

        :raises ricordi.errors.CorruptStorage: at the first one that cannot be read.
        """
        self.take_any_text()
        statement = f'SELECT id, {COLUMNS} FROM db_object WHERE id > ? ORDER BY id LIMIT {FETCH_AT_ONCE}'
        after = -(1 << 63)
        while True:
            with self.guarded():
                rows = self.connection.execute(statement, (after,)).fetchall()
            if not rows:
                return
            after = rows[-1][0]
            yield from (PackedObject._make(values) for _, *values in rows)

    def keys_within(self, pack_id: int, begin: int, end: int) -> list[str]:
        """The keys of those objects of a pack that lie, with any byte of them, between two places."""
        statement = 'SELECT hashkey FROM db_object WHERE pack_id = ? AND "offset" < ? AND "offset" + length > ?'
        with self.guarded():
            return [key for (key,) in self.connection.execute(statement, (pack_id, end, begin))]

    def objects_of_pack(self, pack_id: int) -> Iterator[PackedObject]:
        """The rows of one pack by their offsets, or nearly so: as they were inserted, where that will do."""
        return self.objects_of_span(self.span_of_pack(pack_id))

    def objects_of_span(self, span: PackSpan) -> Iterator[PackedObject]:
        """The rows of a pack whose ids lie in a range, in the same order."""
        if not span.in_order:
            return self._objects_by_offset(span)
        source = 'db_object WHERE pack_id = ? AND id <= ?'
        return map(
            PackedObject._make,
            self.ascending(COLUMNS, source, (span.pack_id, span.last), key='id', after=span.first - 1),
        )

    def _objects_by_offset(self, span: PackSpan) -> Iterator[PackedObject]:
        condition = 'pack_id = ? AND id BETWEEN ? AND ?'
        statement = f'SELECT {COLUMNS} FROM db_object WHERE {condition} ORDER BY "offset", length'
        with self.guarded():
            found = self.connection.execute(statement, (span.pack_id, span.first, span.last))
            while rows := found.fetchmany(FETCH_AT_ONCE):
                yield from map(PackedObject._make, rows)

    def ascending(
        self, columns: str, source: str, parameters: tuple[int | str, ...], key: str, after: int | str
    ) -> Iterator[Any]:
        """The rows of a table, one by one: see `ascending_blocks`."""
        return chain.from_iterable(self.ascending_blocks(columns, source, parameters, key, after))

    def ascending_blocks(
        self, columns: str, source: str, parameters: tuple[int | str, ...], key: str, after: int | str
    ) -> Iterator[list[list[Any]]]:
        """The rows of a table, ascending by the column `key`, which is unique; no cursor stays open.

        A thousand rows come in one step of SQLite: at each step it gives up the interpreter's lock, and beside threads
        that are at work it waits long to have it back.

        :param source: table and condition.
        :param after: below all values of `key`.
        """
        statement = (
            f'SELECT json_group_array(json_array({columns})), max({key}) FROM '
            f'(SELECT {columns}, {key} FROM {source} AND {key} > ? ORDER BY {key} LIMIT {FETCH_AT_ONCE})'
        )
        while True:
            with self.guarded():
                found, last = self.connection.execute(statement, (*parameters, after)).fetchone()
            if last is None:
                return
            yield json.loads(found)
            after = last

    def span_of_pack(self, pack_id: int) -> PackSpan:
        """Where the rows of a pack are in the table, and whether nearly every one lies behind the one before it.

        Of very many rows some are looked at.
        """
        pack = self.packs().get(pack_id, EMPTY_PACK)
        rows = 'FROM db_object WHERE pack_id = ?'
        with self.guarded():
            first, last = (
                self.connection.execute(f'SELECT {end}(id) {rows}', (pack_id,)).fetchone()[0] for end in ('min', 'max')
            )
            found = self.connection.execute(
                f'SELECT "offset" {rows} AND id % ? = 0 ORDER BY id', (pack_id, max(1, pack.objects // LOOKED_AT))
            )
            offsets = [offset for (offset,) in found]
        back = sum(map(gt, offsets, offsets[1:]))
        in_order = back <= len(offsets) // 100
        return PackSpan(pack_id, first or 0, last or 0, pack.length, in_order, bool(pack.compressed))

    def packs(self) -> dict[int, PackSummary]:
        """What the index says of each pack that any row names; counted anew after any change.

        :raises ricordi.errors.CorruptStorage: a row says what cannot be.
        """
        with self.guarded():
            connection = self.connection
            (by_others,) = connection.execute('PRAGMA data_version').fetchone()
            changes = (by_others, connection.total_changes)
            if self._packs is None or self._packs[0] != changes or connection.in_transaction:
                found = self._count_packs(connection)
                self._packs = None if connection.in_transaction else (changes, found)
                return found
            return self._packs[1]

    def _count_packs(self, connection: sqlite3.Connection) -> dict[int, PackSummary]:
        try:
            rows = connection.execute(COUNT_PACKS).fetchall()
        except sqlite3.OperationalError as error:
            if 'overflow' not in str(error):
                raise
            raise self.odd() from error
        if not all(map(_can_be, rows)):
            raise self.odd()
        return {row[0]: PackSummary(*row[1:6]) for row in rows}

    def count(self) -> int:
        """Number of rows."""
        with self.guarded():
            (number,) = self.connection.execute('SELECT COUNT(*) FROM db_object').fetchone()
        return int(number)

    @property
    def is_empty(self) -> bool:
        """Whether there is no row; told without counting them."""
        with self.guarded():
            return self.connection.execute('SELECT 1 FROM db_object LIMIT 1').fetchone() is None

    def free_pages(self) -> tuple[int, int, int]:
        """Unused pages, all pages, bytes per page of the file."""
        with self.guarded():
            free, pages, size = (
                self.connection.execute(f'PRAGMA {name}').fetchone()[0]
                for name in ('freelist_count', 'page_count', 'page_size')
            )
        return int(free), int(pages), int(size)

    # -- damage -----------------------------------------------------------------------------------------------

    def check(self) -> None:
        """See that the file is whole, before anything is changed that stands on it.

        :raises ricordi.errors.CorruptStorage: it is not.
        """
        with self.guarded():
            (found,) = self.connection.execute('PRAGMA quick_check(1)').fetchone()
        if found != 'ok':
            raise CorruptStorage(
                f'the index {self.path} is damaged ({found}); nothing was changed: restore it from a backup, or try '
                '`sqlite3 packs.idx .recover`',
                remedy=Remedy('repair storage', (str(self.path.parent),)),
            )

    def faults(self, thorough: bool, most: int) -> list[str]:
        """What SQLite finds wrong with the file, in its words; empty where it is whole.

        :param thorough: compare the index of the table with the table, too.
        :param most: so many are told.
        :raises ricordi.errors.CorruptStorage: it is too damaged for that.
        """
        check = 'integrity_check' if thorough else 'quick_check'
        with self.guarded():
            found = [str(text) for (text,) in self.connection.execute(f'PRAGMA {check}({most})')]
        return [] if found == ['ok'] else found

    def take_any_text(self) -> None:
        """From now on this connection gives a text that is no UTF-8 with marks in it, where else it raises an error."""
        with self.guarded():
            self.connection.text_factory = _any_text

    def odd(self) -> CorruptStorage:
        """The error for an index of which some rows say what cannot be."""
        return CorruptStorage(
            f'the index {self.path} is damaged: {self.odd_rows():,} of its rows say what cannot be; nothing was '
            'changed: restore it from a backup',
            remedy=Remedy('repair storage', (str(self.path.parent),)),
        )

    def odd_rows(self) -> int:
        """How many rows hold no key, or no place in a pack that can be; for one who has met an error already."""
        numbers = ('compressed', 'size', '"offset"', 'length', 'pack_id')
        odd = ' OR '.join(f"typeof({column}) <> 'integer' OR {column} NOT BETWEEN -1 AND {MOST}" for column in numbers)
        odd += ' OR compressed NOT IN (0, 1)'
        key = "typeof(hashkey) <> 'text' OR length(hashkey) <> 64 OR hashkey GLOB '*[^0-9a-f]*'"
        statement = f'SELECT count(*) FROM db_object WHERE {odd} OR min(size, "offset", length) < 0 OR {key}'
        with self.guarded():
            (number,) = self.connection.execute(statement).fetchone()
        return int(number)

    # -- writing ----------------------------------------------------------------------------------------------

    def put(self, rows: Iterable[PackedObject]) -> None:
        """Insert rows; a key that has one already gets the new place. For use inside `transaction`."""
        source = iter(rows)
        while some := list(islice(source, PUT_AT_ONCE)):
            places = ','.join(['(?,?,?,?,?,?)'] * len(some))
            self.connection.execute(PUT % places, list(chain.from_iterable(some)))

    def move(self, rows: Iterable[PackedObject]) -> None:
        """Give rows that exist a new place. For use inside `transaction`."""
        self.connection.executemany(
            'UPDATE db_object SET compressed = ?, size = ?, "offset" = ?, length = ?, pack_id = ? WHERE hashkey = ?',
            ((row.compressed, row.size, row.offset, row.length, row.pack_id, row.key) for row in rows),
        )

    def renumber(self, old_pack: int, new_pack: int) -> None:
        """Say of all rows of one pack that they lie in another, at the same offsets. For use inside `transaction`."""
        self.connection.execute('UPDATE db_object SET pack_id = ? WHERE pack_id = ?', (new_pack, old_pack))

    def delete(self, keys: Iterable[str]) -> None:
        """Remove rows. For use inside `transaction`."""
        self.connection.executemany('DELETE FROM db_object WHERE hashkey = ?', ((key,) for key in keys))

    def checkpoint(self) -> None:
        """Bring the write-ahead log into the file, and give its room back."""
        with self.guarded():
            self.connection.execute('PRAGMA wal_checkpoint(TRUNCATE)')

    def vacuum(self) -> None:
        """Give unused pages back to the disk, and bring the write-ahead log into the file."""
        with self.guarded():
            self.connection.execute('VACUUM')
        self.checkpoint()


def _can_be(row: tuple[Any, ...]) -> bool:
    """Whether what `COUNT_PACKS` gives of a pack can be of sound rows."""
    pack_id, *_, least, most, first_form, last_form = row
    return (
        {type(value) for value in row} == {int}
        and -1 <= pack_id <= MOST
        and 0 <= least <= most <= MOST
        and 0 <= first_form <= last_form <= 1
    )


def _any_text(found: bytes) -> str:
    return found.decode(errors='replace')


def not_existent(key: str) -> MissingObject:
    """The error for a key that the container lacks."""
    return MissingObject(f'there is no object {key} in the repository')
