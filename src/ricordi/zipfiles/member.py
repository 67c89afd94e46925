"""The content of one member of a zip file: small ones at once, large ones as a stream; checked by CRC-32."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO, cast

from ricordi.errors import CorruptStorage
from ricordi.zipfiles.codec import codec
from ricordi.zipfiles.directory import ZipDirectory
from ricordi.zipfiles.format import DEFLATED, ENCRYPTED, STORED, Member

SMALL_BYTES = 1 << 20
"""Members up to this size are read whole."""
CHUNK_BYTES = 256 * 1024
RAW = -zlib.MAX_WBITS
"""What tells zlib that a deflate stream has no header and no checksum."""


def open_member(directory: ZipDirectory, member: Member) -> BinaryIO:
    """A seekable stream over the content of a member.

    :raises ricordi.errors.CorruptStorage: it is damaged, encrypted, or packed by a method that is not known.
    """
    check_readable(directory, member)
    if is_small(member):
        return io.BytesIO(read_member(directory, member))
    return cast(BinaryIO, io.BufferedReader(MemberStream(directory, member), SMALL_BYTES))


def is_small(member: Member) -> bool:
    """Whether a member is read whole."""
    return member.size <= SMALL_BYTES and member.packed <= SMALL_BYTES


def check_readable(directory: ZipDirectory, member: Member) -> None:
    """See that a member is packed in a way that can be read here.

    :raises ricordi.errors.CorruptStorage: it is not.
    """
    if member.flags & ENCRYPTED or member.method not in (STORED, DEFLATED):
        raise CorruptStorage(
            f'{member.name} in {directory.path} is encrypted or packed by method {member.method}; an archive of AiiDA '
            'is deflated or stored'
        )


def read_member(directory: ZipDirectory, member: Member) -> bytes:
    """The whole content of a member that fits into memory.

    :raises ricordi.errors.CorruptStorage: it is damaged.
    """
    return unpack(directory.packed_bytes(member), member, directory)


def unpack(packed: bytes, member: Member, directory: ZipDirectory) -> bytes:
    """The content of a member, given the bytes that it takes in the file.

    :raises ricordi.errors.CorruptStorage: size or CRC-32 is not that of the directory.
    """
    content = packed
    if member.method == DEFLATED:
        inflater = codec().decompressobj(RAW)
        try:
            # one byte more than there should be, so that a member that lies about its size is found out, not unpacked
            content = inflater.decompress(packed, member.size + 1)
        except Exception as error:  # zlib's own class, or that of isal
            raise damaged(directory, member, str(error)) from None
    if len(content) != member.size:
        raise damaged(directory, member, 'its size is not the one that the directory tells')
    if codec().crc32(content) != member.crc:
        raise damaged(directory, member, 'its checksum is wrong')
    return content


def member_chunks(directory: ZipDirectory, member: Member) -> Iterator[bytes]:
    """The content of a member in pieces, in constant memory, checked at the end.

    :raises ricordi.errors.CorruptStorage: it is damaged.
    """
    check_readable(directory, member)
    stream = MemberStream(directory, member)
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


def damaged(directory: ZipDirectory, member: Member, reason: str) -> CorruptStorage:
    """The error for a member that cannot be unpacked."""
    return CorruptStorage(f'{member.name} in {directory.path} is damaged ({reason}); get the archive anew')


class MemberStream(io.RawIOBase):
    """A large member. Seeking back reads from its beginning; what was read in one go to the end is checked there."""

    def __init__(self, directory: ZipDirectory, member: Member) -> None:
        self._directory = directory
        self._member = member
        self._begin = directory.data_offset(member)
        self._restart()

    def _restart(self) -> None:
        self._position = 0
        self._consumed = 0
        self._crc = 0
        self._pending = b''
        self._inflater = codec().decompressobj(RAW) if self._member.method == DEFLATED else None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._member.size}[whence]
        target = start + offset
        if target < 0:
            raise ValueError(f'cannot seek to {target}, before the beginning')
        if target < self._position:
            self._restart()
        while self._position < min(target, self._member.size):
            self._next(min(CHUNK_BYTES, target - self._position))
        self._position = target
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast('B')
        if self._position >= self._member.size or not len(view):
            return 0
        piece = self._next(min(len(view), CHUNK_BYTES))
        view[: len(piece)] = piece
        return len(piece)

    def readall(self) -> bytes:
        return b''.join(iter(partial(self.read, CHUNK_BYTES), b''))

    def _next(self, length: int) -> bytes:
        """The next bytes, at most `length`, at least one."""
        member = self._member
        piece = b''
        while not piece:
            piece = self._stored(length) if self._inflater is None else self._inflated(length)
        self._position += len(piece)
        self._crc = codec().crc32(piece, self._crc)
        if self._position > member.size:
            raise damaged(self._directory, member, 'it is longer than the directory tells')
        if self._position == member.size and self._crc != member.crc:
            raise damaged(self._directory, member, 'its checksum is wrong')
        return piece

    def _stored(self, length: int) -> bytes:
        piece = self._packed(length)
        if not piece:
            raise damaged(self._directory, self._member, 'it is shorter than the directory tells')
        return piece

    def _inflated(self, length: int) -> bytes:
        if not self._pending:
            self._pending = self._packed(CHUNK_BYTES)
        try:
            piece: bytes = self._inflater.decompress(self._pending, length)  # type: ignore[union-attr]
        except Exception as error:  # zlib's own class, or that of isal
            raise damaged(self._directory, self._member, str(error)) from None
        fed, self._pending = bool(self._pending), self._inflater.unconsumed_tail  # type: ignore[union-attr]
        if not piece and (self._inflater.eof or not fed):  # type: ignore[union-attr]
            raise damaged(self._directory, self._member, 'it is shorter than the directory tells')
        return piece

    def _packed(self, length: int) -> bytes:
        length = min(length, self._member.packed - self._consumed)
        piece = self._directory.read(self._begin + self._consumed, length) if length else b''
        self._consumed += len(piece)
        return piece
