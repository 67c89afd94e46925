"""Users of a storage: listed, added, changed, made the default."""

from __future__ import annotations

from dataclasses import dataclass

from ricordi.backend.rows import EntityKind, UserRow
from ricordi.backend.storage import StorageBackend
from ricordi.config import Profile, load_config
from ricordi.manager import use_storage
from ricordi.services.author import find_user
from ricordi.services.person import Person


@dataclass(frozen=True, slots=True)
class UserSummary:
    """A user as it stands in a list."""

    pk: int
    email: str
    first_name: str
    last_name: str
    institution: str
    default: bool


def list_users(profile: Profile) -> list[UserSummary]:
    """All users of the storage, by email."""
    with use_storage(profile, purpose='user list') as storage:
        return [_summary(row, profile) for row in storage.find(UserRow, order_by=('email',))]


def get_user(profile: Profile, email: str) -> UserSummary | None:
    """The user with this email, or None."""
    return next((user for user in list_users(profile) if user.email == email), None)


def configure_user(profile: Profile, person: Person, set_default: bool) -> bool:
    """Add a user, or change the one with this email; returns whether it is new."""
    with use_storage(profile, purpose='user configure') as storage:
        values = {'first_name': person.first_name, 'last_name': person.last_name, 'institution': person.institution}
        known = _known(storage, person.email)
        if known is None and storage.insert_unless_there(EntityKind.USER, {'email': person.email, **values}) is None:
            known = _known(storage, person.email)  # another process was first
        if known is not None:
            storage.update(EntityKind.USER, known.pk, values)
    if set_default:
        _set_default(profile, person.email)
    return known is None


def _known(storage: StorageBackend, email: str) -> UserRow | None:
    return next(storage.find(UserRow, {'email': email}, limit=1), None)


def set_default_user(profile: Profile, email: str) -> None:
    """Make a user of the storage the default of the profile.

    :raises ricordi.errors.NotExistent: there is no such user; the message names those there are.
    """
    with use_storage(profile, purpose='user set-default') as storage:
        found = find_user(storage, email)
    _set_default(profile, found.email)


def _set_default(profile: Profile, email: str) -> None:
    config = load_config()
    config.set_default_user_email(config.get_profile(profile.name), email)


def _summary(row: UserRow, profile: Profile) -> UserSummary:
    is_default = row.email == profile.default_user_email
    return UserSummary(row.pk, row.email, row.first_name, row.last_name, row.institution, is_default)
