"""What a pack in the bucket looks like: objects one after the other, then the list of them, which explains it
(formats/bucket.md, *In the bucket*).

The list is a zlib stream of lines `key start stored size compressed`; behind it come its length in bytes, eight of
them, the highest first, and `MAGIC`. From it the index can be rebuilt.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable

from ricordi.errors import CorruptStorage
from ricordi.repository.bucket.index import PackEntry

MAGIC = b'RICORDI1'
_TAIL = struct.Struct('>Q8s')
FIRST_LOOK = 256 << 10
"""So much of the end is read at once: most lists are shorter."""


def footer(entries: Iterable[PackEntry]) -> bytes:
    """The end of a pack that holds these."""
    lines = ''.join(f'{one.hash.hex()} {one.start} {one.stored} {one.size} {int(one.compressed)}\n' for one in entries)
    listed = zlib.compress(lines.encode(), 1)
    return listed + _TAIL.pack(len(listed), MAGIC)


def entries_of(read: Callable[[int, int], bytes | memoryview], size: int) -> list[PackEntry]:
    """The list at the end of a pack.

    :param read: the bytes of the pack from a place, so many.
    :param size: bytes of the pack.
    :raises ricordi.errors.CorruptStorage: there is none.
    """
    start = max(0, size - FIRST_LOOK)
    end = read(start, size - start)
    try:
        length, magic = _TAIL.unpack(end[-_TAIL.size :])
        if magic != MAGIC or length > size - _TAIL.size:
            raise ValueError('it does not end as a pack does')
        first = size - _TAIL.size - length
        listed = end[first - start : -_TAIL.size] if first >= start else read(first, length)
        return [_entry(line) for line in zlib.decompress(listed).decode().splitlines()]
    except (struct.error, ValueError, zlib.error) as error:
        raise CorruptStorage(f'the list of objects at the end of a pack cannot be read: {error}') from None


def _entry(line: str) -> PackEntry:
    key, *numbers, compressed = line.split()
    start, stored, size = map(int, numbers)
    return PackEntry(bytes.fromhex(key), start, stored, size, compressed == '1')
