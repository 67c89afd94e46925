"""What can be restored: a storage at one moment, whoever has backed it up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ricordi.backend.backups import BackupAddress
from ricordi.backend.repository import RepositoryBackend
from ricordi.backend.snapshots import DatabaseSnapshot, Misfit

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
    :param lost_rows: why its database may have lost rows before it was backed up, in words; empty where nothing tells
        of any.
    :param no_keys: what stands in file trees where a key should, and can be none, as far as its database does not tell.
    :param is_stored: whether another process finds the same database by place and name of the snapshot.
    :param content_bytes: of content of the objects that its nodes name; None where nobody has counted them yet.
    """

    place: BackupAddress
    maker: Maker
    name: str
    taken: datetime | None
    profile: str
    user: str
    snapshot: DatabaseSnapshot
    objects: RepositoryBackend
    misfits: tuple[Misfit, ...] | None
    database_bytes: int
    is_stored: bool = False
    lost_rows: str = ''
    no_keys: tuple[str, ...] = ()
    content_bytes: int | None = None
