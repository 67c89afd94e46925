"""The storage that the frontend uses when none is given: a context variable that `manager` sets."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING

from ricordi.errors import ConfigurationError

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend

current_backend: ContextVar[Callable[[], StorageBackend] | None] = ContextVar('current_backend', default=None)
"""How to get the current storage (opening it at first use), or None while no profile is loaded in this context."""

default_backend: list[Callable[[], StorageBackend]] = []
"""The storage of the process-wide loaded profile, seen by threads whose context has none; at most one entry."""


def get_current_backend() -> StorageBackend:
    """The storage of the loaded profile.

    :raises ricordi.errors.ConfigurationError: if no profile is loaded.
    """
    provider = current_backend.get() or (default_backend[0] if default_backend else None)
    if provider is None:
        raise ConfigurationError('no profile is loaded: call ricordi.load_profile() first, or pass backend=…')
    return provider()
