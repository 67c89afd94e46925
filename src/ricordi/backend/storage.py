"""What a storage must offer. Rows in, rows out; no rule of the provenance graph is decided here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

from ricordi.backend.changes import Changes
from ricordi.backend.maintenance import MaintenanceOptions, MaintenanceReport
from ricordi.backend.repository import RepositoryBackend
from ricordi.backend.rows import ROW_TYPES, EntityKind, RowT, UserRow
from ricordi.backend.verification import DatabaseChecks, Finding
from ricordi.errors import InvalidOperation, NotExistent, UniquenessError
from ricordi.progress import Run

if TYPE_CHECKING:
    from ricordi.backend.attribute_indexes import AttributeIndex
    from ricordi.backend.bucket import BucketLocation
    from ricordi.backend.imports import ImportTarget
    from ricordi.backend.query import Query
    from ricordi.backend.repair import Mending, SetAside
    from ricordi.backend.snapshots import DatabaseSnapshot
    from ricordi.backend.usage import Freed, Usage, UsageQuestion
    from ricordi.config.profile import Profile
    from ricordi.model.attribute_paths import AttributePath


TABLE_ROWS = 10_000
"""Rows of a record batch, unless the caller wants another number."""


class RepositoryLocation(NamedTuple):
    """Which object store a storage wants to be handed, and where it is.

    :param kind: `container` (a folder), `zip` (the archive itself), `sandbox` (a throw-away store), `bucket` (of an
        object store).
    :param path: folder or file; None for what is neither.
    :param bucket: where the bucket is, and how it is reached.
    """

    kind: Literal['container', 'zip', 'sandbox', 'bucket']
    path: Path | None = None
    bucket: BucketLocation | None = None

    @property
    def place(self) -> str:
        """Where it is in words, without any secret."""
        return self.bucket.place if self.bucket is not None else f'{self.kind} {self.path or ""}'.rstrip()

    def is_same(self, other: RepositoryLocation) -> bool:
        """Whether it is the store of objects that another location means, too."""
        if self.path is not None and other.path is not None:
            return self.path.resolve() == other.path.resolve()
        # each index serves one store, wherever in a bucket that is
        return self.bucket is not None and other.bucket is not None and self.bucket.is_same_index(other.bucket)

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What the class of such a store is made with."""
        return tuple(one for one in (self.path, self.bucket) if one is not None)


class KeyUse(NamedTuple):
    """A node and the path in its file tree that names a key."""

    key: str
    pk: int
    uuid: str
    path: str


class DatabaseSession(NamedTuple):
    """A connection to the database server, as the server sees it.

    :param pid: process id of the session on the server's host.
    :param application: what the program calls itself; empty where it does not.
    :param client: address of the host it comes from; empty for a local socket or where it may not be seen.
    :param since: when it connected, aware; None where it may not be seen.
    :param own: whether it belongs to this process.
    """

    pid: int
    user: str
    application: str
    client: str
    since: datetime | None
    own: bool = False

    def __str__(self) -> str:
        text = f'database session {self.pid} of user {self.user}'
        if self.application:
            text += f', program `{self.application}`'
        if self.client:
            text += f', from {self.client}'
        if self.since is not None:
            text += f', since {self.since.astimezone().isoformat(" ", "seconds")}'
        return text


