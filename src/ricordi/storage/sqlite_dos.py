"""The storage `core.sqlite_dos`: a folder with a SQLite database and a container."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from ricordi.backend.storage import RepositoryLocation
from ricordi.errors import AccessError, ConfigurationError, InvalidOperation, StorageExists
from ricordi.files import fsync_file, fsync_folder, own_folder
from ricordi.storage import schema
from ricordi.storage.creation import SETUP_SECONDS, new_repository
from ricordi.storage.ownership import SQLITE_DATABASE, claim
from ricordi.storage.session import Session
from ricordi.storage.sql_storage import SqlStorage
from ricordi.storage.sqlite_dialect import SqliteDialect

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.config.profile import Profile

DATABASE = SQLITE_DATABASE
CONTAINER = 'container'
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
"""What a file system says that has no hard links."""


class SqliteDosStorage(SqlStorage):
    """Nodes in `database.sqlite`, objects in `container/`, both in the folder `filepath` of the profile."""

    @classmethod
    def dialect_of(cls, profile: Profile) -> SqliteDialect:
        return SqliteDialect(_folder(profile) / DATABASE)

    @classmethod
    def repository_location(cls, profile: Profile) -> RepositoryLocation:
        return RepositoryLocation('container', _folder(profile) / CONTAINER)

    @classmethod
    def initialise(cls, profile: Profile, repository: RepositoryBackend) -> None:
        """Create folder, container and database. The database gets its name last: until then there is no storage."""
        folder = _folder(profile)
        database = folder / DATABASE
        if database.exists():
            raise _taken(folder)
        with _own_folder(folder):
            if database.exists():  # by whom the lock was waited for
                raise _taken(folder)
            _remove_drafts(folder)
            with new_repository(repository, database.exists) as repository_uuid:
                _create_database(folder, repository_uuid)
                try:
                    with closing(Session(SqliteDialect(database))) as session:
                        claim(session, repository, confirmed=not repository.holds_objects)
                except BaseException:
                    database.unlink()  # before the container goes, which a database must not be without
                    raise


def _create_database(folder: Path, repository_uuid: str | None) -> None:
    """Make the database under another name; it gets its own when it is whole and durable."""
    draft, database = folder / f'.{DATABASE}.{uuid4().hex}', folder / DATABASE
    named = False
    try:
        with closing(Session(SqliteDialect(draft, create=True))) as session:
            schema.create(session, repository_uuid)
        fsync_file(draft)
        _give_name(draft, database)
        named = True
        draft.unlink(missing_ok=True)
        fsync_folder(folder)
    except BaseException:
        if named:
            database.unlink(missing_ok=True)
        raise
    finally:
        draft.unlink(missing_ok=True)
        draft.with_name(f'{draft.name}-journal').unlink(missing_ok=True)


def _taken(folder: Path) -> StorageExists:
    return StorageExists(f'there is a storage in {folder} already; choose another folder')


def _remove_drafts(folder: Path) -> None:
    """Remove what creations that were killed have left; under the lock of the folder nobody is at work on one."""
    for entry in folder.iterdir():
        if entry.name.startswith(f'.{DATABASE}.'):
            entry.unlink(missing_ok=True)


def _folder(profile: Profile) -> Path:
    path = profile.storage_config.get('filepath')
    if not isinstance(path, str) or not Path(path).is_absolute():
        raise ConfigurationError(
            f'profile {profile.name!r}: storage.config.filepath must be an absolute path, not {path!r}'
        )
    return Path(path)


@contextmanager
def _own_folder(folder: Path) -> Iterator[None]:
    """Have the folder for this process, made if it is missing. If the block fails, what was made goes again."""
    try:
        with own_folder(folder, SETUP_SECONDS):
            yield
    except TimeoutError:
        raise AccessError(f'another process sets up a storage in {folder}; try again when it is done') from None
    except (NotADirectoryError, FileExistsError):
        raise InvalidOperation(f'{folder} is a file, or lies below one; a storage needs a folder') from None


def _give_name(draft: Path, database: Path) -> None:
    """Give a finished file its name, unless somebody else was faster."""
    try:
        os.link(draft, database)  # unlike rename, fails where the name is taken
    except FileExistsError:
        raise StorageExists(f'another process has just created {database}') from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        draft.rename(database)
