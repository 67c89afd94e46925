"""Counting a container: what is loose, packed, garbage, waste, missing. Content is not read, nothing is changed.

Keys are compared inside SQLite, in temporary tables that are filled from sorted streams, so memory does not grow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ricordi.backend.maintenance import Amount, ContainerState, KeyStream
from ricordi.repository.index import PackSummary

if TYPE_CHECKING:
    from ricordi.repository.container import Container

EMPTY_PACK = PackSummary(0, 0, 0, 0)
_NAMED = 'EXISTS (SELECT 1 FROM temp.named AS n WHERE n.hashkey = o.hashkey)'
_LOOSE = 'EXISTS (SELECT 1 FROM temp.loose AS l WHERE l.hashkey = o.hashkey)'
_PACKED = 'EXISTS (SELECT 1 FROM db_object AS p WHERE p.hashkey = o.hashkey)'
_MISSING = f'(SELECT hashkey FROM temp.named AS o WHERE NOT {_PACKED} AND NOT {_LOOSE})'


@dataclass(frozen=True, slots=True)
class PackCensus:
    """One pack.

    :param file_bytes: size of the file, or None if it is gone.
    :param objects: rows that name it; :param length: bytes they cover; :param size: bytes of content.
    :param end: where the last object ends.
    :param garbage: those of its objects that no node names.
    """

    pack_id: int
    file_bytes: int | None
    objects: int
    length: int
    size: int
    end: int
    garbage: Amount

    @property
    def waste_bytes(self) -> int:
        """Bytes that no row covers; never negative, even where rows overlap."""
        return max(0, (self.file_bytes or 0) - self.length)

    @property
    def is_cut(self) -> bool:
        """Whether rows name bytes that the file has not."""
        return self.objects > 0 and (self.file_bytes is None or self.end > self.file_bytes)


class Census:
    """What a container holds at one moment, and the key sets behind the numbers, until `close`."""

    def __init__(self, container: Container, named_keys: KeyStream | None) -> None:
        """
        :param named_keys: what nodes name, or None to leave garbage and missing objects uncounted.
        """
        self._container = container
        self.index = container.new_index()
        self.knows_names = named_keys is not None
        if named_keys is not None:
            self._fill('named', ((key, 0) for key in named_keys()))
        # then loose, then the index: what a node named a moment ago was there before, and may move from loose to a pack
        self._fill_loose()
        self.loose = self._amount('SELECT COUNT(*), TOTAL(size) FROM temp.loose')
        self.largest_loose = int(self._one('SELECT COALESCE(MAX(size), 0) FROM temp.loose')[0])
        self.loose_garbage = self._loose_garbage()
        self.packs = self._packs()
        self.missing = self._missing_count() if self.knows_names else 0
        self.unreadable = self._unreadable_count() if any(pack.is_cut for pack in self.packs.values()) else 0

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
            missing=self.missing if self.knows_names else None,
            packs=len(pack_files),
            files=self.loose.objects + len(pack_files) + leftovers + len(layout.pack_locks()) + 2,
            index_bytes=layout.index.stat().st_size,
        )

    # -- streams over the key sets ----------------------------------------------------------------------------

    def loose_keys(self, named: bool | None) -> Iterator[tuple[str, int]]:
        """Key and bytes of loose objects, ascending: those that nodes name, those they do not, or (None) all."""
        condition = {None: '', True: f'WHERE {_NAMED}', False: f'WHERE NOT {_NAMED}'}[named]
        statement = f'SELECT hashkey, size FROM temp.loose AS o {condition} ORDER BY hashkey'
        with self.index.guarded():
            yield from self.index.connection.execute(statement)

    def packed_garbage_keys(self) -> Iterator[str]:
        """Packed objects that no node names, ascending."""
        statement = f'SELECT hashkey FROM db_object AS o WHERE NOT {_NAMED} ORDER BY hashkey'
        with self.index.guarded():
            for (key,) in self.index.connection.execute(statement):
                yield key

    def missing_keys(self) -> Iterator[str]:
        """Keys that nodes name and the container lacks, ascending."""
        with self.index.guarded():
            for (key,) in self.index.connection.execute(f'SELECT hashkey FROM {_MISSING} ORDER BY hashkey'):
                yield key

    def unreadable_keys(self) -> Iterator[tuple[str, int]]:
        """Key and pack of objects whose pack is gone or ends too early; only named ones where names are known."""
        with self.index.guarded():
            for pack in self.packs.values():
                if pack.is_cut:
                    yield from self.index.connection.execute(
                        f'SELECT hashkey, pack_id FROM {self._unreadable()} ORDER BY hashkey',
                        (pack.pack_id, -1 if pack.file_bytes is None else pack.file_bytes),
                    )

    # -- filling and counting ---------------------------------------------------------------------------------

    def _fill_loose(self) -> None:
        layout, prefix_length = self._container.layout, self._container.config.loose_prefix_len
        self._fill('loose', layout.loose_objects(prefix_length))

    def _fill(self, table: str, rows: Iterator[tuple[str, int]]) -> None:
        with self.index.guarded():
            connection = self.index.connection
            connection.execute(f'CREATE TEMP TABLE {table} (hashkey TEXT PRIMARY KEY, size INTEGER) WITHOUT ROWID')
            connection.execute('BEGIN')
            connection.executemany(f'INSERT OR IGNORE INTO temp.{table} VALUES (?, ?)', rows)
            connection.execute('COMMIT')

    def _one(self, statement: str, parameters: tuple[Any, ...] = ()) -> tuple[Any, ...]:
        with self.index.guarded():
            row = self.index.connection.execute(statement, parameters).fetchone()
        return tuple(row)

    def _amount(self, statement: str) -> Amount:
        objects, size = self._one(statement)
        return Amount(int(objects), int(size))

    def _loose_garbage(self) -> Amount:
        if not self.knows_names:
            return Amount()
        return self._amount(f'SELECT COUNT(*), TOTAL(size) FROM temp.loose AS o WHERE NOT {_NAMED}')

    def _packs(self) -> dict[int, PackCensus]:
        sizes, summaries, garbage = self._container.layout.pack_sizes(), self.index.packs(), self._packed_garbage()
        return {
            pack_id: PackCensus(
                pack_id, sizes.get(pack_id), *summaries.get(pack_id, EMPTY_PACK), garbage.get(pack_id, Amount())
            )
            for pack_id in sorted({*sizes, *summaries})
        }

    def _packed_garbage(self) -> dict[int, Amount]:
        if not self.knows_names:
            return {}
        statement = f'SELECT pack_id, COUNT(*), SUM(length) FROM db_object AS o WHERE NOT {_NAMED} GROUP BY pack_id'
        with self.index.guarded():
            return {pack: Amount(objects, size) for pack, objects, size in self.index.connection.execute(statement)}

    def _missing_count(self) -> int:
        return int(self._one(f'SELECT COUNT(*) FROM {_MISSING}')[0])

    def _unreadable(self) -> str:
        named = f'AND {_NAMED}' if self.knows_names else ''
        return (
            '(SELECT hashkey, pack_id FROM db_object AS o WHERE pack_id = ? AND "offset" + length > ? '
            f'AND NOT {_LOOSE} {named})'
        )

    def _unreadable_count(self) -> int:
        return sum(1 for _ in self.unreadable_keys())


def count_container(container: Container, detailed: bool) -> dict[str, Any]:
    """Objects and bytes, loose and packed, and with `detailed` each pack, as plain data."""
    census = Census(container, None)
    try:
        state = census.state()
        info: dict[str, Any] = {
            'uuid': container.uuid,
            'loose': {'objects': state.loose.objects, 'bytes': state.loose.bytes},
            'packed': {
                'objects': state.packed.objects,
                'bytes': state.packed.bytes,
                'content_bytes': state.content_bytes,
            },
            'waste_bytes': state.waste_bytes,
            'packs': state.packs,
            'files': state.files,
            'index_bytes': state.index_bytes,
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
                for pack in census.packs.values()
            ]
        return info
    finally:
        census.close()
