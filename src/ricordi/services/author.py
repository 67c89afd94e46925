"""Who is the author of what is stored: the default user of the profile."""

from __future__ import annotations

from ricordi.backend.rows import EntityKind, UserRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import ConfigurationError


def default_user(storage: StorageBackend) -> UserRow:
    """The user of the storage whom the profile names as default.

    :raises ricordi.errors.ConfigurationError: it names none, or one who is not in the storage.
    """
    name, email = storage.profile.name, storage.profile.default_user_email
    if not email:
        raise ConfigurationError(f'profile {name!r} names no default user: see `ricordi user set-default`')
    for row in storage.find(EntityKind.USER, {'email': email}, limit=1):
        if isinstance(row, UserRow):
            return row
    raise ConfigurationError(
        f'the default user {email} of profile {name!r} is not in its storage: see `ricordi user configure`'
    )
