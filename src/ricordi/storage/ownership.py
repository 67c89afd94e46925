"""Whether a container is that of this database alone: what has to be certain before objects go that no node names.

What it looks at, and why: docs/decisions/ownership.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ricordi.backend.repository import Owner

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.storage.session import Session

SQLITE_DATABASE = 'database.sqlite'
"""What a SQLite database is called, that AiiDA puts beside its container."""

_ANY_FILE = "SELECT 1 FROM db_dbnode WHERE repository_metadata <> '{}' LIMIT 1"


def doubt(session: Session, repository: RepositoryBackend, path: Path | None, rivals: Sequence[str]) -> str:
    """Why it is not certain that no other database names objects of a repository; empty where it is.

    :param path: where the repository is, as the profile has it.
    :param rivals: other profiles with the same repository and another database, in words.
    """
    if not repository.keeps_owner or path is None:
        return ''
    if rivals:
        return f'{rivals[0]} has its objects in {path} too'
    owner = repository.owner
    if owner is None:
        return _first_doubt(session, repository, path)
    if not session.dialect.is_same_database(owner.database, session.dialect.identity_in_server(session)):
        return f'the container {path} is recorded as that of another database, the {owner.place}'
    if not owner.confirmed:
        return f'the container {path} held objects before the {session.dialect.place} was made'
    return ''


def claim(session: Session, repository: RepositoryBackend, confirmed: bool = True) -> None:
    """Record that a repository is that of this database."""
    if repository.keeps_owner:
        identity = session.dialect.identity_in_server(session)
        repository.set_owner(Owner(identity, session.dialect.place, confirmed))


def claim_if_certain(session: Session, repository: RepositoryBackend, doubt: str) -> None:
    """Record it where nothing was recorded and there is no doubt. That it cannot be recorded is no reason to fail."""
    if repository.keeps_owner and not doubt and repository.owner is None:
        with suppress(OSError):
            claim(session, repository)


def _first_doubt(session: Session, repository: RepositoryBackend, path: Path) -> str:
    """What speaks against it where nothing was recorded, as in a storage that AiiDA made."""
    if path.is_symlink():
        return f'{path} is a symbolic link: a copy of the database may use the same container'
    beside = path.resolve().with_name(SQLITE_DATABASE)
    if beside.exists() and not session.dialect.is_file(beside):
        return f'the container {path} lies beside another database, {beside}'
    twins = session.dialect.databases_tied_to(session, repository.uuid)
    if twins:
        return f'the database {twins[0]} of the same server says that the container {path} is its own'
    if session.execute(_ANY_FILE).fetchone() is None and repository.holds_objects:
        return f'the container {path} holds objects, and the {session.dialect.place} names none at all'
    return ''
