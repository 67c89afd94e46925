"""What putting and reading ask of an index of objects and of who brings packs in, whatever keeps the index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ricordi.repository.bucket.index import PackEntry, Placement
from ricordi.repository.bucket.publishing import PackDraft, StreamedObject


class ObjectIndex(Protocol):
    """What lies where in the packs."""

    def find(self, key: str) -> Placement | None:
        """Where one object is."""

    def find_many(self, hashes: Sequence[bytes]) -> list[Placement]:
        """Where objects are, in no order; those that are not there are left out."""

    def known(self, hashes: Sequence[bytes]) -> set[bytes]:
        """Those of these that need not be put."""

    def behind(self, place: Placement, length: int) -> list[Placement]:
        """What lies within so many bytes from the start of an object, that first, as far as that is worth knowing."""

    def put_inline(self, hash: bytes, content: bytes) -> None:
        """Keep a small object in the index itself, durably."""


class PackPublishing(Protocol):
    """Brings packs in."""

    def publish(self, draft: PackDraft) -> None:
        """Make a pack a part of the store, durably."""

    def publish_stream(self, streamed: StreamedObject, accept: Callable[[PackEntry], None]) -> PackEntry:
        """Make a large object a part of the store, durably.

        :param accept: raises where it is not what it should be; then it does not come in.
        """
