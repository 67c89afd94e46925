"""SQLite: connections, values, streams, vacuum."""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ricordi.backend.maintenance import MaintenanceStep
from ricordi.errors import CorruptStorage, NoStorage, RicordiError, UnreachableStorage
from ricordi.files import file_identity, is_same_file
from ricordi.folders import check_place
from ricordi.model.fields import ValueKind
from ricordi.model.file_trees import FILE, FOLDER, KEY_GLOB, NO_NAMES, SEPARATOR
from ricordi.model.values import read_bounded
from ricordi.storage.attribute_indexes import sqlite as indexes
from ricordi.storage.dialect import Decoder, Dialect, Encoder, marks, quoted
from ricordi.storage.query.streams import spooled
from ricordi.storage.session import Parameters, Session
from ricordi.storage.sqlite import vacuum as sqlite_vacuum
from ricordi.storage.sqlite.failures import failure
from ricordi.storage.sqlite.strangers import distrust, end_when_asked
from ricordi.storage.sqlite.texts import ForgivingConnection
from ricordi.storage.values import decode_json, encode_json, encode_uuid, utc

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ricordi.backend.attribute_indexes import AttributeIndex
    from ricordi.backend.snapshots import DatabaseSnapshot
    from ricordi.model.attribute_paths import AttributePath
    from ricordi.progress import Run
    from ricordi.storage.arrow.batch import TableSource
    from ricordi.storage.snapshots.blocks import Put
    from ricordi.storage.snapshots.cutting import SnapshotLimits
    from ricordi.storage.verification.reader import DatabaseReader

BUSY_SECONDS = 30.0
OLDEST_SQLITE = (3, 35, 0)
JOURNAL_BYTES = 1 << 20
STREAM_ROWS = 1000

_SIGNS_OF_A_ROW = ('malformed JSON', 'BLOB values', 'user-defined function raised')

_NAMED = f"tree.key = '{FILE}' AND tree.type = 'text'"
_TREE = 'db_dbnode.repository_metadata'
_TREE_OR_NONE = f"CASE WHEN typeof({_TREE}) = 'text' AND json_valid({_TREE}) THEN {_TREE} ELSE '0' END"
"""What is no JSON would end a whole query; a number is none that a file tree can be, and names nothing."""

_MUCH = 1_000_000_000
# The grammar of file trees as a sum, since SQLite sees members one by one: a file is an object and a text (0), a folder
# two objects (0), an empty one a single object (1). Whatever could hide a name weighs so much that nothing makes up for
# it. What it finds is judged by the grammar itself: tests/storage/test_file_trees.py.
_WEIGHT = (
    f"CASE tree.type WHEN 'object' THEN CASE WHEN tree.key = '{FOLDER}' THEN -1 "
    f"WHEN tree.key IN ({quoted((FILE, *NO_NAMES))}) OR instr(tree.key, '{SEPARATOR}') THEN {_MUCH} ELSE 1 END "
    f"WHEN 'text' THEN CASE WHEN {{named}} THEN -1 ELSE {_MUCH} END ELSE {_MUCH} END"
)
_IS_KEY = f"tree.atom GLOB '{KEY_GLOB}'"


def _suspect_trees(tree: str, named: str = _NAMED) -> str:
    return (
        f'SELECT db_dbnode.id, db_dbnode.uuid, CAST({_TREE} AS BLOB) FROM db_dbnode, json_tree({tree}) AS tree '
        f"WHERE {_TREE} IS NOT '{{}}' GROUP BY db_dbnode.id "
        f'HAVING sum({_WEIGHT.format(named=named)}) <> 0 OR substr({_TREE}, 1, 4) IS NOT \'{{"{FOLDER}"\' '
        'ORDER BY db_dbnode.id'
    )


def _named_keys(tree: str, key: str = 'tree.atom') -> str:
    # GROUP BY sorts on disk as a merge of runs; DISTINCT would build a tree.
    return (
        f'SELECT {key} AS key FROM db_dbnode, json_tree({tree}) AS tree '
        f"WHERE {_TREE} <> '{{}}' AND {_NAMED} GROUP BY tree.atom ORDER BY tree.atom"
    )


