"""What is peculiar to PostgreSQL: it lets in no value that is none of its type, and its server goes on alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

import psycopg

from ricordi.errors import CorruptStorage
from ricordi.storage.verification.declared import Column, SchemaPart, reference_part, subject_of
from ricordi.storage.verification.reader import DatabaseReader, Fault, Rows, told

if TYPE_CHECKING:
    from ricordi.storage.psql.dialect import PsqlDialect

SECONDS_BETWEEN_LOOKS = 0.1
CANCEL_SECONDS = 10.0
_BATCH = 2000
_ON_DELETE = {'c': 'CASCADE', 'r': 'RESTRICT', 'n': 'SET NULL'}
_BEGIN = (
    'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; '
    'SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL jit = off; SET LOCAL cursor_tuple_fraction = 1'
)
"""One moment for all checks; and what takes long, or waits for whoever reads the findings, is not ended for that."""

_COLUMNS = (
    'SELECT c.relname::text, a.attname::text, a.attnotnull FROM pg_attribute AS a '
    'JOIN pg_class AS c ON c.oid = a.attrelid '
    "WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 "
    'AND NOT a.attisdropped'
)
_INDEXES = (
    'SELECT t.relname::text, i.indisunique, i.indisprimary, '
    '(SELECT array_agg(a.attname::text ORDER BY k.place) '
    'FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place) '
    'JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number), '
    '(SELECT array_agg(CASE WHEN o.opcdefault THEN NULL ELSE o.opcname::text END ORDER BY k.place) '
    'FROM unnest(i.indclass::oid[]) WITH ORDINALITY AS k(class, place) JOIN pg_opclass AS o ON o.oid = k.class) '
    'FROM pg_index AS i JOIN pg_class AS t ON t.oid = i.indrelid '
    'WHERE t.relnamespace = current_schema()::regnamespace AND i.indisvalid AND i.indisready AND i.indpred IS NULL '
    'AND i.indexprs IS NULL'
)
_REFERENCES = (
    'SELECT t.relname::text, a.attname::text, f.relname::text, c.confdeltype::text FROM pg_constraint AS c '
    'JOIN pg_class AS t ON t.oid = c.conrelid JOIN pg_class AS f ON f.oid = c.confrelid '
    'JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] '
    "WHERE t.relnamespace = current_schema()::regnamespace AND c.contype = 'f' AND c.convalidated "
    'AND array_length(c.conkey, 1) = 1'
)
_AMCHECK = (
    'SELECT n.nspname::text FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace '
    "WHERE e.extname = 'amcheck'"
)
_BTREES = (
    'SELECT i.indexrelid::bigint, c.relname::text FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid '
    'JOIN pg_class AS t ON t.oid = i.indrelid JOIN pg_am AS m ON m.oid = c.relam '
    "WHERE m.amname = 'btree' AND i.indisvalid AND t.relnamespace = current_schema()::regnamespace ORDER BY c.relname"
)


class PsqlReader(DatabaseReader):
    """All statements see one moment, that of the first; no writer is held up by that."""

    page_rows: ClassVar[int] = 200_000
    dialect: PsqlDialect

    def __init__(self, dialect: PsqlDialect, check_stop: Callable[[], None]) -> None:
        super().__init__(dialect, check_stop)
        self._raw: psycopg.Connection[Any] = dialect.connect()
        self._waiting = ThreadPoolExecutor(1, 'verification')
        self._cursors = 0
        try:
            dialect.check_access(self._raw)
            self._raw.execute(_BEGIN)
        except psycopg.Error as error:
            self.close()
            raise dialect.failure(error) from error
        except BaseException:
            self.close()
            raise

    @property
    def alive(self) -> bool:
        return not self._raw.closed

    def close(self) -> None:
        self._raw.close()
        self._waiting.shutdown()

    def rows(self, sql: str) -> Rows:
        cursor = self._run(sql)
        return cursor.fetchall() if cursor.description else []

    def stream(self, sql: str) -> Iterator[tuple[Any, ...]]:
        self._cursors += 1
        name = f'verification_{self._cursors}'
        self._run(f'DECLARE {name} CURSOR FOR {sql}')
        while batch := self.rows(f'FETCH FORWARD {_BATCH} FROM {name}'):
            yield from batch
        self._run(f'CLOSE {name}')

    def _run(self, sql: str) -> psycopg.Cursor[Any]:
        """Run a statement; where it fails, the transaction, with its one moment, goes on."""
        self.check()
        try:
            # all in one question to the server, and one answer
            cursor = self._watched(lambda: self._raw.execute(f'SAVEPOINT look; {sql}; RELEASE look'.encode()))
        except self.dialect.driver_errors as error:
            with suppress(psycopg.Error):
                self._raw.execute('ROLLBACK TO look; RELEASE look')
            raise self.dialect.failure(error) from error
        cursor.nextset()
        return cursor

    def _watched(self, work: Callable[[], psycopg.Cursor[Any]]) -> psycopg.Cursor[Any]:
        """Wait for the server in another thread, so that in this one it can be seen when the work should end."""
        future = self._waiting.submit(work)
        try:
            while not wait((future,), SECONDS_BETWEEN_LOOKS).done:
                self.check()
        except BaseException:
            while not future.done():
                with suppress(psycopg.Error):  # once is too little: a statement on its way to the server is not ended
                    self._raw.cancel_safe(timeout=CANCEL_SECONDS)
                wait((future,), SECONDS_BETWEEN_LOOKS)
            raise
        return future.result()

    # -- the indexes and the schema ---------------------------------------------------------------------------

    def integrity(self, thorough: bool) -> Iterator[Fault]:
        """What amcheck finds in the indexes, and in which rows they lack; nothing where it is not installed."""
        place = self.rows(_AMCHECK) if thorough else []
        for oid, name in self.rows(_BTREES) if place else ():
            try:
                self.rows(f'SELECT "{place[0][0]}".bt_index_check({oid}::regclass, true)')
            except CorruptStorage as error:
                yield Fault('damaged index', name, told(error))

    def found(self) -> set[SchemaPart]:
        parts: set[SchemaPart] = set()
        for table, name, not_null in self.rows(_COLUMNS):
            parts.add(SchemaPart(table, 'column', name))
            if not_null:
                parts.add(SchemaPart(table, 'not null', name))
        for table, is_unique, is_primary, names, classes in self.rows(_INDEXES):
            words = [f'{name} {other}' if other else name for name, other in zip(names, classes, strict=False)]
            parts.add(SchemaPart(table, 'index', ', '.join(words)))
            if is_primary:
                parts.add(SchemaPart(table, 'primary key', subject_of(names)))
            if is_unique:
                parts.add(SchemaPart(table, 'unique', subject_of(names)))
        for table, name, target, action in self.rows(_REFERENCES):
            parts.add(reference_part(table, name, target, _ON_DELETE.get(action)))
        return parts

    def sequences(self, tables: list[str]) -> Iterator[Fault]:
        for table in tables:
            last = self.rows(f'SELECT max(id) FROM {table}')[0][0] or 0  # before the sequence, which goes on meanwhile
            name = self.rows(f"SELECT pg_get_serial_sequence('{table}', 'id')")[0][0]
            if name is None:
                yield Fault('sequence behind', table, 'there is no sequence that gives primary keys')
                continue
            value, is_called = self.rows(f'SELECT last_value, is_called FROM {name}')[0]
            if (following := value + 1 if is_called else value) <= last:
                yield Fault(
                    'sequence behind', table, f'the next primary key would be {following:,}, and rows go up to {last:,}'
                )

    def suspect_trees(self) -> Iterator[tuple[int, str, str | bytes | None]]:
        yield from self.stream(self.dialect.suspect_trees)

    # -- values -----------------------------------------------------------------------------------------------

    def unsound(self, column: Column, name: str) -> str:
        if column.sort == 'json':
            sound = f"jsonb_typeof({name}) = 'object'"
            return f"NOT ({sound} OR {name} = 'null')" if column.nullable else f'NOT ({sound})'
        if column.sort == 'time':
            return f"NOT ({name} >= '0002-01-01 00:00+00' AND {name} < '9999-01-01 00:00+00')"
        return ''

    def suspect(self, column: Column, name: str, reference: str = '') -> str:
        return ''

    def screen(self, columns: list[tuple[Column, str]], texts: list[str]) -> str:
        return ''

    def undecodable(self, names: list[str]) -> str:
        return ''

    def content(self, name: str) -> str:
        return f'{name}::text'

    def is_json(self, name: str) -> str:
        return f'{name} IS NOT NULL'

    def suspect_json(self, name: str) -> str:
        text = f'{name}::text'
        return (
            f"length({text}) > 200 AND ({text} ~ '[0-9]{{200}}' "
            f"OR length({text}) - length(translate({text}, '{{[', '')) > 200)"
        )

    def member(self, name: str, *keys: str) -> str:
        return f"({name} #>> '{{{','.join(keys)}}}')"

    def odd_key(self, name: str) -> str:
        return f"EXISTS (SELECT 1 FROM jsonb_object_keys({name}) AS key WHERE key = '' OR strpos(key, '.') > 0)"
