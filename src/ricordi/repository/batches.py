"""Objects taken in groups, which bounds what is in memory at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from ricordi.repository.limits import USUAL, Limits

BATCH_BYTES = 1 << 20
BATCHES_AHEAD = 6
"""So many groups are read before the one in hand."""


class Sized(Protocol):
    """Something of which the bytes of content are known."""

    @property
    def size(self) -> int:
        """Bytes of content."""


One = TypeVar('One', bound=Sized)


def batches_of(objects: Iterable[One], limits: Limits = USUAL) -> Iterator[list[One]]:
    """Objects in groups of a mebibyte or so; a larger object is a group of its own."""
    batch: list[One] = []
    total = 0
    for one in objects:
        if batch and (len(batch) >= limits.batch_objects or total + one.size > BATCH_BYTES):
            yield batch
            batch, total = [], 0
        batch.append(one)
        total += one.size
    if batch:
        yield batch
