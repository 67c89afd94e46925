"""Streams that are read at a position."""

from __future__ import annotations

import io


class SeekableStream(io.RawIOBase):
    """A stream to be read, of a known length. A jump costs nothing: what lies there is looked for when it is read."""

    def __init__(self, length: int) -> None:
        """
        :param length: bytes that there are to read.
        """
        self._length = length
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length}[whence]
        if start + offset < 0:
            raise ValueError(f'cannot seek to {start + offset}, before the beginning')
        self._position = start + offset
        return self._position
