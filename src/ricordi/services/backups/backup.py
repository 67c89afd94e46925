"""Backing up a profile into a place that holds the snapshots of many."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ricordi.backend.backups import BackupAddress
from ricordi.backend.maintenance import Amount
from ricordi.backup.key_spool import KeySpool
from ricordi.backup.places.folder import FolderPlace
from ricordi.backup.planning import BackupPlan, plan_snapshot
from ricordi.backup.policy import KeepPolicy, kept_by
from ricordi.backup.records import SnapshotOrigin, SnapshotRecord
from ricordi.config import get_config_folder
from ricordi.errors import BusyBackupRepository, InvalidOperation, NotEnoughSpace, UsageError
from ricordi.manager import open_backup, storage_class, use_storage
from ricordi.manager.backups import open_place
from ricordi.progress import Run
from ricordi.services.backups.history import last_backups, note_backup
from ricordi.services.profiles.surroundings import check_surroundings
from ricordi.services.verify import NODES_PER_FINDING, USES_PER_KEY

LOST_TOLD = 20
"""So many objects that a snapshot lacks are told of with their nodes."""

if TYPE_CHECKING:
    from ricordi.backend.snapshots import DatabaseSnapshot
    from ricordi.backend.storage import StorageBackend
    from ricordi.backup.forgetting import ForgetReport
    from ricordi.config import Profile


class BackupReport(NamedTuple):
    """A snapshot that was made, or would be.

    :param place: where the backup repository is.
    :param record: of the snapshot; None of a plan.
    :param plan: what would be put; None where it was.
    :param forgotten: what was done to remove older ones; None where nothing was asked for, or nobody had the place
        alone.
    :param busy: why nothing was removed, where others were at work in the place; else empty.
    :param seconds: how long it took.
    :param lost: the first objects that the snapshot lacks, by key: (pk, uuid, path) of nodes that name each.
    """

    place: BackupAddress
    record: SnapshotRecord | None = None
    plan: BackupPlan | None = None
    forgotten: ForgetReport | None = None
    busy: str = ''
    seconds: float = 0.0
    lost: Mapping[str, Sequence[tuple[int, str, str]]] = {}


def back_up(
    profile: Profile,
    place: BackupAddress,
    *,
    tags: Sequence[str] = (),
    policy: KeepPolicy | None = None,
    wait: float | None = None,
    run: Run | None = None,
) -> BackupReport:
    """Put a snapshot of a profile into a backup repository, which is made if there is none.

    Others may use the profile meanwhile. What is there already is not put again.

    :param tags: words that the snapshot gets.
    :param policy: which snapshots of this profile to keep after that; the others are removed. With tags, only those
        that have one of them are looked at.
    :param wait: seconds to wait for a lock of the profile to end, and for others to be done with the place.
    :raises ricordi.errors.NoBackupRepository: the place holds something else, or a form that is not known here.
    :raises ricordi.errors.AccessError: the profile is locked, or snapshots are being removed from the place.
    :raises ricordi.errors.StorageError: the storage cannot be opened.
    :raises ricordi.errors.Interrupted: `run.stop` asked for an end; there is no snapshot.
    """
    run, began = run or Run(), time.monotonic()
    place = checked_place(profile, place)
    if policy is not None:
        policy.check()
    with (
        use_storage(profile, purpose='storage backup', wait=wait, stop=run.stop) as storage,
        open_backup(place, create=True) as repository,
        repository.held(wait, run.stop),  # before a transaction is begun that would stay open while one waits
        captured(storage, _scratch_at(place)) as snapshot,
    ):
        origin = origin_of(profile, storage)
        previous = next((last.snapshot for last in last_backups(profile) if last.place == str(place)), '')
        record = repository.take(snapshot, storage.repository, origin, tags=tags, previous=previous, run=run)
        lost = _lost(storage, record)
    note_backup(profile, place, record)
    report = BackupReport(place, record, lost=lost)
    if policy is not None and not policy.is_empty:
        report = _with_forgotten(report, record, policy, wait, run)
    return report._replace(seconds=time.monotonic() - began)


def _lost(storage: StorageBackend, record: SnapshotRecord) -> dict[str, list[tuple[int, str, str]]]:
    """The first objects that a snapshot lacks, with some of the nodes that name each."""
    keys = record.missing[:LOST_TOLD]
    nodes: dict[str, list[tuple[int, str, str]]] = {key: [] for key in keys}
    for use in islice(storage.uses_of_keys(keys), USES_PER_KEY * len(keys)) if keys else ():
        if len(nodes[use.key]) < NODES_PER_FINDING:
            nodes[use.key].append((use.pk, use.uuid, use.path))
    return nodes


def plan_backup(
    profile: Profile, place: BackupAddress, *, wait: float | None = None, run: Run | None = None
) -> BackupReport:
    """What `back_up` would put, found by reading the whole database; nothing is written. Errors as of `back_up`."""
    run, began = run or Run(), time.monotonic()
    place = checked_place(profile, place)
    with (
        use_storage(profile, purpose='storage backup, dry run', wait=wait, stop=run.stop) as storage,
        open_place(place, create=True) as (found, _),
    ):
        if not found.exists:
            found.check_can_be_made()
            with captured(storage, None) as snapshot, KeySpool() as spool:
                plan = plan_snapshot(snapshot, storage.repository, None, spool, run)
        else:
            with (
                open_backup(place) as repository,
                repository.held(wait, run.stop),
                captured(storage, None) as snapshot,
                KeySpool() as spool,
            ):
                plan = plan_snapshot(snapshot, storage.repository, repository.objects, spool, run)
    return BackupReport(place, plan=plan, seconds=time.monotonic() - began)


def _with_forgotten(
    report: BackupReport, made: SnapshotRecord, policy: KeepPolicy, wait: float | None, run: Run
) -> BackupReport:
    """The report with what was done to keep only some of the snapshots of the same profile."""
    with open_backup(report.place) as repository:
        ours = [
            record
            for record in repository.snapshots()
            if record.origin.profile_uuid == made.origin.profile_uuid
            and (not made.tags or {*record.tags} & {*made.tags})
        ]
        kept = kept_by(policy, ours, made.time)  # not the clock: it may be set back meanwhile, and what was made stays
        names = [record.name for record in ours if record.name not in kept]
        if not names:
            return report
        try:
            return report._replace(forgotten=repository.forget(names, wait=wait, run=run))
        except BusyBackupRepository as error:
            return report._replace(busy=str(error))


@contextmanager
def captured(storage: StorageBackend, scratch: Path | None) -> Iterator[DatabaseSnapshot]:
    """A snapshot of the database of a storage, for the length of a `with` block.

    :param scratch: where a copy of it may lie if the folder of temporary files has no room.
    """
    try:
        snapshot = storage.snapshot()
    except NotEnoughSpace:
        if scratch is None:
            raise
        snapshot = storage.snapshot(scratch)
    with snapshot:
        yield snapshot


def origin_of(profile: Profile, storage: StorageBackend) -> SnapshotOrigin:
    """Which storage a snapshot is of."""
    return SnapshotOrigin(
        profile.storage_backend,
        profile.name,
        profile.uuid,
        storage.repository.uuid or '',
        str(profile.storage_config.get('database_name') or ''),
        socket.gethostname(),
        profile.default_user_email or '',
    )


def _scratch_at(place: BackupAddress) -> Path | None:
    return place if isinstance(place, Path) else None


def checked_place(profile: Profile, place: BackupAddress) -> BackupAddress:
    """A place, a folder by its absolute path, if it is none that a backup of this profile must not lie in.

    :raises ricordi.errors.UsageError: it lies in a storage, a backup, or the configuration folder.
    :raises ricordi.errors.InvalidOperation: of this profile there are no backups.
    """
    kind = storage_class(profile)
    if kind.read_only:
        raise InvalidOperation(f'profile {profile.name!r} is an archive, of which a copy is a backup')
    if not isinstance(place, Path):
        return place
    place = place.absolute()
    location = kind.repository_location(profile).path
    folders = {'the container of the profile': location, 'the configuration folder': get_config_folder()}
    if filepath := profile.storage_config.get('filepath'):
        folders['the storage of the profile'] = Path(filepath)
    for name, folder in folders.items():
        if folder is not None and place.resolve().is_relative_to(folder.resolve()):
            raise UsageError(f'{place} lies in {name} ({folder}), and would be lost with it; choose another place')
    if not FolderPlace(place).exists:  # a place in use since before this was looked at goes on being one
        check_surroundings(place)
    return place


def put(report: BackupReport) -> tuple[Amount, Amount]:
    """What of the database and what of the objects was put, or would be, with bytes before compression."""
    if report.record is not None:
        return report.record.added_pieces, report.record.added
    assert report.plan is not None
    return report.plan.pieces, report.plan.objects
