"""What the objects of an archive take in its file, ascending by key: sorted in runs that lie in a temporary file."""

from __future__ import annotations

import heapq
import struct
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO

from ricordi.backend.usage import ObjectSize
from ricordi.model.file_trees import is_key
from ricordi.repository.archive.zip_keys import PREFIX
from ricordi.repository.container.sizes import joined
from ricordi.zipfiles.directory import ZipDirectory

RUN_ROWS = 100_000
"""So many are sorted in memory."""
READ_ROWS = 1000
_ROW = struct.Struct('>32sQQ')


def archived_sizes(directory: ZipDirectory, run_rows: int = RUN_ROWS) -> Iterator[ObjectSize]:
    """All objects, in memory that does not grow with their number."""
    rows = (
        _ROW.pack(bytes.fromhex(member.name[len(PREFIX) :]), member.packed, member.size)
        for member in directory.members()
        if member.name.startswith(PREFIX) and is_key(member.name[len(PREFIX) :])
    )
    yield from joined(map(_read, _sorted(rows, run_rows)))


def _read(row: bytes) -> ObjectSize:
    key, stored, content = _ROW.unpack(row)
    return ObjectSize(key.hex(), stored, content)


def _sorted(rows: Iterator[bytes], run_rows: int) -> Iterator[bytes]:
    first = sorted(islice(rows, run_rows))
    if len(first) < run_rows:
        yield from first
        return
    with tempfile.TemporaryFile() as file:
        runs = []
        run = first
        while run:
            runs.append((file.tell(), len(run)))
            file.write(b''.join(run))
            run = sorted(islice(rows, run_rows))
        del first
        yield from heapq.merge(*(_rows_of(file, begin, count) for begin, count in runs))


def _rows_of(file: IO[bytes], begin: int, count: int) -> Iterable[bytes]:
    """A run, read piece by piece; others are read in between."""
    for done in range(0, count, READ_ROWS):
        file.seek(begin + done * _ROW.size)
        piece = file.read(min(READ_ROWS, count - done) * _ROW.size)
        yield from (piece[at : at + _ROW.size] for at in range(0, len(piece), _ROW.size))
