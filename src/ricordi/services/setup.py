"""Setting up profiles with their storage, and deleting them. A setup that fails leaves nothing behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ricordi.access import ProfileAccessManager
from ricordi.backend.rows import EntityKind
from ricordi.config import Config, Profile, load_config
from ricordi.config.names import check_profile_name
from ricordi.errors import InvalidOperation, ProfileConfigurationError, RicordiError, WrongValue
from ricordi.manager import initialise_storage, lock_profile, storage_class, use_storage
from ricordi.manager.opening import repository_at
from ricordi.services.history import forget_maintenance
from ricordi.services.person import Person
from ricordi.services.profile import find_profile

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.storage.psql_provision import Administrator


@dataclass(frozen=True, slots=True)
class Created:
    """A new profile.

    :param adopted: whether its storage was there before.
    """

    profile: Profile
    adopted: bool
    is_default: bool


def create_profile(
    name: str, backend: str, storage_config: Mapping[str, Any], person: Person | None, set_as_default: bool
) -> Created:
    """Create the storage that `storage_config` describes, its default user, and the profile.

    A storage that is there already, at the current schema, is adopted. If anything fails, what was created goes again.

    :param person: None for a storage that can only be read.
    :raises ricordi.errors.WrongValue: the name cannot be one.
    :raises ricordi.errors.ProfileConfigurationError: the name is taken.
    :raises ricordi.errors.StorageError: the storage cannot be created or opened.
    """
    _check_name(name)
    config = load_config(create=True)
    profile = config.create_profile(name, backend, storage_config)
    kind = storage_class(profile)
    if person is None and not kind.read_only:
        raise WrongValue('a storage that can be written to needs a default user: give an email address')
    with _undone_on_failure(config, profile) as undo:
        adopted = kind.read_only or _initialise_or_adopt(profile, undo)
        with use_storage(profile, purpose='profile setup') as storage:
            if person is not None and not kind.read_only:
                _add_user(storage, person)
        if person is not None:
            profile.default_user_email = person.email
        config.set_default_profile(name, overwrite=set_as_default)
        config.store()
    return Created(profile, adopted, config.default_profile_name == name)


def _check_name(name: str) -> None:
    try:
        check_profile_name(name)
    except ProfileConfigurationError as error:
        raise WrongValue(str(error)) from None


def default_folder(config: Config) -> Path:
    """A new folder for a `core.sqlite_dos` storage inside the configuration folder."""
    return Path(config.dirpath) / 'repository' / f'sqlite_dos_{uuid4().hex}'


def sqlite_config(folder: str | Path | None) -> dict[str, Any]:
    """The `storage.config` of a `core.sqlite_dos` profile; a new folder in the configuration folder for None."""
    chosen = default_folder(load_config(create=True)) if folder is None else Path(folder).expanduser().absolute()
    return {'filepath': str(chosen)}


def zip_config(archive: str | Path) -> dict[str, Any]:
    """The `storage.config` of a `core.sqlite_zip` profile."""
    return {'filepath': str(Path(archive).expanduser().absolute())}


def default_repository_uri(name: str) -> str:
    """The repository of a `core.psql_dos` profile where none is named: a folder in the configuration folder."""
    return (Path(load_config(create=True).dirpath) / 'repository' / name).as_uri()


@contextmanager
def provided_database(administrator: Administrator | None, storage_config: Mapping[str, Any]) -> Iterator[None]:
    """A setup with a role and a database made for it, if there is an administrator; both go again if it fails."""
    if administrator is None:
        yield
        return
    from ricordi.storage.psql_provision import provide_database, withdraw_database

    provision = provide_database(
        administrator,
        storage_config['database_name'],
        storage_config['database_username'],
        storage_config['database_password'],
    )
    try:
        yield
    except BaseException:
        with suppress(RicordiError):
            withdraw_database(administrator, provision)
        raise


@dataclass(frozen=True, slots=True)
class Deleted:
    """A profile that is gone.

    :param was_default: whether it was the one used where none is named.
    :param default: the one that is so now: the last one left, if it was the default; None: there is none.
    :param left: the names of all that are left.
    """

    was_default: bool
    default: str | None
    left: tuple[str, ...]


def check_data_deletable(profile: Profile) -> None:
    """Refuse a profile whose data `delete_profile` would not delete.

    :raises ricordi.errors.InvalidOperation: its storage is read-only, or one of another package.
    """
    from ricordi.storage.deletion import check_deletable

    check_deletable(storage_class(profile), profile)


def delete_profile(name: str, delete_data: bool) -> Deleted:
    """Remove a profile from the configuration, and, if asked for, all data of its storage before that.

    Nobody may use it meanwhile: who has it open would go on without the record that keeps others from locking it.

    :raises ricordi.errors.AccessError: the profile is locked or in use.
    """
    config = load_config()
    profile = find_profile(name, config)
    was_default = config.default_profile_name == name
    with _held(profile, delete_data):
        config.remove_profile(name)
        if was_default and len(config.profile_names) == 1:
            config.set_default_profile(config.profile_names[0])
        config.store()
    shutil.rmtree(Path(config.dirpath) / 'access' / name, ignore_errors=True)
    forget_maintenance(profile)
    return Deleted(was_default, config.default_profile_name, tuple(config.profile_names))


@contextmanager
def _held(profile: Profile, delete_data: bool) -> Iterator[None]:
    """Have a profile alone, its data deleted if that is asked for; without, its storage need not be there."""
    if not delete_data:
        with ProfileAccessManager(profile).lock(purpose='profile delete'):
            yield
        return
    from ricordi.storage.deletion import delete_data as delete

    with lock_profile(profile, 'profile delete') as kind:
        delete(kind, profile, repository_at(kind.repository_location(profile)))
        yield


def _initialise_or_adopt(profile: Profile, undo: list[Callable[[], None]]) -> bool:
    """Create the storage; True if there was one, which is then left as it is."""
    try:
        initialise_storage(profile)
    except InvalidOperation:
        try:
            with use_storage(profile, purpose='profile setup'):
                return True
        except RicordiError as error:
            raise error from None
    from ricordi.storage.deletion import delete_data

    kind = storage_class(profile)
    undo.append(lambda: delete_data(kind, profile, repository_at(kind.repository_location(profile))))
    return False


@contextmanager
def _undone_on_failure(config: Config, profile: Profile) -> Iterator[list[Callable[[], None]]]:
    records = Path(config.dirpath) / 'access' / profile.name
    had_records = records.exists()
    undo: list[Callable[[], None]] = []
    try:
        yield undo
    except BaseException:
        for action in reversed(undo):
            with suppress(RicordiError, OSError):
                action()
        if not had_records:
            shutil.rmtree(records, ignore_errors=True)
        raise


def _add_user(storage: StorageBackend, person: Person) -> None:
    if next(storage.find(EntityKind.USER, {'email': person.email}, limit=1), None) is None:
        storage.insert_unless_there(EntityKind.USER, asdict(person))
