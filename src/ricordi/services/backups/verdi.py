"""The folders that `verdi storage backup` makes, as something to restore from.

At the top stand `config.json`, a folder `backup_<time>_<four letters>` for each backup, and `last-backup`, a link to
the newest; one that was cut short is called `live-backup`. A backup holds `container/`, and `database.sqlite` or
`db.psql`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ricordi.backend.storage import RepositoryLocation
from ricordi.backup.repository import LATEST
from ricordi.errors import CorruptStorage, InvalidOperation, NotExistent
from ricordi.files import TemporaryFolder, read_regular
from ricordi.manager.backends import repository_at
from ricordi.services.backups.source import RestoreSource

if TYPE_CHECKING:
    from ricordi.backend.snapshots import DatabaseSnapshot

PREFIX = 'backup_'
LAST = 'last-backup'
CUT_SHORT = 'live-backup'
CONTAINER = 'container'
SQLITE, PSQL = 'database.sqlite', 'db.psql'
CONFIG = 'config.json'
_NAME = re.compile(rf'{PREFIX}(\d{{14}})_\w+')
_LARGEST_CONFIG = 1 << 20


def is_verdi_backup(place: Path) -> bool:
    """Whether a folder is one of these, or a single backup out of one."""
    return _is_backup(place) or bool(backup_names(place)) or any((place / name).exists() for name in (LAST, CUT_SHORT))


def _is_backup(folder: Path) -> bool:
    return (folder / CONTAINER).is_dir() and any((folder / name).is_file() for name in (SQLITE, PSQL))


def backup_names(place: Path) -> list[str]:
    """The names of the backups in a folder, the oldest first."""
    return sorted(entry.name for entry in place.iterdir() if _NAME.fullmatch(entry.name) and entry.is_dir())


def chosen_backup(place: Path, wanted: str | None) -> Path:
    """The folder of the backup that is meant.

    :param wanted: its name, or a start of it; None or `latest` for the newest.
    :raises ricordi.errors.NotExistent: there is none of this name.
    :raises ricordi.errors.InvalidOperation: none was ever finished, or several begin so.
    """
    if _is_backup(place) and wanted in (None, LATEST, place.name):
        return place
    names = backup_names(place)
    if not names:
        raise InvalidOperation(f'{place} holds no backup that was finished: the one that was made there was cut short')
    if wanted in (None, LATEST):
        last = place / LAST
        return last.resolve() if _is_backup(last) else place / names[-1]
    found = [name for name in names if name.startswith((wanted, PREFIX + wanted))]
    if not found:
        raise NotExistent(f'there is no backup {wanted!r} in {place}; there are: {", ".join(names)}')
    if len(found) > 1:
        raise InvalidOperation(f'several backups in {place} begin so: {", ".join(found)}; name one')
    return place / found[0]


@contextmanager
def open_verdi_backup(place: Path, wanted: str | None) -> Iterator[RestoreSource]:
    """One backup, for the length of a `with` block; what is read of it is left as it is.

    :param wanted: as of `chosen_backup`.
    :raises ricordi.errors.CorruptStorage: something of it is missing, or is not what it should be.
    """
    folder = chosen_backup(place, wanted)
    if not _is_backup(folder):
        raise CorruptStorage(f'{folder} is no whole backup: it needs {CONTAINER}/, and {SQLITE} or {PSQL}')
    profile, email = _profile_of(folder)
    with ExitStack() as stack:
        objects = stack.enter_context(repository_at(RepositoryLocation('container', folder / CONTAINER)))
        if not objects.is_initialised:
            raise CorruptStorage(f'{folder / CONTAINER} is no container: its config.json is missing')
        database = folder / SQLITE if (folder / SQLITE).is_file() else folder / PSQL
        snapshot = stack.enter_context(_database(database, stack))
        yield RestoreSource(
            place=place,
            maker='verdi',
            name=folder.name,
            taken=_time_of(folder.name),
            profile=profile,
            user=email,
            snapshot=snapshot,
            objects=objects,
            misfits=() if database.name == PSQL else None,
            database_bytes=database.stat().st_size,
        )


def _database(path: Path, stack: ExitStack) -> DatabaseSnapshot:
    if path.name == PSQL:
        from ricordi.storage.dumped.snapshot import DumpedDatabase

        return DumpedDatabase(path)
    from ricordi.storage.sqlite.dialect import SqliteDialect

    return SqliteDialect(path).capture(stack.enter_context(TemporaryFolder('restore')))


def _time_of(name: str) -> datetime | None:
    match = _NAME.fullmatch(name)
    try:
        return None if match is None else datetime.fromisoformat(f'{match[1][:8]}T{match[1][8:]}+00:00')
    except ValueError:
        return None


def _profile_of(folder: Path) -> tuple[str, str]:
    """Name of the profile and email of its default user, as far as the configuration beside the backup tells."""
    try:
        config: Any = json.loads(read_regular(folder.resolve().parent / CONFIG, _LARGEST_CONFIG))
        ((name, profile),) = config['profiles'].items()
        return str(name), str(profile.get('default_user_email') or '')
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return '', ''