class StorageBackend(ABC):
    """One storage: a database and the repository it was handed. Class methods work on a profile without opening it."""

    read_only: ClassVar[bool] = False

    full_alone: ClassVar[bool] = True
    """Whether full maintenance has to have the storage alone; False where the database itself guards what is named."""

    repair_alone: ClassVar[bool] = True
    """Whether objects can be mended only where nobody else uses the storage."""

    unwritable: str = ''
    """Why nothing may be written through this object, though the storage is none to be read only; else empty."""

    unwritable_cause: Exception | None = None
    """What came of trying, where that is why."""

    config_folder: Path | None = None
    """Where it is recorded who uses the profile; None: in the current configuration folder."""

    rivals: Callable[[], Sequence[str]] = staticmethod(lambda: ())
    """Tells the other profiles that have another database and the same repository, in words; set by who opens it."""

    # -- without opening ----------------------------------------------------------------------------------

    @classmethod
    @abstractmethod
    def repository_location(cls, profile: Profile) -> RepositoryLocation:
        """Which repository to hand to `open` and `initialise`."""

    @classmethod
    @abstractmethod
    def initialise(cls, profile: Profile, repository: RepositoryBackend) -> None:
        """Create an empty database at the head schema, tied to `repository` by its uuid.

        :raises ricordi.errors.InvalidOperation: if there is a storage already.
        """

    @classmethod
    @abstractmethod
    def version_head(cls) -> str:
        """The schema revision this program works on."""

    @classmethod
    @abstractmethod
    def version_profile(cls, profile: Profile) -> str:
        """The schema revision of the profile's database.

        :raises ricordi.errors.UnreachableStorage: if it cannot be reached.
        """

    @classmethod
    def expected_repository(cls, profile: Profile) -> str | None:
        """The identifier of the repository that the profile's database belongs to, found without opening it.

        :returns: None where the database does not tell, or belongs to none.
        :raises ricordi.errors.UnreachableStorage: it cannot be reached.
        """
        return None

    @classmethod
    @abstractmethod
    def migrate(cls, profile: Profile) -> None:
        """Bring the database to the head schema; the caller holds the exclusive lock."""

    @classmethod
    @abstractmethod
    def open(cls, profile: Profile, repository: RepositoryBackend) -> Self:
        """Open the storage and validate it: schema revision, repository uuid.

        :raises ricordi.errors.UnreachableStorage: database or container is not there, or refuses us.
        :raises ricordi.errors.IncompatibleStorageSchema: the schema needs a migration, or is too new.
        :raises ricordi.errors.CorruptStorage: database and container do not belong together.
        """

    @classmethod
    def database_identity(cls, profile: Profile) -> str | None:
        """What tells the profile's database from all others, its copies among them; None where it cannot be told.

        :raises ricordi.errors.UnreachableStorage: it cannot be reached.
        """
        return None

    # -- other users of the database ------------------------------------------------------------------------

    @classmethod
    def sessions(cls, profile: Profile) -> list[DatabaseSession]:
        """Who is connected to the profile's database, as its server tells; empty for a database without a server."""
        return []

    @classmethod
    def full_guard(cls, profile: Profile) -> AbstractContextManager[Callable[[], None] | None]:
        """Keep others out of the database itself, wherever they run; one of the guards of `ProfileAccessManager.lock`.

        What the block is given tells whether it is still so, and raises where it is not. Nothing where the database has
        no server to ask. What this process has open itself does not stand in the way.

        :raises ricordi.errors.LockingProfileError: others are connected; the message names them. It does not wait.
        """
        return nullcontext()

    # -- life -----------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def profile(self) -> Profile:
        """The profile this storage belongs to."""

    @property
    @abstractmethod
    def repository(self) -> RepositoryBackend:
        """The object store."""

    def get_repository(self) -> RepositoryBackend:
        """Another name of `repository`."""
        return self.repository

    @property
    def default_user(self) -> UserRow | None:
        """The row of the user whom the profile names as default; None if it names none, or the storage lacks them."""
        email = self.profile.default_user_email
        return next(self.find(UserRow, {'email': email}, limit=1), None) if email else None

    @property
    @abstractmethod
    def is_closed(self) -> bool:
        """Whether `close` was called."""

    @abstractmethod
    def close(self) -> None:
        """Let go of connections and files; later use raises ClosedStorage."""

    @abstractmethod
    def version(self) -> str:
        """The schema revision of the open database."""

    # -- transactions ---------------------------------------------------------------------------------------

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """All changes inside are committed together at the end, or none is; nested ones are savepoints."""

    def deferred_transaction(self) -> AbstractContextManager[None]:
        """As `transaction`, but it begins with the first change inside: what only reads holds up nobody.

        Inside another transaction, or another of these, it is a part of that one. `in_transaction` tells whether it
        has begun.
        """
        return self.transaction()

    @property
    @abstractmethod
    def in_transaction(self) -> bool:
        """Whether a transaction is open in this thread."""

    def on_rollback(self, undo: Callable[[], None]) -> None:  # noqa: B027 - a storage may leave it out
        """Have `undo` called if the transaction open in this thread is rolled back, also as part of an outer one.

        The frontend takes back with it what it changed in memory. Of several, the last is called first.
        """

    def change_token(self) -> object | None:
        """Equal as long as this thread would read the same, whoever changes the database; None: ask the rows."""
        return None

    @property
    def lenient(self) -> bool:
        """Whether values are taken as AiiDA takes them: a naive time is local, a key of JSON becomes a text, and a text
        may be as long as the database has room for."""
        return False

    @lenient.setter
    def lenient(self, lenient: bool) -> None:
        raise InvalidOperation(f'{type(self).__name__} takes no values but those that it can give back as they are')

    # -- rows -----------------------------------------------------------------------------------------------

    @cached_property
    def changes(self) -> Changes:
        """Which rows `update` and `bulk_update` of this object have changed; a storage notes them there."""
        return Changes()

    @abstractmethod
    def insert(self, kind: EntityKind, rows: Sequence[Mapping[str, Any]]) -> list[int]:
        """Insert rows, given as field name → value; returns their pks in order. All rows have the same fields.

        What is left out takes the default of the row class; uuid and times are made where they are missing. A `pk` may
        only be None: the database gives it. All rows are inserted, or none.

        :raises ricordi.errors.IntegrityError: a constraint is broken (UniquenessError: a unique one).
        :raises ricordi.errors.ValidationError: a value cannot be kept; a text is longer than 255 characters where there
            is a limit: labels, types, names and addresses (254, level of a log record 50). So in every storage.
        """

    def insert_unless_there(self, kind: EntityKind, row: Mapping[str, Any]) -> int | None:
        """Insert a row; None, and no error, where one with the same unique value is there, as another process may have
        put it there just now. The transaction that is open goes on."""
        try:
            with self.transaction():
                return self.insert(kind, [row])[0]
        except UniquenessError:
            return None

    @abstractmethod
    def update(self, kind: EntityKind, pk: int, values: Mapping[str, Any]) -> None:
        """Change fields of one row, as one UPDATE. `mtime` becomes the time of the change, unless it is given.

        :raises ricordi.errors.NotExistent: there is no such row.
        """

    def update_json(
        self,
        kind: EntityKind,
        pk: int,
        field: str,
        values: Mapping[str, Any],
        drop: Sequence[str] = (),
        as_read: tuple[object, Any] | None = None,
    ) -> None:
        """Set some keys of a field that holds a dictionary, and drop others; what another process has done to the rest
        of it stays. `mtime` as in `update`.

        :param as_read: the field as it was read, after the token (`change_token`) of that moment: while that is what it
            was, the field need not be read again.
        :raises ricordi.errors.NotExistent: there is no such row.
        """
        with self.transaction():
            row = self.get(ROW_TYPES[kind], pk, lock=True)
            if row is None:
                raise NotExistent(f'there is no {kind} with pk {pk}')
            kept = {key: value for key, value in getattr(row, field).items() if key not in drop}
            self.update(kind, pk, {field: {**kept, **values}})

    @abstractmethod
    def bulk_update(self, kind: EntityKind, rows: Sequence[Mapping[str, Any]]) -> None:
        """Change many rows; each mapping holds `pk` and the fields to change. `mtime` as in `update`.

        :raises ricordi.errors.NotExistent: one of the rows does not exist; then none is changed.
        """

    @abstractmethod
    def delete(self, kind: EntityKind, pks: Iterable[int] | None) -> int:
        """Delete rows of one kind and what the schema's cascades remove with them; returns how many rows of `kind`.

        For None all rows are deleted.

        Memberships go with their group. Links and memberships of nodes do not: see `delete_nodes_and_connections`.

        :raises ricordi.errors.IntegrityError: other rows still name one of them.
        """

    @abstractmethod
    def get(self, row_type: type[RowT], pk: int, lock: bool = False) -> RowT | None:
        """One row by primary key: `get(NodeRow, 17)`; None if there is none.

        :param row_type: the class of the row, which tells its kind: `row_type.kind`.
        :param lock: inside a transaction: nobody else changes the row until it ends.
        """

    def get_fields(self, row_type: type[RowT], pk: int, fields: Sequence[str]) -> tuple[Any, ...] | None:
        """Some fields of one row, without the cost of the others; None if there is no such row."""
        row = self.get(row_type, pk)
        return None if row is None else tuple(getattr(row, field) for field in fields)

    @abstractmethod
    def find(
        self,
        row_type: type[RowT],
        equal: Mapping[str, Any] | None = None,
        order_by: Sequence[str] = ('pk',),
        limit: int | None = None,
    ) -> Iterator[RowT]:
        """Rows whose plain fields equal the given values: a sequence, of any length, means any of them; None, no value.

        The storage can be used and changed between rows. A field in `order_by` with a minus before it sorts downwards.
        """

    @abstractmethod
    def find_uuid_prefix(self, row_type: type[RowT], prefix: str, limit: int = 2) -> list[RowT]:
        """Rows whose uuid starts with `prefix` (with or without hyphens), at most `limit`."""

    # -- queries --------------------------------------------------------------------------------------------

    @abstractmethod
    def query_rows(self, query: Query, batch_size: int | None = None) -> Iterator[tuple[Any, ...]]:
        """Answer a query, streamed in constant memory; a whole entity comes as its row class.

        The storage can be used, and changed, while the rows are read: they are those of the moment the query began.

        :param batch_size: how many rows to fetch at a time; None for what is good.
        """

    def query_tables(
        self, query: Query, names: Sequence[str], batch_size: int = TABLE_ROWS, struct: bool = False
    ) -> Iterator[Any]:
        """Answer a query with record batches of Arrow, streamed in constant memory, at least one: no Python object for
        each value. The values are those of `query_rows`; a whole entity is a struct of its fields.

        :param names: what each projection is called.
        :param batch_size: rows of a batch, at most.
        :param struct: whether nested JSON shall be structs and lists where its values have one type, instead of text.
        :raises ricordi.errors.InvalidOperation: pyarrow is not installed; the storage gives no tables.
        """
        raise InvalidOperation(f'{type(self).__name__} gives rows, not tables')

    @abstractmethod
    def count_rows(self, query: Query) -> int:
        """How many rows `query_rows` would give."""

    def nodes_by_day(self, user_pk: int | None = None) -> dict[str, int]:
        """How many nodes were created on each day of the local calendar, `YYYY-MM-DD`, on which there were any.

        :param user_pk: count those of this user.
        :raises ricordi.errors.InvalidOperation: this storage cannot tell.
        """
        raise InvalidOperation(f'{type(self).__name__} does not count nodes by day')

    @abstractmethod
    def query_sql(self, query: Query, inline: bool = False) -> str:
        """The SQL of a query, to be read by a person.

        :param inline: with the values in place of the parameters: a statement that can be run as it is.
        """

    @abstractmethod
    def explain_query(self, query: Query, execute: bool = False, verbose: bool = False) -> str:
        """The plan of the database for a query, one step a line.

        :param execute: run it and tell times, where the database can (PostgreSQL).
        """

    # -- SQL of the user's own ------------------------------------------------------------------------------

    def engine(self, writable: bool = False) -> Any:
        """An engine of SQLAlchemy over the database, for SQL of one's own and for pandas: docs/own-sql.md.

        :param writable: with what it changes, no rule of the provenance graph is asked; else nothing can be changed.
        :raises ricordi.errors.InvalidOperation: this storage is not over a SQL database.
        :raises ricordi.errors.ReadOnlyStorage: `writable`, of a storage that can only be read.
        """
        raise InvalidOperation(f'{type(self).__name__} is not over a SQL database: ask it by a QueryBuilder')

    def table(self, kind: EntityKind | str) -> Any:
        """The SQLAlchemy table that holds the rows of one kind: `node`, `link`, `group` …

        :raises ricordi.errors.InvalidOperation: this storage is not over a SQL database.
        :raises ricordi.errors.UsageError: there are no rows of such a kind.
        """
        raise InvalidOperation(f'{type(self).__name__} is not over a SQL database: it has no tables')

    # -- graph ----------------------------------------------------------------------------------------------

    @abstractmethod
    def add_nodes_to_group(self, group_pk: int, node_pks: Iterable[int]) -> int:
        """Make nodes members; those that are already stay. Returns how many were added."""

    @abstractmethod
    def remove_nodes_from_group(self, group_pk: int, node_pks: Iterable[int] | None) -> int:
        """End membership of the given nodes, or of all for None. Returns how many were removed."""

    @abstractmethod
    def has_path(self, source_pk: int, target_pk: int, link_types: Sequence[str]) -> bool:
        """Whether links of these types lead from one node to the other, in any number of steps (none: to itself)."""

    @abstractmethod
    def delete_nodes_and_connections(self, pks: Iterable[int]) -> None:
        """Delete nodes with their links, memberships, comments and logs, in one transaction."""

    # -- archives -------------------------------------------------------------------------------------------

    def import_target(self) -> ImportTarget:
        """How rows of an archive come in: by this contract, unless the storage knows a shorter way."""
        from ricordi.backend.imports import ImportTarget

        return ImportTarget(self)

    # -- snapshots ------------------------------------------------------------------------------------------

    def snapshot(self, scratch: Path | None = None) -> DatabaseSnapshot:
        """All rows of the database at one moment, while others go on writing; to be closed when it was read.

        :param scratch: a folder for the copy of a database that is a file; None for that of temporary files.
        :raises ricordi.errors.InvalidOperation: of this storage there are no snapshots; or a transaction is open.
        :raises ricordi.errors.NotEnoughSpace: the folder has no room for the copy.
        """
        raise InvalidOperation(f'{type(self).__name__} gives no snapshots of its database')

    def fill(
        self, snapshot: DatabaseSnapshot, run: Run | None = None, before_commit: Callable[[], None] = lambda: None
    ) -> None:
        """Put all rows of a snapshot into this storage, which must be new, in one transaction.

        Its settings come along, but that the database stays tied to its own repository.

        :param before_commit: called when all rows are there and nobody sees them yet; what it raises undoes them.
        :raises ricordi.errors.InvalidOperation: it cannot be filled so; a transaction is open; there are rows already.
        :raises ricordi.errors.IncompatibleStorageSchema: the snapshot has another schema.
        :raises ricordi.errors.CorruptStorage: the snapshot does not hold what it should.
        :raises ricordi.errors.ValidationError: the database has no place for a value of it; the message names it.
        :raises ricordi.errors.Interrupted: the run was asked to end.
        """
        raise InvalidOperation(f'{type(self).__name__} cannot be filled from a snapshot')

    # -- indexes of attributes and extras -------------------------------------------------------------------------

    def attribute_indexes(self) -> list[AttributeIndex]:
        """The indexes of single attributes and extras of nodes, by path."""
        return []

    def add_attribute_index(self, path: AttributePath) -> None:
        """Make an index of what lies at a path, by which filters find nodes; beside all who read meanwhile.

        One that was cut short while it was made is made anew.

        :raises ricordi.errors.InvalidOperation: there is one; a transaction is open; this storage can have none.
        """
        raise InvalidOperation(f'{type(self).__name__} has no indexes of attributes')

    def drop_attribute_index(self, path: AttributePath) -> None:
        """Remove the index of a path: filters give the same answers without it.

        :raises ricordi.errors.NotExistent: there is none.
        """
        raise InvalidOperation(f'{type(self).__name__} has no indexes of attributes')

    def clear(self) -> None:
        """Remove all rows but the settings, and all objects; for storages that tests use. The caller has it alone.

        :raises ricordi.errors.InvalidOperation: this storage cannot be emptied; or a transaction is open.
        """
        raise InvalidOperation(f'{type(self).__name__} cannot be emptied')

    # -- settings -------------------------------------------------------------------------------------------

    @abstractmethod
    def get_global_variable(self, key: str) -> Any:
        """The JSON value of a global setting.

        :raises ricordi.errors.NotExistentKeyError: there is none of this name.
        """

    @abstractmethod
    def set_global_variable(self, key: str, value: Any, description: str | None = None, overwrite: bool = True) -> None:
        """Set a global setting.

        :raises ricordi.errors.InvalidOperation: it exists and `overwrite` is False.
        """

    # -- whose repository it is -------------------------------------------------------------------------------

    def repository_doubt(self) -> str:
        """Why it is not certain that no other database names objects of the repository; empty where it is."""
        return ''

    def claim_repository(self, confirmed: bool = True) -> None:  # noqa: B027 - for a repository that is nobody else's
        """Record that the repository is that of this database, whosever it was.

        :param confirmed: False: full maintenance shall ask once more before it removes objects.
        """

    # -- verification ---------------------------------------------------------------------------------------

    def database_checks(self, thorough: bool = False, check_stop: Callable[[], None] = lambda: None) -> DatabaseChecks:
        """The checks of the database against its own rules, by a connection of their own: to be closed.

        They read only, beside other users, in constant memory. Arguments as of `verify_database`.
        """
        return DatabaseChecks()

    def verify_database(
        self, thorough: bool = False, check_stop: Callable[[], None] = lambda: None
    ) -> Iterator[Finding]:
        """Check the database against its own rules: all `database_checks`, one after the other.

        :param thorough: also what takes long: all indexes against their tables.
        :param check_stop: asked often; raises `Interrupted` where the work shall end.
        :returns: what is not as it should be, as it is found.
        """
        with closing(self.database_checks(thorough, check_stop)) as checks:
            yield from checks.all()

    def repair_database(
        self, faults: Iterable[Finding], with_loss: bool = False, dry_run: bool = False
    ) -> Iterator[Mending | SetAside]:
        """Mend what `verify_database` has found. Unless `dry_run`, the caller holds the exclusive lock of the profile.

        :param with_loss: also take away rows that name what is not there; they are kept by the repository before.
        :returns: what was done about each fault.
        """
        yield from ()

    # -- repository and maintenance -------------------------------------------------------------------------

    @abstractmethod
    def named_keys(self) -> Iterator[str]:
        """All keys that nodes name: distinct, ascending, streamed; computed in the database."""

    @abstractmethod
    def uses_of_keys(self, keys: Iterable[str]) -> Iterator[KeyUse]:
        """Which nodes name these keys, and under which path."""

    def usage(self, question: UsageQuestion, run: Run | None = None) -> Usage:
        """What takes the space: sums over the objects that nodes name, in constant memory.

        :raises ricordi.errors.InvalidOperation: this storage cannot tell.
        """
        raise InvalidOperation(f'{type(self).__name__} cannot tell what takes the space')

    def usages(self, questions: Sequence[UsageQuestion], run: Run | None = None) -> tuple[Usage, ...]:
        """The answers to several questions, which choose the same, in less time than one by one."""
        return tuple(self.usage(question, run=run) for question in questions)

    def freed_by(self, pks: Sequence[int]) -> Freed | None:
        """What would be given back if these nodes were deleted and full maintenance ran; None: it cannot be told."""
        return None

    @abstractmethod
    def maintain(
        self,
        full: bool | MaintenanceOptions = False,
        dry_run: bool = False,
        *,
        run: Run | None = None,
        **asked: Any,
    ) -> MaintenanceReport:
        """Plan and, unless it is to be a dry run, carry out. What is asked for is said in one of two forms.

        `maintain(full=True, repack='all')`, as AiiDA has it, takes the lock of the profile itself where the process
        does not hold it; with `MaintenanceOptions` the caller of a full maintenance holds the lock.

        :param full: with the profile locked, also remove garbage, repack and vacuum; or all that is asked for.
        :param dry_run: plan only, write nothing.
        :param run: progress, a request to stop, and the check of a lock that the caller holds on the database as well.
        :param asked: other fields of `MaintenanceOptions`: `repack`, `max_waste`, `compress`.
        :raises ricordi.errors.AccessError: the profile is in use, so that it cannot be locked.
        :raises ricordi.errors.NotEnoughSpace: the disk has room for no step at all.
        :raises TypeError: something of `asked` is unknown.
        """

    @abstractmethod
    def get_info(self, detailed: bool = False) -> dict[str, Any]:
        """Counts of entities, sizes of database and repository in bytes; `detailed`: what else costs time to find."""
