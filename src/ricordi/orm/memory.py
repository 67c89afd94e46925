"""Changes of entities in memory that follow the database: a rollback takes them back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend

Change = tuple[Any, str, Any]


def set_all(backend: StorageBackend, changes: Iterable[Change], after: Callable[[], None] | None = None) -> None:
    """Set attributes of objects; should the transaction that is open now be rolled back, they get their old values.

    :param changes: object, name of the attribute, new value.
    :param after: called at the end, and again after a rollback.
    """
    if backend.in_transaction:
        changes = list(changes)
        before = [(owner, name, getattr(owner, name)) for owner, name, _ in changes]
        backend.on_rollback(lambda: _apply(before, after))
    _apply(changes, after)


def _apply(changes: Iterable[Change], after: Callable[[], None] | None) -> None:
    for owner, name, value in changes:
        setattr(owner, name, value)
    if after is not None:
        after()
