"""The storage `core.sqlite_dos`: a folder with a SQLite database and a container."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from ricordi.backend.storage import RepositoryLocation
from ricordi.errors import ConfigurationError, StorageExists
from ricordi.folders import OpenFolder, remove_file
from ricordi.storage import schema
from ricordi.storage.creation import new_repository, own_place
from ricordi.storage.ownership import SQLITE_DATABASE, claim
from ricordi.storage.session import Session
from ricordi.storage.sql_storage import SqlStorage
from ricordi.storage.sqlite.dialect import SqliteDialect

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.backend.verification import DatabaseChecks
    from ricordi.config.profile import Profile

DATABASE = SQLITE_DATABASE
CONTAINER = 'container'


class SqliteDosStorage(SqlStorage):
    """Nodes in `database.sqlite`, objects in `container/`, both in the folder `filepath` of the profile."""

    @classmethod
    def dialect_of(cls, profile: Profile) -> SqliteDialect:
        return SqliteDialect(_folder(profile) / DATABASE)

    @classmethod
    def repository_location(cls, profile: Profile) -> RepositoryLocation:
        return RepositoryLocation('container', _folder(profile) / CONTAINER)

    def database_checks(self, thorough: bool = False, check_stop: Callable[[], None] = lambda: None) -> DatabaseChecks:
        from ricordi.storage.verification.apart import apart

        checks = super().database_checks(thorough, check_stop)
        checks.apart = apart(_folder(self.profile) / DATABASE, self._repository.uuid, thorough)
        return checks

    @classmethod
    def initialise(cls, profile: Profile, repository: RepositoryBackend) -> None:
        """Create folder, container and database. The database gets its name last: until then there is no storage."""
        folder = _folder(profile)
        database = folder / DATABASE
        with own_place(folder):
            _remove_drafts(folder)
            if database.exists():
                raise StorageExists(f'there is a storage in {folder} already; choose another folder')
            with new_repository(repository, database.exists) as repository_uuid:
                _create_database(folder, repository_uuid)
                try:
                    with closing(Session(SqliteDialect(database))) as session:
                        claim(session, repository, confirmed=not repository.holds_objects)
                except BaseException:
                    remove_file(database)  # before the container goes, which a database must not be without
                    raise


def _create_database(folder: Path, repository_uuid: str | None) -> None:
    """Make the database under another name; it gets its own when it is whole and durable."""
    draft, named = f'.{DATABASE}.{uuid4().hex}', False
    with OpenFolder(folder) as opened:
        try:
            descriptor = opened.create(draft, 0o644)  # SQLite follows links: there must be none when it comes
            try:
                with closing(Session(SqliteDialect(folder / draft, create=True))) as session:
                    schema.create(session, repository_uuid)
                os.fsync(descriptor)  # before it has its name: after a crash that never stands for half a database
            finally:
                os.close(descriptor)
            _give_name(opened, draft)
            named = True
            opened.sync()
        except BaseException:
            if named:
                opened.unlink(DATABASE, missing_ok=True)
            raise
        finally:
            opened.unlink(draft, missing_ok=True)
            opened.unlink(f'{draft}-journal', missing_ok=True)


def is_draft(name: str) -> bool:
    """Whether a file is a database that was being made, or its journal, by its name."""
    return re.fullmatch(rf'\.{re.escape(DATABASE)}\.[0-9a-f]{{32}}(-journal)?', name) is not None


def _remove_drafts(folder: Path) -> None:
    """Remove what creations that were killed have left; under the lock of the folder nobody is at work on one."""
    with OpenFolder(folder) as opened:
        for name in filter(is_draft, opened.names()):
            opened.unlink(name, missing_ok=True)


def _folder(profile: Profile) -> Path:
    path = profile.storage_config.get('filepath')
    if not isinstance(path, str) or not Path(path).is_absolute():
        raise ConfigurationError(
            f'profile {profile.name!r}: storage.config.filepath must be an absolute path, not {path!r}'
        )
    return Path(path)


def _give_name(folder: OpenFolder, draft: str) -> None:
    """Give a finished file its name, unless somebody else was faster."""
    try:
        folder.name_new(draft, DATABASE)
    except FileExistsError:
        raise StorageExists(f'another process has just created {folder.path / DATABASE}') from None
