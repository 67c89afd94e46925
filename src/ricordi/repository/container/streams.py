"""Streams over a part of a pack file, and streams that check what passes through them."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from typing import Any, BinaryIO, cast

from ricordi.errors import CorruptStorage
from ricordi.repository.seekable import SeekableStream

CHUNK_BYTES = 1 << 20
BUFFER_BYTES = 16 << 10
"""What is read ahead: little enough for one who jumps, and enough for one who reads line by line."""

ENDS_EARLY = 'the file ends before the object does'
OTHER_BYTES = 'its bytes are not what its key says'


class PackSlice(SeekableStream):
    """A seekable binary stream over `length` bytes from `offset` of a file; it has a file descriptor of its own.

    :raises FileNotFoundError: the file is not there; nor where something else stands in the place of its folder.
    :raises ricordi.errors.CorruptStorage: the file ends before that.
    """

    def __init__(self, path: str | os.PathLike[str], offset: int, length: int) -> None:
        super().__init__(length)
        try:
            self._descriptor = os.open(path, os.O_RDONLY | getattr(os, 'O_BINARY', 0))
        except NotADirectoryError as error:
            raise FileNotFoundError(error.errno, error.strerror, os.fspath(path)) from None
        self._offset = offset
        if os.fstat(self._descriptor).st_size < offset + length:
            self.close()
            raise CorruptStorage(f'the pack file {os.fspath(path)} ends before the object at byte {offset} does')

    def fileno(self) -> int:
        raise io.UnsupportedOperation('a part of a pack has no file of its own')

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast('B')
        wanted = max(0, min(len(view), self._length - self._position))
        number = os.preadv(self._descriptor, [view[:wanted]], self._offset + self._position) if wanted else 0
        if wanted and not number:
            raise CorruptStorage('the pack file ends before the object does')
        self._position += number
        return number

    def readall(self) -> bytes:
        pieces = []
        while (wanted := self._length - self._position) > 0:
            piece = os.pread(self._descriptor, wanted, self._offset + self._position)
            if not piece:
                raise CorruptStorage('the pack file ends before the object does')
            pieces.append(piece)
            self._position += len(piece)
        return pieces[0] if len(pieces) == 1 else b''.join(pieces)

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


class CheckedStream(io.RawIOBase):
    """A seekable stream over an object: who has read it from start to end has what its key says, or an error.

    The SHA-256 is taken of what passes; the last piece is handed out only where it is right. What is read after a jump
    over bytes that were not read before is not checked: there is nothing to check it by.
    """

    def __init__(self, source: io.RawIOBase, key: str, size: int, damaged: Callable[[str], CorruptStorage]) -> None:
        """
        :param source: a seekable stream over the content, at its beginning; closed with this one.
        :param size: bytes of content.
        :param damaged: makes the error, of a reason.
        """
        self._source = source
        self._key = key
        self._size = size
        self._damaged = damaged
        self._position = 0
        self._digest = hashlib.sha256()
        self._hashed = 0
        self._verdict: bool | None = None
        """Whether the content is right, once all of it was read."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = self._source.seek(start + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast('B')[: max(0, self._size - self._position)]
        if not len(view):
            return 0
        number = self._source.readinto(view)
        if not number:
            raise self._damaged(ENDS_EARLY)
        self._pass(view[:number])
        return int(number)

    def readall(self) -> bytes:
        if self._position >= self._size:
            return b''
        content = self._source.readall()
        if self._position + len(content) != self._size:
            raise self._damaged(ENDS_EARLY if self._position + len(content) < self._size else OTHER_BYTES)
        self._pass(content)
        return content

    def _pass(self, piece: bytes | memoryview) -> None:
        """Take note of bytes that were read at the position.

        :raises ricordi.errors.CorruptStorage: by now it is known that the object is damaged.
        """
        end = self._position + len(piece)
        if self._position <= self._hashed < end:
            self._digest.update(memoryview(piece)[self._hashed - self._position :])
            self._hashed = end
            if end == self._size:
                self._verdict = self._digest.hexdigest() == self._key
        if self._verdict is False:
            self._source.seek(self._position)  # none of it counts as read
            raise self._damaged(OTHER_BYTES)
        self._position = end

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()


def checked(source: io.RawIOBase, key: str, size: int, damaged: Callable[[str], CorruptStorage]) -> BinaryIO:
    """A buffered `CheckedStream`; parameters as there."""
    return cast(BinaryIO, io.BufferedReader(CheckedStream(source, key, size, damaged), BUFFER_BYTES))


def open_file(path: str | os.PathLike[str], key: str, in_memory: int) -> BinaryIO:
    """A stream over a file that holds one object: checked at once up to `in_memory` bytes, larger ones on the way.

    :raises FileNotFoundError: it is not there.
    :raises ricordi.errors.CorruptStorage: it is damaged.
    """

    def damaged(reason: str) -> CorruptStorage:
        return CorruptStorage(
            f'object {key} is damaged: the loose file {os.fspath(path)} does not hold what its name says ({reason}); '
            'restore it from a backup, or put the content in again'
        )

    # a pipe of that name is not waited for; closed by the stream that is returned, or here
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except NotADirectoryError:
        raise damaged('a file is in the place of its folder') from None
    try:
        file = io.FileIO(descriptor)
    except IsADirectoryError:
        os.close(descriptor)
        raise damaged('it is a folder') from None
    if (size := os.fstat(file.fileno()).st_size) > in_memory:
        return checked(file, key, size, damaged)
    with file:
        content = file.read(size + 1) or b''
    if hashlib.sha256(content).hexdigest() != key:
        raise damaged(OTHER_BYTES)
    return io.BytesIO(content)
