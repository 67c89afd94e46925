"""The folder of a bucket that is a backup repository: what lies where in it, and how who makes snapshots is seen.

There is no lock, which could go stale. Who makes a snapshot announces it under a name that is never used again, before
it looks which packs are going; who takes packs away marks them, before it looks what is announced. The store shows at
once what was put: so one of the two sees the other (docs/decisions/backups-in-buckets.md).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from ricordi.access.kernel import Mode
from ricordi.backend.backups import FileInStore, FilesInStore
from ricordi.backend.repository import RepositoryBackend
from ricordi.backup.manifests import ENDING
from ricordi.backup.places.place import DESCRIPTION, FORMAT, SNAPSHOTS, BackupPlace
from ricordi.errors import CorruptStorage, LostObject, NoBackupRepository

if TYPE_CHECKING:
    from ricordi.progress import Stop

PENDING = 'pending'
OF_THE_STORE = ('packs', 'condemned', 'notes')
"""Folders that the store of objects has here."""


class AnnouncementLimits(NamedTuple):
    """How long is waited for those of whom nothing is heard.

    :param dead_seconds: a snapshot that was announced so long ago, and is not there yet, will never be.
    """

    dead_seconds: float = 7 * 86_400.0


USUAL = AnnouncementLimits()


class BucketPlace(BackupPlace):
    """A folder of a bucket that is a backup repository, or is to be one."""

    removes_beside_others = True

    def __init__(self, files: FilesInStore, address: str, limits: AnnouncementLimits = USUAL) -> None:
        """
        :param files: of the folder.
        :param address: what a person calls it.
        """
        self.files = files
        self.address = address
        self._limits = limits
        self._announced: list[str] = []

    def _description_content(self) -> bytes | None:
        try:
            return self.files.get(DESCRIPTION)
        except LostObject:
            return None

    def _holds_else(self) -> bool:
        return any(True for _ in self.files.listed())

    @property
    def exists(self) -> bool:
        return self._description_content() is not None or self._holds_snapshots()

    def check_can_be_made(self) -> None:
        for one in self.files.listed():
            top = one.name.partition('/')[0]
            if top in (SNAPSHOTS, PENDING, *OF_THE_STORE):
                raise CorruptStorage(
                    f'{self.address} holds snapshots or objects of a backup repository, but {DESCRIPTION} is gone; '
                    'bring that file back'
                )
            raise NoBackupRepository(
                f'{self.address} holds something else ({top!r}) and is no backup repository; choose an empty or a new '
                'folder of the bucket'
            )

    def make(self, objects: RepositoryBackend) -> None:
        self.check_can_be_made()
        self.describe(objects)

    def describe(self, objects: RepositoryBackend) -> None:
        # of two that do so at once one is last; nobody has relied on the identifier of the other
        self.files.put(DESCRIPTION, json.dumps({'format': FORMAT, 'id': uuid.uuid4().hex}).encode())

    def check_store(self, objects: RepositoryBackend) -> None:
        """Packs are all that there is of the store."""

    @contextmanager
    def locked(self, mode: Mode, wait: float | None, stop: Stop | None) -> Iterator[None]:
        """Nothing is held: see the top of this module."""
        yield

    # -- manifests ----------------------------------------------------------------------------------------------

    def manifest_names(self) -> list[str]:
        names = (one.name.partition('/')[2] for one in self.files.listed(SNAPSHOTS))
        return sorted(name.removesuffix(ENDING) for name in names if name.endswith(ENDING))

    def read_manifest(self, name: str) -> bytes:
        try:
            return self.files.get(f'{SNAPSHOTS}/{name}{ENDING}')
        except LostObject:
            raise CorruptStorage(f'the snapshot {name} cannot be read: its manifest is gone') from None

    def write_manifest(self, name: str, content: bytes) -> None:
        self.files.put(f'{SNAPSHOTS}/{name}{ENDING}', content)
        self.withdraw()  # only now: there must be no moment in which nothing names what the snapshot needs

    def remove_manifests(self, names: Sequence[str]) -> None:
        self.files.delete([f'{SNAPSHOTS}/{name}{ENDING}' for name in names])
        now = self.files.now()
        dead = [one.name for one in self._pending() if self._is_dead(one, now)]
        self.files.delete(dead)

    # -- announcements ------------------------------------------------------------------------------------------

    def announce(self, content: bytes) -> None:
        name = f'{PENDING}/{uuid.uuid4().hex}{ENDING}'
        self.files.put(name, content)
        self._announced.append(name)

    def withdraw(self) -> None:
        self.files.delete(self._announced)
        self._announced = []

    def announced(self) -> Iterator[tuple[str, bytes]]:
        for one in self._pending():
            try:
                yield one.name, self.files.get(one.name)
            except LostObject:
                continue  # withdrawn: the snapshot is listed by now, or there will be none

    def _pending(self) -> list[FileInStore]:
        return [one for one in self.files.listed(PENDING) if one.name.endswith(ENDING)]

    def _is_dead(self, one: FileInStore, now: datetime) -> bool:
        return now - one.modified > timedelta(seconds=self._limits.dead_seconds)
