"""The storage `core.psql_dos`: a PostgreSQL database and a container."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from typing import TYPE_CHECKING

from ricordi.backend.storage import DatabaseSession, RepositoryLocation
from ricordi.errors import RicordiError
from ricordi.storage import schema
from ricordi.storage.creation import new_repository
from ricordi.storage.ownership import claim
from ricordi.storage.psql.dialect import PsqlDialect
from ricordi.storage.psql.guard import exclusive
from ricordi.storage.psql.identity import begin_setup
from ricordi.storage.session import Session
from ricordi.storage.sql_storage import SqlStorage

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.config.profile import Profile

CONTAINER = 'container'


def _is_there(dialect: PsqlDialect) -> bool:
    """Whether there are tables by now, though their creation has failed: asked anew, since a COMMIT may be in doubt."""
    try:
        with closing(Session(dialect)) as session:
            schema.check_free(session)
    except RicordiError:
        return True
    return False


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
        """Create the container, then the tables, in one transaction. One process at a time does so in a database."""
        dialect = cls.dialect_of(profile)
        with closing(Session(dialect)) as session:
            begin_setup(session)
            schema.check_free(session)
            identity = dialect.identity_in_server(session)
            with new_repository(repository, lambda: _is_there(dialect), identity) as repository_uuid:
                with session.transaction():
                    schema.create(session, repository_uuid)
                    # Inside: where the owner cannot be recorded there shall be no tables, either.
                    claim(session, repository, confirmed=not repository.holds_objects)
                try:
                    repository.guard_nodes()
                except BaseException:
                    schema.drop(session)
                    raise

    @classmethod
    def sessions(cls, profile: Profile) -> list[DatabaseSession]:
        return cls.dialect_of(profile).sessions()

    @classmethod
    def full_guard(cls, profile: Profile) -> AbstractContextManager[Callable[[], None]]:
        return exclusive(cls.dialect_of(profile))
