"""The storage `core.psql_dos`: a PostgreSQL database and a container."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from typing import TYPE_CHECKING

from ricordi.backend.storage import DatabaseSession, RepositoryLocation
from ricordi.storage import schema
from ricordi.storage.creation import new_repository
from ricordi.storage.psql_dialect import PsqlDialect
from ricordi.storage.psql_guard import guard_of
from ricordi.storage.psql_sessions import list_sessions
from ricordi.storage.session import Session
from ricordi.storage.sql_storage import SqlStorage

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.config.profile import Profile

CONTAINER = 'container'


class PsqlDosStorage(SqlStorage):
    """Nodes in a PostgreSQL database, objects in the `container/` under the `repository_uri` of the profile."""

    @classmethod
    def dialect_of(cls, profile: Profile) -> PsqlDialect:
        return PsqlDialect(profile.storage_config)

    @classmethod
    def repository_location(cls, profile: Profile) -> RepositoryLocation:
        return RepositoryLocation('container', profile.repository_path / CONTAINER)

    @classmethod
    def initialise(cls, profile: Profile, repository: RepositoryBackend) -> None:
        dialect = cls.dialect_of(profile)
        with closing(Session(dialect)) as session, new_repository(repository) as repository_uuid:
            schema.create(session, repository_uuid)

    @classmethod
    def sessions(cls, profile: Profile) -> list[DatabaseSession]:
        with closing(cls.dialect_of(profile).connect()) as raw:
            return list_sessions(raw)

    @classmethod
    def full_guard(cls, profile: Profile) -> AbstractContextManager[Callable[[], None]]:
        return guard_of(cls.dialect_of(profile)).exclusive()
