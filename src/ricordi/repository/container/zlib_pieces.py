"""A zlib stream that is copied as it is, and meanwhile inflated to learn what it is of."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator

from ricordi.errors import CorruptStorage


class CheckedZlibPieces:
    """Passes the pieces of a zlib stream on; SHA-256 and size of its content are known at the end."""

    def __init__(self, pieces: Iterable[bytes], window_bytes: int) -> None:
        """
        :param window_bytes: so much is inflated at once.
        """
        self._pieces = pieces
        self._window = window_bytes
        self._digest = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        inflater = zlib.decompressobj()
        for piece in self._pieces:
            pending = piece
            while pending and not inflater.eof:
                self._take(self._inflated(inflater, pending))
                pending = inflater.unconsumed_tail
            if inflater.unused_data:
                raise CorruptStorage('a compressed object is damaged: bytes follow the end of its stream')
            yield piece
        self._take(self._inflated(inflater, b''))
        if not inflater.eof:
            raise CorruptStorage('a compressed object is damaged: its stream is cut')

    def _inflated(self, inflater: zlib._Decompress, pending: bytes) -> bytes:
        try:
            return inflater.decompress(pending, self._window) if pending else inflater.flush()
        except zlib.error as error:
            raise CorruptStorage(f'a compressed object is damaged: {error}') from None

    def _take(self, content: bytes) -> None:
        self._digest.update(content)
        self.size += len(content)

    @property
    def key(self) -> str:
        """SHA-256 of the content."""
        return self._digest.hexdigest()
