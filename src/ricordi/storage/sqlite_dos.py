"""The storage `core.sqlite_dos`: a folder with a SQLite database and a container."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from ricordi.backend.storage import RepositoryLocation
from ricordi.errors import ConfigurationError, InvalidOperation, UnreachableStorage
from ricordi.files import fsync_file, fsync_folder
from ricordi.storage import schema
from ricordi.storage.creation import new_repository
from ricordi.storage.session import Session
from ricordi.storage.sql_storage import SqlStorage
from ricordi.storage.sqlite_dialect import SqliteDialect

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.config.profile import Profile

DATABASE = 'database.sqlite'
CONTAINER = 'container'


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
            raise InvalidOperation(f'there is a storage in {folder} already; choose another folder')
        with _new_folder(folder), new_repository(repository) as repository_uuid:
            draft = folder / f'.{DATABASE}.{uuid4().hex}'
            try:
                dialect = SqliteDialect(draft, create=True)
                with closing(Session(dialect)) as session:
                    schema.create(session, repository_uuid)
                fsync_file(draft)
                _give_name(draft, database)
            finally:
                draft.unlink(missing_ok=True)
            fsync_folder(folder)


def _folder(profile: Profile) -> Path:
    path = profile.storage_config.get('filepath')
    if not isinstance(path, str) or not Path(path).is_absolute():
        raise ConfigurationError(
            f'profile {profile.name!r}: storage.config.filepath must be an absolute path, not {path!r}'
        )
    return Path(path)


@contextmanager
def _new_folder(folder: Path) -> Iterator[None]:
    """Create the folder unless it is there. If the block fails, what was created goes again."""
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise InvalidOperation(f'{folder} is a file; a storage needs a folder') from None
    except OSError as error:
        raise UnreachableStorage(f'cannot create the folder {folder}: {error.strerror}') from error
    try:
        yield
    except BaseException:
        if made:
            with suppress(OSError):
                folder.rmdir()
        raise


def _give_name(draft: Path, database: Path) -> None:
    """Give a finished file its name, unless somebody else was faster."""
    try:
        os.link(draft, database)  # unlike rename, fails where the name is taken
    except FileExistsError:
        raise InvalidOperation(f'another process has just created {database}') from None
    except OSError:  # a file system without hard links
        draft.rename(database)
