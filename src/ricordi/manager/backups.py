"""From a folder, or a folder of a bucket, to the backup repository in it, with the store that it is handed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ricordi.backend.backups import BackupAddress
from ricordi.backend.storage import RepositoryLocation
from ricordi.errors import RicordiError, UnreachableStorage
from ricordi.manager.backends import repository_at
from ricordi.remedies import Remedy

if TYPE_CHECKING:
    from ricordi.backend.bucket import BucketLocation
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.backup.places.folder import FolderPlace
    from ricordi.backup.places.place import BackupPlace
    from ricordi.backup.repository import BackupRepository


@contextmanager
def open_backup(address: BackupAddress, create: bool = False) -> Iterator[BackupRepository]:
    """The backup repository in a place, for the length of a `with` block.

    :param create: make it, if the place is missing or empty.
    :raises ricordi.errors.NoBackupRepository: there is none, or it is of a form that is not known here; or the place
        holds something else.
    """
    from ricordi.backup.repository import BackupRepository

    with open_place(address, create) as (place, objects):
        if create and not place.exists:
            place.make(objects)
        yield BackupRepository(place, objects)


@contextmanager
def open_place(address: BackupAddress, create: bool = False) -> Iterator[tuple[BackupPlace, RepositoryBackend]]:
    """A place that holds a backup repository or none, and the store in it, for the length of a `with` block.

    :param create: whether it is to be made, and so the bucket may be, too: the error for one that is missing says so.
    :raises ricordi.errors.UnreachableStorage: there is no such bucket.
    """
    with ExitStack() as stack:
        if not isinstance(address, Path):
            yield _in_bucket(address, stack, create)
            return
        place, objects = _in_folder(address, stack)
        try:
            yield place, objects
        except RicordiError as error:
            if error.remedy == Remedy('repair storage', (str(place.container),)):
                error.remedy = Remedy('mend backup', (place.address,))  # it is the storage of no profile
            raise


def _in_folder(folder: Path, stack: ExitStack) -> tuple[FolderPlace, RepositoryBackend]:
    from ricordi.backup.places.folder import FolderPlace

    place = FolderPlace(folder.absolute())
    return place, stack.enter_context(closing(repository_at(RepositoryLocation('container', place.container))))


def _in_bucket(location: BucketLocation, stack: ExitStack, create: bool) -> tuple[BackupPlace, RepositoryBackend]:
    from ricordi.backup.places.bucket import BucketPlace
    from ricordi.repository.bucket.listed.repository import ListedRepository
    from ricordi.repository.bucket.making import is_bucket

    objects = ListedRepository(location)
    stack.enter_context(closing(objects))
    if not is_bucket(location):  # some stores make one at the first put, whatever its name
        raise UnreachableStorage(f'there is no {location.place}', remedy=Remedy('make bucket') if create else None)
    return BucketPlace(objects.files, str(location)), objects
