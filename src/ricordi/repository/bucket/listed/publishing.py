"""How a pack comes into a bucket that has no index: it is uploaded whole, with its list, under a name of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID, uuid4

from ricordi.errors import RicordiError, UnreachableStorage
from ricordi.repository.bucket.index import PackEntry
from ricordi.repository.bucket.limits import BucketLimits
from ricordi.repository.bucket.listed.catalogue import CONDEMNED, PackCatalogue
from ricordi.repository.bucket.publishing import PackDraft, StreamedObject, pack_name


def marker(pack: UUID, run: UUID) -> str:
    """The name of what says that a pack is to be removed; each run has one of its own."""
    return f'{CONDEMNED}/{pack}.{run.hex}'


class ListedPublisher:
    """Uploads packs. What an upload leaves that failed is marked: it may be there all the same, or otherwise."""

    def __init__(self, catalogue: PackCatalogue, limits: BucketLimits) -> None:
        self._catalogue = catalogue
        self._store = catalogue.store
        self._limits = limits

    def publish(self, draft: PackDraft) -> None:
        """Make a pack a part of the store, durably; anew under another name where that fails.

        :raises ricordi.errors.UnreachableStorage: as often as is worth it, in vain.
        """
        self.upload(draft)

    def upload(self, draft: PackDraft) -> UUID:
        """As of `publish`; the name of the pack."""
        data, pause = draft.sealed(), self._limits.pause_seconds
        end = time.monotonic() + self._limits.retry_seconds
        for left in reversed(range(self._limits.tries)):
            pack = uuid4()
            try:
                self._store.put(pack_name(pack), data)
            except UnreachableStorage:
                self._give_up(pack)
                if not left or time.monotonic() >= end:  # one request alone may have taken longer
                    raise
                time.sleep(pause)
                pause *= 2
            else:
                self._catalogue.add(pack, len(data), draft.entries)
                return pack
        raise AssertionError('the last try returns or raises')

    def publish_stream(self, streamed: StreamedObject, accept: Callable[[PackEntry], None]) -> PackEntry:
        """Make a large object a part of the store, durably. It cannot be had twice, so it is tried once.

        :param accept: raises where it is not what it should be; its pack is removed by the next who removes some.
        """
        pack = uuid4()
        try:
            size = self._store.put_stream(pack_name(pack), streamed)
        except UnreachableStorage:
            self._give_up(pack)
            raise
        accept(streamed.entry)
        self._catalogue.add(pack, size, [streamed.entry])
        return streamed.entry

    def _give_up(self, pack: UUID) -> None:
        with suppress(RicordiError):
            self._store.put(marker(pack, uuid4()), b'')
