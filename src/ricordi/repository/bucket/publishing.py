"""How a pack comes into the bucket. In this order, and in no other:

1. its row is committed, with the state `writing`;
2. it is uploaded, under a name that is never used again;
3. in one transaction it becomes live, and its objects get their rows.

So what a crash leaves has a row that says so, and what lies in the bucket without a row is nobody's.
"""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

from ricordi.errors import AccessError, StorageError, UnreachableStorage
from ricordi.repository.bucket.index import BucketIndex, PackEntry
from ricordi.repository.bucket.limits import BucketLimits
from ricordi.repository.bucket.objects import PackStore
from ricordi.repository.bucket.pack_form import footer

PACKS = 'packs'


def pack_name(pack: UUID) -> str:
    """What a pack is called below the folder of the store; the bucket is spread over 256 folders."""
    name = str(pack)
    return f'{PACKS}/{name[:2]}/{name}'


def pack_of(name: str) -> UUID | None:
    """The pack that something in the bucket is; None of what no program of ours has put there."""
    try:
        pack = UUID(name.rpartition('/')[2])
    except ValueError:
        return None
    return pack if pack_name(pack) == name else None


class PackDraft:
    """A pack in memory."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.entries: list[PackEntry] = []
        self.list_bytes = 0

    def add(self, hash: bytes, stored: bytes | memoryview, size: int, compressed: bool) -> None:
        """Append an object.

        :param stored: its content, or a zlib stream of it.
        :param size: bytes of content.
        """
        self.entries.append(PackEntry(hash, len(self.data), len(stored), size, compressed))
        self.data += stored

    def sealed(self) -> bytearray:
        """The whole pack; nothing is added after this."""
        end = footer(self.entries)
        self.list_bytes = len(end)
        self.data += end
        return self.data


class StreamedObject:
    """One large object on its way up as a pack of its own; what it was is known at the end."""

    def __init__(self, pieces: Iterable[bytes], compressor: Any = None) -> None:
        """
        :param pieces: of its content.
        :param compressor: makes it a zlib stream on the way; None: it goes as it is.
        """
        self._pieces = pieces
        self._compressor = compressor
        self._digest = hashlib.sha256()
        self.size = 0
        self.stored = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._digest.update(piece)
            self.size += len(piece)
            yield from self._out(self._compressor.compress(piece) if self._compressor else piece)
        if self._compressor:
            yield from self._out(self._compressor.flush())
        yield footer([self.entry])

    def _out(self, piece: bytes) -> Iterator[bytes]:
        self.stored += len(piece)
        if piece:
            yield piece

    @property
    def entry(self) -> PackEntry:
        """What it was, once all of it has passed."""
        return PackEntry(self._digest.digest(), 0, self.stored, self.size, self._compressor is not None)


class Publisher:
    """Uploads packs by the order of this module."""

    def __init__(self, index: BucketIndex, store: PackStore, limits: BucketLimits) -> None:
        self._index = index
        self._store = store
        self._limits = limits

    def publish(self, draft: PackDraft) -> None:
        """Make a pack a part of the store, durably; anew under another name where it fails or was given up meanwhile.

        :raises ricordi.errors.UnreachableStorage: as often as is worth it, in vain.
        """
        data = draft.sealed()
        self.upload(data, lambda pack: self._index.publish(pack, len(data), draft.list_bytes, draft.entries))

    def upload(self, data: bytearray, published: Callable[[UUID], bool]) -> UUID:
        """Announce a pack and upload it, until `published` says that it is a part of the store; its name."""
        pause, end = self._limits.pause_seconds, time.monotonic() + self._limits.retry_seconds
        failed: StorageError | None = None
        for left in reversed(range(self._limits.tries)):
            pack = self._index.intend(len(data), writer())
            try:
                self._store.put(pack_name(pack), data)
            except UnreachableStorage as error:  # it may be there all the same, now or later: the name is spent
                failed = error
                self.give_up(pack)
            else:
                if published(pack):
                    return pack
            if not left or time.monotonic() >= end:  # one request alone may have taken longer
                break
            time.sleep(pause)
            pause *= 2
        raise failed or AccessError(
            f'packs in the {self._store.place} were given up while they were uploaded; try again'
        )

    def publish_stream(self, streamed: StreamedObject, accept: Callable[[PackEntry], None]) -> PackEntry:
        """Make a large object a part of the store, durably. It cannot be had twice, so it is tried once.

        :param accept: raises where it is not what it should be; then it does not come in.
        """
        pack = self._index.intend(0, writer())
        try:
            size = self._store.put_stream(pack_name(pack), streamed)
            accept(streamed.entry)
            if self._index.there([streamed.entry.hash]) and self._index.known([streamed.entry.hash]):
                self.discard(pack)  # it was there already
            elif not self._index.publish(pack, size, size - streamed.stored, [streamed.entry]):
                raise AccessError(f'a pack in the {self._store.place} was given up while it was uploaded; try again')
        except BaseException:
            self.give_up(pack)
            raise
        return streamed.entry

    def discard(self, pack: UUID) -> None:
        """Take away a pack that was uploaded and not published: nobody knows it."""
        self._index.condemn(pack)
        self._store.delete([pack_name(pack)])
        self._index.forget(pack)

    def give_up(self, pack: UUID) -> None:
        """Say that a pack that was announced does not come, as far as that can be said now."""
        try:
            self._index.condemn(pack)
        except StorageError:
            pass  # its row says `writing`, until maintenance finds it too old


def writer() -> str:
    """Who writes, for a person who looks at the rows."""
    return f'{socket.gethostname()[:60]}:{os.getpid()}'
