"""Setting up profiles with their storage, and deleting them. A setup that fails leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ricordi.access import ProfileAccessManager
from ricordi.access.place import find_namesakes, place_of
from ricordi.backend.rows import EntityKind, UserRow
from ricordi.config import Config, Profile, get_config_folder, load_config
from ricordi.config.names import check_new_profile_name
from ricordi.errors import (
    ConfigurationError,
    ForeignRepository,
    InvalidOperation,
    ProfileConfigurationError,
    RicordiError,
    StorageExists,
    WrongValue,
)
from ricordi.folders import remove_tree
from ricordi.manager import initialise_storage, lock_profile, storage_class, use_storage
from ricordi.manager.backends import repository_at
from ricordi.model.addresses import check_folder_name
from ricordi.remedies import Remedy
from ricordi.services.backups.history import forget_backups
from ricordi.services.history import forget_maintenance
from ricordi.services.person import Person
from ricordi.services.profiles.leftovers import CHOSEN_NAME, forget_mark, place_of_setup
from ricordi.services.profiles.profiles import find_profile
from ricordi.services.profiles.surroundings import check_place_of_storage
from ricordi.storage.deletion import delete_database, holds_nodes

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.storage.psql.administrator import Administrator


@dataclass(frozen=True, slots=True)
class Created:
    """A new profile.

    :param adopted: whether its storage was there before.
    :param beside: names of the profiles that have the same storage.
    :param added_user: the default user, if there was none of that email in a storage that was there before.
    :param default_before: the default profile that there was.
    """

    profile: Profile
    adopted: bool
    is_default: bool
    beside: tuple[str, ...] = ()
    added_user: str | None = None
    default_before: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What a new profile shall be.

    :param person: its default user; None for a storage that can only be read.
    :param broker: entry point name of the message broker that AiiDA shall use, and what it needs to know.
    :param options: the options of the profile, by name.
    :param adopt: a person says that it shall have objects that are there, though they may be those of another database.
    :param furnish: what else shall be in the storage before there is a profile.
    :param contents: puts all that shall be in the storage, which holds no row then, and tells the email of the default
        user, if there is one; `person` is not asked for. A storage that a setup of this kind has left is gone on with.
    :param finish: called when all but the profile is there.
    """

    name: str
    backend: str
    storage_config: Mapping[str, Any]
    person: Person | None
    set_as_default: bool = True
    broker: tuple[str | None, Mapping[str, Any] | None] = (None, None)
    options: Mapping[str, Any] = field(default_factory=dict)
    adopt: bool = False
    furnish: Callable[[StorageBackend], None] | None = None
    contents: Callable[[StorageBackend], str | None] | None = None
    finish: Callable[[], None] = lambda: None


def create_profile(request: Request) -> Created:
    """Create a storage, its default user, and the profile; all of it is on disk on return, or nothing is there.

    A storage that is there already, at the current schema, is adopted. The profile comes last: what a process that is
    killed leaves is no profile, and the next setup in the same place goes on from there. If anything fails, what this
    process has made goes again, and nothing else; meanwhile no other setup is at work in the same folder.

    :raises ricordi.errors.WrongValue: the name cannot be one.
    :raises ricordi.errors.UsageError: the folder lies in what another storage or a backup keeps.
    :raises ricordi.errors.ProfileConfigurationError: the name is taken.
    :raises ricordi.errors.ForeignRepository: the objects that are there may be those of another database.
    :raises ricordi.errors.StorageError: the storage cannot be created or opened.
    """
    name, person = request.name, request.person
    _check_name(name)
    config = load_config(create=True)
    profile = config.create_profile(name, request.backend, request.storage_config, *request.broker)
    for option, value in request.options.items():
        config.set_option(option, value, scope=name)
    kind, added_user, default_before = storage_class(profile), None, config.default_profile_name
    if person is None and not kind.read_only and request.contents is None:
        raise WrongValue('a storage that can be written to needs a default user: give an email address')
    check_place_of_storage(profile)
    whole = request.contents is not None
    with place_of_setup(kind, profile, whole), _undone_on_failure(config, profile) as undo:
        if person is not None:
            profile.default_user_email = person.email
        adopted = kind.read_only or _initialise_or_adopt(profile, request.adopt, undo, whole)
        with use_storage(profile, purpose='profile setup') as storage:
            if request.contents is not None:
                _check_without_rows(storage)
                profile.default_user_email = request.contents(storage)
            if person is not None and not kind.read_only:
                added_user = _add_user(storage, person)
            if request.furnish is not None and not adopted:
                request.furnish(storage)
        config.set_default_profile(name, overwrite=request.set_as_default)
        request.finish()
        config.store()
    is_default = config.default_profile_name == name
    if not adopted:
        return Created(profile, adopted, is_default, default_before=default_before)
    beside = tuple(find_namesakes(profile, get_config_folder()))
    return Created(profile, adopted, is_default, beside, added_user, default_before)


def _check_name(name: str) -> None:
    try:
        check_new_profile_name(name)
    except ProfileConfigurationError as error:
        raise WrongValue(str(error)) from None


