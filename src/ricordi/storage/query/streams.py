"""Reading the rows of a SELECT while the storage is used and changed, where the SELECT cannot stay open meanwhile.

On SQLite it would keep every writer, of other programs too, from committing. So all rows are read at once: into memory
while they are few, else into a file without a name, from which they come back in constant memory.
"""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Any

from ricordi.errors import NotEnoughSpace
from ricordi.files import DISK_IS_FULL

Raw = tuple[Any, ...]
Pack = Callable[[list[Raw]], bytes]
Unpack = Callable[[bytes], list[Raw]]

BYTES_IN_MEMORY = 4 << 20
BYTES_AT_A_TIME = 1 << 20
MOST_ROWS_AT_A_TIME = 5000
_SIZE_BYTES = 8
_PICKLED = b'\x80'
"""What pickled data begin with, and marshalled lists do not."""


def _pack_plain(batch: list[Raw]) -> bytes:
    """Bytes of a batch by `marshal`, the fastest, for plain values only; where one stands for a damaged one, slower."""
    try:
        return marshal.dumps(batch)
    except ValueError:
        import pickle

        return pickle.dumps(batch)


def _unpack_plain(data: bytes) -> list[Raw]:
    if data[:1] != _PICKLED:
        unpacked: list[Raw] = marshal.loads(data)
        return unpacked
    import pickle

    damaged: list[Raw] = pickle.loads(data)
    return damaged


def spooled(
    cursor: Any, batch_size: int, pack: Pack = _pack_plain, unpack: Unpack = _unpack_plain
) -> Iterator[list[Raw]]:
    """The rows of a cursor in batches; when the first one is given out, the cursor is at its end.

    :param pack: makes bytes of a batch; the usual one is for the values of SQLite.
    :raises ricordi.errors.NotEnoughSpace: the folder of temporary files has not the room for them.
    """
    first: list[Raw] = cursor.fetchmany(batch_size)
    if len(first) < batch_size:
        return iter((first,) if first else ())
    return _through_file(cursor, batch_size, first, pack, unpack)


def _through_file(cursor: Any, batch_size: int, first: list[Raw], pack: Pack, unpack: Unpack) -> Iterator[list[Raw]]:
    with tempfile.SpooledTemporaryFile(max_size=BYTES_IN_MEMORY) as spool:
        _fill(spool, cursor, batch_size, pack)
        yield first
        del first
        while size := int.from_bytes(spool.read(_SIZE_BYTES)):
            yield unpack(spool.read(size))


def worthwhile_size(batch: list[Raw], size: int) -> int:
    """How many rows to fetch at a time, by those of a first batch: each question to a server costs time.

    :param size: the least.
    """
    if not batch:
        return size
    weight = sum(len(value) if isinstance(value, str) else 8 for row in batch for value in row) // len(batch)
    return max(size, min(MOST_ROWS_AT_A_TIME, BYTES_AT_A_TIME // (weight + 8)))


def _fill(spool: IO[bytes], cursor: Any, batch_size: int, pack: Pack) -> None:
    try:
        while batch := cursor.fetchmany(batch_size):
            packed = pack(batch)
            spool.write(len(packed).to_bytes(_SIZE_BYTES))
            spool.write(packed)
        spool.seek(0)
    except OSError as error:
        if error.errno in DISK_IS_FULL:
            raise NotEnoughSpace(
                f'no room for the rows of a query in {tempfile.gettempdir()}: free some, or set TMPDIR'
            ) from error
        raise
