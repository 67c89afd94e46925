"""Users of a storage: who is the author of what is stored, and who is meant by an address."""

from __future__ import annotations

from ricordi.backend.identifiers import find_by
from ricordi.backend.rows import UserRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import ConfigurationError, NotExistent
from ricordi.model.identifiers import Reading, Way
from ricordi.remedies import Remedy


def default_user(storage: StorageBackend) -> UserRow:
    """The user of the storage whom the profile names as default.

    :raises ricordi.errors.ConfigurationError: it names none, or one who is not in the storage.
    """
    name, email = storage.profile.name, storage.profile.default_user_email
    if not email and storage.read_only:
        raise ConfigurationError(f'the archive {name!r} names no default user: say which user is meant')
    if not email:
        raise ConfigurationError(f'profile {name!r} names no default user', remedy=Remedy('set default user'))
    row = storage.default_user
    if row is not None:
        return row
    raise ConfigurationError(
        f'the default user {email} of profile {name!r} is not in its storage', remedy=Remedy('configure user')
    )


def listed_owner(storage: StorageBackend) -> str | None:
    """Whose nodes a list shows where nothing is said; in an archive, which names no default user, anybody's (None)."""
    if storage.profile.default_user_email or not storage.read_only:
        return default_user(storage).email
    return None


def find_user(storage: StorageBackend, email: str | None) -> UserRow:
    """The user of an address, or the default user for None.

    :raises ricordi.errors.NotExistent: there is none; the message tells who there is.
    """
    if email is None:
        return default_user(storage)
    for row in find_by(storage, UserRow, Reading(Way.LABEL, email)):
        return row
    from ricordi.services.suggestion import did_you_mean

    known = [row.email for row in storage.find(UserRow, order_by=('email',))]
    hint = did_you_mean(email, known).rstrip('.')
    raise NotExistent(
        f'there is no user {email!r} in profile {storage.profile.name!r}{hint} (users: {", ".join(known) or "none"})'
    )
