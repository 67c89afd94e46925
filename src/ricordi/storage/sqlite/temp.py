"""The storage `core.sqlite_temp`: a database and objects in temporary folders, gone with the storage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Self
from uuid import uuid4

from ricordi.backend.storage import RepositoryLocation
from ricordi.files import TemporaryFolder
from ricordi.progress import Run
from ricordi.storage import schema
from ricordi.storage.sql_storage import SqlStorage
from ricordi.storage.sqlite.dialect import SqliteDialect

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.config.profile import Profile


class SqliteTempStorage(SqlStorage):
    """A storage for tests and trials; `open` makes a new, empty one each time, seen by this process alone."""

    def __init__(self, profile: Profile, folder: TemporaryFolder, repository: RepositoryBackend) -> None:
        dialect = SqliteDialect(folder.path / 'database.sqlite', create=True, throw_away=True)
        super().__init__(profile, dialect, repository)
        self._folder = folder

    @classmethod
    def dialect_of(cls, profile: Profile) -> SqliteDialect:
        # of a storage that is not open, and so not there
        return SqliteDialect(Path(gettempdir()) / f'ricordi-no-{uuid4().hex}' / 'database.sqlite')

    @classmethod
    def repository_location(cls, profile: Profile) -> RepositoryLocation:
        return RepositoryLocation('sandbox')

    @classmethod
    def initialise(cls, profile: Profile, repository: RepositoryBackend) -> None:
        """Nothing is there to be made in advance: `open` makes it."""

    @classmethod
    def version_profile(cls, profile: Profile) -> str:
        return schema.HEAD

    @classmethod
    def migrate(cls, profile: Profile) -> None:
        """It is at the head schema from the beginning."""

    @classmethod
    def open(cls, profile: Profile, repository: RepositoryBackend) -> Self:
        storage = cls(profile, TemporaryFolder('temp'), repository)
        try:
            if not repository.is_initialised:
                repository.initialise()
            schema.create(storage.session, repository.uuid)
        except BaseException:
            storage.close()
            raise
        return storage

    def close(self) -> None:
        super().close()
        self._folder.remove()
        if self._repository.is_initialised:
            self._repository.erase()

    def _refuse_without_lock(self) -> None:
        """No other process can use it, so there is nothing to lock."""

    @contextmanager
    def _alone(self, run: Run) -> Iterator[Run]:
        yield run
