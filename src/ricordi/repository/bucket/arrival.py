"""Whether what was uploaded lies in the bucket as it was sent.

Stores acknowledge what was altered on the way: not all of them compare the hashes that a request brings along. Most
answer with the MD5 of what they have (the ETag), which is compared; where it is another thing, as with encryption by
keys of the customer, the upload is read back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import md5
from typing import Any


class SentBytes:
    """What was sent, known by the MD5 of each part."""

    def __init__(self, part_bytes: int = 0) -> None:
        """
        :param part_bytes: of each part but the last; 0: it is sent in one request, not in parts.
        """
        self._part_bytes = part_bytes
        self._parts: list[bytes] = []
        self._part = _md5()
        self._filled = 0
        self.size = 0

    def passing(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The pieces, noted as they pass."""
        for piece in pieces:
            self.add(piece)
            yield piece

    def add(self, piece: bytes | bytearray | memoryview) -> None:
        """Note what is sent next."""
        left = memoryview(piece)
        self.size += len(left)
        while self._part_bytes and len(left) >= (room := self._part_bytes - self._filled):
            self._part.update(left[:room])
            self._parts.append(self._part.digest())
            self._part, self._filled, left = _md5(), 0, left[room:]
        self._part.update(left)
        self._filled += len(left)

    @property
    def tag(self) -> str:
        """What most stores answer, once all has passed."""
        if not self._part_bytes:
            return str(self._part.hexdigest())
        parts = [*self._parts, *([self._part.digest()] if self._filled or not self._parts else [])]
        return f'{_md5(b"".join(parts)).hexdigest()}-{len(parts)}'

    def is_what_lies_there(self, pieces: Iterable[bytes | memoryview]) -> bool:
        """Whether what was read back is the same.

        :param pieces: all of it.
        """
        found = SentBytes(self._part_bytes)
        for piece in pieces:
            found.add(piece)
        return (found.size, found.tag) == (self.size, self.tag)


def _md5(data: bytes = b'') -> Any:
    return md5(data, usedforsecurity=False)
