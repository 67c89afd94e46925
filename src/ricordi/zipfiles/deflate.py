"""Content on its way into a zip file: deflated in threads, with size and CRC-32 taken as it passes."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Protocol

from ricordi.zipfiles.codec import codec
from ricordi.zipfiles.format import DEFLATED, STORED

FASTEST_ZLIB_LEVEL = 7
"""From this level on zlib itself compresses, slowly and somewhat smaller; below, `isal` does where it is installed."""
ISAL_LEVEL = 2
PIECES_AHEAD = 4
RAW = -zlib.MAX_WBITS


class Pieces(Protocol):
    """What is to be written for one member, in pieces; method, CRC-32 and size hold once the pieces have passed."""

    method: int
    crc: int
    size: int

    def __iter__(self) -> Iterator[bytes]:
        """The bytes to be written."""


def deflate(content: bytes, level: int) -> bytes:
    """A raw deflate stream, as zip files hold it.

    :param level: 1 to 9 as of zlib.
    """
    module = codec()
    if module is not zlib and level < FASTEST_ZLIB_LEVEL:
        return module.compress(content, ISAL_LEVEL, RAW)  # type: ignore[no-any-return]
    return zlib.compress(content, level, RAW)


def crc32(content: bytes, before: int = 0) -> int:
    """CRC-32 of content that follows what has the CRC-32 `before`."""
    return codec().crc32(content, before)  # type: ignore[no-any-return]


class DeflatedPieces:
    """A stream of content, deflated piece by piece in threads: each piece ends at a byte and refers to none before."""

    def __init__(self, chunks: Iterable[bytes], level: int, executor: Executor) -> None:
        """
        :param chunks: the content; a mebibyte at a time is good.
        :param level: 0 (stored) to 9.
        """
        self._chunks = chunks
        self._level = level
        self._executor = executor
        self.method = DEFLATED if level else STORED
        self.crc = 0
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        if not self._level:
            yield from self._measured()
            return
        pending: deque[Future[bytes]] = deque()
        for chunk in self._measured():
            pending.append(self._executor.submit(_deflated_piece, chunk, self._level))
            if len(pending) > PIECES_AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
        yield deflate(b'', self._level)

    def _measured(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.crc = crc32(chunk, self.crc)
            self.size += len(chunk)
            yield chunk


def _deflated_piece(content: bytes, level: int) -> bytes:
    module = codec()
    if module is not zlib and level < FASTEST_ZLIB_LEVEL:
        deflater = module.compressobj(ISAL_LEVEL, zlib.DEFLATED, RAW)
    else:
        deflater = zlib.compressobj(level, zlib.DEFLATED, RAW)
    return deflater.compress(content) + deflater.flush(zlib.Z_SYNC_FLUSH)  # type: ignore[no-any-return]
