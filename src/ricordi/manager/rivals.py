"""Other profiles of the configuration that have the same container and another database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ricordi.config import load_config
from ricordi.errors import RicordiError
from ricordi.manager.backends import storage_class

if TYPE_CHECKING:
    from ricordi.config.profile import Profile


def rivals_of(profile: Profile, config_folder: Path | None) -> tuple[str, ...]:
    """Each in words: the profile and where its database is.

    One whose database cannot be reached, and that is not plainly the same, counts: its nodes may name anything.
    """
    place = _container(profile)
    if place is None:
        return ()
    try:
        others = [other for other in load_config(folder=config_folder).profiles if other.name != profile.name]
    except RicordiError:  # no configuration, as in a library that works on a storage by itself
        return ()
    return tuple(
        f'profile {other.name!r}, whose database is another,'
        for other in others
        if _container(other) == place and not _have_one_database(profile, other)
    )


def _container(profile: Profile) -> Path | None:
    """Where the container of a profile really is; None for one that has none, or that cannot be understood.

    In a bucket each store has a folder of its own.
    """
    try:
        location = storage_class(profile).repository_location(profile)
        return location.path.resolve() if location.kind == 'container' and location.path is not None else None
    except (RicordiError, OSError, RuntimeError):
        return None


def _have_one_database(profile: Profile, other: Profile) -> bool:
    kind = storage_class(profile)
    if storage_class(other) is not kind:
        return False
    if _named(profile) == _named(other):
        return True
    try:
        mine, theirs = (kind.database_identity(one) for one in (profile, other))
    except (RicordiError, OSError):
        return False
    return mine is not None and mine == theirs


def _named(profile: Profile) -> dict[str, object]:
    """What names the database in a storage configuration, be it reached by this user or that."""
    aside = ('database_engine', 'database_username', 'database_password', 'repository_uri')
    return {key: value for key, value in profile.storage_config.items() if key not in aside}
