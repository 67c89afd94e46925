"""A stream over a large object in the bucket, read by ranges, the next one while the last is used."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from ricordi.repository.bucket.index import Placement

Fetch = Callable[[Placement, int, int], tuple[bytes, Placement]]


class RangeStream(io.RawIOBase):
    """A seekable stream over the stored form of an object, in memory that does not grow with it."""

    def __init__(self, place: Placement, fetch: Fetch, at_once: int) -> None:
        """
        :param fetch: bytes of it, of a start and length, and where it is by now.
        :param at_once: bytes that are fetched by one request; so many more are read ahead.
        """
        self._place = place
        self._fetch = fetch
        self._at_once = at_once
        self._position = 0
        self._piece = b''
        self._piece_start = 0
        self._ahead: tuple[int, Future[tuple[bytes, Placement]]] | None = None
        self._executor: ThreadPoolExecutor | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._place.stored}[whence]
        if start + offset < 0:
            raise ValueError(f'cannot seek to {start + offset}, before the beginning')
        self._position = start + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast('B')
        if self._position >= self._place.stored or not len(view):
            return 0
        begin = self._position - self._piece_start
        if not 0 <= begin < len(self._piece):
            self._turn_to(self._position)
            begin = 0
        piece = memoryview(self._piece)[begin : begin + len(view)]
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def _turn_to(self, start: int) -> None:
        """Have the piece at hand that begins here; where the one before it was read, the next is fetched meanwhile."""
        follows = start == self._piece_start + len(self._piece)
        if self._ahead is not None and self._ahead[0] == start:
            self._piece, self._place = self._ahead[1].result()
        else:
            self._piece, self._place = self._fetch(self._place, start, self._length_at(start))
        self._piece_start, self._ahead = start, None
        following = start + len(self._piece)
        if follows and following < self._place.stored:
            self._executor = self._executor or ThreadPoolExecutor(1, thread_name_prefix='reader')
            task = self._executor.submit(self._fetch, self._place, following, self._length_at(following))
            self._ahead = (following, task)

    def _length_at(self, start: int) -> int:
        return min(self._at_once, self._place.stored - start)

    def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None
        super().close()
