"""What all SQL storages have in common: the storage contract over a dialect, its sessions and the repository."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ricordi.backend.maintenance import MaintenanceOptions, MaintenanceReport, maintenance_options
from ricordi.backend.rows import EntityKind, RowT
from ricordi.backend.storage import TABLE_ROWS, KeyUse, StorageBackend
from ricordi.errors import (
    InvalidOperation,
    NotExistent,
    ReadOnlyStorage,
    UnreachableStorage,
    UnwritableStorage,
    ValidationError,
)
from ricordi.progress import Run
from ricordi.remedies import Remedy
from ricordi.storage import graph, object_keys, ownership, schema, settings
from ricordi.storage.info import get_info
from ricordi.storage.maintenance import maintain
from ricordi.storage.rows import Rows
from ricordi.storage.session import Session, Sessions

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine, Table

    from ricordi.backend.attribute_indexes import AttributeIndex
    from ricordi.backend.imports import ImportTarget
    from ricordi.backend.query import Query
    from ricordi.backend.repair import Mending, SetAside
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.backend.snapshots import DatabaseSnapshot
    from ricordi.backend.usage import Freed, Usage, UsageQuestion
    from ricordi.backend.verification import DatabaseChecks, Finding
    from ricordi.config.profile import Profile
    from ricordi.model.attribute_paths import AttributePath
    from ricordi.storage.dialect import Dialect
    from ricordi.storage.engine import Engines


T = TypeVar('T')


class SqlStorage(StorageBackend):
    """A storage over a SQL database. A backend says where its database and repository are, and with which dialect.

    Each thread has a connection of its own; a transaction belongs to its thread. What runs SQL of its own, such as the
    query compiler, uses `session` and `stream`. (`ricordi.storage.query.execution` has a function for each of the four
    methods about queries, called with its session first.)
    """

    def __init__(self, profile: Profile, dialect: Dialect, repository: RepositoryBackend) -> None:
        self._profile = profile
        self._repository = repository
        self._rows = Rows(dialect)
        self._lenient = False
        self._sessions = Sessions(dialect, f'the storage of profile {profile.name!r}')
        self._engines: Engines | None = None

    @classmethod
    @abstractmethod
    def dialect_of(cls, profile: Profile) -> Dialect:
        """How to speak with the profile's database; connects to nothing yet."""

    # -- without opening ----------------------------------------------------------------------------------

    @classmethod
    def version_head(cls) -> str:
        return schema.HEAD

    @classmethod
    def version_profile(cls, profile: Profile) -> str:
        with _passing_session(cls.dialect_of(profile)) as session:
            return schema.read_version(session)

    @classmethod
    def expected_repository(cls, profile: Profile) -> str | None:
        with _passing_session(cls.dialect_of(profile)) as session:
            return schema.expected_repository(session)

    @classmethod
    def migrate(cls, profile: Profile) -> None:
        with _passing_session(cls.dialect_of(profile)) as session:
            schema.migrate(session)

    @classmethod
    def open(cls, profile: Profile, repository: RepositoryBackend) -> Self:
        storage = cls(profile, cls.dialect_of(profile), repository)
        try:
            storage._validate()
        except BaseException:
            storage.close()
            raise
        return storage

    def _validate(self) -> None:
        session = self.session
        schema.check_version(schema.read_version(session), session.dialect.place, self._profile.name)
        if not self._repository.is_initialised:
            raise self._no_repository()
        schema.check_repository(session, self._repository.uuid)
        try:
            self.dialect.check_writable(session.raw)
        except ReadOnlyStorage as error:
            self.unwritable = str(error)

    def _no_repository(self) -> UnreachableStorage:
        location = self.repository_location(self._profile)
        if location.path is None:
            told = f'there is no repository in the {location.place}: check the profile'
            return UnreachableStorage(told, remedy=Remedy('repair storage'))
        return UnreachableStorage(
            f'there is no repository at {location.path}: check the path in the profile, or whether the disk is mounted'
        )

    # -- life -----------------------------------------------------------------------------------------------

    @property
    def profile(self) -> Profile:
        return self._profile

    @property
    def repository(self) -> RepositoryBackend:
        return self._repository

    @property
    def is_closed(self) -> bool:
        return self._sessions.closed

    def close(self) -> None:
        self._sessions.close()
        if self._engines is not None:
            self._engines.close()
        self._sessions.dialect.close()

    def version(self) -> str:
        return schema.read_version(self.session)

    @property
    def lenient(self) -> bool:
        return self._lenient

    @lenient.setter
    def lenient(self, lenient: bool) -> None:
        self._lenient = lenient
        self._rows = Rows(self.dialect, self.dialect.limits_texts or not lenient)

    # -- SQL --------------------------------------------------------------------------------------------------

    @property
    def dialect(self) -> Dialect:
        """How to speak with the database."""
        return self._sessions.dialect

    @property
    def session(self) -> Session:
        """The connection of this thread, with its transaction."""
        return self._sessions.get()

    @property
    def _writable_session(self) -> Session:
        self._refuse_if_unwritable()
        session = self.session
        if session.deferred is not None:
            session.begin_deferred()
        return session

    def _refuse_if_unwritable(self) -> None:
        if self.unwritable:
            raise UnwritableStorage(f'nothing can be written: {self.unwritable}') from self.unwritable_cause

    def stream(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Rows of a SELECT as the driver hands them out, in constant memory, while the storage is used and changed."""
        session = self.session
        return self.dialect.stream(session, sql, parameters)

    def engine(self, writable: bool = False) -> Engine:
        self._sessions.check_open()
        if writable:
            self._refuse_if_unwritable()
        if self._engines is None:
            from ricordi.storage.engine import Engines

            self._engines = Engines(self.dialect, self._sessions.check_open)
        return self._engines.get(writable)

    def table(self, kind: EntityKind | str) -> Table:
        from ricordi.storage.tables import table_of

        return table_of(kind)

    def transaction(self) -> AbstractContextManager[None]:
        return self._writable_session.transaction()

    def deferred_transaction(self) -> AbstractContextManager[None]:
        return self.session.deferred_transaction()

    @property
    def in_transaction(self) -> bool:
        return self._sessions.in_transaction

    def on_rollback(self, undo: Callable[[], None]) -> None:
        if self.in_transaction:
            self.session.undo.append(undo)

    def change_token(self) -> object | None:
        session = self.session
        return session.dialect.change_token(session)

    # -- rows -----------------------------------------------------------------------------------------------

    def insert(self, kind: EntityKind, rows: Sequence[Mapping[str, Any]]) -> list[int]:
        return self._taken(kind, rows, lambda chosen: self._rows.insert(self._writable_session, kind, chosen))

    def update(self, kind: EntityKind, pk: int, values: Mapping[str, Any]) -> None:
        self._taken(kind, [values], lambda chosen: self._rows.update(self._writable_session, kind, pk, chosen[0]))
        self._note_changes(kind, (pk,))

    def update_json(
        self,
        kind: EntityKind,
        pk: int,
        field: str,
        values: Mapping[str, Any],
        drop: Sequence[str] = (),
        as_read: tuple[object, Any] | None = None,
    ) -> None:
        session = self._writable_session
        self._taken(
            kind,
            [{field: values}],
            lambda chosen: self._rows.update_json(session, kind, pk, field, chosen[0][field], drop, as_read),
        )
        self._note_changes(kind, (pk,))

    def bulk_update(self, kind: EntityKind, rows: Sequence[Mapping[str, Any]]) -> None:
        self._taken(kind, rows, lambda chosen: self._rows.bulk_update(self._writable_session, kind, chosen))
        self._note_changes(kind, [row['pk'] for row in rows])

    def _note_changes(self, kind: EntityKind, pks: Sequence[int]) -> None:
        """After the statement, not before it: who reads anew because of the note must find the change."""
        self.changes.note(kind, pks, self.in_transaction)
        if self.in_transaction:
            self.session.ended = self.changes.settle

    def _taken(
        self, kind: EntityKind, rows: Sequence[Mapping[str, Any]], put: Callable[[Sequence[Mapping[str, Any]]], T]
    ) -> T:
        """What `put` returns; values that it refuses are put as AiiDA would, where they shall be taken so."""
        if not self._lenient:
            return put(rows)
        try:
            return put(rows)
        except ValidationError:
            from ricordi.storage.values import loosened

            return put([loosened(kind, row) for row in rows])

    def clear(self) -> None:
        self._refuse_in_transaction()
        self._refuse_if_unwritable()
        graph.delete_rows(self.session)
        self._repository.erase()
        self._repository.initialise()
        self._repository.guard_nodes()
        settings.set_global_variable(self.session, schema.REPOSITORY_UUID, self._repository.uuid, None, True)
        self.claim_repository()
        self.changes.forget()

    def delete(self, kind: EntityKind, pks: Iterable[int] | None) -> int:
        return self._rows.delete(self._writable_session, kind, pks)

    def get(self, row_type: type[RowT], pk: int, lock: bool = False) -> RowT | None:
        return self._rows.get(self.session, row_type, pk, lock)

    def get_fields(self, row_type: type[RowT], pk: int, fields: Sequence[str]) -> tuple[Any, ...] | None:
        return self._rows.get_fields(self.session, row_type, pk, fields)

    def find(
        self,
        row_type: type[RowT],
        equal: Mapping[str, Any] | None = None,
        order_by: Sequence[str] = ('pk',),
        limit: int | None = None,
    ) -> Iterator[RowT]:
        return self._rows.find(self.session, row_type, equal, order_by, limit)

    def find_uuid_prefix(self, row_type: type[RowT], prefix: str, limit: int = 2) -> list[RowT]:
        return self._rows.find_uuid_prefix(self.session, row_type, prefix, limit)

    # -- queries --------------------------------------------------------------------------------------------

    def query_rows(self, query: Query, batch_size: int | None = None) -> Iterator[tuple[Any, ...]]:
        from ricordi.storage.query import execution as query_execution

        return query_execution.query_rows(self.session, query, batch_size)

    def query_tables(
        self, query: Query, names: Sequence[str], batch_size: int = TABLE_ROWS, struct: bool = False
    ) -> Iterator[Any]:
        from ricordi.storage.query import execution as query_execution

        return query_execution.query_tables(self.session, query, names, batch_size, struct)

    def count_rows(self, query: Query) -> int:
        from ricordi.storage.query import execution as query_execution

        return query_execution.count_rows(self.session, query)

    def nodes_by_day(self, user_pk: int | None = None) -> dict[str, int]:
        return graph.nodes_by_day(self.session, user_pk)

    def query_sql(self, query: Query, inline: bool = False) -> str:
        from ricordi.storage.query import execution as query_execution

        return query_execution.query_sql(self.session, query, inline)

    def explain_query(self, query: Query, execute: bool = False, verbose: bool = False) -> str:
        from ricordi.storage.query import execution as query_execution

        return query_execution.explain_query(self.session, query, execute, verbose)

    # -- graph ----------------------------------------------------------------------------------------------

    def add_nodes_to_group(self, group_pk: int, node_pks: Iterable[int]) -> int:
        return graph.add_nodes_to_group(self._writable_session, group_pk, node_pks)

    def remove_nodes_from_group(self, group_pk: int, node_pks: Iterable[int] | None) -> int:
        return graph.remove_nodes_from_group(self._writable_session, self._rows, group_pk, node_pks)

    def has_path(self, source_pk: int, target_pk: int, link_types: Sequence[str]) -> bool:
        return graph.has_path(self.session, source_pk, target_pk, link_types)

    def delete_nodes_and_connections(self, pks: Iterable[int]) -> None:
        graph.delete_nodes_and_connections(self._writable_session, self._rows, pks)

    # -- archives -------------------------------------------------------------------------------------------

    def import_target(self) -> ImportTarget:
        from ricordi.storage.archive.target import SqlTarget

        return SqlTarget(self)

    # -- indexes of attributes and extras -------------------------------------------------------------------------

    def attribute_indexes(self) -> list[AttributeIndex]:
        return self.dialect.list_attribute_indexes(self.session)

    def add_attribute_index(self, path: AttributePath) -> None:
        session = self._session_for_indexes()
        if any(index.path == path and index.is_whole for index in self.attribute_indexes()):
            raise InvalidOperation(f'there is an index of {path} already')
        self.dialect.add_attribute_index(session, path)

    def drop_attribute_index(self, path: AttributePath) -> None:
        session = self._session_for_indexes()
        if path not in (index.path for index in self.attribute_indexes()):
            raise NotExistent(f'there is no index of {path}', remedy=Remedy('list indexes'))
        self.dialect.drop_attribute_index(session, path)

    def _session_for_indexes(self) -> Session:
        if self.in_transaction:
            raise InvalidOperation('a transaction is open: end it first, an index is made outside of it')
        return self._writable_session

    # -- snapshots ------------------------------------------------------------------------------------------

    def snapshot(self, scratch: Path | None = None) -> DatabaseSnapshot:
        self._refuse_in_transaction()
        return self.dialect.capture(scratch)

    def fill(
        self, snapshot: DatabaseSnapshot, run: Run | None = None, before_commit: Callable[[], None] = lambda: None
    ) -> None:
        self._refuse_in_transaction()
        self._refuse_if_unwritable()
        from ricordi.storage.snapshots.fill import fill

        fill(self.dialect, snapshot, self._repository.uuid, run or Run(), before_commit)

    def _refuse_in_transaction(self) -> None:
        self._sessions.check_open()
        if self.in_transaction:
            raise InvalidOperation(
                'a transaction is open: end it first, a snapshot is taken and put back outside of it'
            )

    # -- settings -------------------------------------------------------------------------------------------

    def get_global_variable(self, key: str) -> Any:
        return settings.get_global_variable(self.session, key)

    def set_global_variable(self, key: str, value: Any, description: str | None = None, overwrite: bool = True) -> None:
        settings.set_global_variable(self._writable_session, key, value, description, overwrite)

    # -- repository and maintenance -------------------------------------------------------------------------

    def named_keys(self) -> Iterator[str]:
        return object_keys.named_keys(self.session)

    def uses_of_keys(self, keys: Iterable[str]) -> Iterator[KeyUse]:
        return object_keys.uses_of_keys(self.session, keys)

    def usage(self, question: UsageQuestion, run: Run | None = None) -> Usage:
        (answer,) = self.usages((question,), run=run)
        return answer

    def usages(self, questions: Sequence[UsageQuestion], run: Run | None = None) -> tuple[Usage, ...]:
        from ricordi.storage.usage.usage import usages

        return usages(self.session, self._rows, self._repository, questions, (run or Run()).progress)

    def freed_by(self, pks: Sequence[int]) -> Freed:
        from ricordi.storage.usage.freed import freed_by

        return freed_by(self.session, self._rows, self._repository, pks)

    def maintain(
        self,
        full: bool | MaintenanceOptions = False,
        dry_run: bool = False,
        *,
        run: Run | None = None,
        **asked: Any,
    ) -> MaintenanceReport:
        options, run = maintenance_options(full, dry_run, asked), run or Run()
        if not options.dry_run:
            self._refuse_if_unwritable()
            self.dialect.check_writable(self.session.raw)
        if not options.full or options.dry_run or not self.full_alone:
            return self._maintain(options, run)
        if isinstance(full, MaintenanceOptions):
            self._refuse_without_lock()
        with self._alone(run) as run:
            try:
                return self._maintain(options, run)
            finally:
                self.dialect.tidy(self.session)

    @contextmanager
    def _alone(self, run: Run) -> Iterator[Run]:
        """Have the profile and its database alone, as far as the caller has not; yields the run with the check of that.

        Its own guard is not asked where the caller has handed on the check of one: a database has one guard at a time.
        """
        from ricordi.access import ProfileAccessManager

        access = ProfileAccessManager(self._profile, self.config_folder)

        def guard() -> AbstractContextManager[Callable[[], None] | None]:
            return nullcontext(run.lock_check) if run.lock_check else self.full_guard(self._profile)

        lock = guard() if access.holds_lock() else access.lock(purpose='storage maintain', guards=[guard])
        with lock as check:
            yield replace(run, lock_check=check)

    def _maintain(self, options: MaintenanceOptions, run: Run) -> MaintenanceReport:
        doubt = self._doubt_in(options)
        if not options.dry_run:
            if options.full and options.adopt:
                self.claim_repository()
            ownership.claim_if_certain(self.session, self._repository, doubt)
        return maintain(self.session, self._repository, options, run, doubt, options.full and self.full_alone)

    def _doubt_in(self, options: MaintenanceOptions) -> str:
        """Why a full maintenance may remove nothing for want of a name; live it removes nothing for that anyway."""
        if options.adopt or (not options.full and (options.dry_run or self._repository.owner is not None)):
            return ''
        return self.repository_doubt()

    def repository_doubt(self) -> str:
        location = self.repository_location(self._profile)
        return ownership.doubt(self.session, self._repository, location, self.rivals())

    def claim_repository(self, confirmed: bool = True) -> None:
        ownership.claim(self.session, self._repository, confirmed)

    @classmethod
    def count_nodes(cls, profile: Profile) -> int:
        """How many nodes the profile's database has, found without opening the storage."""
        with _passing_session(cls.dialect_of(profile)) as session:
            return int(session.execute('SELECT count(*) FROM db_dbnode').fetchone()[0])

    @classmethod
    def database_identity(cls, profile: Profile) -> str | None:
        with _passing_session(cls.dialect_of(profile)) as session:
            return session.dialect.identity_in_server(session)

    def _refuse_without_lock(self) -> None:
        from ricordi.access import ProfileAccessManager

        if not ProfileAccessManager(self._profile, self.config_folder).holds_lock():
            raise InvalidOperation(
                f'full maintenance needs profile {self._profile.name!r} locked: wrap it in '
                'ProfileAccessManager(profile).lock()'
            )

    def database_checks(self, thorough: bool = False, check_stop: Callable[[], None] = lambda: None) -> DatabaseChecks:
        from ricordi.storage.verification.database import SqlChecks

        self._sessions.check_open()
        return SqlChecks(self.dialect, self._repository.uuid, thorough, check_stop)

    def verify_database(
        self, thorough: bool = False, check_stop: Callable[[], None] = lambda: None
    ) -> Iterator[Finding]:
        from ricordi.storage.verification.database import verify

        self._sessions.check_open()
        return verify(self.dialect, self._repository.uuid, thorough, check_stop)

    def repair_database(
        self, faults: Iterable[Finding], with_loss: bool = False, dry_run: bool = False
    ) -> Iterator[Mending | SetAside]:
        from ricordi.storage.repair.database import repair_database

        session = self.session if dry_run else self._writable_session
        return repair_database(session, faults, with_loss, dry_run, self._repository.keep_aside)

    def get_info(self, detailed: bool = False) -> dict[str, Any]:
        return get_info(self.session, self._repository, detailed)


def _passing_session(dialect: Dialect) -> AbstractContextManager[Session]:
    """A session for one question, closed afterwards."""
    return closing(Session(dialect))
