"""From a folder to the backup repository in it, with the store that it is handed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ricordi.backend.storage import RepositoryLocation
from ricordi.manager.backends import repository_at

if TYPE_CHECKING:
    from ricordi.backup.repository import BackupRepository


@contextmanager
def open_backup(place: Path, create: bool = False) -> Iterator[BackupRepository]:
    """The backup repository in a folder, for the length of a `with` block.

    :param create: make it, if the folder is missing or empty.
    :raises ricordi.errors.NoBackupRepository: there is none, or it is of a form that is not known here; or the folder
        holds something else.
    """
    from ricordi.backup.place import BackupPlace
    from ricordi.backup.repository import BackupRepository

    folder = BackupPlace(Path(place).absolute())
    with closing(repository_at(RepositoryLocation('container', folder.container))) as objects:
        if create and not folder.exists:
            folder.make(objects)
        yield BackupRepository(folder.folder, objects)
