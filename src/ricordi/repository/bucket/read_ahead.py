"""Objects that lie beside one that was read alone: who reads one by one often reads what was put together."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from ricordi.repository.bucket.index import Placement
from ricordi.repository.bucket.limits import BucketLimits


class _Window(NamedTuple):
    """Contents that were read along, by hash, with the byte of the pack at which each ends; and since when."""

    pack: UUID
    contents: dict[bytes, tuple[int, bytes]]
    since: float


class ReadAhead:
    """What was read along, in memory that is bounded; the more of it is asked for, the more is read along next time.

    Whatever is known here may be out of date for `ahead_seconds`, as a file is that was opened before it was removed.
    """

    def __init__(self, limits: BucketLimits) -> None:
        self._limits = limits
        self._window: _Window | None = None
        self._last: tuple[UUID, int] | None = None
        self._at_once = 0

    def get(self, hash: bytes) -> bytes | None:
        """The content of an object that was read along lately."""
        window = self._window
        if window is None or hash not in window.contents:
            return None
        if time.monotonic() - window.since > self._limits.ahead_seconds:
            self._window = None
            return None
        end, content = window.contents[hash]
        self._last = (window.pack, end)
        return content

    def length_at(self, place: Placement) -> int:
        """How many bytes of the pack are worth to be read from the start of an object; 0: the object alone."""
        last, limits = self._last, self._limits
        if place.pack is None:
            return 0
        self._last = (place.pack, place.start + place.stored)
        if last is None or last[0] != place.pack or abs(place.start - last[1]) > limits.near_bytes:
            self._at_once = 0
        else:
            self._at_once = min(limits.ahead_bytes, max(limits.near_bytes, 2 * self._at_once))
        return self._at_once if max(place.stored, place.size) < self._at_once else 0

    def keep(self, pack: UUID, read: Iterable[tuple[Placement, bytes]]) -> None:
        """Keep what was read along, and what was kept before no more."""
        contents = {place.hash: (place.start + place.stored, content) for place, content in read}
        self._window = _Window(pack, contents, time.monotonic())

    def forget(self) -> None:
        """Keep nothing more."""
        self._window = self._last = None
