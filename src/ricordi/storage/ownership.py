"""Whether a container is that of this database alone: what has to be certain before objects go that no node names.

What it looks at, and why: docs/decisions/ownership.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from ricordi.backend.repository import Owner

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.backend.storage import RepositoryLocation
    from ricordi.storage.session import Session

SQLITE_DATABASE = 'database.sqlite'
"""What a SQLite database is called, that AiiDA puts beside its container."""

_ANY_FILE = "SELECT 1 FROM db_dbnode WHERE repository_metadata <> '{}' LIMIT 1"


def doubt(session: Session, repository: RepositoryBackend, location: RepositoryLocation, rivals: Sequence[str]) -> str:
    """Why it is not certain that no other database names objects of a repository; empty where it is.

    :param location: where the repository is, as the profile has it.
    :param rivals: other profiles with the same repository and another database, in words.
    """
    if not repository.keeps_owner:
        return ''
    if rivals:
        return f'{rivals[0]} has its objects in {location.path or location.place} too'
    owner = repository.owner
    if owner is None:
        return _first_doubt(session, repository, location)
    if not session.dialect.is_same_database(owner.database, session.dialect.identity_in_server(session)):
        if owner.place == session.dialect.place:
            return (
                f'the {owner.place} is not the one that was there when the {location.place} was recorded as its '
                'own: it was replaced, or put back to an earlier state'
            )
        return f'the {location.place} is recorded as that of another database, the {owner.place}'
    if not owner.confirmed:
        return f'the {location.place} held objects before the {session.dialect.place} was made'
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


def _first_doubt(session: Session, repository: RepositoryBackend, location: RepositoryLocation) -> str:
    """What speaks against it where nothing was recorded, as in a storage that AiiDA made."""
    path = location.path
    if path is not None and path.is_symlink():
        return f'{path} is a symbolic link: a copy of the database may use the same container'
    beside = path.resolve().with_name(SQLITE_DATABASE) if path is not None else None
    if beside is not None and beside.exists() and not session.dialect.is_file(beside):
        return f'the {location.place} lies beside another database, {beside}'
    for twin, says_so in session.dialect.databases_tied_to(session, repository.uuid).items():
        says = 'says' if says_so else 'gives no answer just now, and may say'
        return f'the database {twin} of the same server {says} that the {location.place} is its own'
    if session.execute(_ANY_FILE).fetchone() is None and repository.holds_objects:
        return f'the {location.place} holds objects, and the {session.dialect.place} names none at all'
    return ''
