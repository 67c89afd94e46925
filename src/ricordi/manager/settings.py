"""The settings without which no store of objects can be opened: where they are gone, the database knows whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from ricordi.errors import CorruptStorage
from ricordi.manager.backends import repository_at, storage_class

if TYPE_CHECKING:
    from ricordi.backend.repair import Mending
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.config.profile import Profile


def settings_mending(profile: Profile) -> Mending | None:
    """What would be done about the settings of the store of objects of a profile; None: nothing is wrong with them."""
    with closing(repository_at(storage_class(profile).repository_location(profile))) as repository:
        fault = repository.settings_fault()
        return repository.settings_mending(fault) if fault else None


def restore_settings(profile: Profile, alike: Sequence[RepositoryBackend]) -> None:
    """Write them anew. For one who holds the exclusive lock of the profile.

    :param alike: other stores, of which one may be a copy.
    :raises ricordi.errors.CorruptStorage: the database does not tell which store is its own.
    """
    kind = storage_class(profile)
    uuid = kind.expected_repository(profile)
    if uuid is None:
        raise CorruptStorage(
            f'the database of profile {profile.name!r} does not tell which store of objects is its own'
        )
    with closing(repository_at(kind.repository_location(profile))) as repository:
        repository.restore_settings(uuid, alike)
