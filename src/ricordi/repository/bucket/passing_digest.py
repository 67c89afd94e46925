"""The SHA-256 of a large object while it is read, taken by a thread of its own: the next bytes arrive meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from ricordi.errors import CorruptStorage
from ricordi.repository.bucket.index import Placement


class PassingDigest:
    """Checks what passes from start to end; what comes after a jump over bytes that did not pass cannot be checked.

    One piece is in hand at most, so that the pieces that wait do not fill the memory.
    """

    def __init__(self, place: Placement, wrong: Callable[[], CorruptStorage]) -> None:
        """
        :param wrong: makes the error where the content is not what its key says.
        """
        self._expected = place.hash
        self._size = place.size
        self._wrong = wrong
        self._digest = hashlib.sha256()
        self._taken = 0
        self._task: Future[None] | None = None
        self._executor = ThreadPoolExecutor(1, thread_name_prefix='digest')

    def take(self, start: int, piece: bytes | memoryview) -> None:
        """Note a piece that begins at a byte of the content; it must not be handed out before.

        :raises ricordi.errors.CorruptStorage: all has passed by now, and is not what its key says.
        """
        end = start + len(piece)
        if start <= self._taken < end:
            self._settle()
            self._task = self._executor.submit(self._digest.update, memoryview(piece)[self._taken - start :])
            self._taken = end
        if self._taken >= self._size:
            self._settle()
            if self._digest.digest() != self._expected:
                raise self._wrong()

    def _settle(self) -> None:
        if self._task is not None:
            self._task.result()
            self._task = None

    def close(self) -> None:
        """Take no more."""
        self._executor.shutdown(wait=False)
