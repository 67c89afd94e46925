"""The central directory of a zip file, read from the file as far as it is needed.

Nothing is kept per member, and a name is searched for in the bytes of the directory: so to open a file of a million
members costs no more than to open a small one.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ricordi.errors import CorruptStorage, UnreachableStorage
from ricordi.zipfiles.format import (
    END,
    END64,
    END64_MARK,
    END_MARK,
    ENTRY,
    ENTRY_MARK,
    LIMIT16,
    LIMIT32,
    LOCAL,
    LOCAL_MARK,
    LOCATOR64,
    LOCATOR64_MARK,
    LONGEST_COMMENT,
    Member,
    read_entry,
)

CHUNK_BYTES = 1 << 20
USUAL_EXTRA_BYTES = 64
"""Extra fields of a local header are seldom longer."""
LONGEST_ENTRY = ENTRY.size + 3 * 0xFFFF


@dataclass(frozen=True, slots=True)
class DirectoryPlace:
    """Where the central directory lies: first byte, bytes, number of entries."""

    offset: int
    length: int
    entries: int


class ZipDirectory:
    """An open zip file and its central directory. Usable from several threads; it has no position of its own."""

    def __init__(self, path: Path) -> None:
        """
        :raises ricordi.errors.UnreachableStorage: it is not there, or may not be read.
        :raises ricordi.errors.CorruptStorage: it is no zip file, or only the beginning of one.
        """
        self.path = path
        self.descriptor = -1
        try:
            # not waiting for somebody to write into it, should it be a pipe
            self.descriptor = os.open(path, os.O_RDONLY | getattr(os, 'O_NONBLOCK', 0) | getattr(os, 'O_BINARY', 0))
            status = os.fstat(self.descriptor)
            self.file_bytes = status.st_size
            if stat.S_ISDIR(status.st_mode):
                raise UnreachableStorage(f'{path} is a folder, not an archive')
            if not stat.S_ISREG(status.st_mode):
                raise UnreachableStorage(f'{path} is no regular file, and so no archive')
            self.place = self._find_directory()
        except FileNotFoundError:
            raise UnreachableStorage(f'there is no archive {path}: check the path') from None
        except OSError as error:
            self.close()
            raise UnreachableStorage(f'cannot read the archive {path}: {error.strerror or error}') from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        self.close()

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`.

        :raises ricordi.errors.CorruptStorage: the file ends before.
        """
        content = os.pread(self.descriptor, length, offset)
        while len(content) < length:
            piece = os.pread(self.descriptor, length - len(content), offset + len(content))
            if not piece:
                raise self.damaged('it ends too early')
            content += piece
        return content

    def damaged(self, reason: str) -> CorruptStorage:
        """The error for a file that is not what a zip file is."""
        return CorruptStorage(f'{self.path} is not an archive, or only a part of one ({reason}); get it anew')

    # -- members ----------------------------------------------------------------------------------------------

    def members(self) -> Iterator[Member]:
        """All members in the order of the directory."""
        for _, member in self._entries():
            yield member

    def find(self, name: str) -> Member | None:
        """The first member of this name, found by searching the bytes of the directory."""
        wanted = name.encode()
        for position, chunk in self._chunks(len(wanted) + ENTRY.size):
            at = chunk.find(wanted)
            while at >= 0:
                begin = at - ENTRY.size
                if begin >= 0 and chunk.startswith(ENTRY_MARK, begin):
                    member = self.member_at(position + begin)
                    if member is not None and member.name == name:
                        return member
                at = chunk.find(wanted, at + 1)
        return None

    def member_at(self, position: int) -> Member | None:
        """The member whose entry begins at a byte of the directory; None if none does."""
        length = min(LONGEST_ENTRY, self.place.length - position)
        try:
            found = read_entry(os.pread(self.descriptor, min(length, 512), self.place.offset + position), 0)
            if found is None:
                found = read_entry(self.read(self.place.offset + position, length), 0)
        except (ValueError, struct.error):
            return None
        return None if found is None else found[0]

    def data_offset(self, member: Member) -> int:
        """Where the bytes of a member begin; its local header is read and compared.

        :raises ricordi.errors.CorruptStorage: it is not where the directory says.
        """
        length = LOCAL.size + len(member.name.encode())
        return member.offset + self._header_length(member, self._read_up_to_directory(member.offset, length))

    def packed_bytes(self, member: Member) -> bytes:
        """The bytes of a member as they lie in the file, mostly in one read together with its local header.

        :raises ricordi.errors.CorruptStorage: it is not where the directory says.
        """
        length = LOCAL.size + len(member.name.encode()) + USUAL_EXTRA_BYTES + member.packed
        found = self._read_up_to_directory(member.offset, length)
        begin = self._header_length(member, found)
        if begin + member.packed <= len(found):
            return found[begin : begin + member.packed]
        return self.read(member.offset + begin, member.packed)

    def _read_up_to_directory(self, offset: int, length: int) -> bytes:
        return self.read(offset, max(0, min(length, self.place.offset - offset)))

    def _header_length(self, member: Member, found: bytes) -> int:
        """Bytes of the local header of a member; `found`: what begins where the directory says that it does."""
        if len(found) < LOCAL.size:
            raise self.damaged(f'{member.name} is not where the directory says')
        fields = LOCAL.unpack_from(found)
        name_length, extra_length = fields[9:11]
        name = found[LOCAL.size : LOCAL.size + name_length].decode('utf-8', 'replace')
        if fields[0] != LOCAL_MARK or not self._is_called(member, name):
            raise self.damaged(f'{member.name} is not where the directory says')
        length = int(LOCAL.size + name_length + extra_length)
        if member.offset + length + member.packed > self.place.offset:
            raise self.damaged(f'{member.name} goes on past the last member')
        return length

    def _is_called(self, member: Member, name: str) -> bool:
        """Whether the name in a local header, if it was read to its end, is that of a member."""
        return name == member.name

    def positions(self) -> Iterator[tuple[str, int]]:
        """Name of each member and where its entry begins in the directory."""
        for position, member in self._entries():
            yield member.name, position

    def _entries(self) -> Iterator[tuple[int, Member]]:
        place, seen = self.place, 0
        start, buffer, position = 0, b'', 0
        while seen < place.entries:
            try:
                found = read_entry(buffer, position)
            except (ValueError, struct.error) as error:
                raise self.damaged(str(error)) from None
            if found is None:
                begin = start + len(buffer)
                if begin >= place.length:
                    raise self.damaged('its directory is cut')
                start += position
                more = self.read(place.offset + begin, min(CHUNK_BYTES, place.length - begin))
                buffer, position = buffer[position:] + more, 0
                continue
            yield start + position, found[0]
            position = found[1]
            seen += 1

    def _chunks(self, overlap: int) -> Iterator[tuple[int, bytes]]:
        """The bytes of the directory in chunks that overlap: position and bytes."""
        position = 0
        while position < self.place.length:
            chunk = self.read(self.place.offset + position, min(CHUNK_BYTES, self.place.length - position))
            yield position, chunk
            if position + len(chunk) >= self.place.length:
                return
            position += len(chunk) - overlap

    # -- where the directory is -------------------------------------------------------------------------------

    def _find_directory(self) -> DirectoryPlace:
        tail_length = min(self.file_bytes, END.size + LONGEST_COMMENT)
        tail_offset = self.file_bytes - tail_length
        tail = self.read(tail_offset, tail_length)
        at = tail.rfind(END_MARK)
        while at >= 0:
            if at + END.size <= len(tail):
                fields = END.unpack_from(tail, at)
                if at + END.size + fields[7] == len(tail):
                    return self._checked_place(fields, tail_offset + at)
            at = tail.rfind(END_MARK, 0, at)
        raise self.damaged('the end of a zip file is not found')

    def _checked_place(self, fields: tuple[Any, ...], end: int) -> DirectoryPlace:
        entries, length, offset = fields[4], fields[5], fields[6]
        if entries == LIMIT16 or length == LIMIT32 or offset == LIMIT32:
            wide = self._wide_end(end)
            if wide is not None:
                entries, length, offset, end = wide
        if offset + length != end or entries * ENTRY.size > length:
            raise self.damaged('its directory is not where the end says')
        return DirectoryPlace(offset, length, entries)

    def _wide_end(self, end: int) -> tuple[int, int, int, int] | None:
        if end < LOCATOR64.size + END64.size:
            return None
        mark, _, position, _ = LOCATOR64.unpack(self.read(end - LOCATOR64.size, LOCATOR64.size))
        if mark != LOCATOR64_MARK:
            return None
        if position > end - LOCATOR64.size - END64.size:
            raise self.damaged('its 64-bit end is not where it should be')
        fields = END64.unpack(self.read(position, END64.size))
        if fields[0] != END64_MARK:
            raise self.damaged('its 64-bit end is not where it should be')
        return int(fields[7]), int(fields[8]), int(fields[9]), position


class RenamingDirectory(ZipDirectory):
    """A zip file of which members can be asked for by other names than they have in it, once `renamed` is set."""

    renamed = False

    def _is_called(self, member: Member, name: str) -> bool:
        return self.renamed or super()._is_called(member, name)
