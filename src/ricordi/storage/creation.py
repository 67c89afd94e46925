"""Creating the repository of a new storage, so that a creation that fails leaves none behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend


@contextmanager
def new_repository(repository: RepositoryBackend) -> Iterator[str | None]:
    """Create the repository unless it is there; yields its uuid. If the block fails, what was created goes again."""
    made = not repository.is_initialised
    if made:
        repository.initialise()
    try:
        yield repository.uuid
    except BaseException:
        if made:
            repository.erase()
        raise
