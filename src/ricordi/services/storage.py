"""What is done to the storage of a profile as a whole: info, version, migrate, maintain."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.backend.rows import NodeRow
from ricordi.config import load_config
from ricordi.manager import maintain_storage, migrate_storage, storage_class, use_storage
from ricordi.services.backups.history import last_backup_as_data
from ricordi.services.history import last_maintained, note_maintenance, with_what_was_seen
from ricordi.services.last_verified import state_as_data

if TYPE_CHECKING:
    from ricordi.backend.maintenance import MaintenanceReport
    from ricordi.backend.storage import StorageBackend
    from ricordi.config import Profile
    from ricordi.progress import Run, Stop


def maintainable_profiles() -> list[Profile]:
    """All profiles of the configuration but those that can only be read, in its order.

    :raises ricordi.errors.ConfigurationError: there is no configuration, or it cannot be read.
    """
    return [profile for profile in load_config().profiles if not storage_class(profile).read_only]


class StorageVersion(NamedTuple):
    """The schema of a database.

    :param backend: entry point name of the storage class.
    :param head: the schema that this program works on.
    """

    profile: str
    backend: str
    version: str
    head: str


def get_version(profile: Profile) -> StorageVersion:
    """The schema version of a profile's database, found without opening the storage.

    :raises ricordi.errors.UnreachableStorage: the database cannot be reached.
    """
    kind = storage_class(profile)
    return StorageVersion(profile.name, profile.storage_backend, kind.version_profile(profile), kind.version_head())


def get_info(profile: Profile, detailed: bool) -> dict[str, Any]:
    """Counts of entities, sizes of database and repository in bytes; `detailed`: what else costs time to find.

    :raises ricordi.errors.AccessError: the profile is locked.
    :raises ricordi.errors.StorageError: the storage cannot be opened.
    """
    with use_storage(profile, purpose='storage info') as storage:
        info = {'profile': profile.name, 'backend': profile.storage_backend, **storage.get_info(detailed)}
        if detailed and not storage.read_only:
            state = storage.maintain(with_what_was_seen(profile, MaintenanceOptions(dry_run=True))).before
            garbage = state.garbage and {'objects': state.garbage.objects, 'bytes': state.garbage.bytes}
            info['repository'] = {**info['repository'], 'garbage': garbage, 'missing': state.missing}
        if detailed:
            info |= {'first_ctime': _ctime(storage, 'ctime'), 'last_ctime': _ctime(storage, '-ctime')}
        known = storage.repository.verification_state()
        info['verified'] = known and state_as_data(known)
        return {**info, 'last_maintained': last_maintained(profile), 'last_backup': last_backup_as_data(profile)}


def _ctime(storage: StorageBackend, order: str) -> datetime | None:
    """When the first node in an order was made."""
    row = next(storage.find(NodeRow, order_by=(order,), limit=1), None)
    return None if row is None else row.ctime


def locks_for_full(profile: Profile) -> bool:
    """Whether full maintenance keeps others out of a profile; False where its database guards what is named."""
    return storage_class(profile).full_alone


def migrate(profile: Profile, wait: float | None, stop: Stop | None = None) -> None:
    """Bring the database to the schema that this program works on; the profile is locked meanwhile.

    :param wait: seconds to wait for others to leave the profile.
    :raises ricordi.errors.AccessError: the profile is locked or in use.
    :raises ricordi.errors.StorageMigrationError: there is no way from its schema.
    """
    migrate_storage(profile, wait=wait, stop=stop)


def maintain(
    profile: Profile,
    options: MaintenanceOptions,
    *,
    wait: float | None,
    run: Run | None = None,
) -> MaintenanceReport:
    """Plan a maintenance and, unless `options.dry_run`, carry it out; see docs/storage-maintain.md.

    :param wait: seconds to wait for others to leave (full), or for a lock to end (live).
    :raises ricordi.errors.AccessError: the profile is locked or in use.
    :raises ricordi.errors.NotEnoughSpace: the disk has room for no step at all.
    """
    options = with_what_was_seen(profile, options)
    report = maintain_storage(profile, options, wait=wait, run=run)
    note_maintenance(profile, report)
    return report
