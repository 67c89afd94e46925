"""A stream over a large object in the bucket, read by ranges, some of them ahead while the last is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

from ricordi.repository.bucket.index import Placement
from ricordi.repository.bucket.passing_digest import PassingDigest
from ricordi.repository.seekable import SeekableStream

RAMP = 3
"""So many pieces are fetched, each twice as long as the one before, until they are as long as they may be."""

Piece = bytes | memoryview
Fetch = Callable[[Placement, int, int], tuple[Piece, Placement]]


class _Ahead(NamedTuple):
    """A piece that is being fetched."""

    start: int
    length: int
    task: Future[tuple[Piece, Placement]]


class RangeStream(SeekableStream):
    """A seekable stream over the stored form of an object, in memory that does not grow with it."""

    def __init__(
        self, place: Placement, fetch: Fetch, at_once: int, ahead: int, digest: PassingDigest | None = None
    ) -> None:
        """
        :param fetch: bytes of it, of a start and length, and where it is by now.
        :param at_once: bytes that are fetched by one request at most.
        :param ahead: so many pieces are read ahead at most, in threads: one after the first piece in a row, then more.
        :param digest: checks what passes; None: who reads does.
        """
        super().__init__(place.stored)
        self._place = place
        self._fetch = fetch
        self._at_once = at_once
        self._most_ahead = ahead
        self._digest = digest
        self._piece: Piece = b''
        self._piece_start = 0
        self._in_a_row = 0
        self._ahead: deque[_Ahead] = deque()
        self._executor: ThreadPoolExecutor | None = None

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast('B')
        piece = memoryview(self._at_hand())[: len(view)]
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def readall(self) -> bytes:
        pieces, before = [], self._position
        try:
            while piece := self._at_hand():
                pieces.append(piece)
                self._position += len(piece)
        except BaseException:
            self._position = before
            raise
        return b''.join(pieces)

    def _at_hand(self) -> Piece:
        """What is at the position, up to the end of the piece that it is in; empty at the end of all."""
        if self._position >= self._length:
            return b''
        begin = self._position - self._piece_start
        if not 0 <= begin < len(self._piece):
            self._turn_to(self._position)
            begin = 0
        return memoryview(self._piece)[begin:]

    def _turn_to(self, start: int) -> None:
        """Have the piece at hand that begins here; the longer the pieces follow each other, the more are read ahead."""
        self._in_a_row = self._in_a_row + 1 if start == self._piece_start + len(self._piece) else 0
        self._piece, self._piece_start = b'', start  # at hand is nothing that is not checked
        piece, self._place = self._fetched(start)
        self._read_ahead(start + len(piece))
        if self._digest is not None:
            self._digest.take(start, piece)
        self._piece = piece

    def _fetched(self, start: int) -> tuple[Piece, Placement]:
        if self._ahead and self._ahead[0].start == start:
            return self._ahead.popleft().task.result()
        self._cancel()
        return self._fetch(self._place, start, self._length_at(start))

    def _read_ahead(self, following: int) -> None:
        if self._ahead:
            following = self._ahead[-1].start + self._ahead[-1].length
        while len(self._ahead) < min(self._in_a_row, self._most_ahead) and following < self._length:
            self._executor = self._executor or ThreadPoolExecutor(self._most_ahead, thread_name_prefix='reader')
            length = self._length_at(following)
            task = self._executor.submit(self._fetch, self._place, following, length)
            self._ahead.append(_Ahead(following, length, task))
            following += length

    def _length_at(self, start: int) -> int:
        """Little at first, and after a jump: who looks at a few bytes does not fetch many."""
        return min(max(1, self._at_once >> max(0, RAMP - self._in_a_row)), self._length - start)

    def _cancel(self) -> None:
        for one in self._ahead:
            one.task.cancel()
        self._ahead.clear()

    def close(self) -> None:
        self._cancel()
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None
        if self._digest is not None:
            self._digest.close()
        self._piece = b''
        super().close()