def default_folder(config: Config) -> Path:
    """A new folder for a `core.sqlite_dos` storage inside the configuration folder."""
    return Path(config.dirpath) / 'repository' / f'{CHOSEN_NAME}{uuid4().hex}'


def sqlite_config(folder: str | Path | None) -> dict[str, Any]:
    """The `storage.config` of a `core.sqlite_dos` profile; a new folder in the configuration folder for None.

    :raises ricordi.errors.WrongValue: the folder reads like a place on another machine.
    """
    if folder is not None:
        check_folder_name(str(folder))
    chosen = default_folder(load_config(create=True)) if folder is None else Path(folder).expanduser().absolute()
    return {'filepath': str(chosen)}


def zip_config(archive: str | Path) -> dict[str, Any]:
    """The `storage.config` of a `core.sqlite_zip` profile."""
    return {'filepath': str(Path(archive).expanduser().absolute())}


@dataclass(frozen=True, slots=True)
class Deleted:
    """A profile that is gone.

    :param was_default: whether it was the one used where none is named.
    :param removed: in words, what an administrator removed besides.
    :param remains: in words, what is still there of its storage though its data was deleted.
    :param default: the one that is so now: the last one left, if it was the default; None: there is none.
    :param left: the names of all that are left.
    """

    was_default: bool
    default: str | None
    left: tuple[str, ...]
    removed: tuple[str, ...] = ()
    remains: tuple[str, ...] = ()


def check_data_deletable(
    profile: Profile, together: Collection[str] = (), administrator: Administrator | None = None
) -> None:
    """Refuse a profile whose data `delete_profile` would not delete.

    :param together: the names of profiles that are to be deleted with it.
    :param administrator: who is to remove database and role.
    :raises ricordi.errors.InvalidOperation: its storage is read-only, one of another package, or that of other
        profiles too; or the administrator is one of another server.
    """
    from ricordi.storage.deletion import check_deletable

    check_deletable(storage_class(profile), profile)
    others = [name for name in find_namesakes(profile, get_config_folder()) if name not in together]
    if others:
        raise InvalidOperation(
            f'the data of profile {profile.name!r} is that of {", ".join(map(repr, others))} too, which would lose it: '
            f'delete {"that profile" if len(others) == 1 else "those profiles"} in the same go, or keep the data'
        )
    if administrator is not None and has_server(profile):
        from ricordi.storage.psql.withdrawal import check_administrator

        check_administrator(administrator, profile.storage_config)


def has_server(profile: Profile) -> bool:
    """Whether the database of a profile is on a server."""
    return bool(profile.storage_config.get('database_name'))


def is_storage_of_any(profile: Profile, others: Iterable[Profile]) -> bool:
    """Whether one of these profiles has the same storage."""
    place = place_of(profile)
    return any(place.is_same(place_of(other)) for other in others)


def delete_profile(
    name: str, delete_data: bool, together: Collection[str] = (), administrator: Administrator | None = None
) -> Deleted:
    """Remove a profile from the configuration, and, if asked for, all data of its storage before that.

    Nobody may use it meanwhile: who has it open would go on without the record that keeps others from locking it. With
    its data, nobody may use its storage by any name.

    :param together: the names of profiles that are to be deleted with it, and may have the same storage.
    :param administrator: removes the database and its role too, if a setup has made them.
    :raises ricordi.errors.InvalidOperation: the data cannot be deleted, see `check_data_deletable`.
    :raises ricordi.errors.AccessError: the profile is locked or in use.
    """
    config = load_config()
    profile = find_profile(name, config)
    was_default = config.default_profile_name == name
    with _held(profile, delete_data, together, administrator):
        config.remove_profile(name)
        if was_default and len(config.profile_names) == 1:
            config.set_default_profile(config.profile_names[0])
        config.store()
    remove_tree(Path(config.dirpath) / 'access' / name)
    forget_maintenance(profile)
    forget_backups(profile)
    removed, remains = _clear_away(profile, administrator) if delete_data else ((), ())
    return Deleted(was_default, config.default_profile_name, tuple(config.profile_names), removed, remains)


def what_stays(profile: Profile, administrator: Administrator | None) -> tuple[str, ...]:
    """What is left, empty, on a server when the data of a profile is deleted without the rights of an administrator."""
    if administrator is not None or not has_server(profile):
        return ()
    config = profile.storage_config
    return f'database {config["database_name"]!r}', f'role {config["database_username"]!r}'