class SqliteDialect(Dialect):
    """A SQLite database in a file."""

    name = 'sqlite'
    mark = '?'
    keeps_any_type = True
    # Integers beyond 64 bits and lone surrogates are refused by the driver with errors of Python's own.
    driver_errors = (sqlite3.Error, OverflowError, UnicodeEncodeError)
    begin = 'BEGIN IMMEDIATE'

    def __init__(
        self,
        path: Path,
        *,
        create: bool = False,
        read_only: bool = False,
        throw_away: bool = False,
        distrusted: bool = False,
        busy_seconds: float = BUSY_SECONDS,
        unchanging: bool = False,
        copy_of: str = '',
    ) -> None:
        """
        :param path: the file, which must exist unless `create`: then it is made at the first connection.
        :param throw_away: the content need not survive a crash: nothing is synced, and readers never wait.
        :param distrusted: it comes from strangers: no function runs that its schema names, no value is read that takes
            much memory.
        :param busy_seconds: how long to wait for a lock that another program holds on the file.
        :param unchanging: while a connection is open, it sees the same rows, so that these are handed out as they come.
        :param copy_of: the database, in words, of which the file is a copy that nobody else knows of.
        """
        self._unchanging = unchanging
        self._copy_of = copy_of
        self.distrusted = distrusted
        self.path = path
        self.busy_seconds = busy_seconds
        self._mode = 'ro' if read_only else 'rwc' if create else 'rw'
        self._throw_away = throw_away
        self._spools = itertools.count()

    @property
    def place(self) -> str:
        return self._copy_of or f'database {self.path}'

    @property
    def uri(self) -> str:
        """The URI under which SQLite opens the database."""
        return f'{self.path.absolute().as_uri()}?mode={self._mode}' + ('&immutable=1' if self._copy_of else '')

    def unchanging(self, copy: Path | None) -> SqliteDialect:
        """How to speak with the database while it does not change.

        :param copy: of its file, known to nobody else; None for itself, read in one transaction.
        """
        if copy is None:
            return SqliteDialect(self.path, busy_seconds=self.busy_seconds, unchanging=True)
        return SqliteDialect(copy, read_only=True, unchanging=True, copy_of=self.place)

    def connect(self) -> sqlite3.Connection:
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise UnreachableStorage(
                f'SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer is needed; use a Python that brings one'
            )
        self._look_at_file()
        raw: sqlite3.Connection | None = None
        try:
            raw = sqlite3.connect(
                self.uri,
                uri=True,
                timeout=self.busy_seconds,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
                factory=ForgivingConnection,
            )
            end_when_asked(raw)
            if self.distrusted:
                distrust(raw)
            raw.execute('PRAGMA foreign_keys = ON')
            raw.execute('PRAGMA case_sensitive_like = ON')
            if self._throw_away:
                raw.execute('PRAGMA synchronous = OFF')
                raw.execute('PRAGMA journal_mode = WAL')
            elif _journal_mode(raw) == 'delete':
                # An overwritten journal is synced, a deleted one is not: after a power cut it could come back and undo
                # what was committed. It is also the fastest. Other programs may use their own mode on the same file.
                raw.execute('PRAGMA journal_mode = PERSIST')
                raw.execute(f'PRAGMA journal_size_limit = {JOURNAL_BYTES}')
        except sqlite3.Error as error:
            if raw is not None:
                raw.close()
            raise self.failure(error) from error
        return raw

    def _look_at_file(self) -> None:
        """Say what is wrong where SQLite would only say that it is `unable to open database file`."""
        try:
            check_place(self.path, '-journal', '-wal', '-shm')
        except OSError as error:
            raise UnreachableStorage(
                f'root does not use the {self.place}: {error.filename}: {error.strerror}'
            ) from None
        if self._mode == 'rwc':
            return
        try:
            status = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise NoStorage(
                f'there is no {self.place}: check the path in the profile, or whether the disk is mounted'
            ) from None
        except OSError as error:
            raise UnreachableStorage(f'cannot look into {self.path.parent}: {error.strerror}') from error
        if stat.S_ISDIR(status.st_mode):
            raise UnreachableStorage(f'{self.path} is a folder, not a SQLite database')
        if status.st_size == 0:
            raise CorruptStorage(f'{self.place} is an empty file; restore it from a backup')
        if not os.access(self.path, os.R_OK):
            raise UnreachableStorage(f'no permission to read {self.place}')

    def disconnect(self, raw: sqlite3.Connection) -> None:
        with suppress(sqlite3.Error):  # another program is at work, and uses the journal itself
            if raw.in_transaction:
                raw.execute('ROLLBACK')  # as closing does, but then the journal stays
            if raw.total_changes and _journal_mode(raw) == 'persist':
                raw.execute('PRAGMA journal_mode = DELETE')
        raw.close()

    def usable(self, raw: Any) -> bool:
        return True

    def in_transaction(self, raw: sqlite3.Connection) -> bool:
        return raw.in_transaction

    def failure(self, error: Exception, raw: Any | None = None) -> RicordiError:
        return failure(error, self.place, self.busy_seconds, raw)

    def is_of_a_row(self, error: BaseException | None) -> bool:
        return isinstance(error, sqlite3.OperationalError) and any(sign in str(error) for sign in _SIGNS_OF_A_ROW)

    # -- which database it is -------------------------------------------------------------------------------

    def identity_in_server(self, session: Session) -> str:
        return f'sqlite {file_identity(self.path)}'

    def is_same_database(self, one: str, other: str) -> bool:
        (kind, _, file), (other_kind, _, other_file) = one.partition(' '), other.partition(' ')
        return kind == other_kind == 'sqlite' and is_same_file(file, other_file)

    def is_file(self, path: Path) -> bool:
        return self.path.exists() and self.path.samefile(path)

    def change_token(self, session: Session) -> object:
        version = session.version
        if version is None:
            try:  # asked for at each access to a field: by the driver's own cursor, and without a context
                (version,) = sqlite3.Cursor(session.raw).execute('PRAGMA data_version').fetchone()
            except self.driver_errors as error:
                raise self.failure(error, session.raw) from error
            if session.depth or session.deferred is not None:
                session.version = version
        return session.epoch, version, session.raw.total_changes

    # -- values ---------------------------------------------------------------------------------------------

    def encoder(self, kind: ValueKind) -> Encoder | None:
        return _ENCODERS.get(kind)

    def decoder(self, kind: ValueKind) -> Decoder | None:
        return _decode_bounded if self.distrusted and kind is ValueKind.JSON else _DECODERS.get(kind)

    def table_of_values(self, kind: ValueKind) -> str:
        return '(SELECT value FROM json_each(?))'

    def pack(self, values: Sequence[Any]) -> str:
        return json.dumps(list(values))

    def uuid_range(self, prefix: str) -> tuple[str, str]:
        return prefix, prefix + 'g'

    # -- many rows --------------------------------------------------------------------------------------------

    def insert(self, session: Session, table: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> list[int]:
        if len(rows) == 1:
            statement = f'INSERT INTO {table} ({", ".join(columns)}) VALUES ({marks(self, columns)})'
            return [int(session.execute(statement, rows[0]).lastrowid)]
        # Ids are given here, inside the write transaction: executemany returns none.
        first = session.execute(f'SELECT coalesce(max(id), 0) + 1 FROM {table}').fetchone()[0]
        ids = range(first, first + len(rows))
        names = ('id', *columns)
        session.execute_many(
            f'INSERT INTO {table} ({", ".join(names)}) VALUES ({marks(self, names)})',
            [(number, *row) for number, row in zip(ids, rows, strict=True)],
        )
        return list(ids)

    def verification_reader(self, check_stop: Callable[[], None]) -> DatabaseReader:
        from ricordi.storage.verification.on_sqlite import SqliteReader

        return SqliteReader(self, check_stop)

    def stream(
        self, session: Session, sql: str, parameters: Parameters, forgiving: bool = False
    ) -> Iterator[tuple[Any, ...]]:
        # An open SELECT keeps every writer, AiiDA's too, from committing. So the rows go into a temporary table (a file
        # of SQLite's own) at once, and are read from there page by page.
        if self._unchanging:
            yield from itertools.chain.from_iterable(_fetched(session, sql, parameters))
            return
        spool = f'temp.spool_{next(self._spools)}'
        session.execute(f'CREATE TABLE {spool} AS {sql}', parameters)
        page = f'SELECT rowid, * FROM {spool} WHERE rowid > ? ORDER BY rowid LIMIT {STREAM_ROWS}'
        try:
            last = 0
            while rows := _page(session, page, last, forgiving):
                last = rows[-1][0]
                for row in rows:
                    yield row[1:]
        finally:
            if not session.closed:
                session.execute(f'DROP TABLE IF EXISTS {spool}')

    def batches(self, session: Session, sql: str, parameters: Parameters, size: int) -> Iterator[list[tuple[Any, ...]]]:
        with session.driver():
            batches = spooled(session.execute(sql, parameters), size)
            first = next(batches, [])
        yield from itertools.chain((first,) if first else (), batches)

    def table_source(
        self, session: Session, sql: str, parameters: Parameters, plain: Sequence[bool], size: int
    ) -> TableSource:
        from ricordi.storage.arrow.sqlite import SqliteTable

        return SqliteTable(session, sql, parameters, plain, size)

    def local_day(self, time: str) -> str:
        return f"date({time}, 'localtime')"

    def links_out_of(self, node: str) -> str:
        return f'db_dblink AS link ON link.input_id = {node}'

    # -- indexes of attributes and extras -------------------------------------------------------------------------

    def indexed_paths(self, session: Session) -> frozenset[AttributePath]:
        return indexes.indexed_paths(session)

    def list_attribute_indexes(self, session: Session) -> list[AttributeIndex]:
        return indexes.list_indexes(session)

    def add_attribute_index(self, session: Session, path: AttributePath) -> None:
        indexes.add_index(session, path)

    def drop_attribute_index(self, session: Session, path: AttributePath) -> None:
        indexes.drop_index(session, path)

    # -- snapshots ----------------------------------------------------------------------------------------------

    def capture(self, scratch: Path | None, limits: SnapshotLimits | None = None) -> DatabaseSnapshot:
        from ricordi.storage.snapshots.sqlite.capture import SqliteSnapshot

        return SqliteSnapshot(self, scratch, limits)

    def filling(
        self, session: Session, run: Run, before_commit: Callable[[], None] = lambda: None
    ) -> AbstractContextManager[Put]:
        from ricordi.storage.snapshots.sqlite.fill import filling

        return filling(session, run, before_commit)

    # -- object keys --------------------------------------------------------------------------------------------

    named_keys = _named_keys(_TREE)
    named_keys_guarded = _named_keys(_TREE_OR_NONE, 'CAST(tree.atom AS BLOB)')
    suspect_trees = _suspect_trees(f"ifnull({_TREE}, '0')")
    suspect_trees_guarded = _suspect_trees(_TREE_OR_NONE, f'{_NAMED} AND {_IS_KEY}')

    def nodes_naming(self, keys: Sequence[str]) -> tuple[str, Any]:
        return (
            'SELECT id, uuid, CAST(repository_metadata AS BLOB) FROM db_dbnode '
            "WHERE repository_metadata <> '{}' AND EXISTS ("
            f'SELECT 1 FROM json_tree({_TREE_OR_NONE}) AS tree '
            f'WHERE {_NAMED} AND tree.atom IN (SELECT value FROM json_each(?)))',
            (json.dumps(list(keys)),),
        )

    def nodes_mark(self, session: Session) -> str | None:
        # The file must not be opened for a look at its count of changes: closing it would end locks of this process.
        status = self.path.stat()
        log = self.path.with_name(f'{self.path.name}-wal')
        if log.exists() and log.stat().st_size:
            return None
        # Asked apart: SQLite then counts by pages of the smallest index, and the other is one look.
        (rows,) = session.execute('SELECT count(*) FROM db_dbnode').fetchone()
        (last,) = session.execute('SELECT max(id) FROM db_dbnode').fetchone()
        words = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, rows, last)
        return ' '.join(map(str, words))

    # -- maintenance ----------------------------------------------------------------------------------------------

    def size(self, session: Session) -> int:
        pages, size = (session.execute(f'PRAGMA {name}').fetchone()[0] for name in ('page_count', 'page_size'))
        return int(pages * size)

    def table_sizes(self, session: Session) -> dict[str, int | None]:
        tables: dict[str, int | None] = dict.fromkeys(sorted(self.table_names(session)))
        query = (
            'SELECT s.tbl_name, sum(d.pgsize) FROM dbstat AS d JOIN sqlite_schema AS s ON d.name = s.name '
            'WHERE d.aggregate = TRUE GROUP BY s.tbl_name'
        )
        try:
            sizes = dict(session.raw.execute(query).fetchall())
        except sqlite3.OperationalError:  # SQLite may be built without dbstat
            return tables
        return {name: sizes.get(name) for name in tables}

    def lost_rows(self, session: Session) -> str:
        from ricordi.storage.sqlite.lost_rows import lost_rows

        return lost_rows(session)

    def vacuum_plan(self, session: Session, max_waste: float) -> tuple[MaintenanceStep, ...]:
        return sqlite_vacuum.plan(session, max_waste)

    def space_for(self, step: MaintenanceStep) -> int:
        return sum(sqlite_vacuum.space_for(self.path, step).values())

    def check_space(self, step: MaintenanceStep) -> None:
        sqlite_vacuum.check_space(self.path, step)

    def vacuum(self, session: Session, step: MaintenanceStep, max_waste: float) -> MaintenanceStep:
        return sqlite_vacuum.carry_out(session, step)

    def tidy(self, session: Session) -> None:
        if self.path.with_name(f'{self.path.name}-journal').exists():
            sqlite_vacuum.remove_journal(session)

    # -- schema -----------------------------------------------------------------------------------------------

    def table_names(self, session: Session) -> set[str]:
        query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        return {name for (name,) in session.execute(query)}

    forget_calcjob_hashes = (
        "UPDATE db_dbnode SET extras = json_remove(extras, '$._aiida_hash') "
        "WHERE node_type = 'process.calculation.calcjob.CalcJobNode.' "
        "AND json_type(extras, '$._aiida_hash') IS NOT NULL"
    )


