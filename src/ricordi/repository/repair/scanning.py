"""Finding objects in stretches of packs of which nobody knows what lies there.

Objects lie one behind the other. A compressed one ends where its stream ends. Of one that lies as it is the end cannot
be seen: from where it must begin every length is tried, until the SHA-256 is that of an object that is looked for. So
what is found is certain, and what follows an object that nobody looks for is found again at the next compressed one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress

from ricordi.repository.container.index import PackedObject
from ricordi.repository.container.layout import Layout
from ricordi.repository.limits import Limits
from ricordi.repository.repair.pack_file import PackFile, Stream

_FIRST = b'\x78'
_SEARCH_BYTES = 1 << 20


class Scan:
    """A look through stretches of packs for objects that are wanted."""

    def __init__(self, layout: Layout, wanted: Iterable[str], limits: Limits) -> None:
        """
        :param wanted: keys; those that are found are wanted no more.
        """
        self._layout = layout
        self.wanted = {bytes.fromhex(key) for key in wanted}
        self._trial_bytes = limits.trial_bytes
        self._left = limits.vain_trial_bytes

    def stretch(self, pack_id: int, begin: int, end: int) -> Iterator[PackedObject]:
        """The wanted objects in a stretch of a pack."""
        with suppress(OSError), PackFile(self._layout.pack_path(pack_id)) as pack:
            end = min(end, pack.size)
            if (whole := self._whole(pack, begin, end)) is not None:
                yield self._taken(whole, False, begin, pack_id)
                return
            while begin < end and self.wanted:
                compressed, found = self._at(pack, begin, end)
                if found is None:
                    begin = self._next_stream(pack, begin + 1, end)
                    continue
                if bytes.fromhex(found.key) in self.wanted:
                    yield self._taken(found, compressed, begin, pack_id)
                begin += found.length

    def _taken(self, found: Stream, compressed: bool, offset: int, pack_id: int) -> PackedObject:
        self.wanted.discard(bytes.fromhex(found.key))
        return PackedObject(found.key, int(compressed), found.size, offset, found.length, pack_id)

    def _at(self, pack: PackFile, begin: int, end: int) -> tuple[bool, Stream | None]:
        """What lies at a place: compressed or not, and which object; None where that cannot be told."""
        stream = pack.stream_at(begin, end)
        if stream is not None and bytes.fromhex(stream.key) in self.wanted:
            return True, stream
        plain = self._plain(pack, begin, end)
        return (True, stream) if plain is None else (False, plain)

    def _plain(self, pack: PackFile, begin: int, end: int) -> Stream | None:
        most = min(end, begin + self._trial_bytes)
        found = pack.plain_at(begin, most, self.wanted) if self._left > 0 else None
        if found is None:
            self._left -= most - begin
        return found

    def _whole(self, pack: PackFile, begin: int, end: int) -> Stream | None:
        """The object that a stretch is as a whole: told much faster than by trying every length, and of any size."""
        digest = hashlib.sha256()
        for piece in pack.chunks(begin, end):
            digest.update(piece)
        return Stream(digest.hexdigest(), end - begin, end - begin) if digest.digest() in self.wanted else None

    def _next_stream(self, pack: PackFile, begin: int, end: int) -> int:
        """Where, from a place on, a whole zlib stream begins; the end of the stretch where none does."""
        while begin < end:
            piece = pack.read(begin, min(_SEARCH_BYTES, end - begin))
            if not piece:
                return end
            position = piece.find(_FIRST)
            while position >= 0:
                if pack.stream_at(begin + position, end) is not None:
                    return begin + position
                position = piece.find(_FIRST, position + 1)
            begin += len(piece)
        return end


def uncovered(rows: Iterable[PackedObject], size: int) -> Iterator[tuple[int, int]]:
    """The stretches of a pack, from and to, that no row covers.

    :param rows: in any order.
    :param size: bytes of the file.
    """
    position = 0
    # an empty object lies anywhere, also in the middle of another one
    for offset, end in sorted((row.offset, row.offset + row.length) for row in rows if row.length):
        if offset > position:
            yield position, min(offset, size)
        position = max(position, end)
    if position < size:
        yield position, size
