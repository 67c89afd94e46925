"""Users and computers are few, and every node asks for them: their rows are kept, so that no loop asks twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ricordi.backend.changes import clock
from ricordi.backend.rows import ComputerRow, EntityKind, RowT, UserRow
from ricordi.errors import ConfigurationError, NotExistent

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend

_Kept = WeakKeyDictionary['StorageBackend', dict[int, tuple[RowT, int]]]

_users: _Kept[UserRow] = WeakKeyDictionary()
_computers: _Kept[ComputerRow] = WeakKeyDictionary()
"""Row, and what the clock of changes said when it was last known to be current."""
_default_users: WeakKeyDictionary[StorageBackend, tuple[str, int]] = WeakKeyDictionary()


def user_row(backend: StorageBackend, pk: int) -> UserRow:
    """The row of a user, read at most once per storage and change.

    :raises ricordi.errors.NotExistent: there is none.
    """
    return _kept_row(_users, backend, UserRow, pk)


def computer_row(backend: StorageBackend, pk: int) -> ComputerRow:
    """The row of a computer, read at most once per storage and change.

    :raises ricordi.errors.NotExistent: there is none.
    """
    return _kept_row(_computers, backend, ComputerRow, pk)


def _kept_row(kept: _Kept[RowT], backend: StorageBackend, row_type: type[RowT], pk: int) -> RowT:
    rows = kept.setdefault(backend, {})
    now = clock.now
    row, seen = rows.get(pk, (None, 0))
    if row is None or (seen != now and backend.changes.is_old(row_type.kind, pk, seen) is not False):
        row = backend.get(row_type, pk)
        if row is None:
            raise NotExistent(f'no {row_type.kind.capitalize()} with pk {pk}')
        rows[pk] = (row, now)
    return row


def default_user_row(backend: StorageBackend) -> UserRow | None:
    """The row of the user whose email the profile names as default; None if the profile or the storage has none."""
    email = backend.profile.default_user_email
    if not email:
        return None
    known = _default_users.get(backend)
    if known is not None and known[0] == email:
        return user_row(backend, known[1])
    now = clock.now
    for row in backend.find(UserRow, {'email': email}, limit=1):
        _default_users[backend] = (email, row.pk)
        _users.setdefault(backend, {})[row.pk] = (row, now)
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
    known: dict[EntityKind, _Kept[Any]] = {EntityKind.USER: _users, EntityKind.COMPUTER: _computers}
    if kind in known and pk is not None:
        known[kind].get(backend, {}).pop(pk, None)
    if kind is EntityKind.USER:
        _default_users.pop(backend, None)
