"""What differs between the databases, as one small class per database. Everything else is written once on top of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar

from ricordi.errors import RicordiError, StorageError

if TYPE_CHECKING:
    from pathlib import Path

    from ricordi.backend.attribute_indexes import AttributeIndex
    from ricordi.backend.maintenance import MaintenanceStep
    from ricordi.backend.snapshots import DatabaseSnapshot
    from ricordi.model.attribute_paths import AttributePath
    from ricordi.model.fields import ValueKind
    from ricordi.progress import Run
    from ricordi.storage.arrow.batch import TableSource
    from ricordi.storage.session import Parameters, Session
    from ricordi.storage.snapshots.blocks import Put
    from ricordi.storage.snapshots.cutting import SnapshotLimits
    from ricordi.storage.verification.reader import DatabaseReader

Encoder = Callable[[Any, str], Any]
Decoder = Callable[[Any], Any]


class Dialect(ABC):
    """How to speak with one kind of database. Connections are the driver's own, in autocommit mode.

    `mark` stands for a parameter in SQL text.
    """

    name: ClassVar[str]
    mark: ClassVar[str]
    limits_texts: ClassVar[bool] = False
    """Whether the database itself refuses a text that is longer than its column was declared."""
    keeps_any_type: ClassVar[bool] = False
    """Whether a column of texts may hold bytes."""
    lock_row: ClassVar[str] = ''
    """What makes a SELECT of a row keep others from changing it; empty where a transaction that writes does anyway."""

    @property
    @abstractmethod
    def driver_errors(self) -> tuple[type[Exception], ...]:
        """What the driver raises when the database or the driver refuses a statement."""

    @property
    @abstractmethod
    def place(self) -> str:
        """The database in words for a message, without any secret."""

    @abstractmethod
    def connect(self) -> Any:
        """A new connection of the driver.

        :raises ricordi.errors.UnreachableStorage: there is no database, or it refuses us.
        """

    def check_access(self, raw: Any) -> None:  # noqa: B027 - a database without a server knows of nobody
        """See that no other process has the database for itself.

        :raises ricordi.errors.LockedProfileError: one has; the message names it.
        """

    def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Let go of connections that the dialect keeps on its own account."""

    def disconnect(self, raw: Any) -> None:
        """Close a connection."""
        raw.close()

    @abstractmethod
    def usable(self, raw: Any) -> bool:
        """Whether a connection that was idle can be used again."""

    @abstractmethod
    def in_transaction(self, raw: Any) -> bool:
        """Whether the connection is inside a transaction."""

    @property
    @abstractmethod
    def begin(self) -> str:
        """The statement that begins a transaction that will write."""

    def take_turn(self, session: Session) -> bool:
        """Whether an import may go on in the transaction that is open, for no other import is in one of its own.

        Where a transaction that writes is alone anyway, it always may.
        """
        return True

    @abstractmethod
    def failure(self, error: Exception, raw: Any | None = None) -> RicordiError:
        """The error of ours that says what an exception of the driver means and what to do.

        :param raw: the connection, where the cause can still be asked for.
        """

    def is_of_a_row(self, error: BaseException | None) -> bool:
        """Whether an exception of the driver tells that a query met a row with a value that it cannot work with.

        Such a query can be asked again, guarded against these rows.
        """
        return False

    # -- which database it is -------------------------------------------------------------------------------

    @abstractmethod
    def identity_in_server(self, session: Session) -> str:
        """What tells this database from all others, its copies among them, for as long as it lives."""

    def is_same_database(self, one: str, other: str) -> bool:
        """Whether two identities are of one database."""
        return one == other

    def is_file(self, path: Path) -> bool:
        """Whether the database is the file at `path`."""
        return False

    def databases_tied_to(self, session: Session, repository_uuid: str | None) -> dict[str, bool]:
        """The other databases of the server that say that a repository is theirs, as far as this user may ask.

        :return: by name; True: it says so; False: it gives no answer, and may.
        """
        return {}

    def change_token(self, session: Session) -> object | None:
        """Equal as long as a session would read the same; None where that cannot be told without reading."""
        return None

    def check_writable(self, raw: Any) -> None:  # noqa: B027 - a database without a server is no standby of another
        """See that the server can be written to.

        :raises ricordi.errors.ReadOnlyStorage: it is a standby, which lags behind the server where writers are at work.
        """

    # -- values ---------------------------------------------------------------------------------------------

    @abstractmethod
    def encoder(self, kind: ValueKind) -> Encoder | None:
        """Turns a Python value (and its name, for errors) into what the driver takes; None: taken as it is."""

    @abstractmethod
    def decoder(self, kind: ValueKind) -> Decoder | None:
        """Turns what the driver hands out into the Python value; None where it is that already."""

    def merged_json(self, column: str) -> str | None:
        """SQL of the dictionary in a column without some keys and then with others, given as parameters in turn: a
        list of those to drop, and those to set as JSON. None where it is read and written instead."""
        return None

    @abstractmethod
    def table_of_values(self, kind: ValueKind) -> str:
        """A subquery with the one column `value`, over any number of values in one parameter (see `pack`)."""

    @abstractmethod
    def pack(self, values: Sequence[Any]) -> Any:
        """The parameter of `table_of_values`: encoded values, all strings or all integers, none of them None."""

    @abstractmethod
    def uuid_range(self, prefix: str) -> tuple[str, str]:
        """First and last uuid (both inclusive) that start with a prefix, given with its hyphens."""

    # -- many rows --------------------------------------------------------------------------------------------

    @abstractmethod
    def insert(self, session: Session, table: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> list[int]:
        """Insert encoded rows inside a transaction; returns their ids in order."""

    @abstractmethod
    def stream(
        self, session: Session, sql: str, parameters: Sequence[Any] | dict[str, Any], forgiving: bool = False
    ) -> Iterator[tuple[Any, ...]]:
        """Rows of a SELECT in constant memory, while the session may be used and rows be changed.

        The rows are those of the moment the SELECT ran. No lock that stops a writer is held between rows.

        :param forgiving: what is no text, in the place of one, comes as a text that says so (`text_or_damaged`); else
            it may be refused, with one of `unclear_errors`, for what comes in an order would be out of it.
        """

    @abstractmethod
    def verification_reader(self, check_stop: Callable[[], None]) -> DatabaseReader:
        """A connection of its own that a verification looks at the database by; the caller closes it.

        :param check_stop: asked now and then, raises when the work should end.
        """

    @abstractmethod
    def table_source(
        self, session: Session, sql: str, parameters: Parameters, plain: Sequence[bool], size: int
    ) -> TableSource:
        """The rows of a SELECT for tables, `size` at a time.

        :param plain: for each column, whether its values are wanted as text.
        """

    @abstractmethod
    def batches(
        self, session: Session, sql: str, parameters: Sequence[Any] | dict[str, Any], size: int
    ) -> Iterator[list[tuple[Any, ...]]]:
        """As `stream`, so many rows at a time."""

    @abstractmethod
    def local_day(self, time: str) -> str:
        """SQL of the day of a time, `YYYY-MM-DD`, in the time zone of this machine or of the connection."""

    @abstractmethod
    def links_out_of(self, node: str) -> str:
        """What to JOIN, as `link`, to get the links out of a node by index, however little is known of the tables.

        :param node: SQL of the pk of the node.
        """

    # -- indexes of attributes and extras -------------------------------------------------------------------------

    @abstractmethod
    def indexed_paths(self, session: Session) -> frozenset[AttributePath]:
        """The paths in attributes and extras that queries may use an index of; asked before each that could."""

    @abstractmethod
    def list_attribute_indexes(self, session: Session) -> list[AttributeIndex]:
        """The indexes of attributes and extras, by path."""

    @abstractmethod
    def add_attribute_index(self, session: Session, path: AttributePath) -> None:
        """Make the index of a path, outside a transaction, without keeping readers out while it is made."""

    @abstractmethod
    def drop_attribute_index(self, session: Session, path: AttributePath) -> None:
        """Remove the index of a path, outside a transaction."""

    # -- snapshots ----------------------------------------------------------------------------------------------

    @abstractmethod
    def capture(self, scratch: Path | None, limits: SnapshotLimits | None = None) -> DatabaseSnapshot:
        """All rows of the database at one moment, over a connection of its own.

        :param scratch: a folder for the copy of a database that is a file; None for that of temporary files.
        """

    @abstractmethod
    def filling(
        self, session: Session, run: Run, before_commit: Callable[[], None] = lambda: None
    ) -> AbstractContextManager[Put]:
        """A transaction in which tables are filled from a snapshot, and after which indexes and statistics are there.

        :param session: of its own, outside a transaction.
        :param before_commit: called at the end of the transaction; what it raises undoes all.
        """

    # -- object keys --------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def named_keys(self) -> str:
        """A SELECT of the keys that the file trees of nodes name: distinct, ascending by byte."""

    @property
    def unclear_errors(self) -> tuple[type[Exception], ...]:
        """What tells that a query met a value that is no JSON or no text, or failed for another reason."""
        return (StorageError, *self.driver_errors)

    @property
    def named_keys_guarded(self) -> str:
        """As `named_keys`, as bytes, for a table in which some rows hold no JSON (these name nothing) or no text."""
        return self.named_keys

    @property
    @abstractmethod
    def suspect_trees(self) -> str:
        """A SELECT of (id, uuid, text) of all nodes whose file tree is not sound, by id, and of a few others."""

    @property
    def suspect_trees_guarded(self) -> str:
        """As `suspect_trees`, for a table in which some rows hold no JSON, which are among them then; slower."""
        return self.suspect_trees

    @abstractmethod
    def nodes_naming(self, keys: Sequence[str]) -> tuple[str, Any]:
        """A SELECT of (id, uuid, JSON text of the tree) of the nodes that name one of the keys: (SQL, parameter)."""

    # -- maintenance ----------------------------------------------------------------------------------------------

    @abstractmethod
    def size(self, session: Session) -> int:
        """Bytes of the database on disk."""

    @abstractmethod
    def table_sizes(self, session: Session) -> dict[str, int | None]:
        """Bytes of each table with its indexes; None where the database cannot tell."""

    def nodes_mark(self, session: Session) -> str | None:
        """Another one after any change of nodes; None where that cannot be told for certain."""
        return None

    def moment(self, session: Session) -> str:
        """Another one after any transaction that changed anything; empty where that cannot be told at once."""
        return ''

    def lost_rows(self, session: Session) -> str:
        """Why rows of nodes may be lost that no statement would miss, in words; empty where nothing tells of any."""
        return ''

    @abstractmethod
    def vacuum_plan(self, session: Session, max_waste: float) -> tuple[MaintenanceStep, ...]:
        """What vacuum and analyze have to gain; empty where nothing.

        :param max_waste: percent of the database that may lie unused.
        """

    def space_for(self, step: MaintenanceStep) -> int:
        """Bytes of free disk that a planned step asks for, as far as that can be known on this host."""
        return 0

    def check_space(self, step: MaintenanceStep) -> None:  # noqa: B027 - a server's disk cannot be seen from here
        """See that a planned step will have the room it asks for.

        :raises ricordi.errors.NotEnoughSpace: it will not.
        """

    @abstractmethod
    def vacuum(self, session: Session, step: MaintenanceStep, max_waste: float) -> MaintenanceStep:
        """Carry out a planned step; returns it as it was done."""

    def tidy(self, session: Session) -> None:  # noqa: B027 - most databases leave nothing
        """Remove what a change that was cut short has left beside the database; for one who has it alone."""

    # -- schema -----------------------------------------------------------------------------------------------

    @abstractmethod
    def table_names(self, session: Session) -> set[str]:
        """The tables that the database has."""

    @property
    @abstractmethod
    def forget_calcjob_hashes(self) -> str:
        """The UPDATE that leads from schema main_0001 to main_0002 (formats/database.md)."""


def quoted(names: Iterable[str]) -> str:
    """Names of our own, such as those of link types, as a list of texts in SQL."""
    return ', '.join("'" + name.replace("'", "''") + "'" for name in names)


def marks(dialect: Dialect, columns: Iterable[str]) -> str:
    """As many parameter marks as there are columns, comma-separated."""
    return ', '.join(dialect.mark for _ in columns)
