"""PostgreSQL: connections, values, streams, vacuum."""

from __future__ import annotations

import itertools
import json
import os
import pickle
import re
import select
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.json import set_json_loads
from psycopg.types.string import TextLoader

from ricordi.backend.maintenance import MaintenanceStep
from ricordi.backend.storage import DatabaseSession
from ricordi.errors import LockedProfileError, RicordiError, ValidationError
from ricordi.model.fields import ValueKind
from ricordi.model.file_trees import FILE, FOLDER, NO_NAMES, SEPARATOR
from ricordi.model.values import DamagedJson, damaged_time, why_unreadable
from ricordi.slow_answers import CONNECT_SECONDS, told_when_slow
from ricordi.storage.attribute_indexes import psql as indexes
from ricordi.storage.dialect import Decoder, Dialect, Encoder, marks
from ricordi.storage.psql import identity as psql_identity
from ricordi.storage.psql import vacuum as psql_vacuum
from ricordi.storage.psql.cursor import ServerCursor
from ricordi.storage.psql.failures import connection_failure, errors_translated, failure
from ricordi.storage.psql.sessions import IMPORT_KEY, application_name, exclusive_holder, list_sessions
from ricordi.storage.query.streams import spooled, worthwhile_size
from ricordi.storage.session import Parameters, Session
from ricordi.storage.values import encode_json, encode_uuid, texts, utc

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ricordi.backend.attribute_indexes import AttributeIndex
    from ricordi.backend.snapshots import DatabaseSnapshot
    from ricordi.model.attribute_paths import AttributePath
    from ricordi.progress import Run
    from ricordi.storage.arrow.batch import TableSource
    from ricordi.storage.snapshots.blocks import Put
    from ricordi.storage.snapshots.cutting import SnapshotLimits
    from ricordi.storage.verification.reader import DatabaseReader

WHILE_CONNECTED = {'keepalives_idle': 30, 'keepalives_interval': 10, 'keepalives_count': 3, 'tcp_user_timeout': 60_000}
"""So that a server whose machine has gone without a word is given up after a minute; the kernel waits for hours."""
STREAM_ROWS = 1000

SQL_TYPES = {
    ValueKind.INT: 'bigint',
    ValueKind.TEXT: 'text',
    ValueKind.BOOL: 'boolean',
    ValueKind.TIME: 'timestamptz',
    ValueKind.UUID: 'uuid',
}
"""What an array of values is declared as that a field is compared with."""

_ANY_KEY = f'$.**.{FILE} ? (@.type() == "string")'
_DEPTH = 4
"""Files that lie deeper in folders are looked at one by one."""


def _only(name: str) -> str:
    return f'!exists(@.keyvalue() ? (@.key != "{name}"))'


def _sound_folder(deepest: int) -> str:
    """The condition of a JSON path that an object is a folder in which all is sound; false below a depth."""
    if not deepest:
        return '1 == 2'
    file = f'@.type() == "object" && @.{FILE}.type() == "string" && {_only(FILE)}'
    entry = f'({file}) || !exists(@.*) && @.type() == "object" || ({_sound_folder(deepest - 1)})'
    entries = f'@.{FOLDER}.type() == "object" && {_only(FOLDER)} && !exists(@.{FOLDER}.* ? (!({entry})))'
    return f'@.type() == "object" && {entries}'


_MAY_HOLD_NO_NAME = ' OR '.join(
    f"strpos(tree, '{text}') > 0" for text in (SEPARATOR, *(f'"{name}": ' for name in NO_NAMES))
)


_STRING_OR_EXPONENT = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?e\+\d+')


def connection_arguments(config: Mapping[str, Any], connect_seconds: int = CONNECT_SECONDS) -> dict[str, Any]:
    """What `psycopg.connect` is given to reach the database of a profile.

    :param config: the `storage.config` of the profile.
    :param connect_seconds: how long to wait for the server to answer.
    """
    arguments = {
        'host': config.get('database_hostname'),
        'port': config.get('database_port'),
        'user': config.get('database_username'),
        'password': config.get('database_password'),
        'dbname': config.get('database_name'),
        'connect_timeout': connect_seconds,
        'client_encoding': 'UTF8',
        **WHILE_CONNECTED,
    }
    return {name: value for name, value in arguments.items() if value}


