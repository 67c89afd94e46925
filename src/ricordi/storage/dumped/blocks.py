"""Where the rows of each table stand in a plain dump: one pass over the file, in memory that does not grow with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from ricordi.errors import CorruptStorage, UnreachableStorage

_NAME = r'(?:"?\w+"?\.)?"?(?P<table>\w+)"?'
_COPY = re.compile(rf'COPY {_NAME} \((?P<columns>[^)]*)\) FROM stdin;\s*')
_OWNED = re.compile(r'ALTER SEQUENCE (?P<sequence>\S+) OWNED BY (?:"?\w+"?\.)?"?(?P<table>\w+)"?\."?id"?;\s*')
_SETVAL = re.compile(
    r"SELECT pg_catalog\.setval\('(?P<sequence>[^']+)', (?P<value>-?\d+), (?P<called>true|false)\);\s*"
)
_ENCODING = re.compile(r"SET client_encoding = '(?P<encoding>[^']+)';\s*")
_END = b'\\.\n'
_COMPLETE = b'-- PostgreSQL database dump complete'
_HEADER = b'-- PostgreSQL database dump'
_CUSTOM = b'PGDMP'
_LONGEST_WORDS = 4096
"""Bytes of a line outside of rows that can matter."""
_PLAIN_ENCODINGS = ('UTF8', 'SQL_ASCII')


@dataclass(slots=True)
class Block:
    """The rows of one table.

    :param columns: in the order of the rows.
    :param begin: offset of the first row.
    :param sorted: whether they stand by ascending primary key, which is the number that each begins with.
    """

    table: str
    columns: tuple[str, ...]
    begin: int
    rows: int = 0
    sorted: bool = True


@dataclass(slots=True)
class DumpIndex:
    """What there is in a dump.

    :param sequences: by table the highest number that was given out.
    """

    blocks: dict[str, Block] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)


def read_index(path: Path) -> DumpIndex:
    """Look through a dump for its blocks of rows and the state of its sequences.

    :raises ricordi.errors.CorruptStorage: it is no plain dump, or one that was cut short.
    :raises ricordi.errors.UnreachableStorage: it cannot be read.
    """
    try:
        with path.open('rb', buffering=1 << 20) as file:
            return _DumpReader(path, file).read()
    except OSError as error:
        raise UnreachableStorage(f'cannot read {path}: {error.strerror or error}') from None


class _DumpReader:
    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._position = 0
        self._owners: dict[str, str] = {}
        self._index = DumpIndex()

    def read(self) -> DumpIndex:
        complete = False
        self._check_beginning()
        for line in self._lines():
            complete = complete or line.startswith(_COMPLETE)
            if len(line) < _LONGEST_WORDS:
                self._take(line.decode('utf-8', 'replace'))
        if not complete:
            raise CorruptStorage(f'{self._path} was cut short: the line is missing with which a dump ends')
        return self._index

    def _check_beginning(self) -> None:
        beginning = self._file.read(_LONGEST_WORDS)
        self._file.seek(0)
        if beginning.startswith(_CUSTOM):
            raise CorruptStorage(f"{self._path} is a dump in pg_dump's custom form; only its plain form can be read")
        if _HEADER not in beginning:
            raise CorruptStorage(f'{self._path} is no plain dump of pg_dump')

    def _lines(self) -> Iterator[bytes]:
        for line in self._file:
            self._position += len(line)
            yield line

    def _take(self, line: str) -> None:
        if line.startswith('COPY '):
            self._take_block(line)
        elif line.startswith('ALTER SEQUENCE ') and (owned := _OWNED.fullmatch(line)):
            self._owners[owned['sequence']] = owned['table']
        elif line.startswith('SELECT pg_catalog.setval') and (state := _SETVAL.fullmatch(line)):
            highest = int(state['value']) - (state['called'] == 'false')
            if highest > 0 and (table := self._owners.get(state['sequence'])):
                self._index.sequences[table] = highest
        elif line.startswith('SET client_encoding') and (told := _ENCODING.fullmatch(line)):
            if told['encoding'] not in _PLAIN_ENCODINGS:
                raise CorruptStorage(f'{self._path} is written in {told["encoding"]}; only UTF8 can be read')
        elif line.startswith('INSERT INTO '):
            raise CorruptStorage(f'{self._path} holds its rows as INSERT statements; only COPY can be read')

    def _take_block(self, line: str) -> None:
        begins = _COPY.fullmatch(line)
        if begins is None:
            raise CorruptStorage(f'{self._path} holds a line that cannot be understood: {line[:100]!r}')
        columns = tuple(name.strip().strip('"') for name in begins['columns'].split(','))
        block = Block(begins['table'], columns, self._position)
        keyed = columns[0] == 'id'
        last = -1
        for row in self._lines():
            if row == _END:
                self._index.blocks[block.table] = block
                return
            block.rows += 1
            if keyed:
                pk = self._pk(row, block)
                block.sorted &= pk > last
                last = pk
        raise CorruptStorage(f'{self._path} was cut short in the rows of {block.table}')

    def _pk(self, row: bytes, block: Block) -> int:
        try:
            return int(row[: row.index(b'\t')])
        except ValueError:
            raise CorruptStorage(f'{self._path} holds a row of {block.table} without a primary key') from None
