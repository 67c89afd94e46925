"""Deleting all data of a storage. The caller holds the profile's lock."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING

from ricordi.errors import InvalidOperation
from ricordi.folders import remove_file, remove_folder, target_of
from ricordi.remedies import Remedy
from ricordi.storage import schema
from ricordi.storage.session import Session
from ricordi.storage.sql_storage import SqlStorage
from ricordi.storage.sqlite.dialect import SqliteDialect

if TYPE_CHECKING:
    from pathlib import Path

    from ricordi.backend.repository import RepositoryBackend
    from ricordi.backend.storage import StorageBackend
    from ricordi.config.profile import Profile

_JOURNALS = ('', '-journal', '-wal', '-shm')


def check_deletable(kind: type[StorageBackend], profile: Profile) -> None:
    """Refuse a storage whose data is not this program's to delete.

    :raises ricordi.errors.InvalidOperation: the storage is read-only, or one of another package.
    """
    if kind.read_only or not issubclass(kind, SqlStorage):
        raise InvalidOperation(
            f'the data of profile {profile.name!r}, a storage {profile.storage_backend}, cannot be deleted from here: '
            'keep it, and delete it by hand',
            remedy=Remedy('keep data'),
        )


def delete_data(kind: type[StorageBackend], profile: Profile, repository: RepositoryBackend) -> None:
    """Delete the database, then the repository, so that no row ever names an object that is gone.

    A SQLite database goes as a file, of a PostgreSQL database the tables go; and the folder, if nothing else is in it.
    What a deletion that was cut short has left is deleted as well.

    :raises ricordi.errors.InvalidOperation: the storage is read-only, or one of another package; its objects are those
        of another database.
    """
    _check_own(kind, profile, repository)
    delete_database(kind, profile)
    repository.erase()
    container = kind.repository_location(profile).path
    if container is not None:
        _remove_empty(container.parent)


def _remove_empty(folder: Path) -> None:
    """Remove the folder of a storage, if nothing is in it, and the link that leads to it.

    Its data is gone by now: one that may not be removed, or that another disk is mounted at, stays and hinders nothing.
    """
    with suppress(OSError):
        if folder.is_dir() and not any(folder.iterdir()):
            remove_folder(target_of(folder))
        if folder.is_symlink() and not folder.exists():
            remove_file(folder)


def _check_own(kind: type[StorageBackend], profile: Profile, repository: RepositoryBackend) -> None:
    """Refuse to delete objects in a bucket that are those of another database, of which this one is a copy."""
    if kind.repository_location(profile).bucket is None or not repository.is_initialised:
        return
    assert issubclass(kind, SqlStorage)
    owner, own = repository.owner, kind.database_identity(profile)
    if owner is not None and own is not None and not kind.dialect_of(profile).is_same_database(owner.database, own):
        raise InvalidOperation(
            f'the objects of profile {profile.name!r} are recorded as those of another database, the {owner.place}, '
            'which would lose them',
            remedy=Remedy('keep data'),
        )


def delete_database(kind: type[StorageBackend], profile: Profile) -> None:
    """Delete the database of a storage, and leave its repository.

    :raises ricordi.errors.InvalidOperation: the storage is read-only, or one of another package.
    """
    check_deletable(kind, profile)
    assert issubclass(kind, SqlStorage)
    dialect = kind.dialect_of(profile)
    if isinstance(dialect, SqliteDialect):
        for ending in _JOURNALS:
            remove_file(dialect.path.with_name(dialect.path.name + ending))
        return
    with closing(Session(dialect)) as session:
        schema.drop(session)


def holds_nodes(kind: type[StorageBackend], profile: Profile) -> bool:
    """Whether there is a node in the database of a storage."""
    return issubclass(kind, SqlStorage) and kind.count_nodes(profile) > 0