class PsqlDialect(Dialect):
    """A PostgreSQL database, by the `storage.config` of a `core.psql_dos` profile (formats/config.md)."""

    name = 'postgresql'
    limits_texts = True
    mark = '%s'
    begin = 'BEGIN'
    lock_row = ' FOR NO KEY UPDATE'
    # Lone surrogates are refused by the driver with an error of Python's own.
    driver_errors = (psycopg.Error, OverflowError, UnicodeEncodeError)

    def __init__(self, config: Mapping[str, Any], connect_seconds: int = CONNECT_SECONDS) -> None:
        """
        :param connect_seconds: how long to wait for the server to answer.
        """
        self._arguments = connection_arguments(config, connect_seconds)
        self._cursors = itertools.count()
        self._lock = threading.Lock()
        self._idle: tuple[int, psycopg.Connection[Any]] | None = None
        self._indexed: frozenset[AttributePath] | None = None
        """What is known of the indexes of attributes: one too many costs nothing, one too few a little speed."""

    @property
    def place(self) -> str:
        arguments = self._arguments
        where = f'{arguments.get("host", "localhost")}:{arguments.get("port", 5432)}'
        return f'database {arguments.get("dbname")} on {where} (user {arguments.get("user")})'

    def connect(self) -> psycopg.Connection[Any]:
        try:
            with told_when_slow(self.place, self._arguments['connect_timeout']):
                raw = psycopg.connect(autocommit=True, application_name=application_name(), **self._arguments)
        except psycopg.Error as error:
            raise connection_failure(error, self.place) from error
        raw.adapters.register_loader('uuid', TextLoader)
        raw.adapters.register_loader('timestamptz', _TimeLoader)
        set_json_loads(_load_json, context=raw)
        return raw

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, None
        if idle is not None and idle[0] == os.getpid():
            idle[1].close()

    def usable(self, raw: Any) -> bool:
        if raw.closed:
            return False
        poll = select.poll()
        poll.register(raw.fileno(), select.POLLIN)
        if not poll.poll(0):
            return True
        # What a server sends unasked on an idle connection is, but for notices, that it has closed it.
        try:
            raw.execute('SELECT 1')
        except psycopg.Error:
            return False
        return True

    def check_access(self, raw: psycopg.Connection[Any]) -> None:
        with errors_translated(self.place):
            holder = exclusive_holder(raw)
        if holder is not None:
            raise LockedProfileError(
                f'the {self.place} is locked for maintenance, by {holder}; try again when it is done'
            )

    def in_transaction(self, raw: Any) -> bool:
        return bool(raw.info.transaction_status != psycopg.pq.TransactionStatus.IDLE)

    def take_turn(self, session: Session) -> bool:
        return bool(session.execute('SELECT pg_try_advisory_xact_lock(%s)', (IMPORT_KEY,)).fetchone()[0])

    def failure(self, error: Exception, raw: Any | None = None) -> RicordiError:
        return failure(error, self.place)

    # -- which database it is -------------------------------------------------------------------------------

    def identity_in_server(self, session: Session) -> str:
        return psql_identity.identity(session)

    def is_same_database(self, one: str, other: str) -> bool:
        return psql_identity.is_same(one, other)

    def databases_tied_to(self, session: Session, repository_uuid: str | None) -> dict[str, bool]:
        return psql_identity.databases_tied_to(session, self._arguments, repository_uuid)

    def check_writable(self, raw: psycopg.Connection[Any]) -> None:
        with errors_translated(self.place):
            standby = psql_identity.is_standby(raw)
        if standby:
            raise psql_identity.standby(self.place)

    def sessions(self) -> list[DatabaseSession]:
        """Who is connected to the database, asked by a connection of its own."""
        with closing(self.connect()) as raw, errors_translated(self.place):
            return list_sessions(raw)

    # -- values ---------------------------------------------------------------------------------------------

    def encoder(self, kind: ValueKind) -> Encoder | None:
        return {ValueKind.UUID: encode_uuid, ValueKind.TIME: utc, ValueKind.JSON: encode_jsonb}.get(kind)

    def decoder(self, kind: ValueKind) -> Decoder | None:
        return _in_utc if kind is ValueKind.TIME else None

    def merged_json(self, column: str) -> str:
        return f"(coalesce({column}, '{{}}'::jsonb) - %s::text[]) || %s::jsonb"

    def table_of_values(self, kind: ValueKind) -> str:
        return f'(SELECT unnest(%s::{SQL_TYPES[kind]}[]) AS value)'

    def pack(self, values: Sequence[Any]) -> list[Any]:
        return list(values)

    def uuid_range(self, prefix: str) -> tuple[str, str]:
        rest = '00000000-0000-0000-0000-000000000000'[len(prefix) :]
        return prefix + rest, prefix + rest.replace('0', 'f')

    # -- many rows --------------------------------------------------------------------------------------------

    def insert(self, session: Session, table: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> list[int]:
        names = ', '.join(columns)
        if len(rows) == 1:
            cursor = session.execute(
                f'INSERT INTO {table} ({names}) VALUES ({marks(self, columns)}) RETURNING id', rows[0]
            )
            return [cursor.fetchone()[0]]
        sequence = f"nextval(pg_get_serial_sequence('{table}', 'id'))"
        numbers = session.execute(f'SELECT {sequence} FROM generate_series(1, %s)', (len(rows),)).fetchall()
        ids = [number for (number,) in numbers]
        if session.depth == 1:  # nothing but this insert: what it refers to is checked at once, not kept for the end
            session.execute('SET CONSTRAINTS ALL IMMEDIATE')
        with session.driver(), session.raw.cursor().copy(f'COPY {table} (id, {names}) FROM STDIN') as copy:
            for number, row in zip(ids, rows, strict=True):
                copy.write_row((number, *row))
        return ids

    def verification_reader(self, check_stop: Callable[[], None]) -> DatabaseReader:
        from ricordi.storage.verification.on_psql import PsqlReader

        return PsqlReader(self, check_stop)

    def stream(
        self, session: Session, sql: str, parameters: Parameters, forgiving: bool = False
    ) -> Iterator[tuple[Any, ...]]:
        for batch in self.batches(session, sql, parameters, STREAM_ROWS):
            yield from batch

    def batches(self, session: Session, sql: str, parameters: Parameters, size: int) -> Iterator[list[tuple[Any, ...]]]:
        if session.depth:
            # What the transaction has changed is seen by its own connection alone; and the cursor ends with it, so all
            # rows are fetched from it before the first is given out.
            with session.driver():
                cursor = self._server_cursor(session.raw, sql, parameters)
                batches = spooled(cursor, size, pickle.dumps, pickle.loads)
                first = next(batches, [])
                cursor.close()
            yield from chain((first,) if first else (), batches)
            return
        raw = self._reader()
        try:
            # A cursor is planned for its first rows, unless told that all of them are wanted.
            raw.execute('BEGIN READ ONLY; SET LOCAL cursor_tuple_fraction = 1')
            cursor = self._server_cursor(raw, sql, parameters)
            batch = cursor.fetchmany(size)
            more = worthwhile_size(batch, size)
            while batch:
                yield batch
                batch = cursor.fetchmany(more)
        except self.driver_errors as error:
            raise self.failure(error) from error
        finally:
            self._put_back(raw)

    def table_source(
        self, session: Session, sql: str, parameters: Parameters, plain: Sequence[bool], size: int
    ) -> TableSource:
        from ricordi.storage.arrow.psql import PsqlTable

        return PsqlTable(self, session, sql, parameters, len(plain), size)

    @contextmanager
    def reading(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection that reads what there is at one moment, whatever is changed meanwhile."""
        raw = self._reader()
        try:
            raw.execute('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
            yield raw
        finally:
            self._put_back(raw)

    def _server_cursor(self, raw: psycopg.Connection[Any], sql: str, parameters: Parameters) -> ServerCursor:
        return ServerCursor(raw, f'ricordi_{next(self._cursors)}', sql, parameters)

    def _reader(self) -> psycopg.Connection[Any]:
        with self._lock:
            idle, self._idle = self._idle, None
        if idle is not None and idle[0] == os.getpid() and self.usable(idle[1]):
            return idle[1]
        return self.connect()

    def _put_back(self, raw: psycopg.Connection[Any]) -> None:
        if not raw.closed:
            with suppress(psycopg.Error):  # a lost connection, which is told where it is used
                raw.rollback()
        with self._lock:
            if self._idle is None and not raw.closed:
                self._idle = (os.getpid(), raw)
                return
        raw.close()

    def local_day(self, time: str) -> str:
        return f"to_char({time}, 'YYYY-MM-DD')"

    def links_out_of(self, node: str) -> str:
        # OFFSET keeps the planner from a hash join, which would read the whole table at each step of a walk.
        return f'LATERAL (SELECT output_id, type FROM db_dblink WHERE input_id = {node} OFFSET 0) AS link ON true'

    # -- indexes of attributes and extras -------------------------------------------------------------------------

    def indexed_paths(self, session: Session) -> frozenset[AttributePath]:
        if self._indexed is None:
            self._indexed = frozenset(index.path for index in self.list_attribute_indexes(session) if index.is_whole)
        return self._indexed

    def list_attribute_indexes(self, session: Session) -> list[AttributeIndex]:
        return indexes.list_indexes(session)

    def add_attribute_index(self, session: Session, path: AttributePath) -> None:
        indexes.add_index(session, path)
        self._indexed = None

    def drop_attribute_index(self, session: Session, path: AttributePath) -> None:
        indexes.drop_index(session, path)
        self._indexed = None

    # -- snapshots ----------------------------------------------------------------------------------------------

    def capture(self, scratch: Path | None, limits: SnapshotLimits | None = None) -> DatabaseSnapshot:
        from ricordi.storage.snapshots.psql.capture import PsqlSnapshot

        return PsqlSnapshot(self, limits)

    def filling(
        self, session: Session, run: Run, before_commit: Callable[[], None] = lambda: None
    ) -> AbstractContextManager[Put]:
        from ricordi.storage.snapshots.psql.fill import filling

        return filling(session, run, before_commit)

    # -- object keys --------------------------------------------------------------------------------------------

    named_keys = (
        f"SELECT DISTINCT (jsonb_path_query(repository_metadata, '{_ANY_KEY}') #>> '{{}}') COLLATE \"C\" AS key "
        "FROM db_dbnode WHERE repository_metadata <> '{}' ORDER BY key"
    )

    suspect_trees = (
        'SELECT id, uuid, tree FROM (SELECT id, uuid::text AS uuid, repository_metadata::text AS tree, '
        f"repository_metadata @? '$ ? ({_sound_folder(_DEPTH)})' AS sound FROM db_dbnode "
        "WHERE repository_metadata <> '{}' OFFSET 0) AS trees "
        f"WHERE NOT sound OR strpos(tree, '[') > 0 OR {_MAY_HOLD_NO_NAME} ORDER BY id"
    )

    def nodes_naming(self, keys: Sequence[str]) -> tuple[str, Any]:
        return (
            'SELECT id, uuid, repository_metadata::text FROM db_dbnode '
            f"WHERE repository_metadata <> '{{}}' AND EXISTS (SELECT 1 FROM jsonb_path_query(repository_metadata, "
            f"'{_ANY_KEY}') AS named WHERE named #>> '{{}}' = ANY(%s::text[]))",
            (list(keys),),
        )

    def nodes_mark(self, session: Session) -> str | None:
        # A row that is new or changed bears the number of its transaction, above all before: where the count of rows is
        # the same after a change, a sum is larger.
        row = session.execute(
            "SELECT (SELECT oid FROM pg_database WHERE datname = current_database()), 'db_dbnode'::regclass::oid, "
            'count(*), sum(id), sum(xmin::text::bigint) FROM db_dbnode'
        ).fetchone()
        return ' '.join(map(str, row))

    def moment(self, session: Session) -> str:
        # What a snapshot lets one see is told by the numbers of the transactions that have ended when it is taken:
        # where they are the same, so is all that there is to see. A server put back to an earlier day has begun anew.
        row = session.execute(
            'SELECT (SELECT oid FROM pg_database WHERE datname = current_database()), '
            'extract(epoch FROM pg_postmaster_start_time()), txid_current_snapshot()::text'
        ).fetchone()
        return ' '.join(map(str, row))

    # -- maintenance ----------------------------------------------------------------------------------------------

    def size(self, session: Session) -> int:
        return int(session.execute('SELECT pg_database_size(current_database())').fetchone()[0])

    def table_sizes(self, session: Session) -> dict[str, int | None]:
        rows = session.execute(
            'SELECT relname::text, pg_total_relation_size(relid) FROM pg_stat_user_tables '
            'WHERE schemaname = current_schema() ORDER BY relname'
        )
        return dict(rows.fetchall())

    def vacuum_plan(self, session: Session, max_waste: float) -> tuple[MaintenanceStep, ...]:
        return psql_vacuum.plan(session, max_waste)

    def vacuum(self, session: Session, step: MaintenanceStep, max_waste: float) -> MaintenanceStep:
        return psql_vacuum.carry_out(session, step, max_waste)

    # -- schema -----------------------------------------------------------------------------------------------

    def table_names(self, session: Session) -> set[str]:
        query = 'SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()'
        return {name for (name,) in session.execute(query)}

    forget_calcjob_hashes = (
        "UPDATE db_dbnode SET extras = extras - '_aiida_hash' "
        "WHERE node_type = 'process.calculation.calcjob.CalcJobNode.' AND jsonb_exists(extras, '_aiida_hash')"
    )

    @cached_property
    def identity(self) -> tuple[Any, ...]:
        """What tells this database from others, for what a process keeps once per database."""
        return tuple(self._arguments.get(name) for name in ('host', 'port', 'user', 'dbname'))


class _TimeLoader(TimestamptzLoader):
    """Reads times; one that Python has no place for (after the year 9999, before Christ) does not hide other rows."""

    def load(self, data: Any) -> datetime:
        try:
            return super().load(data)
        except psycopg.DataError:
            return damaged_time()


def _load_json(data: str | bytes) -> Any:
    """The value of JSON; what stands for it where Python cannot read it."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        return DamagedJson(why_unreadable(error))


def encode_jsonb(value: Any, name: str) -> str:
    """JSON text for a `jsonb` column, which keeps numbers as decimals: a float keeps its point, to come back as one.

    (`1e+300` would come back as an integer of 301 digits. Only the sign of `-0.0` is lost: there is no such decimal.)

    :raises ricordi.errors.ValidationError: it holds what JSON or PostgreSQL cannot carry, such as NUL in a string.
    """
    text = encode_json(value, name)
    if '\\u0000' in text:
        _refuse_nul(value, name)
    if 'e+' in text:
        text = _STRING_OR_EXPONENT.sub(_with_point, text)
    return text


def _with_point(match: re.Match[str]) -> str:
    token = match.group()
    return token if token.startswith('"') else f'{Decimal(token):f}.0'


def _refuse_nul(value: Any, name: str) -> None:
    for path, text in texts(value, name):
        if '\x00' in text:
            raise ValidationError(
                f'{path} cannot be stored: PostgreSQL has no place for the character \\u0000 in a text'
            )


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
