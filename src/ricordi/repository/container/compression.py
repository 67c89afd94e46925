"""zlib streams: making them, reading them at any position, and guessing whether it pays.

With the package `isal` installed its faster, compatible implementation is used; the bytes differ, the format does not.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO

from ricordi.backend.maintenance import CompressMode
from ricordi.errors import CorruptStorage
from ricordi.repository.seekable import SeekableStream
from ricordi.zipfiles.codec import codec, zlib_stream

SAMPLE_BYTES = 4096
WORTH_RATIO = 0.9
"""`auto` compresses where a sample shrinks below this share of its size."""
SMALLEST_WORTH_BYTES = 128
CHUNK_BYTES = 256 * 1024
CHECKPOINT_BYTES = 8 << 20
MOST_CHECKPOINTS = 64


def compressor(level: int) -> Any:
    """An object with `compress` and `flush` that makes a zlib stream; `level` as in zlib, 0 to 9."""
    module = codec()
    return zlib.compressobj(level) if module is zlib else module.compressobj(min(level, 2))


def compress(content: bytes, level: int) -> bytes:
    """`content` as a zlib stream."""
    return zlib_stream(content, level)


def decompress(stream: bytes | memoryview) -> bytes:
    """The content of a whole zlib stream.

    :raises zlib.error: the stream is damaged or cut.
    """
    try:
        return codec().decompress(stream)  # type: ignore[no-any-return]
    except zlib.error:
        raise
    except Exception as error:  # isal has an error class of its own
        raise zlib.error(str(error)) from error


def is_worth_it(sample: bytes) -> bool:
    """Whether content that begins like, or contains, `sample` shrinks enough to be stored compressed."""
    return len(sample) >= SMALLEST_WORTH_BYTES and len(zlib.compress(sample, 1)) < WORTH_RATIO * len(sample)


def wants_compression(mode: CompressMode, was_compressed: bool, content: bytes) -> bool:
    """Whether an object shall be tried to be stored compressed.

    :param was_compressed: its form so far.
    :param content: the content, or its beginning: 256 KiB of it, or all that there is.
    """
    if mode == 'keep':
        return was_compressed
    if mode == 'auto':
        middle = max(0, (min(len(content), CHUNK_BYTES) - SAMPLE_BYTES) // 2)
        return is_worth_it(content[middle : middle + SAMPLE_BYTES])
    return mode == 'yes'


def decompressed_chunks(source: Iterator[bytes]) -> Iterator[bytes]:
    """The content of a zlib stream that comes in chunks, in constant memory.

    :raises zlib.error: the stream is damaged, cut, or followed by other bytes.
    """
    inflater = zlib.decompressobj()
    for chunk in source:
        pending = chunk
        while pending:
            yield inflater.decompress(pending, CHUNK_BYTES)
            pending = inflater.unconsumed_tail
        if inflater.unused_data:
            raise zlib.error('bytes after the end of the stream')
    while rest := inflater.decompress(inflater.unconsumed_tail, CHUNK_BYTES):
        yield rest
    if not inflater.eof:
        raise zlib.error('the stream is cut')


class InflatedStream(SeekableStream):
    """A seekable binary stream over the content of a zlib stream, in memory that does not grow with it.

    Seeking back starts from the last of a few kept states of the decompressor, not from the file's beginning.
    """

    def __init__(self, source: BinaryIO, size: int) -> None:
        """
        :param source: a seekable stream over the compressed bytes; closed with this one.
        :param size: bytes of content.
        """
        super().__init__(size)
        self._source = source
        self._inflated = 0
        self._inflater = zlib.decompressobj()
        self._pending = b''
        self._chunk = b''
        self._chunk_start = 0
        self._checkpoint_distance = max(CHECKPOINT_BYTES, size // MOST_CHECKPOINTS)
        self._checkpoints: list[tuple[int, int, bytes, Any]] = [(0, 0, b'', self._inflater.copy())]

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast('B')
        if self._position >= self._length or not len(view):
            return 0
        try:
            self._inflate_to(self._position)
        except zlib.error as error:
            raise CorruptStorage(f'the compressed object is damaged: {error}') from None
        start = self._position - self._chunk_start
        piece = self._chunk[start : start + len(view)]
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def readall(self) -> bytes:
        return b''.join(iter(partial(self.read, CHUNK_BYTES), b''))

    def _inflate_to(self, position: int) -> None:
        """Make the chunk that holds `position` the current one."""
        if position < self._chunk_start:
            self._restore(position)
        while position >= self._inflated:
            if not self._pending:
                self._pending = self._source.read(CHUNK_BYTES)
                if not self._pending and not self._inflater.unconsumed_tail:
                    raise zlib.error('the compressed object is cut')
            self._chunk_start = self._inflated
            self._chunk = self._inflater.decompress(self._pending, CHUNK_BYTES)
            self._pending = self._inflater.unconsumed_tail
            self._inflated += len(self._chunk)
            if self._inflated - self._checkpoints[-1][0] >= self._checkpoint_distance:
                state = (self._inflated, self._source.tell(), self._pending, self._inflater.copy())
                self._checkpoints.append(state)
        if self._inflated >= self._length and not self._inflater.eof:
            self._check_end()

    def _check_end(self) -> None:
        """After the last byte of content, read what is left of the stream: its checksum."""
        inflater = self._inflater.copy()
        pending = self._pending
        while not inflater.eof:
            pending = pending or self._source.read(CHUNK_BYTES)
            if not pending:
                raise zlib.error('it is cut')
            if inflater.decompress(pending, 1):
                raise zlib.error('it is longer than the index says')
            pending = inflater.unconsumed_tail

    def _restore(self, position: int) -> None:
        inflated, source, pending, inflater = next(c for c in reversed(self._checkpoints) if c[0] <= position)
        self._source.seek(source)
        self._inflated, self._pending, self._inflater = inflated, pending, inflater.copy()
        self._chunk, self._chunk_start = b'', inflated

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()
