"""The storage of the profile that a command line names, opened for the length of a verb."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ricordi.cli.session import CommandSession

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend


@contextmanager
def opened(session: CommandSession, purpose: str) -> Iterator[StorageBackend]:
    """The storage of the profile that the session names, closed at the end.

    :param purpose: the verb, told to who wants to lock the profile meanwhile.
    """
    from ricordi.manager import use_storage
    from ricordi.services.profiles.profiles import find_profile

    with use_storage(find_profile(session.profile_name), purpose=purpose) as storage:
        yield storage
