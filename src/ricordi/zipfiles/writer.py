"""Writing a zip file in one pass: members one after the other, their directory kept aside on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from typing import BinaryIO

from ricordi.zipfiles.deflate import Pieces
from ricordi.zipfiles.format import (
    LIMIT32,
    Member,
    directory_entry,
    dos_time,
    end_records,
    local_header,
)

MOST_IN_MEMORY = 4 << 20
COPY_BYTES = 1 << 20
ROOM64_FROM = LIMIT32 - (64 << 20)
"""A stream that may reach this many bytes gets a header with room for 64-bit sizes."""


class ZipWriter:
    """A zip file in the making. Two members of one name are the caller's mistake; nothing here looks for it."""

    def __init__(self, file: BinaryIO, first: Collection[str] = ()) -> None:
        """
        :param file: open for writing, empty, seekable; it is left open.
        :param first: names whose entries shall come first in the directory, wherever the members stand.
        """
        self._file = file
        self._first: dict[str, bytes] = dict.fromkeys(first, b'')
        self._entries = tempfile.SpooledTemporaryFile(MOST_IN_MEMORY)  # noqa: SIM115 - closed by `close`
        self._when = dos_time()
        self.position = 0
        """Bytes written so far."""
        self.count = 0
        """Members so far."""

    def add(self, name: str, method: int, crc: int, size: int, packed: bytes | memoryview) -> None:
        """Add a member whose bytes are all there.

        :param packed: what is written: the content, or a raw deflate stream of it.
        """
        member = Member(name, method, crc, len(packed), size, self.position)
        self._write(local_header(member, self._when, room64=False))
        self._write(packed)
        self._note(member)

    def add_pieces(self, name: str, pieces: Pieces, most: int) -> None:
        """Add a member that comes piece by piece; its header is completed afterwards.

        :param most: what its size is known not to exceed, in bytes.
        """
        offset, room64 = self.position, most >= ROOM64_FROM
        draft = Member(name, pieces.method, 0, 0, 0, offset)
        self._write(local_header(draft, self._when, room64))
        begin = self.position
        for piece in pieces:
            self._write(piece)
        member = Member(name, pieces.method, pieces.crc, self.position - begin, pieces.size, offset)
        self._file.seek(offset)
        self._file.write(local_header(member, self._when, room64))
        self._file.seek(self.position)
        self._note(member)

    def finish(self) -> None:
        """Write the directory; the file is then a zip file."""
        begin = self.position
        for entry in self._first.values():
            self._write(entry)
        self._entries.seek(0)
        while chunk := self._entries.read(COPY_BYTES):
            self._write(chunk)
        self._write(end_records(self.count, begin, self.position - begin))

    def close(self) -> None:
        """Let go of the directory kept aside."""
        self._entries.close()

    def _note(self, member: Member) -> None:
        entry = directory_entry(member, self._when)
        if member.name in self._first:
            self._first[member.name] = entry
        else:
            self._entries.write(entry)
        self.count += 1

    def _write(self, content: bytes | memoryview) -> None:
        self._file.write(content)
        self.position += len(content)
