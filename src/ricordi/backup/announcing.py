"""Saying what a snapshot in the making needs, where others remove snapshots at the same time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Self

from ricordi.backend.repository import RepositoryBackend
from ricordi.backup.manifests import manifest_of
from ricordi.backup.places.place import BackupPlace
from ricordi.backup.records import SnapshotRecord
from ricordi.errors import RicordiError


class Announcement:
    """What is announced in a place while a snapshot is made; withdrawn where that fails."""

    def __init__(self, place: BackupPlace, store: RepositoryBackend) -> None:
        """
        :param store: of the place.
        """
        self._place = place
        self._store = store

    def make(self, record: SnapshotRecord) -> bool:
        """Announce a snapshot, then look what is there and stays; False where a lock says the same.

        In this order: who takes something away looks for announcements after he has said what is going.
        """
        if not self._place.removes_beside_others:
            return False
        self._place.announce(manifest_of(record)[1])
        self._store.look_again(lasting=True)
        return True

    def holds(self, record: SnapshotRecord, is_there: Callable[[], bool]) -> bool:
        """Announce a snapshot; whether all that it needs is still there then."""
        return not self.make(record) or is_there()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *exc: object) -> None:
        if kind is not None:
            with suppress(RicordiError):  # nobody hears of it for as long as it takes to be taken for dead
                self._place.withdraw()