def _page(session: Session, sql: str, after: int, forgiving: bool) -> list[tuple[Any, ...]]:
    # The cursor gets no name: kept alive by an error, it would hold the table, which is to be dropped then.
    with session.driver():
        if forgiving:
            return list(session.raw.execute(sql, (after,)).fetchall())
        return list(session.raw.execute(sql, (after,)))  # a loop, other than `fetchall`, refuses what is no text


def _fetched(session: Session, sql: str, parameters: Parameters) -> Iterator[list[tuple[Any, ...]]]:
    with session.driver():
        cursor = session.raw.execute(sql, parameters)
        while rows := cursor.fetchmany(STREAM_ROWS):
            yield rows


def _journal_mode(raw: sqlite3.Connection) -> str:
    """How the file is protected: `delete` as AiiDA makes it, `wal` if somebody has set it."""
    return str(raw.execute('PRAGMA journal_mode').fetchone()[0])


def _encode_time(value: Any, name: str) -> str:
    return utc(value, name).replace(tzinfo=None).isoformat(' ', 'microseconds')


def _decode_time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _decode_bounded(text: Any) -> Any:
    return read_bounded(text) if isinstance(text, str) else text


def _encode_boolean(value: Any, name: str) -> int:
    return 1 if value else 0


_ENCODERS: dict[ValueKind, Encoder] = {
    ValueKind.UUID: encode_uuid,
    ValueKind.TIME: _encode_time,
    ValueKind.JSON: encode_json,
    ValueKind.BOOL: _encode_boolean,
}
_DECODERS: dict[ValueKind, Decoder] = {
    ValueKind.TIME: _decode_time,
    ValueKind.JSON: decode_json,
    ValueKind.BOOL: bool,
}
