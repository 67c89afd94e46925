"""The storage `core.sqlite_zip`: an archive, opened for reading (formats/archive.md)."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import weakref
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ricordi.backend.storage import RepositoryLocation
from ricordi.errors import (
    ConfigurationError,
    CorruptStorage,
    IncompatibleStorageSchema,
    NotEnoughSpace,
    ReadOnlyStorage,
    StorageMigrationError,
    UnreachableStorage,
)
from ricordi.files import free_bytes
from ricordi.storage.sql_storage import SqlStorage
from ricordi.storage.sqlite_dialect import SqliteDialect

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.config.profile import Profile

HEAD = 'main_0001'
METADATA = 'metadata.json'
DATABASE = 'db.sqlite3'


class SqliteZipStorage(SqlStorage):
    """An archive. Its database is unpacked into a temporary file, its objects are read from the zip file itself."""

    read_only: ClassVar[bool] = True

    def __init__(self, profile: Profile, dialect: SqliteDialect, repository: RepositoryBackend) -> None:
        super().__init__(profile, dialect, repository)
        self._finalizer = weakref.finalize(self, _remove, dialect.path.parent, os.getpid())

    @classmethod
    def dialect_of(cls, profile: Profile) -> SqliteDialect:
        return SqliteDialect(_unpack_database(_path(profile)), read_only=True)

    @classmethod
    def repository_location(cls, profile: Profile) -> RepositoryLocation:
        return RepositoryLocation('zip', _path(profile))

    @classmethod
    def initialise(cls, profile: Profile, repository: RepositoryBackend) -> None:
        raise ReadOnlyStorage('an archive cannot be a storage to write to; initialise a core.sqlite_dos storage')

    @classmethod
    def version_head(cls) -> str:
        return HEAD

    @classmethod
    def version_profile(cls, profile: Profile) -> str:
        path = _path(profile)
        with _open(path) as archive:
            return _version(archive, path)

    @classmethod
    def migrate(cls, profile: Profile) -> None:
        version = cls.version_profile(profile)
        if version != HEAD:
            raise StorageMigrationError(_way_to_head(version, _path(profile)))

    @classmethod
    def open(cls, profile: Profile, repository: RepositoryBackend) -> Self:
        path, version = _path(profile), cls.version_profile(profile)
        if version != HEAD:
            raise IncompatibleStorageSchema(_way_to_head(version, path))
        storage = cls(profile, cls.dialect_of(profile), repository)
        try:
            if 'db_dbnode' not in storage.dialect.table_names(storage.session):
                raise CorruptStorage(f'the database in {path} has no table of nodes; get the archive anew')
        except BaseException:
            storage.close()
            raise
        return storage

    def close(self) -> None:
        super().close()
        self._finalizer()

    def version(self) -> str:
        return self.version_profile(self._profile)


def _path(profile: Profile) -> Path:
    path = profile.storage_config.get('filepath')
    if not isinstance(path, str):
        raise ConfigurationError(
            f'profile {profile.name!r}: storage.config.filepath must name an archive, not {path!r}'
        )
    return Path(path)


def _open(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except FileNotFoundError:
        raise UnreachableStorage(f'there is no archive {path}: check the path') from None
    except OSError as error:
        raise UnreachableStorage(f'cannot read the archive {path}: {error.strerror or error}') from error
    except zipfile.BadZipFile as error:
        raise CorruptStorage(f'{path} is not an archive, or only a part of one ({error}); get it anew') from error


def _version(archive: zipfile.ZipFile, path: Path) -> str:
    try:
        metadata: Any = json.loads(archive.read(METADATA))
        return str(metadata['export_version'])
    except KeyError:
        raise CorruptStorage(f'{path} does not tell its version ({METADATA}); it is no archive of AiiDA') from None
    except (ValueError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise CorruptStorage(f'{METADATA} in {path} cannot be read ({error}); get the archive anew') from error


def _way_to_head(version: str, path: Path) -> str:
    if version.startswith('main_') and version > HEAD:
        return f'the archive {path} has version {version}, newer than {HEAD}, the newest known here: update Ricordi'
    return f'the archive {path} has version {version}, and {HEAD} is needed: run `verdi archive migrate` on it first'


def _unpack_database(path: Path) -> Path:
    """The database of an archive as a file in a temporary folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix='ricordi-archive-'))
    try:
        with _open(path) as archive:
            info = archive.getinfo(DATABASE)
            if free_bytes(folder) < info.file_size:
                raise NotEnoughSpace(
                    f'the database of {path} takes {info.file_size:,} bytes when unpacked, more than is free under '
                    f'{folder.parent}: make room, or set TMPDIR to a folder on a larger disk'
                )
            with archive.open(info) as source, (folder / DATABASE).open('wb') as target:
                shutil.copyfileobj(source, target, 1 << 20)
    except KeyError:
        shutil.rmtree(folder)
        raise CorruptStorage(f'there is no database ({DATABASE}) in {path}; get the archive anew') from None
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        shutil.rmtree(folder)
        raise CorruptStorage(f'the database in {path} is damaged ({error}); get the archive anew') from error
    except BaseException:
        shutil.rmtree(folder)
        raise
    return folder / DATABASE


def _remove(folder: Path, process: int) -> None:
    if os.getpid() == process:  # a forked child leaves the parent's file alone
        shutil.rmtree(folder, ignore_errors=True)
