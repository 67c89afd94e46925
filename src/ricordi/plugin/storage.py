"""The storages that AiiDA loads by their entry points, `ricordi.sqlite_dos` and others."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from aiida.common import exceptions
from aiida.orm.implementation import StorageBackend

from ricordi import errors
from ricordi.backend.rows import ROW_TYPES, EntityKind
from ricordi.config.object_store import bucket_in_words
from ricordi.manager import storage_class
from ricordi.manager.backends import repository_at
from ricordi.manager.opening import close_storage, open_storage
from ricordi.plugin.entities import CLASSES
from ricordi.plugin.entities.authinfos import RicordiAuthInfos
from ricordi.plugin.entities.comments import RicordiComments
from ricordi.plugin.entities.computers import RicordiComputers
from ricordi.plugin.entities.groups import RicordiGroups
from ricordi.plugin.entities.logs import RicordiLogs
from ricordi.plugin.entities.nodes import RicordiNodes
from ricordi.plugin.entities.users import RicordiUsers
from ricordi.plugin.errors import as_aiida, translated
from ricordi.plugin.locking import alone
from ricordi.plugin.models import BucketSetup, PsqlSetup, SqliteSetup
from ricordi.plugin.profiles import as_ricordi, config_folder
from ricordi.plugin.session import ThreadSession
from ricordi.storage.deletion import delete_data

if TYPE_CHECKING:
    from aiida.orm.implementation import BackendQueryBuilder

    from ricordi.plugin.repository import RicordiRepository

_SHARED = (EntityKind.USER, EntityKind.COMPUTER)
"""Few, and referred to by many: one object stands for each."""


class RicordiStorage(StorageBackend):
    """A storage of ours, as AiiDA asks for it.

    `ricordi` is that storage. It is opened with shared access of ours beside that of AiiDA, so that the lock of it is
    met by whatever name it is reached.
    """

    Model: ClassVar[type]
    CliModel: ClassVar[type]
    undeniable: ClassVar[frozenset[str]]
    """Operators of queries that AiiDA can neither assert nor deny of a key of JSON that is missing."""

    # -- without opening ------------------------------------------------------------------------------------

    @classmethod
    def version_head(cls) -> str:
        """The schema that this program works on."""
        from ricordi.storage.schema import HEAD

        return HEAD

    @classmethod
    def version_profile(cls, profile: Any) -> str | None:
        """The schema of the database; None where there is no storage yet."""
        ours = as_ricordi(profile)
        with translated():
            try:
                return storage_class(ours).version_profile(ours)
            except errors.NoStorage:
                return None

    @classmethod
    def initialise(cls, profile: Any, reset: bool = False) -> bool:
        """Create the storage; one that is there is brought to the schema of this program.

        :param reset: delete what is there before.
        :returns: whether it was created.
        """
        ours = as_ricordi(profile)
        kind = storage_class(ours)
        if reset:
            cls._delete_data(ours)
        elif cls.version_profile(profile) is not None:
            cls.migrate(profile)
            return False
        cls._check_place(profile)
        with translated():
            kind.initialise(ours, repository_at(kind.repository_location(ours)))
        return True

    @classmethod
    def _check_place(cls, profile: Any) -> None:
        """See that a storage can be created.

        :raises ValueError: it cannot.
        """

    @classmethod
    def _delete_data(cls, ours: Any) -> None:
        kind = storage_class(ours)
        with translated(), alone(ours, 'storage delete'):
            delete_data(kind, ours, repository_at(kind.repository_location(ours)))

    @classmethod
    def migrate(cls, profile: Any) -> None:
        """Bring the database to the schema of this program.

        :raises aiida.common.exceptions.StorageMigrationError: there is no storage, or no way from its schema.
        """
        version = cls.version_profile(profile)
        if version is None:
            raise exceptions.StorageMigrationError('storage is uninitialised, cannot migrate.')
        if version == cls.version_head():  # nobody has to leave for that
            return
        ours = as_ricordi(profile)
        with translated(), alone(ours, 'storage migrate'):
            storage_class(ours).migrate(ours)

    # -- life -----------------------------------------------------------------------------------------------

    def __init__(self, profile: Any) -> None:
        super().__init__(profile)
        ours = as_ricordi(profile)
        with translated():
            self.ricordi = open_storage(ours, purpose='AiiDA', config_folder=config_folder())
        self.ricordi.lenient = True
        self._known: dict[tuple[EntityKind, int], Any] = {}

    def __str__(self) -> str:
        state = 'closed' if self.is_closed else 'open'
        return f'{type(self).__name__}[{self._place}]: {state}'

    @property
    @abstractmethod
    def _place(self) -> str:
        """Where it is, without any secret."""

    def close(self) -> None:
        """Let go of connections and files; nothing happens where it is closed already."""
        if not self.is_closed:
            close_storage(self.ricordi)

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self.ricordi.is_closed

    def _clear(self) -> None:
        super()._clear()
        self._known.clear()
        with translated():
            self.ricordi.clear()

    def delete(self) -> None:
        """Delete the storage with all its data."""
        ours = self.ricordi.profile
        self.close()
        self._delete_data(ours)

    # -- what is in it --------------------------------------------------------------------------------------

    @cached_property
    def authinfos(self) -> RicordiAuthInfos:
        """How users reach computers."""
        return RicordiAuthInfos(self)

    @cached_property
    def comments(self) -> RicordiComments:
        """The comments."""
        return RicordiComments(self)

    @cached_property
    def computers(self) -> RicordiComputers:
        """The computers."""
        return RicordiComputers(self)

    @cached_property
    def groups(self) -> RicordiGroups:
        """The groups."""
        return RicordiGroups(self)

    @cached_property
    def logs(self) -> RicordiLogs:
        """The log records."""
        return RicordiLogs(self)

    @cached_property
    def nodes(self) -> RicordiNodes:
        """The nodes."""
        return RicordiNodes(self)

    @cached_property
    def users(self) -> RicordiUsers:
        """The users."""
        return RicordiUsers(self)

    def query(self) -> BackendQueryBuilder:
        """What answers queries."""
        from ricordi.plugin.query import RicordiQueryBuilder

        return RicordiQueryBuilder(self)

    def row(self, kind: EntityKind, pk: int) -> Any:
        """A row by its pk; None if there is none."""
        with translated():
            return self.ricordi.get(ROW_TYPES[kind], pk)

    def entity(self, kind: EntityKind, pk: int) -> Any:
        """The entity of a row; None if there is none."""
        found = self._known.get((kind, pk))
        if found is None:
            token = self.token()
            row = self.row(kind, pk)
            if row is None:
                return None
            found = CLASSES[kind].from_row(row, self, token)
            if kind in _SHARED:
                self._known[kind, pk] = found
        return found

    def forget(self, kind: EntityKind, pk: int) -> None:
        """Note that a row was deleted."""
        self._known.pop((kind, pk), None)

    # -- freshness ------------------------------------------------------------------------------------------

    def token(self) -> Any:
        """Equal as long as what this thread read is what it would read now; None: it has to read."""
        try:
            return self.ricordi.change_token()
        except errors.RicordiError as error:
            raise as_aiida(error) from error

    def token_after_own_change(self, before: Any) -> Any:
        """The token now, if nothing but this thread has changed anything since; else None.

        :param before: the token before this thread made its change.
        """
        now = self.token()
        return now if now is not None and before is not None and now[:-1] == before[:-1] else None

    # -- changes --------------------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[Self]:
        """All that is changed inside is committed together, or nothing is; nested ones are savepoints."""
        with self.rolling_back(), translated(), self.ricordi.transaction():
            yield self

    @contextmanager
    def rolling_back(self) -> Iterator[None]:
        """Forget entities that may have been rolled back, if a transaction inside ends by an error."""
        try:
            yield
        except BaseException:
            self._known.clear()
            raise

    @property
    def in_transaction(self) -> bool:
        """Whether this thread is inside a transaction."""
        return self.ricordi.in_transaction

    def get_session(self) -> ThreadSession:
        """The session of this thread, as far as AiiDA asks for it past its own interface."""
        return ThreadSession()

    def bulk_insert(self, entity_type: Any, rows: list[dict[str, Any]], allow_defaults: bool = False) -> list[int]:
        """Insert rows, all or none; returns their pks in order.

        :param allow_defaults: whether a row may lack columns.
        :raises aiida.common.exceptions.IntegrityError: a row has other columns than the table.
        """
        from ricordi.plugin import bulk

        return bulk.insert(self.ricordi, EntityKind(entity_type.value), rows, allow_defaults)

    def bulk_update(self, entity_type: Any, rows: list[dict[str, Any]]) -> None:
        """Change rows, all or none; each has its `id`."""
        from ricordi.plugin import bulk

        bulk.update(self.ricordi, EntityKind(entity_type.value), rows)

    def delete_nodes_and_connections(self, pks_to_delete: Iterable[int]) -> None:
        """Delete nodes with their links, memberships, comments and logs, inside a transaction.

        :raises AssertionError: there is none.
        """
        if not self.in_transaction:
            raise AssertionError('Cannot delete nodes and links outside a transaction')
        with translated():
            self.ricordi.delete_nodes_and_connections(list(pks_to_delete))

    def set_global_variable(self, key: str, value: Any, description: str | None = None, overwrite: bool = True) -> None:
        """Set a global variable.

        :raises ValueError: it exists and shall not be overwritten.
        """
        with translated():
            try:
                self.ricordi.set_global_variable(key, value, description, overwrite)
            except errors.InvalidOperation as error:
                raise ValueError(f'The setting {key} already exists') from error

    def get_global_variable(self, key: str) -> Any:
        """The value of a global variable.

        :raises KeyError: there is none.
        """
        with translated():
            try:
                return self.ricordi.get_global_variable(key)
            except errors.NotExistentKeyError as error:
                raise KeyError(f'No setting found with key {key}') from error

    # -- repository and maintenance -------------------------------------------------------------------------

    @cached_property
    def _repository(self) -> RicordiRepository:
        from ricordi.plugin.repository import RicordiRepository

        return RicordiRepository(self.ricordi.repository)

    def get_repository(self) -> RicordiRepository:
        """The objects.

        :raises aiida.common.exceptions.ClosedStorage: the storage was closed.
        """
        if self.is_closed:
            raise exceptions.ClosedStorage(str(self))
        return self._repository

    def get_unreferenced_keyset(self, check_consistency: bool = True) -> set[str]:
        """The keys of objects that no node names.

        :raises RuntimeError: `check_consistency`, and a node names an object that is not there.
        """
        with translated():
            there, named = set(self.ricordi.repository.list_objects()), set(self.ricordi.named_keys())
        if check_consistency and not named <= there:
            raise RuntimeError(
                'There are objects referenced in the database that are not present in the repository. Aborting!'
            )
        return there - named

    def maintain(self, full: bool = False, dry_run: bool = False, **kwargs: Any) -> None:
        """Maintain database and repository, and tell it through AiiDA's logger; beside other users unless `full`.

        :raises aiida.common.exceptions.LockingProfileError: `full`, and others use the profile.
        """
        from ricordi.plugin.maintenance import maintain, options_of, tell

        options = options_of(full, dry_run, kwargs)
        with translated():
            report = maintain(self.ricordi, options)
        tell(report)

    def get_info(self, detailed: bool = False) -> dict[str, Any]:
        """What there is, by kind; how many objects, `detailed`: and how much they take."""
        return {**super().get_info(detailed=detailed), 'repository': self.get_repository().get_info(detailed)}


class RicordiSqliteDos(RicordiStorage):
    """A SQLite database and a container in one folder: on disk what `core.sqlite_dos` is."""

    Model = CliModel = SqliteSetup
    undeniable = frozenset({'contains'})

    @property
    def filepath_root(self) -> Path:
        """The folder."""
        return Path(self.profile.storage_config['filepath'])

    @property
    def filepath_container(self) -> Path:
        """The container in it."""
        return self.filepath_root / 'container'

    @property
    def filepath_database(self) -> Path:
        """The database in it."""
        return self.filepath_root / 'database.sqlite'

    @property
    def _place(self) -> str:
        return str(self.filepath_root)

    @classmethod
    def _check_place(cls, profile: Any) -> None:
        folder = Path(profile.storage_config['filepath'])
        if folder.is_file():
            raise ValueError(f'`{folder}` is a file and cannot be used for instance of `{cls.__name__}`.')
        if folder.is_dir() and any(folder.iterdir()):
            raise ValueError(
                f'`{folder}` already exists but is not empty and cannot be used for instance of `{cls.__name__}`.'
            )

    def _backup(self, dest: str, keep: int | None = None) -> None:
        from aiida.storage.sqlite_dos.backend import SqliteDosStorage

        self._backup_storage = lambda *arguments: SqliteDosStorage._backup_storage(self, *arguments)
        SqliteDosStorage._backup(self, dest, keep)


class RicordiPsqlDos(RicordiStorage):
    """A PostgreSQL database and a container: on disk what `core.psql_dos` is."""

    Model = CliModel = PsqlSetup
    undeniable = frozenset({'contains', 'has_key', 'of_type'})

    @property
    def _place(self) -> str:
        config = self.profile.storage_config
        return f'{config.get("database_name")} on {config.get("database_hostname")}'

    def delete(self, delete_database_user: bool = False) -> None:
        """Delete the storage with all its data, and the database.

        :param delete_database_user: also the user of the database.
        """
        from aiida.manage.external.postgres import Postgres

        super().delete()
        config, server = self.profile.storage_config, Postgres.from_profile(self.profile)
        if server.db_exists(config['database_name']):
            server.drop_db(config['database_name'])
        if delete_database_user and server.dbuser_exists(config['database_username']):
            server.drop_dbuser(config['database_username'])

    def _backup(self, dest: str, keep: int | None = None) -> None:
        from aiida.storage.psql_dos.backend import PsqlDosBackend

        self._backup_storage = lambda *arguments: PsqlDosBackend._backup_storage(self, *arguments)
        PsqlDosBackend._backup(self, dest, keep)


class RicordiPsqlBucket(RicordiPsqlDos):
    """A PostgreSQL database and a bucket of an object store, for any number of hosts."""

    Model = CliModel = BucketSetup

    @property
    def _place(self) -> str:
        return f'{super()._place}, {bucket_in_words(self.profile.storage_config)}'

    def backup(self, dest: str, keep: int | None = None) -> None:
        """Refuse at once: AiiDA's own would look for `rsync` and make folders first."""
        self._backup(dest, keep)

    def _backup(self, dest: str, keep: int | None = None) -> None:
        raise exceptions.StorageBackupError(
            'verdi has no backup of objects in a bucket; Ricordi has one for every profile'
        )
