"""A stream over a large object in the bucket, read by ranges, the next one while the last is used."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from ricordi.repository.bucket.index import Placement
from ricordi.repository.seekable import SeekableStream

Fetch = Callable[[Placement, int, int], tuple[bytes, Placement]]


class RangeStream(SeekableStream):
    """A seekable stream over the stored form of an object, in memory that does not grow with it."""

    def __init__(self, place: Placement, fetch: Fetch, at_once: int) -> None:
        """
        :param fetch: bytes of it, of a start and length, and where it is by now.
        :param at_once: bytes that are fetched by one request; so many more are read ahead.
        """
        super().__init__(place.stored)
        self._place = place
        self._fetch = fetch
        self._at_once = at_once
        self._piece = b''
        self._piece_start = 0
        self._ahead: tuple[int, Future[tuple[bytes, Placement]]] | None = None
        self._executor: ThreadPoolExecutor | None = None

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast('B')
        if self._position >= self._length or not len(view):
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
        if follows and following < self._length:
            self._executor = self._executor or ThreadPoolExecutor(1, thread_name_prefix='reader')
            task = self._executor.submit(self._fetch, self._place, following, self._length_at(following))
            self._ahead = (following, task)

    def _length_at(self, start: int) -> int:
        return min(self._at_once, self._length - start)

    def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None
        super().close()
