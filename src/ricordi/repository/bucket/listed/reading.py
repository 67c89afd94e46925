"""Reading where packs may go meanwhile, and an object may lie in several of them."""

from __future__ import annotations

from ricordi.errors import CorruptStorage, LostObject
from ricordi.repository.bucket.cache import ReadCache
from ricordi.repository.bucket.index import Placement
from ricordi.repository.bucket.limits import BucketLimits
from ricordi.repository.bucket.listed.catalogue import PackCatalogue
from ricordi.repository.bucket.range_stream import Piece
from ricordi.repository.bucket.read_ahead import ReadAhead
from ricordi.repository.bucket.reading import BucketReader


class CopiesReader(BucketReader):
    """Looks again where a pack is gone, and at other copies where one is damaged. Nothing is kept of what was read."""

    def __init__(self, catalogue: PackCatalogue, limits: BucketLimits) -> None:
        none_ahead = ReadAhead(limits._replace(ahead_bytes=0))
        super().__init__(catalogue, catalogue.store, ReadCache(None, 0), none_ahead, limits)
        self._catalogue = catalogue

    def _fetch(self, place: Placement, start: int, length: int) -> tuple[Piece, Placement]:
        try:
            return super()._fetch(place, start, length)
        except LostObject:
            self._catalogue.look_again()
            now = self.placement(place.key)
            if now[:3] == place[:3]:
                raise
            return super()._fetch(now, start, length)

    def _from_store(self, place: Placement) -> bytes:
        try:
            return super()._from_store(place)
        except CorruptStorage:
            for copy in self._catalogue.copies(place.hash):
                if copy[:3] != place[:3]:
                    try:
                        return self._once_from_store(copy)
                    except CorruptStorage:
                        continue
            raise
