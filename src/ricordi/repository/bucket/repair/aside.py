"""What a repair puts out of use is kept in the bucket, in `set-aside/` of the store, which no maintenance touches."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

from ricordi.backend.repair import SetAside
from ricordi.errors import CorruptStorage, LostObject
from ricordi.repository.bucket.index import Placement
from ricordi.repository.bucket.publishing import pack_name

if TYPE_CHECKING:
    from ricordi.repository.bucket.bucket import BucketRepository

FOLDER = 'set-aside'


class BucketAside:
    """Where one repair keeps what it puts out of use: names that begin with its time."""

    def __init__(self, bucket: BucketRepository) -> None:
        self._bucket = bucket
        self._stamp = f'{time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())}-{uuid4().hex[:6]}'
        self._kept: list[str] = []

    def taken(self) -> Iterator[SetAside]:
        """What was kept since this was last asked."""
        kept, self._kept = self._kept, []
        return map(SetAside, kept)

    def keep_damaged(self, place: Placement) -> None:
        """Keep the bytes of a damaged object, as far as they are there."""
        if place.inline is not None:
            self._kept.append(self.keep(f'inline-{place.key}', [place.inline]))
        elif place.pack is not None and (there := self._there(place)) > 0:
            name = f'pack-{place.pack}-at-{place.start}-{place.key}'
            self._kept.append(self.keep(name, self._pieces(place, there)))

    def keep(self, name: str, pieces: Iterable[bytes]) -> str:
        """Write something among what is kept, durably; returns its name in the store."""
        called = f'{FOLDER}/{self._stamp}-{name}'
        self._bucket.store.put_stream(called, pieces)
        return called

    def _there(self, place: Placement) -> int:
        assert place.pack is not None
        try:
            return min(place.stored, self._bucket.store.size(pack_name(place.pack)) - place.start)
        except LostObject:
            return 0

    def _pieces(self, place: Placement, length: int) -> Iterator[bytes]:
        assert place.pack is not None
        at_once = self._bucket.limits.read_bytes
        for start in range(0, length, at_once):
            size = min(at_once, length - start)
            try:
                yield bytes(self._bucket.store.get_range(pack_name(place.pack), place.start + start, size))
            except CorruptStorage:
                return  # it went meanwhile
