"""A storage, or a repository, of which nothing is known but that it keeps the contract: that of somebody else."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from ricordi.backend.repository import RepositoryBackend
from ricordi.backend.storage import StorageBackend


def opaque_storage(inner: StorageBackend) -> Any:
    """A storage that is none of this package's classes; what the contract leaves open is done by `inner`.

    Whatever the contract has a way for itself is done so.
    """
    storage = _opaque(StorageBackend, inner, ('on_rollback', 'get_repository'))
    storage.changes = inner.changes
    storage.unwritable, storage.read_only = inner.unwritable, inner.read_only
    storage.hidden_repository = opaque_repository(inner.repository)
    type(storage).repository = property(lambda self: self.hidden_repository)
    return storage


def opaque_repository(inner: RepositoryBackend) -> Any:
    """The same of a repository."""
    return _opaque(RepositoryBackend, inner, ())


def _opaque(contract: type, inner: Any, also: Iterable[str]) -> Any:
    members: dict[str, Any] = {
        name: _passed_on(contract, name, inner) for name in (*getattr(contract, '__abstractmethods__', ()), *also)
    }
    return type('Opaque', (contract,), members)()


def _passed_on(contract: type, name: str, inner: Any) -> Any:
    """A member of the contract that asks `inner`."""
    if isinstance(inspect.getattr_static(contract, name), property):
        return property(lambda self: getattr(inner, name))
    return staticmethod(lambda *arguments, **named: getattr(inner, name)(*arguments, **named))
