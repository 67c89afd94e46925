"""Where a profile was backed up to, and when: noted in a file of the `log` folder of the configuration folder."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from ricordi.backend.backups import BackupAddress
from ricordi.config import get_config_folder
from ricordi.services.history import ProfileNote

if TYPE_CHECKING:
    from ricordi.backup.records import SnapshotRecord
    from ricordi.config import Profile

MOST_PLACES = 100
"""So many are remembered, the last ones."""


class LastBackup(NamedTuple):
    """The last snapshot of a profile in a place, as it was made from this configuration folder.

    :param place: the folder, or `s3://BUCKET/FOLDER`.
    :param snapshot: its name.
    :param time: of it, aware.
    :param complete: whether all objects that nodes name went along.
    """

    place: str
    snapshot: str
    time: datetime
    complete: bool


def note_backup(profile: Profile, place: BackupAddress, record: SnapshotRecord) -> None:
    """Note that a snapshot was made. That it cannot be noted is no reason to fail."""
    others = [backup for backup in last_backups(profile) if backup.place != str(place)]
    made = LastBackup(str(place), record.name, record.time, record.complete)
    rows = [{**one._asdict(), 'time': one.time.isoformat()} for one in (made, *others)][:MOST_PLACES]
    _note(profile).write({'backups': rows})


def last_backups(profile: Profile) -> list[LastBackup]:
    """The last snapshot in each place, the newest first."""
    rows = _note(profile).read().get('backups')
    found = [backup for row in rows if (backup := _backup_of(row))] if isinstance(rows, list) else []
    return sorted(found, key=lambda backup: backup.time, reverse=True)


def _backup_of(row: object) -> LastBackup | None:
    """What a row of the note says; None of one that says nothing that can be."""
    try:
        place, snapshot, time, complete = (row[name] for name in LastBackup._fields)  # type: ignore[index]
        backup = LastBackup(str(place), str(snapshot), datetime.fromisoformat(time), complete is True)
        return backup if backup.time.tzinfo else None
    except (TypeError, KeyError, ValueError):
        return None


def last_backup_as_data(profile: Profile) -> dict[str, object]:
    """The last snapshot of a profile, wherever it is, as plain data; no values where none is known of."""
    last = next(iter(last_backups(profile)), None)
    return dict.fromkeys(LastBackup._fields) if last is None else dict(last._asdict())


def forget_backups(profile: Profile) -> None:
    """Remove the note, for a profile that is no more. The backups stay where they are."""
    _note(profile).remove()


def _note(profile: Profile) -> ProfileNote:
    return ProfileNote(get_config_folder() / 'log' / f'ricordi-backups-{profile.name}.json')
