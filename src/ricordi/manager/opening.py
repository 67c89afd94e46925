"""From a profile to its storage: the class, the repository it is handed, access, what is done to all of it."""

from __future__ import annotations

import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ricordi.access import ProfileAccessManager
from ricordi.access.waiting import retry
from ricordi.errors import ForeignRepository, UnrecordableUse, UnrecordedUse
from ricordi.manager.backends import repository_at, storage_class
from ricordi.progress import Run

if TYPE_CHECKING:
    from ricordi.backend.maintenance import MaintenanceOptions, MaintenanceReport
    from ricordi.backend.storage import StorageBackend
    from ricordi.config.profile import Profile
    from ricordi.progress import Stop

_accesses: weakref.WeakKeyDictionary[StorageBackend, ProfileAccessManager] = weakref.WeakKeyDictionary()


def open_storage(
    profile: Profile,
    *,
    shared_access: bool = True,
    purpose: str = '',
    wait: float | None = None,
    stop: Stop | None = None,
    config_folder: Path | None = None,
) -> StorageBackend:
    """Ask for access to a profile, and open its storage with its repository. To be closed by `close_storage`.

    Where the use of the profile cannot be recorded, for this user may not write there, the storage is opened for
    reading, with the warning `UnrecordedUse`; `StorageBackend.unwritable` then tells why nothing can be written.

    :param shared_access: False: the caller has the profile already, by `ProfileAccessManager.lock`.
    :param purpose: what for, told to who wants to lock the profile meanwhile.
    :param wait: seconds to wait for a lock to end; None: do not wait.
    :param stop: a request to stop ends the waiting with `Interrupted`.
    :raises ricordi.errors.LockedProfileError: the profile is locked.
    :raises ricordi.errors.StorageError: the storage cannot be opened; see `StorageBackend.open`.
    """
    kind = storage_class(profile)
    # What can only be read needs no guard, and an archive need not be in any configuration.
    guarded = shared_access and not kind.read_only
    access = ProfileAccessManager(profile, config_folder) if guarded else None
    deadline = time.monotonic() + (wait or 0.0)
    unwritable = None if access is None else _request(access, purpose, wait, stop)
    try:
        repository = repository_at(kind.repository_location(profile))
        # A database may be locked by a process of another host, which no record here tells of.
        storage = retry(lambda: kind.open(profile, repository), deadline - time.monotonic(), stop)
    except BaseException:
        if access is not None:
            access.release()
        raise
    if unwritable is not None and not storage.unwritable:
        storage.unwritable, storage.unwritable_cause = str(unwritable), unwritable
    storage.config_folder = config_folder
    storage.rivals = lambda: find_rivals(profile, config_folder)
    if access is not None:
        _accesses[storage] = access
        weakref.finalize(storage, access.release)
    return storage


def _request(access: ProfileAccessManager, purpose: str, wait: float | None, stop: Stop | None) -> Exception | None:
    """Ask for access; returns why nothing may be written where it cannot be recorded."""
    try:
        access.request_access(purpose, wait=wait, stop=stop)
    except UnrecordableUse as error:
        access.request_unrecorded_access(wait=wait, stop=stop)
        cause = error.__cause__
        reason = (cause.strerror or str(cause)) if isinstance(cause, OSError) else str(error)
        warnings.warn(
            f'reading only, without a record that others would see: cannot write to {access.folder} ({reason})',
            UnrecordedUse,
            stacklevel=4,
        )
        return error
    return None


def close_storage(storage: StorageBackend) -> None:
    """Close a storage and its repository, and end the access that `open_storage` asked for."""
    try:
        storage.close()
    finally:
        try:
            storage.repository.close()
        finally:
            access = _accesses.pop(storage, None)
            if access is not None:
                access.release()


@contextmanager
def use_storage(
    profile: Profile,
    *,
    shared_access: bool = True,
    purpose: str = '',
    wait: float | None = None,
    stop: Stop | None = None,
) -> Iterator[StorageBackend]:
    """The storage of a profile for the length of a `with` block; arguments and errors as of `open_storage`."""
    storage = open_storage(profile, shared_access=shared_access, purpose=purpose, wait=wait, stop=stop)
    try:
        yield storage
    finally:
        close_storage(storage)


