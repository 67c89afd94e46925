"""Reading the rows of a SELECT on SQLite while the storage is used and changed.

An open SELECT keeps every writer, of other programs too, from committing. So all rows are read at once: into memory
while they are few, else into a file without a name, from which they come back in constant memory.
"""

from __future__ import annotations

import errno
import marshal
import tempfile
from collections.abc import Iterator
from typing import IO, Any

from ricordi.errors import NotEnoughSpace

Raw = tuple[Any, ...]

BYTES_IN_MEMORY = 4 << 20
_SIZE_BYTES = 8


def spooled(cursor: Any, batch_size: int) -> Iterator[list[Raw]]:
    """The rows of a cursor in batches; when the first one is given out, the cursor is at its end.

    :raises ricordi.errors.NotEnoughSpace: the folder of temporary files has not the room for them.
    """
    first: list[Raw] = cursor.fetchmany(batch_size)
    if len(first) < batch_size:
        return iter((first,) if first else ())
    return _through_file(cursor, batch_size, first)


def _through_file(cursor: Any, batch_size: int, first: list[Raw]) -> Iterator[list[Raw]]:
    with tempfile.SpooledTemporaryFile(max_size=BYTES_IN_MEMORY) as spool:
        _fill(spool, cursor, batch_size)
        yield first
        del first
        while size := int.from_bytes(spool.read(_SIZE_BYTES)):
            yield marshal.loads(spool.read(size))


def _fill(spool: IO[bytes], cursor: Any, batch_size: int) -> None:
    try:
        while batch := cursor.fetchmany(batch_size):
            packed = marshal.dumps(batch)
            spool.write(len(packed).to_bytes(_SIZE_BYTES))
            spool.write(packed)
        spool.seek(0)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NotEnoughSpace(
                f'no room for the rows of a query in {tempfile.gettempdir()}: free some, or set TMPDIR'
            ) from error
        raise
