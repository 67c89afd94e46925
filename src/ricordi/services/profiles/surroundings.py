"""Which folders are no place for a storage or a backup: those within what another storage, or a backup, keeps.

Who deletes, moves or restores the outer one would take the inner one along, and full maintenance of a container does
not know what else lies in its folders.
"""

from __future__ import annotations

import os
from pathlib import Path

from ricordi.access.place import CONTAINER, DATABASE, place_of
from ricordi.backup.places.folder import FolderPlace
from ricordi.config import Profile, load_config
from ricordi.errors import UsageError
from ricordi.manager.backends import storage_class
from ricordi.repository.container.layout import Layout

STORAGE = 'storage'


def check_surroundings(folder: Path) -> None:
    """Refuse a folder that lies within a container, a storage or a backup repository, by whatever links.

    :param folder: need not be there.
    :raises ricordi.errors.UsageError: it does.
    """
    for outer in folder.resolve().parents:
        if kept := _kept_in(outer):
            raise UsageError(f'{folder} lies in the {kept} {outer}, and might be lost with it; choose another place')


def check_place_of_storage(profile: Profile) -> None:
    """Refuse a folder for a container that is no place for one; what else is there is for others to look at.

    :param profile: need not be in the configuration.
    :raises ricordi.errors.UsageError: it lies within what another storage or a backup keeps, or is itself a container
        or a backup repository.
    """
    where = storage_class(profile).repository_location(profile)
    if where.kind != 'container' or where.path is None:
        return
    folder = where.path.parent
    kept = _kept_in(folder)
    if kept and kept != STORAGE:
        raise UsageError(f'{folder} is a {kept}, and no place for a storage; choose another one')
    check_surroundings(folder)


def check_place_for_objects(profile: Profile) -> None:
    """Refuse a folder that is no place for the objects alone, of a storage that has its database elsewhere.

    :param profile: as it shall be.
    :raises ricordi.errors.UsageError: as of `check_place_of_storage`; or another profile has its objects there.
    """
    check_place_of_storage(profile)
    own = place_of(profile)
    if own.container is None:
        return
    for other in load_config().profiles:
        place = place_of(other)
        if place.database != own.database and place.is_same(own):
            raise UsageError(
                f'{own.container.parent} has the objects of profile {other.name!r}, which are those of another '
                'database; choose another place'
            )
    if os.path.lexists(own.container.parent / DATABASE):
        raise UsageError(f'{own.container.parent} has the database of another storage; choose another place')


def _kept_in(folder: Path) -> str:
    """What keeps its content in a folder, in words; empty: nothing that is known here."""
    if FolderPlace(folder).exists:
        return 'backup repository'
    if _is_container(folder):
        return 'container'
    return STORAGE if _is_container(folder / CONTAINER) else ''


def _is_container(folder: Path) -> bool:
    """Whether a folder is one of objects, also one that is damaged."""
    layout = Layout(folder)
    return os.path.isfile(layout.index) and os.path.isdir(layout.packs)  # noqa: PTH112, PTH113 - they raise nothing
