"""What setups that were killed have left in the configuration folder: found by their mark, and removed by the next one.

A setup puts a mark into a folder there before anything else, and takes it away when there is a profile. Who
is at work in the folder holds its lock, which ends with the process.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ricordi.config import Config, Profile, load_config
from ricordi.errors import RicordiError
from ricordi.files import naming_full_disk, read_regular
from ricordi.folders import OpenFolder, remove_file, remove_tree
from ricordi.manager.backends import repository_at
from ricordi.storage.creation import own_place
from ricordi.storage.ownership import SQLITE_DATABASE

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend

MARK = '.ricordi-setup'
COPY = ' copy'
"""What follows in the mark where all that is in the folder is a copy of what lies elsewhere, as of a restore."""
_LARGEST_MARK = 1000
CHOSEN_NAME = 'sqlite_dos_'
"""How the names of folders begin that a setup chooses, where it is told none."""


@contextmanager
def place_of_setup(kind: type[StorageBackend], profile: Profile, whole: bool = False) -> Iterator[None]:
    """Have the folder of the storage of a profile for this process, marked until all is done or undone.

    :param whole: whatever comes into it until then is a copy of what lies elsewhere, and is no loss.
    """
    where = kind.repository_location(profile)
    if where.kind != 'container' or where.path is None:
        yield
        return
    folder = where.path.parent
    remove_leftovers(folder)
    with own_place(folder):
        mark = folder / MARK
        if folder.parent == _searched() and not any(folder.iterdir()):
            _write(mark, profile.uuid + (COPY if whole else ''))
        try:
            yield
        finally:
            with suppress(OSError):
                remove_file(mark)


def forget_mark(kind: type[StorageBackend], profile: Profile) -> None:
    """Take away the mark of a setup that was killed when there was the profile, which now goes without its data."""
    where = kind.repository_location(profile)
    if where.kind == 'container' and where.path is not None:
        with suppress(OSError):
            remove_file(where.path.parent / MARK)


def remove_leftovers(but: Path) -> None:
    """Remove the storages in the configuration folder that setups have left which were killed, and have no profile.

    Only what is certain: with the mark of a setup, without a process at work there, without a node or an object but
    where these are copies.

    :param but: a folder in which a setup is about to go on.
    """
    config = load_config()
    known = {profile.uuid for profile in config.profiles}
    searched = _searched(config)
    for folder in sorted(searched.iterdir()) if searched.is_dir() else ():
        mark = folder / MARK
        if folder == but or not (mark.exists() or _is_chosen_and_empty(folder)):
            continue
        with suppress(RicordiError, OSError), own_place(folder, seconds=0):
            said = _read(mark) if mark.exists() else ''
            if said.removesuffix(COPY) in known:
                remove_file(mark)
            elif _is_unused(folder, is_copy=said.endswith(COPY)):
                remove_tree(folder)


def _searched(config: Config | None = None) -> Path:
    """The folder for storages in the configuration folder: in another place it is the user who knows of a folder."""
    return Path((config or load_config()).dirpath) / 'repository'


def _read(mark: Path) -> str:
    """What a mark says; a link or pipe of its name, which a user may put there, is none."""
    return read_regular(mark, _LARGEST_MARK, follow=False).decode(errors='replace')


def _write(mark: Path, uuid: str) -> None:
    """Put the mark there. One that is empty, for its writer was killed, is as good: it is of no profile."""
    with naming_full_disk(mark), OpenFolder(mark.parent) as folder:
        try:
            with os.fdopen(folder.create(mark.name, 0o666), 'w') as handle:
                handle.write(uuid)
                handle.flush()
                os.fsync(handle.fileno())
            folder.sync()
        except BaseException:
            with suppress(OSError):
                folder.unlink(mark.name)
            raise


def _is_chosen_and_empty(folder: Path) -> bool:
    """Whether it is an empty folder whose name a setup has chosen, and which was killed before it could mark it."""
    chosen = re.fullmatch(rf'{CHOSEN_NAME}[0-9a-f]{{32}}', folder.name)
    return chosen is not None and folder.is_dir() and not any(folder.iterdir())


def _is_unused(folder: Path, is_copy: bool) -> bool:
    """Whether nothing is lost with a folder: no node, no object, no database elsewhere that names the container.

    :param is_copy: nodes and objects in it lie elsewhere too.
    """
    from ricordi.backend.storage import RepositoryLocation
    from ricordi.storage.sqlite.dos import SqliteDosStorage, is_draft

    known = {SQLITE_DATABASE, f'{SQLITE_DATABASE}-journal', 'container'}
    for entry in folder.iterdir():
        if entry.name not in known and not is_draft(entry.name) and entry.name != MARK:
            return False
    with repository_at(RepositoryLocation('container', folder / 'container')) as repository:
        if repository.holds_objects and not is_copy:
            return False
        if not (folder / SQLITE_DATABASE).exists():
            return repository.owner is None  # else a PostgreSQL database may name it
    leftover = Profile('leftover', {'storage': {'backend': 'core.sqlite_dos', 'config': {'filepath': str(folder)}}})
    return is_copy or SqliteDosStorage.count_nodes(leftover) == 0
