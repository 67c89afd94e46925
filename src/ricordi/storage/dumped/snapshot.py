"""A plain dump of pg_dump as a snapshot of a database: its rows in the form that all snapshots have.

The columns come in the order of the fields of this program, times in UTC with six digits, rows by ascending primary
key, which `pg_dump` does not keep to. Nodes come as one part.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from ricordi.backend.snapshots import DatabaseSnapshot, Misfit, Piece, Source, TablePart
from ricordi.errors import CorruptStorage
from ricordi.model.copy_text import unescaped
from ricordi.model.fields import TABLES, EntityKind, ValueKind
from ricordi.model.file_trees import is_key, named_in
from ricordi.storage.dumped.blocks import Block, read_index
from ricordi.storage.snapshots.cutting import RowBatch, SnapshotLimits, cut
from ricordi.storage.snapshots.parts import COLUMNS, NODE_WIDTH, OTHER_WIDTH

_VERSION = 'alembic_version'

_TIME = re.compile(rb'(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d{1,6}))?([+-]\d\d(?::\d\d(?::\d\d)?)?)')
_NULL = b'\\N'


class DumpedDatabase(DatabaseSnapshot):
    """The database of a plain dump."""

    source: Source = 'postgresql'

    def __init__(self, path: Path, limits: SnapshotLimits | None = None) -> None:
        """
        :raises ricordi.errors.CorruptStorage: it is no plain dump of a storage, or not a whole one.
        """
        index = read_index(path)
        self._limits = limits or SnapshotLimits()
        self._path = path
        self._blocks = index.blocks
        self._file: BinaryIO = path.open('rb')
        self.parts = tuple(self._part(table, columns) for table, columns in COLUMNS.items())
        self.sequences: Mapping[str, int] = index.sequences
        self.schema = self._read_schema()

    def _part(self, table: str, columns: Iterable[str]) -> TablePart:
        block = self._block(table)
        if sorted(columns) != sorted(block.columns):
            odd = sorted({*columns} ^ {*block.columns})
            raise CorruptStorage(f'{self._path}: the columns of {table} are not those of a storage ({", ".join(odd)})')
        width = NODE_WIDTH if table == TABLES[EntityKind.NODE] else OTHER_WIDTH
        return TablePart(table, '', tuple(columns), width)

    def _block(self, table: str) -> Block:
        if table not in self._blocks:
            raise CorruptStorage(f'{self._path} holds no rows of a table {table}: it is no dump of a storage')
        return self._blocks[table]

    def _read_schema(self) -> str:
        rows = [row.decode().rstrip('\n') for row in self._lines(self._block(_VERSION))]
        if len(rows) != 1:
            raise CorruptStorage(f'{self._path} does not tell one schema revision, but {len(rows)}')
        return rows[0]

    # -- rows -------------------------------------------------------------------------------------------------

    def pieces(self, part: TablePart) -> Iterator[Piece]:
        return cut(self._batches(part), part.width, self._limits.piece_bytes)

    def _batches(self, part: TablePart) -> Iterator[RowBatch]:
        """Rows that belong between the same multiples of the width, some at a time."""
        for _, rows in groupby(self._rows(part), key=lambda row: row[0] // part.width):
            first, size, lines = None, 0, []
            for pk, line in rows:
                first = pk if first is None else first
                lines.append(line)
                size += len(line)
                if size > self._limits.batch_bytes:
                    yield RowBatch(first, len(lines), b''.join(lines))
                    first, size, lines = None, 0, []
            if first is not None:
                yield RowBatch(first, len(lines), b''.join(lines))

    def _rows(self, part: TablePart) -> Iterator[tuple[int, bytes]]:
        """Primary key and row, in the form of a snapshot, by ascending key."""
        block = self._blocks[part.table]
        order = tuple(block.columns.index(column) for column in part.columns)
        times = tuple(i for i, column in enumerate(part.columns) if COLUMNS[part.table][column].kind is ValueKind.TIME)
        in_order = order == tuple(range(len(order)))
        at = block.columns.index('id')
        for line in self._lines(block) if block.sorted and not at else self._sorted_lines(block, at):
            fields = line[:-1].split(b'\t')
            if len(fields) != len(order):
                raise CorruptStorage(f'{self._path}: a row of {part.table} has {len(fields)} fields: {line[:50]!r}')
            if not in_order:
                fields = [fields[i] for i in order]
            for i in times:
                fields[i] = self._time(fields[i], part.table)
            yield int(fields[0]), b'\t'.join(fields) + b'\n'

    def _time(self, text: bytes, table: str) -> bytes:
        if text == _NULL:
            return text
        parts = _TIME.fullmatch(text)
        if parts is None:
            raise CorruptStorage(f'{self._path}: {text[:50]!r} in a row of {table} is no time that can be kept')
        second, fraction, zone = parts.groups()
        if zone == b'+00':
            return second + b'.' + (fraction or b'').ljust(6, b'0')
        return _in_utc(second, zone) + b'.' + (fraction or b'').ljust(6, b'0')

    def _lines(self, block: Block) -> Iterator[bytes]:
        """The rows of a block as they stand in the file; other blocks may be read meanwhile."""
        with self._path.open('rb', buffering=1 << 20) as file:
            file.seek(block.begin)
            for _ in range(block.rows):
                yield file.readline()

    def _sorted_lines(self, block: Block, at: int) -> Iterator[bytes]:
        """The same by ascending primary key: places are sorted in a temporary file, rows read where they are.

        :param at: which field is the primary key.
        """
        spool = _spool('CREATE TABLE place (pk INTEGER PRIMARY KEY, begin INTEGER, length INTEGER)')
        try:
            try:
                spool.executemany('INSERT INTO place VALUES (?, ?, ?)', self._places(block, at))
            except sqlite3.IntegrityError:
                raise CorruptStorage(f'{self._path}: two rows of {block.table} have one primary key') from None
            for begin, length in spool.execute('SELECT begin, length FROM place ORDER BY pk'):
                self._file.seek(begin)
                yield self._file.read(length)
        finally:
            spool.close()

    def _places(self, block: Block, at: int) -> Iterator[tuple[int, int, int]]:
        begin = block.begin
        for line in self._lines(block):
            yield int(line.split(b'\t', at + 1)[at]), begin, len(line)
            begin += len(line)

    # -- keys ---------------------------------------------------------------------------------------------------

    def named_keys(self) -> Iterator[str]:
        spool = _spool('CREATE TABLE named (key TEXT PRIMARY KEY) WITHOUT ROWID')
        try:
            spool.executemany('INSERT OR IGNORE INTO named VALUES (?)', ((key,) for key in self._keys()))
            for (key,) in spool.execute('SELECT key FROM named ORDER BY key'):
                yield key
        finally:
            spool.close()

    def _keys(self) -> Iterator[str]:
        block = self._blocks[TABLES[EntityKind.NODE]]
        at = block.columns.index('repository_metadata')
        for line in self._lines(block):
            tree = line[:-1].split(b'\t')[at]
            if tree not in (b'{}', _NULL):
                yield from (key for _, key in named_in(json.loads(unescaped(tree.decode()))) if is_key(key))

    def misfits(self, most: int) -> list[Misfit]:
        """None: it all comes from PostgreSQL."""
        return []

    def close(self) -> None:
        self._file.close()


def _in_utc(second: bytes, zone: bytes) -> bytes:
    local = datetime.fromisoformat((second + zone).decode())
    return local.astimezone(UTC).strftime('%Y-%m-%d %H:%M:%S').encode()


def _spool(definition: str) -> sqlite3.Connection:
    """A database in a temporary file without a name, which goes with its connection."""
    spool = sqlite3.connect('', isolation_level=None)
    spool.execute(definition)
    spool.execute('BEGIN')
    return spool
