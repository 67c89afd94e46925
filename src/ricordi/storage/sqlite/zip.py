"""The storage `core.sqlite_zip`: an archive, opened for reading (formats/archive.md)."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ricordi.backend.storage import RepositoryLocation
from ricordi.errors import (
    ConfigurationError,
    IncompatibleStorageSchema,
    InvalidOperation,
    ReadOnlyStorage,
    StorageMigrationError,
)
from ricordi.storage.archive.cache import UnpackedDatabase
from ricordi.storage.archive.file import HEAD, open_archive, read_metadata, read_version, version_error
from ricordi.storage.archive.schema import check_schema
from ricordi.storage.sql_storage import SqlStorage
from ricordi.storage.sqlite.dialect import SqliteDialect

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.backend.snapshots import DatabaseSnapshot
    from ricordi.config.profile import Profile


class SqliteZipStorage(SqlStorage):
    """An archive. Its database is unpacked into a file that is kept for a while, its objects are read from the zip."""

    read_only: ClassVar[bool] = True

    def __init__(self, profile: Profile, database: UnpackedDatabase, repository: RepositoryBackend) -> None:
        super().__init__(profile, SqliteDialect(database.path, read_only=True, distrusted=True), repository)
        self._database = database

    def snapshot(self, scratch: Path | None = None) -> DatabaseSnapshot:
        raise InvalidOperation(f'{archive_path(self._profile)} is an archive: copy the file to have a copy of it')

    def _refuse_if_unwritable(self) -> None:
        path = archive_path(self._profile)
        raise ReadOnlyStorage(f'{path} is an archive and can only be read; import it into a profile to change it')

    @classmethod
    def dialect_of(cls, profile: Profile) -> SqliteDialect:
        raise StorageMigrationError('the database of an archive is unpacked by open()')

    @classmethod
    def repository_location(cls, profile: Profile) -> RepositoryLocation:
        return RepositoryLocation('zip', archive_path(profile))

    @classmethod
    def initialise(cls, profile: Profile, repository: RepositoryBackend) -> None:
        raise ReadOnlyStorage('an archive cannot be a storage to write to; initialise a core.sqlite_dos storage')

    @classmethod
    def version_head(cls) -> str:
        return HEAD

    @classmethod
    def version_profile(cls, profile: Profile) -> str:
        return read_version(archive_path(profile))

    @classmethod
    def migrate(cls, profile: Profile) -> None:
        version = cls.version_profile(profile)
        if version != HEAD:
            raise version_error(StorageMigrationError, version, archive_path(profile))

    @classmethod
    def open(cls, profile: Profile, repository: RepositoryBackend) -> Self:
        path = archive_path(profile)
        with closing(open_archive(path)) as directory:
            version = read_metadata(directory)['export_version']
            if version != HEAD:
                raise version_error(IncompatibleStorageSchema, version, path)
            database = UnpackedDatabase(directory)
        storage = cls(profile, database, repository)
        try:
            check_schema(storage.session.raw, str(path))
        except BaseException:
            storage.close()
            raise
        return storage

    def close(self) -> None:
        super().close()
        self._database.release()

    def version(self) -> str:
        return self.version_profile(self._profile)

    def get_info(self, detailed: bool = False) -> dict[str, Any]:
        """As of every storage, and what the archive says of itself."""
        with closing(open_archive(archive_path(self._profile))) as directory:
            metadata = read_metadata(directory)
        return {'metadata': metadata, **super().get_info(detailed)}


def archive_path(profile: Profile) -> Path:
    """The archive that a profile of this storage names.

    :raises ricordi.errors.ConfigurationError: it names none.
    """
    path = profile.storage_config.get('filepath')
    if not isinstance(path, str):
        raise ConfigurationError(
            f'profile {profile.name!r}: storage.config.filepath must name an archive, not {path!r}'
        )
    return Path(path)
