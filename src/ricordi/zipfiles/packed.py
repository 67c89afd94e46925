"""Members that are compressed already, passed on without being inflated and deflated again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from ricordi.errors import CorruptStorage
from ricordi.zipfiles.codec import codec
from ricordi.zipfiles.deflate import crc32
from ricordi.zipfiles.format import DEFLATED

ZLIB_HEADER_BYTES = 2
ZLIB_CHECKSUM_BYTES = 4
DICTIONARY = 0x20
CHUNK_BYTES = 256 * 1024


def raw_deflate(stream: bytes) -> bytes | None:
    """The raw deflate stream inside a zlib stream; None where it needs a preset dictionary or is no zlib stream."""
    if len(stream) < ZLIB_HEADER_BYTES + ZLIB_CHECKSUM_BYTES or not has_plain_header(stream):
        return None
    return stream[ZLIB_HEADER_BYTES:-ZLIB_CHECKSUM_BYTES]


def has_plain_header(stream: bytes) -> bool:
    """Whether bytes begin as a zlib stream does that needs no preset dictionary."""
    return len(stream) >= 2 and stream[0] & 0x0F == DEFLATED and not stream[1] & DICTIONARY


class ZlibStreamPieces:
    """A large zlib stream as a raw deflate stream; it is inflated on the way to take CRC-32, size and SHA-256.

    One that is damaged raises `CorruptStorage`.
    """

    method = DEFLATED

    def __init__(self, chunks: Iterable[bytes]) -> None:
        """
        :param chunks: the zlib stream; the first holds at least its header.
        """
        self._chunks = chunks
        self._digest = hashlib.sha256()
        self.crc = 0
        self.size = 0

    @property
    def key(self) -> str:
        """SHA-256 of the content, once all has passed."""
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[bytes]:
        inflater = codec().decompressobj()
        held, skipped = b'', False
        for chunk in self._chunks:
            self._inflate(inflater, chunk)
            held += chunk if skipped else chunk[ZLIB_HEADER_BYTES:]
            skipped = True
            if len(held) > ZLIB_CHECKSUM_BYTES:
                yield held[:-ZLIB_CHECKSUM_BYTES]
                held = held[-ZLIB_CHECKSUM_BYTES:]

    def _inflate(self, inflater: Any, pending: bytes) -> None:
        while pending or not inflater.eof:
            try:
                content = inflater.decompress(pending, CHUNK_BYTES)
            except Exception as error:  # zlib's own class, or that of isal
                raise CorruptStorage(f'a compressed object is damaged: {error}') from None
            pending = inflater.unconsumed_tail
            if not content and not pending:
                return
            self.crc = crc32(content, self.crc)
            self.size += len(content)
            self._digest.update(content)
