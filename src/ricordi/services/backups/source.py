"""What can be restored: a snapshot of a backup repository, or a folder that `verdi storage backup` made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from ricordi.backend.repository import RepositoryBackend
from ricordi.backend.snapshots import DatabaseSnapshot, Misfit
from ricordi.errors import NoBackupRepository, UnreachableStorage

Maker = Literal['ricordi', 'verdi']


@dataclass(frozen=True, slots=True)
class RestoreSource:
    """A storage at one moment: what a restore reads.

    :param place: where it is.
    :param maker: which program has backed it up.
    :param name: of the snapshot.
    :param taken: when it was made, aware; None where that is not told.
    :param profile: name of the profile that it is of; empty where that is not told.
    :param user: email of the default user of that profile, where it is told.
    :param snapshot: its database.
    :param objects: where its objects are.
    :param misfits: what PostgreSQL would refuse; None where nobody has looked yet.
    :param database_bytes: about so many the database takes on disk.
    """

    place: Path
    maker: Maker
    name: str
    taken: datetime | None
    profile: str
    user: str
    snapshot: DatabaseSnapshot
    objects: RepositoryBackend
    misfits: tuple[Misfit, ...] | None
    database_bytes: int


def split_place(text: str) -> tuple[Path, str | None]:
    """The place and the snapshot that `PLACE[@SNAPSHOT]` names; None where it names none.

    A folder may have an `@` in its name: what is there is meant before what could be.
    """
    path = Path(text).expanduser()
    before, at, wanted = text.rpartition('@')
    if not at or path.exists():
        return path, None
    return Path(before).expanduser(), wanted or None


@contextmanager
def open_source(text: str, of: str | None = None) -> Iterator[RestoreSource]:
    """The storage at one moment that a person names, for the length of a `with` block.

    :param text: `PLACE`, or `PLACE@SNAPSHOT`: the name of a snapshot, the start of one, or `latest`.
    :param of: name or uuid of the profile of which the newest snapshot is meant.
    :raises ricordi.errors.UnreachableStorage: there is nothing, or it cannot be read.
    :raises ricordi.errors.NotExistent: there is no such snapshot; the message lists what there is.
    :raises ricordi.errors.NoBackupRepository: it is no backup.
    :raises ricordi.errors.IncompatibleStorageSchema: there is no way from its schema to that of this program.
    :raises ricordi.errors.InvalidOperation: it is not clear which snapshot is meant.
    """
    from ricordi.services.backups.temporary import at_current_schema
    from ricordi.services.backups.verdi import is_verdi_backup, open_verdi_backup

    place, wanted = split_place(text)
    _check_readable(place)
    if is_verdi_backup(place):
        with open_verdi_backup(place, wanted) as source, at_current_schema(source.snapshot) as snapshot:
            yield replace(source, snapshot=snapshot)
        return
    from ricordi.backup.place import BackupPlace
    from ricordi.services.backups.repository_source import open_snapshot

    if not BackupPlace(place).exists:
        raise NoBackupRepository(
            f'{place} holds no backup, neither a backup repository nor what `verdi storage backup` makes; check the '
            'path'
        )

    with open_snapshot(place, wanted, of) as source, at_current_schema(source.snapshot) as snapshot:
        yield replace(source, snapshot=snapshot)


def _check_readable(place: Path) -> None:
    try:
        next(place.iterdir(), None)
    except FileNotFoundError:
        raise UnreachableStorage(
            f'there is nothing at {place}; check the path, or whether the disk is mounted'
        ) from None
    except NotADirectoryError:
        raise UnreachableStorage(f'{place} is no folder; a backup is one') from None
    except OSError as error:
        raise UnreachableStorage(f'cannot read {place}: {error.strerror}') from None
