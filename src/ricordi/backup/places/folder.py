"""The folder of a backup repository: what lies where in it, how it comes to be, and its lock."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ricordi.access.kernel import KernelLock, Mode
from ricordi.access.waiting import retry
from ricordi.backend.repository import RepositoryBackend
from ricordi.backup.manifests import ENDING, LARGEST
from ricordi.backup.places.place import (
    DESCRIPTION,
    FORMAT,
    LARGEST_DESCRIPTION,
    SNAPSHOTS,
    BackupPlace,
)
from ricordi.errors import BusyBackupRepository, CorruptStorage, NoBackupRepository, StorageError
from ricordi.files import describe_odd, fsync_folder, make_folders, read_regular, write_atomic
from ricordi.folders import OpenFolder, make_folder
from ricordi.remedies import Remedy

if TYPE_CHECKING:
    from ricordi.progress import Stop

CONTAINER = 'container'
LOCK = 'ricordi.lock'


class FolderPlace(BackupPlace):
    """A folder that is a backup repository, or is to be one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = str(folder)
        self.description = folder / DESCRIPTION
        self.snapshots = folder / SNAPSHOTS
        self.container = folder / CONTAINER
        self.lock = folder / LOCK

    def _description_content(self) -> bytes | None:
        try:
            return read_regular(self.description, LARGEST_DESCRIPTION)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _holds_else(self) -> bool:
        try:
            with os.scandir(self.folder) as entries:
                return any(True for _ in entries)
        except FileNotFoundError:
            return False
        except OSError:
            return True

    @property
    def exists(self) -> bool:
        return os.path.lexists(self.description) or self._holds_snapshots()

    def check_can_be_made(self) -> None:
        try:
            names = os.listdir(self.folder)  # noqa: PTH208
        except FileNotFoundError:
            return
        except NotADirectoryError:
            raise NoBackupRepository(f'{self.folder} is no folder; choose another place') from None
        own = {SNAPSHOTS, CONTAINER, LOCK}
        others = sorted(name for name in names if name not in own and not name.startswith(f'.{DESCRIPTION}.'))
        if others:
            raise NoBackupRepository(
                f'{self.folder} holds something else ({others[0]!r}) and is no backup repository; choose an empty or a '
                'new folder'
            )

    def make(self, objects: RepositoryBackend) -> None:
        self.check_can_be_made()
        make_folders(self.folder)
        with self.locked('exclusive', 60.0, None):
            if self.exists:
                return  # another one was first
            make_folder(self.snapshots, None)
            if objects.is_initialised and (objects.holds_objects or any(self.snapshots.iterdir())):
                raise CorruptStorage(
                    f'{self.folder} holds snapshots or objects of a backup repository, but {DESCRIPTION} is gone; '
                    'bring that file back'
                )
            if not objects.is_initialised:
                objects.initialise()
            self.describe(objects)  # last: from now on there is a repository

    def describe(self, objects: RepositoryBackend) -> None:
        identifier = uuid.uuid4().hex
        objects.set_owner(self.owner(identifier))
        fsync_folder(self.folder)
        content = json.dumps({'format': FORMAT, 'id': identifier}).encode()
        write_atomic(self.description, content, mode=0o644)

    def check_store(self, objects: RepositoryBackend) -> None:
        if not objects.is_initialised:
            raise CorruptStorage(
                f'the store of the backup repository in {self.folder} is gone: {self.container} is no container; '
                'bring it back, or make another repository elsewhere'
            )

    def manifest_names(self) -> list[str]:
        try:
            found = [path.name for path in self.snapshots.iterdir()]
        except OSError as error:
            raise StorageError(f'cannot list {self.snapshots}: {error.strerror}') from None
        return sorted(name.removesuffix(ENDING) for name in found if name.endswith(ENDING) and not name.startswith('.'))

    def read_manifest(self, name: str) -> bytes:
        try:
            return read_regular(self.snapshots / f'{name}{ENDING}', LARGEST)
        except OSError as error:
            raise CorruptStorage(f'the snapshot {name} cannot be read: {error.strerror}') from None

    def write_manifest(self, name: str, content: bytes) -> None:
        write_atomic(self.snapshots / f'{name}{ENDING}', content, mode=0o644)

    def remove_manifests(self, names: Sequence[str]) -> None:
        with OpenFolder(self.snapshots) as folder:
            for name in names:
                folder.unlink(f'{name}{ENDING}', missing_ok=True)
            for name in folder.names():
                if name.startswith('.') and ENDING in name:  # the draft of a backup that was killed
                    folder.unlink(name, missing_ok=True)
            folder.sync()  # before any object goes that only these have named

    @contextmanager
    def locked(self, mode: Mode, wait: float | None, stop: Stop | None) -> Iterator[None]:
        """As of `BackupPlace.locked`. It ends with the process, whatever kills it."""
        lock = KernelLock(self.lock)

        def take() -> None:
            if not self._acquire(lock, mode):
                doing = 'snapshots are being removed' if mode == 'shared' else 'snapshots are made or read'
                raise BusyBackupRepository(
                    f'the backup repository in {self.folder} is in use: {doing} there now', remedy=Remedy('wait')
                )

        retry(take, wait, stop, f'the backup repository in {self.folder}')
        try:
            yield
        finally:
            lock.release()

    def _acquire(self, lock: KernelLock, mode: Mode) -> bool:
        """
        :raises ricordi.errors.CorruptStorage: something else than a file stands in the place of the lock.
        """
        try:
            return lock.acquire(mode)
        except OSError as error:
            if odd := describe_odd(self.lock):
                raise CorruptStorage(f'cannot lock {self.lock}: {odd}') from error
            raise
