"""Where the index says that the objects lie: sorted by pack and offset, and cut into cells.

A *cell* is a stretch of a pack of constant size, with the objects that begin in it: what is read, and remembered as
read, at once. Packs only grow at their ends, so the cells of what was there stay what they were.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ricordi.repository.container.index import MOST, Index

_NUMBERS = ('compressed', 'size', '"offset"', 'length', 'pack_id')
_INTEGERS = ' AND '.join(f"typeof({name}) = 'integer'" for name in _NUMBERS)
_BOUNDED = ' AND '.join(f'{name} BETWEEN 0 AND {MOST}' for name in ('size', '"offset"', 'length'))
IS_POSSIBLE = (
    f'{_INTEGERS} AND {_BOUNDED} AND pack_id BETWEEN -1 AND {MOST} '
    "AND (compressed = 1 OR (compressed = 0 AND size = length)) AND typeof(hashkey) = 'text' AND length(hashkey) = 64"
)
"""Whether a row of the index can be the place of an object, in SQL; whether its key has other digits takes longer."""
_HAS_KEY = "hashkey NOT GLOB '*[^0-9a-f]*'"
_find_no_digit = re.compile('[^0-9a-f]').search
_ENDS_BEFORE = (
    'SELECT pack_id, "offset", id, max("offset" + length) OVER '
    '(PARTITION BY pack_id ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before '
    'FROM temp.places WHERE length > 0'
)
_AT_ONCE = 10_000


class Cell(NamedTuple):
    """A stretch of a pack.

    :param number: which one of the pack, from 0.
    :param objects: how many begin in it.
    :param length: bytes of the pack that they take.
    :param last: key of the last of them.
    :param end: where that one ends.
    :param place: its number in `ObjectPlaces`, where the cell comes from there.
    """

    pack_id: int
    number: int
    objects: int
    length: int
    last: str
    end: int
    place: int = 0


class Extent(NamedTuple):
    """What the rows say of one pack: how many there are, and where the last object ends."""

    objects: int
    end: int


class IndexMark(NamedTuple):
    """By what is told whether rows of the index have changed; of numbers the lowest 32 bits are added up.

    :param last: the highest id among them.
    :param objects: how many there are.
    """

    last: int
    objects: int
    offsets: int
    lengths: int
    packs: int


class KeptCells(NamedTuple):
    """The cells as they were when the index had certain rows."""

    mark: IndexMark
    cells: list[Cell]


class ObjectPlaces:
    """The places of all objects at one moment, in a temporary table of a connection to the index.

    It lies in a file of SQLite's own if it is large: memory does not grow with the number of objects.
    """

    def __init__(self, index: Index) -> None:
        """
        :param index: a connection of one's own, closed by the caller.
        :raises ricordi.errors.StorageError: the index cannot be read.
        """
        self._index = index
        with index.guarded():
            index.connection.execute(
                'CREATE TEMP TABLE places (n INTEGER PRIMARY KEY, pack_id INTEGER, "offset" INTEGER, length INTEGER, '
                'id INTEGER)'
            )
            index.connection.execute(
                'INSERT INTO temp.places (pack_id, "offset", length, id) SELECT pack_id, "offset", length, id '
                f'FROM db_object WHERE {IS_POSSIBLE} ORDER BY 1, 2, 3, 4'
            )
            (self.objects,) = index.connection.execute('SELECT count(*) FROM temp.places').fetchone()

    def extents(self) -> dict[int, Extent]:
        """What the rows say of each pack."""
        statement = 'SELECT pack_id, count(*), max("offset" + length) FROM temp.places GROUP BY pack_id'
        with self._index.guarded():
            found = self._index.connection.execute(statement).fetchall()
        return {pack_id: Extent(objects, end) for pack_id, objects, end in found}

    def overlaps(self) -> Iterator[tuple[str, int, int, int]]:
        """Key, pack, offset, and bytes of it that belong to one before it, of each object that begins too early."""
        statement = (
            'SELECT o.hashkey, p.pack_id, p."offset", p.before - p."offset" FROM '
            f'({_ENDS_BEFORE}) AS p JOIN db_object AS o ON o.id = p.id WHERE p.before > p."offset"'
        )
        # Where any two overlap, so do two that follow each other; to see that there are none takes a third of the time.
        neighbours = (
            'SELECT 1 FROM temp.places AS a JOIN temp.places AS b ON b.n = a.n + 1 AND b.pack_id = a.pack_id '
            'WHERE a."offset" + a.length > b."offset" LIMIT 1'
        )
        with self._index.guarded():
            if self._index.connection.execute(neighbours).fetchone() is not None:
                yield from self._index.connection.execute(statement)

    def beyond(self, pack_id: int, size: int) -> Iterator[str]:
        """Keys of the objects of a pack that end after so many bytes."""
        statement = (
            'SELECT o.hashkey FROM temp.places AS p JOIN db_object AS o ON o.id = p.id '
            'WHERE p.pack_id = ? AND p."offset" + p.length > ? ORDER BY p.n'
        )
        with self._index.guarded():
            for (key,) in self._index.connection.execute(statement, (pack_id, size)):
                yield key

    def cells(self, cell_bytes: int) -> list[Cell]:
        """All cells, by pack and number."""
        return _cells_of(self._index, 'temp.places', 'n', cell_bytes)

    def mark(self) -> IndexMark:
        """By what is told later whether these rows have changed."""
        return _mark_of(self._index, 'temp.places')

    def questions(self, cell: Cell, objects: int) -> Iterator[str]:
        """The rows of a cell as they are now, as JSON text: [key, compressed, size, offset, length] of some at a time.

        Those that lie in another pack by now are left out.

        :param objects: so many at a time.
        """
        statement = (
            'SELECT json_group_array(json_array(o.hashkey, o.compressed, o.size, o."offset", o.length)) '
            'FROM temp.places AS p JOIN db_object AS o ON o.id = p.id AND o.pack_id = p.pack_id '
            'WHERE p.n BETWEEN ? AND ?'
        )
        for first in range(cell.place - cell.objects + 1, cell.place + 1, objects):
            last = min(first + objects - 1, cell.place)
            with self._index.guarded():
                (rows,) = self._index.connection.execute(statement, (first, last)).fetchone()
            yield rows


def _cells_of(index: Index, source: str, order: str, cell_bytes: int) -> list[Cell]:
    """The cells of all packs.

    :param source: a table, with a condition.
    :param order: what ascends with the place of an object in its pack.
    """
    # With one max(), SQLite takes the bare columns from the row that has it.
    statement = (
        'SELECT c.pack_id, c.cell, c.objects, c.length, o.hashkey, c.ending, c.place FROM (SELECT pack_id, '
        '"offset" / ? AS cell, count(*) AS objects, total(length) AS length, id, "offset" + length AS ending, '
        f'max({order}) AS place FROM {source} GROUP BY 1, 2) AS c JOIN db_object AS o ON o.id = c.id ORDER BY 1, 2'
    )
    with index.guarded():
        found = index.connection.execute(statement, (cell_bytes,)).fetchall()
    return [
        Cell(pack_id, number, objects, int(length), last, end, place)
        for pack_id, number, objects, length, last, end, place in found
    ]


def _mark_of(index: Index, source: str) -> IndexMark:
    sums = ', '.join(f'ifnull(sum({name} & 4294967295), 0)' for name in ('"offset"', 'length', 'pack_id'))
    with index.guarded():
        found = index.connection.execute(f'SELECT ifnull(max(id), 0), count(*), {sums} FROM {source}').fetchone()
    return IndexMark(*found)


def known_cells(index: Index, cell_bytes: int, kept: KeptCells | None = None) -> list[Cell]:
    """The cells of all packs, found without a table of places; rows that say what cannot be are left out.

    :param kept: what was kept of them; if no row of then has changed, only those that came after are looked at, which
        takes an eighth of the time. A cell that had others come into it, but not at its end, has no `last` then.
    """
    if kept is None or _mark_of(index, f'db_object WHERE id <= {kept.mark.last}') != kept.mark:
        return _cells_in(index, 'true', cell_bytes)
    cells = {(cell.pack_id, cell.number): cell for cell in kept.cells}
    for new in _cells_in(index, f'id > {kept.mark.last}', cell_bytes):
        old = cells.get((new.pack_id, new.number), Cell(new.pack_id, new.number, 0, 0, '', -1))
        cells[new.pack_id, new.number] = new._replace(
            objects=old.objects + new.objects,
            length=old.length + new.length,
            last=new.last if new.end > old.end else '',
            end=max(old.end, new.end),
        )
    return sorted(cells.values())


def _cells_in(index: Index, condition: str, cell_bytes: int) -> list[Cell]:
    # an empty object has the offset of the next one
    source = f'db_object WHERE {condition} AND {IS_POSSIBLE}'
    return _cells_of(index, source, '"offset" * 2 + (length > 0)', cell_bytes)


def packed_bytes(index: Index) -> int:
    """The bytes that all objects take in packs, by one look at each row: a tenth of what it takes to find the cells."""
    statement = f"SELECT total(length) FROM db_object WHERE typeof(length) = 'integer' AND length BETWEEN 0 AND {MOST}"
    with index.guarded():
        return int(index.connection.execute(statement).fetchone()[0])


def impossible_rows(index: Index) -> Iterator[tuple[object, ...]]:
    """The rows that say what cannot be: hashkey, compressed, size, offset, length, pack, as they lie there."""
    some = 'FROM db_object WHERE id > ? ORDER BY id LIMIT ?'
    # SQLite takes four times as long to look at the digits of each key as to put the keys of many rows together
    whole = (
        f"SELECT max(id), count(*), sum({IS_POSSIBLE}), group_concat(hashkey, '') "
        f'FROM (SELECT id, hashkey, {", ".join(_NUMBERS)} {some})'
    )
    columns = 'hashkey, compressed, size, "offset", length, pack_id'
    odd = f'SELECT {columns} FROM (SELECT id, {columns} {some}) WHERE NOT ({IS_POSSIBLE} AND {_HAS_KEY})'
    after = -(1 << 63)
    while True:
        limits = (after, _AT_ONCE)
        with index.guarded():
            last, number, possible, keys = index.connection.execute(whole, limits).fetchone()
        if last is None:
            return
        if possible != number or _find_no_digit(keys):
            with index.guarded():
                yield from index.connection.execute(odd, limits).fetchall()
        after = last
