"""Reading a pack of which the index tells nothing, or tells what is not so."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from ricordi.repository.container.index import PackedObject
from ricordi.repository.verification.reader import CHUNK_BYTES, open_regular

_FIRST = 0x78
"""The byte with which a zlib stream of the usual window begins."""

_FIRST_BYTES = 16 << 10


class Stream(NamedTuple):
    """A whole zlib stream in a pack: the SHA-256 and the bytes of its content, and how long it is."""

    key: str
    size: int
    length: int


class PackFile:
    """A pack, open for reading."""

    def __init__(self, path: Path) -> None:
        """
        :raises OSError: it is not there, or is no file.
        """
        self._file = open_regular(path)
        self.size = os.fstat(self._file.fileno()).st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def read(self, offset: int, length: int) -> bytes:
        """Bytes at a place; fewer at the end of the file.

        :raises OSError: the disk does not yield them.
        """
        return os.pread(self._file.fileno(), length, offset)

    def chunks(self, offset: int, end: int) -> Iterator[bytes]:
        """The bytes from one place up to another, in pieces: a small one first, for most objects are small."""
        most = _FIRST_BYTES
        while offset < end and (piece := self.read(offset, min(most, end - offset))):
            offset, most = offset + len(piece), CHUNK_BYTES
            yield piece

    def stream_at(self, offset: int, end: int | None = None) -> Stream | None:
        """The zlib stream that begins at a place and ends, whole, before another; None where there is none."""
        head = self.read(offset, 2)
        if len(head) < 2 or head[0] != _FIRST or int.from_bytes(head, 'big') % 31:
            return None
        digest, inflater, size, read = hashlib.sha256(), zlib.decompressobj(), 0, 0
        try:
            for piece in self.chunks(offset, self.size if end is None else end):
                read, pending = read + len(piece), piece
                while pending and not inflater.eof:
                    content = inflater.decompress(pending, CHUNK_BYTES)
                    digest.update(content)
                    size, pending = size + len(content), inflater.unconsumed_tail
                if inflater.eof:
                    return Stream(digest.hexdigest(), size, read - len(inflater.unused_data))
        except zlib.error:
            return None
        return None

    def has_plain(self, key: str, offset: int, length: int) -> bool:
        """Whether so many bytes at a place are the content of an object."""
        if length < 0 or offset + length > self.size:
            return False
        digest = hashlib.sha256()
        for piece in self.chunks(offset, offset + length):
            digest.update(piece)
        return digest.hexdigest() == key

    def plain_at(self, offset: int, end: int, wanted: set[bytes]) -> Stream | None:
        """The object that lies, as it is, at the beginning of a stretch: any length is tried.

        :param wanted: SHA-256 of the objects that are looked for.
        """
        digest, length = hashlib.sha256(), 0
        for piece in self.chunks(offset, end):
            for position in range(len(piece)):
                digest.update(piece[position : position + 1])
                if digest.digest() in wanted:
                    length += position + 1
                    return Stream(digest.hexdigest(), length, length)
            length += len(piece)
        return None


def corrected(path: Path, row: PackedObject) -> PackedObject | None:
    """What a row of the index should say of an object that does begin where it says; None where it does not."""
    try:
        with PackFile(path) as pack:
            stream = pack.stream_at(row.offset)
            if stream is not None and stream.key == row.key:
                return row._replace(compressed=1, size=stream.size, length=stream.length)
            for length in (row.length, row.size):
                if pack.has_plain(row.key, row.offset, length):
                    return row._replace(compressed=0, size=length, length=length)
    except OSError:
        return None
    return None
