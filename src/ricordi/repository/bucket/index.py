"""What the index says of objects and packs: every statement about them but those of maintenance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from ricordi.errors import CorruptStorage, IncompatibleStorageSchema, InvalidOperation, MissingObject, StillInUse
from ricordi.model.file_trees import is_key
from ricordi.repository.bucket.database import IndexDatabase, Link
from ricordi.repository.bucket.guard import NodeGuard
from ricordi.repository.bucket.scripts import script

VERSION = 3
_COLUMNS = 'hash, pack, start, stored, size, compressed, inline'


class Placement(NamedTuple):
    """Where an object is: in a pack, or inline in the database.

    :param start: byte of the pack at which it begins.
    :param stored: bytes that it takes there.
    :param size: bytes of content.
    :param inline: as it is stored, where there is no pack.
    """

    hash: bytes
    pack: UUID | None
    start: int
    stored: int
    size: int
    compressed: bool
    inline: bytes | None = None

    @property
    def key(self) -> str:
        """Its key."""
        return self.hash.hex()

    def is_above(self, size: int) -> bool:
        """Whether it takes more bytes than that, as it lies there or in memory."""
        return self.inline is None and max(self.size, self.stored) > size


class PackEntry(NamedTuple):
    """An object in a pack that is being made; fields as of `Placement`."""

    hash: bytes
    start: int
    stored: int
    size: int
    compressed: bool


def hashes_of(keys: Iterable[str]) -> list[bytes]:
    """The keys as the index has them; what cannot be a key is left out."""
    return [bytes.fromhex(key) for key in keys if is_key(key)]


def no_such_object(key: str, place: str) -> MissingObject:
    """The error for a key that the index lacks."""
    return MissingObject(f'there is no object {key} in the {place}')


class BucketIndex:
    """Objects and packs as the database knows them. Each method is one transaction, or one statement."""

    def __init__(self, database: IndexDatabase, schema: str, rows_at_once: int, fresh_seconds: float) -> None:
        """
        :param rows_at_once: that are asked for by one statement.
        :param fresh_seconds: an object that is put again is noted as put now, if it was noted longer ago than this.
        """
        self.database = database
        self._schema = schema
        self._at_once = rows_at_once
        self._fresh = fresh_seconds
        self._version = 0

    # -- the tables -------------------------------------------------------------------------------------------

    @property
    def is_there(self) -> bool:
        """Whether the tables are."""
        return self._has_table(f'{self._quoted}.store')

    @property
    def has_guard(self) -> bool:
        """Whether the database keeps by itself what each node names."""
        return self._has_table(f'{self._quoted}.node_references')

    @property
    def guard(self) -> NodeGuard:
        """What keeps what nodes name."""
        return NodeGuard(self.database, self._schema)

    @property
    def _quoted(self) -> str:
        return '"{}"'.format(self._schema.replace('"', '""'))

    def _has_table(self, name: str) -> bool:
        return self.database.rows('SELECT to_regclass(%s) IS NOT NULL', (name,)) == [(True,)]

    def uuid(self) -> UUID:
        """The identifier of the store.

        :raises ricordi.errors.IncompatibleStorageSchema: a later program has made or changed the tables.
        """
        ((version, uuid),) = self.database.rows('SELECT (SELECT max(version) FROM migrations), uuid FROM store') or [
            (None, None)
        ]
        if uuid is None:
            raise CorruptStorage(f'the index of objects in the {self.database.place} does not say whose it is')
        if not 0 < version <= VERSION:
            raise IncompatibleStorageSchema(
                f'the index of objects in the {self.database.place} is of version {version}; this program knows '
                f'version {VERSION}'
            )
        self._version = version
        return UUID(str(uuid))

    @property
    def is_current(self) -> bool:
        """Whether the tables are those of this program; an earlier one has made them, and nobody has written since."""
        if not self._version:
            self.uuid()
        return self._version == VERSION

    def bring_up_to_date(self) -> None:
        """Have the tables as this program wants them, all changes or none; nothing where they are so."""

        def upgrade(link: Link) -> None:
            link.execute('SELECT pg_advisory_xact_lock(hashtext(%s))', (f'{self._schema}.upgrade',))
            ((version,),) = link.execute('SELECT max(version) FROM migrations').fetchall()
            for number in range(version + 1, VERSION + 1):
                link.execute(script(f'upgrade_{number}.sql'))

        if not self.is_current:
            self.database.transaction(upgrade)
            self._version = VERSION

    def create(self, uuid: UUID) -> None:
        """Make the tables, all or none."""

        def make(link: Link) -> None:
            link.execute(sql.SQL('CREATE SCHEMA IF NOT EXISTS {}').format(sql.Identifier(self._schema)))
            link.execute(script('schema.sql'))
            for number in range(2, VERSION + 1):
                link.execute(script(f'upgrade_{number}.sql'))
            link.execute('INSERT INTO store (uuid) VALUES (%s)', (uuid,))

        if self.is_there:
            raise InvalidOperation(f'there is an index of objects in the {self.database.place} already')
        self.database.once(make)

    def drop(self) -> None:
        """Take the tables away, with triggers and all; nothing where there are none."""
        name = sql.Identifier(self._schema)
        self.database.transaction(lambda link: link.execute(sql.SQL('DROP SCHEMA IF EXISTS {} CASCADE').format(name)))

    # -- objects ----------------------------------------------------------------------------------------------

    def find(self, key: str) -> Placement | None:
        """Where one object is."""
        rows = [
            row
            for hash in hashes_of([key])
            for row in self.database.rows(f'SELECT {_COLUMNS} FROM objects WHERE hash = %b', (hash,))
        ]
        return Placement(*rows[0]) if rows else None

    def find_many(self, hashes: Sequence[bytes]) -> list[Placement]:
        """Where objects are, in no order; those that are not there are left out."""
        rows = (
            self.database.rows(f'SELECT {_COLUMNS} FROM objects WHERE hash = ANY(%b)', ([*hashes],)) if hashes else ()
        )
        return [Placement(*row) for row in rows]

    def behind(self, place: Placement, length: int) -> list[Placement]:
        """What lies in a pack within so many bytes from the start of an object, that first, in the order of the pack.

        :param length: also bounds the content of what lies there compressed.
        """
        rows = self.database.rows(
            f'SELECT {_COLUMNS} FROM objects WHERE pack = %s AND start >= %s AND start + stored <= %s AND size < %s '
            'ORDER BY start LIMIT %s',
            (place.pack, place.start, place.start + length, length, self._at_once),
        )
        total = accumulate(row[4] for row in rows)
        return [Placement(*row) for row, size in zip(rows, total, strict=True) if size <= 4 * length]

    def known(self, hashes: Sequence[bytes]) -> set[bytes]:
        """Those of these that are there. Each counts as put anew: what nobody names yet is kept for a while."""
        if not hashes:
            return set()
        rows = self.database.rows(
            "SELECT hash, touched < clock_timestamp() - %s * interval '1 s' FROM objects WHERE hash = ANY(%b)",
            (self._fresh, [*hashes]),
        )
        if old := sorted(hash for hash, is_old in rows if is_old):
            self.database.change('UPDATE objects SET touched = clock_timestamp() WHERE hash = ANY(%b)', (old,))
            rows = self.database.rows('SELECT hash FROM objects WHERE hash = ANY(%b)', ([*hashes],))
        return {row[0] for row in rows}

    def there(self, hashes: Sequence[bytes]) -> set[bytes]:
        """Those of these that are there."""
        rows = self.database.rows('SELECT hash FROM objects WHERE hash = ANY(%b)', ([*hashes],)) if hashes else ()
        return {hash for (hash,) in rows}

    def put_inline(self, hash: bytes, content: bytes) -> None:
        """Keep a small object in the database, durably; once, however often it is put."""
        self.database.change(
            'INSERT INTO objects (hash, stored, size, inline) VALUES (%b, %s, %s, %b) ON CONFLICT (hash) DO UPDATE '
            "SET touched = clock_timestamp() WHERE objects.touched < clock_timestamp() - %s * interval '1 s'",
            (hash, len(content), len(content), content, self._fresh),
        )

    def hashes(self) -> Iterator[bytes]:
        """All, ascending, by portions."""
        return (row[0] for row in self._walk('hash'))

    def placements(self) -> Iterator[Placement]:
        """All, ascending by key, by portions, without what is inline."""
        columns = _COLUMNS.replace('inline', 'NULL')
        return (Placement(*row) for row in self._walk(columns))

    def _walk(self, columns: str) -> Iterator[tuple[Any, ...]]:
        last = b''
        statement = f'SELECT {columns} FROM objects WHERE hash > %b ORDER BY hash LIMIT %s'
        while rows := self.database.rows(statement, (last, self._at_once)):
            yield from rows
            last = rows[-1][0]

    def delete(self, hashes: Sequence[bytes]) -> int:
        """Take objects out of the index; how many were there.

        :raises ricordi.errors.StillInUse: a node names one of them.
        """

        def remove(link: Link) -> int:
            try:
                return link.execute('DELETE FROM objects WHERE hash = ANY(%b)', (sorted(hashes),)).rowcount
            except psycopg.errors.ForeignKeyViolation:
                raise StillInUse('objects that nodes name cannot be deleted: delete the nodes first') from None

        return self.database.transaction(remove)

    # -- packs ------------------------------------------------------------------------------------------------

    def intend(self, size: int, writer: str) -> UUID:
        """Announce a pack before it is uploaded; its name, which was never used."""
        pack = uuid4()
        self.database.change(
            'INSERT INTO packs (uuid, bytes, writer) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING', (pack, size, writer)
        )
        return pack

    def publish(self, pack: UUID, size: int, list_bytes: int, entries: Sequence[PackEntry]) -> bool:
        """Make a pack that was uploaded a part of the store, with its objects; False: it was given up by then.

        :param list_bytes: of its size, those of the list of objects at its end.
        """

        def work(link: Link) -> bool:
            if not make_live(link, pack, size, list_bytes):
                return is_live(link, pack)  # where the answer to the first try was lost, it may be
            add_objects(link, pack, entries, self._fresh)
            return True

        return self.database.transaction(work)

    def condemn(self, pack: UUID) -> None:
        """Give up a pack that was announced and not published; maintenance takes it away."""
        self.database.change(
            "UPDATE packs SET state = 'condemned', condemned = clock_timestamp() WHERE uuid = %s AND state = 'writing'",
            (pack,),
        )

    def forget(self, pack: UUID) -> None:
        """Take out the row of a condemned pack that has left the bucket."""
        self.database.change("DELETE FROM packs WHERE uuid = %s AND state = 'condemned'", (pack,))


def make_live(link: Link, pack: UUID, size: int, list_bytes: int) -> bool:
    """Within a transaction: whether a pack was being written until now, and is live from now on."""
    changed = link.execute(
        "UPDATE packs SET state = 'live', bytes = %s, list_bytes = %s WHERE uuid = %s AND state = 'writing'",
        (size, list_bytes, pack),
    )
    return changed.rowcount == 1


def is_live(link: Link, pack: UUID) -> bool:
    """Within a transaction: whether a pack is live."""
    return link.execute('SELECT state FROM packs WHERE uuid = %s', (pack,)).fetchone() == ('live',)


def add_objects(link: Link, pack: UUID, entries: Sequence[PackEntry], fresh_seconds: float) -> None:
    """Within a transaction: rows for what is in a pack; an object that is there already stays where it is.

    In the order of the keys, so that two who do so at once do not wait for each other in a circle.
    """
    columns = [[*column] for column in zip(*sorted(entries), strict=True)]
    if columns:
        link.execute(
            'INSERT INTO objects (pack, hash, start, stored, size, compressed) '
            'SELECT %s::uuid, * FROM unnest(%b::bytea[], %b::bigint[], %b::bigint[], %b::bigint[], %b::boolean[]) '
            'ON CONFLICT (hash) DO UPDATE SET touched = clock_timestamp() '
            "WHERE objects.touched < clock_timestamp() - %s * interval '1 s'",
            (pack, *columns, fresh_seconds),
        )
