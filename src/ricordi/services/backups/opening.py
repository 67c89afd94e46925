"""From what a person names to what is restored: a snapshot of a backup repository, or a backup of verdi's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ricordi.backend.backups import BackupAddress
from ricordi.backup.places.folder import FolderPlace
from ricordi.errors import NoBackupRepository, UnreachableStorage
from ricordi.model.addresses import check_folder_name
from ricordi.progress import Stop
from ricordi.services.backups.places import address_at, is_in_bucket
from ricordi.services.backups.repository_source import open_snapshot
from ricordi.services.backups.source import RestoreSource
from ricordi.services.backups.temporary import at_current_schema
from ricordi.services.backups.verdi import is_verdi_backup, open_verdi_backup

OF_SNAPSHOT = '@'
"""Stands between a place and the name of a snapshot in it."""


def split_place(text: str) -> tuple[Path, str | None]:
    """The place and the snapshot that `PLACE[@SNAPSHOT]` names; None where it names none.

    A folder may have an `@` in its name: what is there is meant before what could be.
    """
    path = Path(text).expanduser()
    before = text.rfind(OF_SNAPSHOT)
    if before < 1 or path.exists():
        return path, None
    return Path(text[:before]).expanduser(), text[before + 1 :] or None


@contextmanager
def open_source(
    text: str,
    of: str | None = None,
    wait: float | None = None,
    stop: Stop | None = None,
    object_store: Mapping[str, Any] | None = None,
) -> Iterator[RestoreSource]:
    """The storage at one moment that a person names, for the length of a `with` block.

    :param text: `PLACE`, or `PLACE@SNAPSHOT`: the name of a snapshot, the start of one, or `latest`.
    :param of: name or uuid of the profile of which the newest snapshot is meant.
    :param wait: seconds to wait for those who remove snapshots; None: do not wait.
    :param stop: ends the waiting.
    :param object_store: how a place in a bucket is reached; see `address_at`.
    :raises ricordi.errors.WrongValue: it reads like a place on another machine.
    :raises ricordi.errors.UnreachableStorage: there is nothing, or it cannot be read.
    :raises ricordi.errors.NotExistent: there is no such snapshot; the message lists what there is.
    :raises ricordi.errors.NoBackupRepository: it is no backup.
    :raises ricordi.errors.IncompatibleStorageSchema: there is no way from its schema to that of this program.
    :raises ricordi.errors.InvalidOperation: it is not clear which snapshot is meant.
    """
    if is_in_bucket(text):
        named, _, wanted_there = text.partition(OF_SNAPSHOT)
        with _snapshot_at(address_at(named, object_store), wanted_there or None, of, wait, stop) as source:
            yield source
        return
    place, wanted = split_place(text)
    if not place.exists():
        check_folder_name(text)
    _check_readable(place)
    if is_verdi_backup(place):
        with open_verdi_backup(place, wanted) as source, at_current_schema(source.snapshot) as snapshot:
            yield replace(source, snapshot=snapshot)
        return
    if not FolderPlace(place).exists:
        raise NoBackupRepository(
            f'{place} holds no backup, neither a backup repository nor what `verdi storage backup` makes; check the '
            'path'
        )

    with _snapshot_at(place, wanted, of, wait, stop) as source:
        yield source


@contextmanager
def _snapshot_at(
    place: BackupAddress, wanted: str | None, of: str | None, wait: float | None, stop: Stop | None
) -> Iterator[RestoreSource]:
    with open_snapshot(place, wanted, of, wait, stop) as source, at_current_schema(source.snapshot) as snapshot:
        yield replace(source, snapshot=snapshot, is_stored=source.is_stored and snapshot is source.snapshot)


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
