"""Users and computers are few, and every node asks for them: their rows are kept, so that no loop asks twice."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ricordi.backend.rows import ComputerRow, EntityKind, UserRow
from ricordi.errors import ConfigurationError, NotExistent

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend

_users: WeakKeyDictionary[StorageBackend, dict[int, UserRow]] = WeakKeyDictionary()
_computers: WeakKeyDictionary[StorageBackend, dict[int, ComputerRow]] = WeakKeyDictionary()
_default_users: WeakKeyDictionary[StorageBackend, tuple[str, int]] = WeakKeyDictionary()


def user_row(backend: StorageBackend, pk: int) -> UserRow:
    """The row of a user, read at most once per storage and change.

    :raises ricordi.errors.NotExistent: there is none.
    """
    rows = _users.setdefault(backend, {})
    row = rows.get(pk)
    if row is None:
        found = backend.get(EntityKind.USER, pk)
        if not isinstance(found, UserRow):
            raise NotExistent(f'no User with pk {pk}')
        row = rows[pk] = found
    return row


def computer_row(backend: StorageBackend, pk: int) -> ComputerRow:
    """The row of a computer, read at most once per storage and change.

    :raises ricordi.errors.NotExistent: there is none.
    """
    rows = _computers.setdefault(backend, {})
    row = rows.get(pk)
    if row is None:
        found = backend.get(EntityKind.COMPUTER, pk)
        if not isinstance(found, ComputerRow):
            raise NotExistent(f'no Computer with pk {pk}')
        row = rows[pk] = found
    return row


def default_user_row(backend: StorageBackend) -> UserRow | None:
    """The row of the user whose email the profile names as default; None if the profile or the storage has none."""
    email = backend.profile.default_user_email
    if not email:
        return None
    known = _default_users.get(backend)
    if known is not None and known[0] == email:
        return user_row(backend, known[1])
    for row in backend.find(EntityKind.USER, {'email': email}, limit=1):
        if isinstance(row, UserRow) and row.pk is not None:
            _default_users[backend] = (email, row.pk)
            _users.setdefault(backend, {})[row.pk] = row
            return row
    return None


def require_default_user(backend: StorageBackend) -> UserRow:
    """The row of the default user.

    :raises ricordi.errors.ConfigurationError: there is none.
    """
    row = default_user_row(backend)
    if row is None:
        email = backend.profile.default_user_email
        reason = f'the user {email} is not in its storage' if email else 'it names no default user'
        raise ConfigurationError(f'profile {backend.profile.name}: {reason}; store a User and make it the default')
    return row


def forget(backend: StorageBackend, kind: EntityKind, pk: int | None) -> None:
    """Drop the kept row of a user or computer that was changed or deleted."""
    known = {EntityKind.USER: _users, EntityKind.COMPUTER: _computers}.get(kind)
    if known is not None and pk is not None:
        known.get(backend, {}).pop(pk, None)  # type: ignore[attr-defined]
    if kind is EntityKind.USER:
        _default_users.pop(backend, None)
