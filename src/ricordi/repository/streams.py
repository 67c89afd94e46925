"""Streams over a part of a pack file."""

from __future__ import annotations

import io
import os
from typing import Any

from ricordi.errors import CorruptStorage


class PackSlice(io.RawIOBase):
    """A seekable binary stream over `length` bytes from `offset` of a file; it has a file descriptor of its own."""

    def __init__(self, path: str | os.PathLike[str], offset: int, length: int) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | getattr(os, 'O_BINARY', 0))
        self._offset = offset
        self._length = length
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        raise io.UnsupportedOperation('a part of a pack has no file of its own')

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length}[whence]
        if start + offset < 0:
            raise ValueError(f'cannot seek to {start + offset}, before the beginning')
        self._position = start + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast('B')
        wanted = max(0, min(len(view), self._length - self._position))
        piece = os.pread(self._descriptor, wanted, self._offset + self._position)
        if wanted and not piece:
            raise CorruptStorage('the pack file ends before the object does')
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()
