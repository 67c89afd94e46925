"""By what the store in a bucket divides its work: one record, handed in where less is wanted."""

from __future__ import annotations

from typing import NamedTuple


class BucketLimits(NamedTuple):
    """How much at once, and how long. Bytes, numbers of objects, seconds.

    :param inline_bytes: a single object up to this size is kept in the database until it is packed.
    :param pack_bytes: a pack is uploaded when it has so many; also what is held in memory of one; while it
        goes up the next is filled, so that two are held.
    :param pack_objects: or when it has so many objects, of which the list is held in memory.
    :param large_bytes: a larger object becomes a pack of its own, streamed up and down in constant memory.
    :param part_bytes: of a pack that is uploaded in parts; not below 5 MiB for most stores.
    :param parts_at_once: parts that are under way together.
    :param rows: that are asked of the index, or changed, at once.
    :param listed: keys that are listed by one statement.
    :param window_bytes: of one pack that are fetched together; a few windows are under way at once.
    :param windows_ahead: so many are fetched before the one in hand.
    :param read_bytes: that a stream over a large object fetches at once, once several pieces were read in a row.
    :param pieces_ahead: so many of those are fetched before the one in hand, once several were read in a row.
    :param near_bytes: who reads an object that lies so near to the one before is given what lies behind it as well.
    :param ahead_bytes: of a pack that are read along so at most; what they hold is kept in memory.
    :param ahead_seconds: how long it is.
    :param cached_bytes: the largest object that is kept in the cache of this machine.
    :param small_pack: packs below this share of `pack_bytes` are merged.
    :param merge_from: so many small packs are worth to be merged beside other users.
    :param tries: how often a pack is put anew under another name, and a statement sent to a server that was lost.
    :param pause_seconds: before the second try; it doubles with each.
    :param retries: how often the client repeats one request by itself.
    :param request_seconds: how long one request may take.
    :param retry_seconds: how long requests of one kind are repeated by the client.
    :param answer_seconds: how long a request about the bucket itself may take.
    :param patience_seconds: who waits longer for an answer is told.
    :param grace_seconds: what nobody names stays so long; and a pack after it was condemned, for those who read it.
    :param leftover_seconds: what lies in the bucket for so long without a row goes; also how long an upload may take.
    """

    inline_bytes: int = 32 << 10
    pack_bytes: int = 32 << 20
    pack_objects: int = 20_000
    large_bytes: int = 8 << 20
    part_bytes: int = 8 << 20
    parts_at_once: int = 3
    rows: int = 1000
    listed: int = 20_000
    window_bytes: int = 4 << 20
    windows_ahead: int = 3
    read_bytes: int = 8 << 20
    pieces_ahead: int = 2
    near_bytes: int = 64 << 10
    ahead_bytes: int = 1 << 20
    ahead_seconds: float = 2.0
    cached_bytes: int = 1 << 20
    small_pack: float = 0.25
    merge_from: int = 8
    tries: int = 4
    pause_seconds: float = 0.2
    retries: int = 6
    request_seconds: float = 120.0
    retry_seconds: float = 60.0
    answer_seconds: float = 30.0
    patience_seconds: float = 6.0
    grace_seconds: float = 3600.0
    leftover_seconds: float = 86_400.0

    @property
    def longest_seconds(self) -> float:
        """How long one request is tried at most: its last try begins within the time for repeating."""
        return self.request_seconds + self.retry_seconds


USUAL = BucketLimits()
