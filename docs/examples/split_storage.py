"""A storage in two places: the database on a fast disk, the objects on a large one."""

from contextlib import closing
from pathlib import Path

from ricordi.backend.repository import RepositoryBackend
from ricordi.backend.storage import RepositoryLocation
from ricordi.config import Profile
from ricordi.errors import ConfigurationError, InvalidOperation
from ricordi.storage import schema
from ricordi.storage.creation import new_repository
from ricordi.storage.session import Session
from ricordi.storage.sql_storage import SqlStorage
from ricordi.storage.sqlite.dialect import SqliteDialect


class SplitStorage(SqlStorage):
    """Nodes in the SQLite database `database`, objects in the container `objects`; both are paths of the profile."""

    @classmethod
    def dialect_of(cls, profile: Profile) -> SqliteDialect:
        """How to speak with the database: here SQLite, in a file that exists."""
        return SqliteDialect(_path(profile, 'database'))

    @classmethod
    def repository_location(cls, profile: Profile) -> RepositoryLocation:
        """Which object store to hand to `open` and `initialise`."""
        return RepositoryLocation('container', _path(profile, 'objects'))

    @classmethod
    def initialise(cls, profile: Profile, repository: RepositoryBackend) -> None:
        """Create container and database, tied to one another; what fails half way leaves nothing."""
        database = _path(profile, 'database')
        if database.exists():
            raise InvalidOperation(f'there is a database {database} already; choose another path')
        database.parent.mkdir(parents=True, exist_ok=True)
        draft = database.with_name(f'{database.name}.new')
        try:
            with new_repository(repository) as repository_uuid:
                with closing(Session(SqliteDialect(draft, create=True))) as session:
                    schema.create(session, repository_uuid)
                draft.rename(database)
        finally:
            draft.unlink(missing_ok=True)


def _path(profile: Profile, key: str) -> Path:
    path = Path(profile.storage_config.get(key) or '')
    if not path.is_absolute():
        raise ConfigurationError(f'profile {profile.name!r}: storage.config.{key} must be an absolute path')
    return path