def _clear_away(profile: Profile, administrator: Administrator | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Remove what is left of a storage whose data is deleted; returns in words what went and what is still there."""
    location = storage_class(profile).repository_location(profile)
    folder: tuple[str, ...] = () if location.bucket is None else (location.place,)
    if location.path is not None and location.path.parent.exists():
        folder = (f'folder {location.path.parent}',)
    if not has_server(profile):
        return (), folder
    config = profile.storage_config
    if administrator is None:
        return (), (*what_stays(profile, None), *folder)
    from ricordi.storage.psql.withdrawal import withdraw_what_setup_made

    done = withdraw_what_setup_made(administrator, config)
    return done.removed, (*done.kept, *folder)


@contextmanager
def _held(
    profile: Profile, delete_data: bool, together: Collection[str], administrator: Administrator | None
) -> Iterator[None]:
    """Have a profile alone, its data deleted if that is asked for; without, its storage need not be there."""
    if not delete_data:
        with ProfileAccessManager(profile).lock(purpose='profile delete', of_storage=False):
            _keep_for_good(profile)
            yield
        return
    from ricordi.storage.deletion import delete_data as delete

    with lock_profile(profile, 'profile delete'):
        kind = storage_class(profile)
        check_data_deletable(profile, together, administrator)
        delete(kind, profile, repository_at(kind.repository_location(profile)))
        yield


def _keep_for_good(profile: Profile) -> None:
    """See that the storage of a profile that goes is not taken for what a setup has left."""
    with suppress(RicordiError):  # one of a package that is not installed, or that cannot be understood
        forget_mark(storage_class(profile), profile)


def _initialise_or_adopt(profile: Profile, adopt: bool, undo: list[Callable[[], None]], whole: bool) -> bool:
    """Create the storage; True if there was one, which is then left as it is.

    :param whole: if anything fails, all that is in it by then goes too, for it was put by this process.
    """
    kind = storage_class(profile)
    repository = repository_at(kind.repository_location(profile))
    before = repository.owner if repository.is_initialised else None
    had_repository = repository.is_initialised
    had_objects = had_repository and repository.holds_objects
    try:
        initialise_storage(profile, adopt=adopt)
    except StorageExists as error:
        _adopt(profile, adopt, error)
        return True

    def remove() -> None:
        with ExitStack() as stack:
            # Another setup may have taken the storage for its profile: who uses it keeps it, and so does who has used
            # it. Where the lock cannot be recorded, as on the full disk that all this is undone for, only the second.
            with suppress(ConfigurationError, OSError):
                stack.enter_context(lock_profile(profile, 'profile setup'))
            if not whole and (holds_nodes(kind, profile) or (repository.holds_objects and not had_objects)):
                return
            delete_database(kind, profile)
            if had_repository:
                repository.set_owner(before)
            else:
                repository.erase()

    undo.append(remove)
    return False


def _adopt(profile: Profile, adopt: bool, found: StorageExists) -> None:
    """Take a storage that is there for the profile, if its objects are its own.

    :param found: the error that says what is there.
    """
    kind = storage_class(profile)
    repository = repository_at(kind.repository_location(profile))
    if not repository.is_initialised:
        where = kind.repository_location(profile)
        container = 'folder' if where.bucket is None else 'bucket'
        raise StorageExists(
            f'{found}: its objects are not in {where.path or where.place}; name the {container} where they are'
        ) from None
    if not repository.holds_objects:
        repository.complete()
    with use_storage(profile, purpose='profile setup') as storage:
        storage.repository.has_object('0' * 64)  # sees that there is an index
        if storage.unwritable:
            return
        doubt = storage.repository_doubt()
        if doubt and not adopt:
            raise ForeignRepository(
                f'{doubt}: what the one names and the other does not would be lost by full maintenance. Give this '
                'database a copy of the container, or choose another place'
            )
        storage.claim_repository(confirmed=True)


@contextmanager
def _undone_on_failure(config: Config, profile: Profile) -> Iterator[list[Callable[[], None]]]:
    records = Path(config.dirpath) / 'access' / profile.name
    had_records = records.exists()
    default = config.default_profile_name
    undo: list[Callable[[], None]] = []
    try:
        yield undo
    except BaseException:
        if _is_withdrawn(profile, default):
            for action in reversed(undo):
                with suppress(RicordiError, OSError):
                    action()
            if not had_records:
                remove_tree(records)
        raise


def _is_withdrawn(profile: Profile, default: str | None) -> bool:
    """See that the profile is not in the configuration: one that is must keep its storage.

    Storing it may have failed when the file was in its place, as where the folder cannot be synced.

    :param default: the default profile before.
    """
    for _ in range(2):
        try:
            config = load_config()
            if profile.name not in config.profile_names or config.get_profile(profile.name).uuid != profile.uuid:
                return True
            config.remove_profile(profile.name)
            if default in config.profile_names and default is not None:
                config.set_default_profile(default)
            config.store()
        except (RicordiError, OSError):
            continue
    return False


def _check_without_rows(storage: StorageBackend) -> None:
    """See that a storage holds no row: none does without a user."""
    if next(storage.find(UserRow, limit=1), None) is not None:
        raise StorageExists(
            f'there is a storage already where {storage.profile.name!r} was to be: nothing of it was changed',
            remedy=Remedy('adopt storage'),
        )


def _add_user(storage: StorageBackend, person: Person) -> str | None:
    """Add a user unless there is one of this email; returns the email of one who was added."""
    if next(storage.find(UserRow, {'email': person.email}, limit=1), None) is not None:
        return None
    storage.insert_unless_there(EntityKind.USER, asdict(person))
    return person.email