@contextmanager
def lock_profile(
    profile: Profile, purpose: str, *, wait: float | None = None, stop: Stop | None = None
) -> Iterator[Callable[[], None]]:
    """Have a profile alone, its database included, for the length of a `with` block.

    The block is given what raises where that is no longer so, to be handed on as `Run.lock_check`.

    :param purpose: what for, told to who wants access meanwhile.
    :param wait: seconds to wait for others to leave; None: do not wait.
    :param stop: a request to stop ends the waiting with `Interrupted`.
    :raises ricordi.errors.AccessError: the profile is locked or in use; the message tells by whom.
    """
    access, guard = ProfileAccessManager(profile), storage_class(profile).full_guard
    with access.lock(wait=wait, purpose=purpose, guards=[lambda: guard(profile)], stop=stop) as check:
        yield check


def find_rivals(profile: Profile, config_folder: Path | None = None) -> tuple[str, ...]:
    """The other profiles of the configuration whose repository is the same, and whose database is not, in words."""
    from ricordi.manager.rivals import rivals_of

    return rivals_of(profile, config_folder)


def initialise_storage(profile: Profile, *, wait: float | None = None, adopt: bool = False) -> None:
    """Create the storage that a profile describes: an empty repository, and an empty database tied to it.

    :param adopt: a person says that the database shall have a repository that is there already, whatever it holds.
    :raises ricordi.errors.StorageExists: there is a storage already.
    :raises ricordi.errors.ForeignRepository: the repository holds objects, or is that of another database.
    :raises ricordi.errors.AccessError: the profile is locked or in use.
    """
    kind = storage_class(profile)
    repository = repository_at(kind.repository_location(profile))
    # A repository that is there may be in use by another name: nothing of it is changed, and nobody has to leave.
    whole = not repository.is_initialised
    with ProfileAccessManager(profile).lock(wait=wait, purpose='storage initialise', of_storage=whole):
        repository.given_over = adopt
        if not adopt and (rivals := find_rivals(profile)):
            raise ForeignRepository(f'{rivals[0]} has its objects in the same place; choose another')
        try:
            kind.initialise(profile, repository)
        finally:
            repository.close()


def migrate_storage(profile: Profile, wait: float | None = None, stop: Stop | None = None) -> None:
    """Bring the database of a profile to the schema this program works on, with the profile locked.

    :param wait: seconds to wait for others to leave; None: do not wait.
    :raises ricordi.errors.AccessError: the profile is locked or in use.
    :raises ricordi.errors.StorageMigrationError: there is no way from its schema.
    """
    with lock_profile(profile, 'storage migrate', wait=wait, stop=stop):
        storage_class(profile).migrate(profile)


def maintain_storage(
    profile: Profile,
    options: MaintenanceOptions,
    wait: float | None = None,
    run: Run | None = None,
) -> MaintenanceReport:
    """Maintain the storage of a profile: with the profile locked if it is to be full, beside other users if not.

    Where the database itself keeps what nodes name, a full one goes on beside other users too.

    :param wait: seconds to wait for others to leave (full) or for a lock to end (live); None: do not wait.
    :raises ricordi.errors.AccessError: the profile is locked or in use.
    :raises ricordi.errors.StorageError: the storage cannot be opened, or has no room for the work.
    """
    run = run or Run()
    if not options.full or options.dry_run or not storage_class(profile).full_alone:
        purpose = 'storage maintain' + (', dry run' if options.dry_run else ', full' if options.full else '')
        with use_storage(profile, purpose=purpose, wait=wait, stop=run.stop) as storage:
            return storage.maintain(options, run=run)
    # The lock first, and only then anything is looked at: what a writer has put and not named yet would be garbage.
    with (
        lock_profile(profile, 'storage maintain, full', wait=wait, stop=run.stop) as check,
        use_storage(profile, shared_access=False) as storage,
    ):
        return storage.maintain(options, run=replace(run, lock_check=check))
