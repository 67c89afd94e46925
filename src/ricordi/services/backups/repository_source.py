"""A snapshot of a backup repository as something to restore from: which one is meant, and what it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ricordi.backend.backups import BackupAddress
from ricordi.backup.repository import LATEST, BackupRepository, last_of
from ricordi.errors import InvalidOperation, NotExistent
from ricordi.manager.backups import open_backup
from ricordi.model.file_trees import is_key
from ricordi.remedies import Remedy
from ricordi.services.backups.source import RestoreSource

if TYPE_CHECKING:
    from ricordi.backup.records import SnapshotRecord
    from ricordi.progress import Stop

SHOWN = 20


@contextmanager
def open_snapshot(
    place: BackupAddress, wanted: str | None, of: str | None, wait: float | None, stop: Stop | None
) -> Iterator[RestoreSource]:
    """A snapshot, which nobody removes meanwhile, for the length of a `with` block; arguments as of `chosen_snapshot`.

    :raises ricordi.errors.NoBackupRepository: there is no backup repository.
    """
    with open_backup(place) as backup, backup.held(wait, stop):
        record = chosen_snapshot(backup, wanted, of)
        with backup.database(record) as snapshot:
            yield RestoreSource(
                place=place,
                maker='ricordi',
                name=record.name,
                taken=record.time,
                profile=record.origin.profile,
                user=record.origin.user,
                snapshot=snapshot,
                objects=backup.objects,
                misfits=record.misfits,
                database_bytes=sum(entry.bytes for part in record.parts for entry in part.lists),
                lost_rows=record.lost_rows,
                no_keys=tuple(name for name in record.missing if not is_key(name)),
                is_stored=not backup.place.removes_beside_others,
                content_bytes=record.objects.bytes,
            )


def chosen_snapshot(backup: BackupRepository, wanted: str | None, of: str | None) -> SnapshotRecord:
    """The snapshot that is meant: the newest, unless a name says otherwise.

    A warning, `FutureSnapshot`, tells of a newest one whose time is yet to come.

    :param wanted: its name, or a start of it, or `latest`.
    :param of: name or uuid of the profile that it is of.
    :raises ricordi.errors.NotExistent: there is none such; the message lists what there is.
    :raises ricordi.errors.InvalidOperation: there is none at all, or the newest of several profiles could be meant.
    """
    if wanted is not None and of is None:
        try:
            return backup.find(wanted)
        except NotExistent as error:
            raise NotExistent(f'{error}; there are:\n{_listed(backup.snapshots())}') from None
    records = backup.snapshots()
    if not records:
        raise InvalidOperation(f'there is no snapshot in {backup.place.address} that can be read')
    if of is not None:
        records = _of_profile(records, of)
        if wanted not in (None, LATEST):
            name = backup.find(wanted).name
            records = [record for record in records if record.name == name] or _none_such(wanted, of, records)
    if len({record.origin.profile_uuid for record in records}) > 1:
        raise InvalidOperation(
            f'{backup.place.address} holds snapshots of several profiles:\n{_listed(records)}',
            remedy=Remedy('choose snapshot'),
        )
    return last_of(records) if wanted in (None, LATEST) else records[-1]


def _none_such(wanted: str, of: str, records: Sequence[SnapshotRecord]) -> list[SnapshotRecord]:
    raise NotExistent(f'the snapshot {wanted!r} is not of profile {of!r}, which has:\n{_listed(records)}')


def _of_profile(records: Sequence[SnapshotRecord], of: str) -> list[SnapshotRecord]:
    uuid = of.replace('-', '')
    found = [record for record in records if of == record.origin.profile or uuid == record.origin.profile_uuid]
    if not found:
        raise NotExistent(f'there is no snapshot of a profile {of!r}; there are:\n{_listed(records)}')
    return found


def _listed(records: Sequence[SnapshotRecord]) -> str:
    """A line for each snapshot, the newest first."""
    lines = [
        f'  {record.name}  {record.origin.profile} on {record.origin.host}, '
        f'{record.time.astimezone().isoformat(" ", "minutes")}'
        for record in reversed(records)
    ]
    more = [f'  and {len(lines) - SHOWN} more'] if len(lines) > SHOWN else []
    return '\n'.join([*lines[:SHOWN], *more])
