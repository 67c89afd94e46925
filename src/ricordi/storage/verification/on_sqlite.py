"""What is peculiar to SQLite, which keeps any bytes under any type: so every value is looked at."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, ClassVar

from ricordi.errors import CorruptStorage, Interrupted, RicordiError
from ricordi.model.values import UUID_PATTERN, is_time_text, is_uuid_text
from ricordi.storage.query.streams import spooled
from ricordi.storage.sqlite.read_ahead import read_ahead
from ricordi.storage.sqlite.strangers import end_when_asked
from ricordi.storage.verification.declared import Column, PartSort, SchemaPart, reference_part, subject_of
from ricordi.storage.verification.reader import DatabaseReader, Fault, Rows, told

if TYPE_CHECKING:
    from ricordi.storage.sqlite.dialect import SqliteDialect

MOST_FAULTS = 100_000
"""Lines that SQLite's own check is asked for; by itself it ends after a hundred."""
EMPTY = "''"
_BATCH = 2000
_LOOK_SECONDS = 0.2
_LEAST_PAGE = 16
"""Rows around damage that cannot be read, which are left out of the look at file trees."""
_DAY = r'(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)'
_USUAL: dict[str, str] = {
    'uuid': UUID_PATTERN.pattern,
    'time': r'(?:1\d|2[0-8])\d\d-' + _DAY + r' (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}',
}
"""What uuids and times look like, as all programs write them; 29th of February and the like are looked at closely."""
_OF_INDEX = re.compile(r'row -?\d+ missing from index (\S+)|wrong # of entries in index (\S+)|.* entry in index (\S+)')
_OF_VALUE = re.compile(r'(?:NULL|TEXT|NUMERIC|BLOB|INT|REAL|non-\w+) value in \S+')


class SqliteReader(DatabaseReader):
    """Each statement sees one moment; between statements others write, whom none holds up for long."""

    page_rows: ClassVar[int] = 20_000
    dialect: SqliteDialect

    def __init__(self, dialect: SqliteDialect, check_stop: Callable[[], None]) -> None:
        super().__init__(dialect, check_stop)
        self._raw = dialect.connect()
        self._raw.create_function('is_uuid', 1, _is_uuid, deterministic=True)
        self._raw.create_function('is_time', 1, _is_time, deterministic=True)
        self._raw.create_function('is_utf8', 1, _is_utf8, deterministic=True)
        end_when_asked(self._raw, self._asked)
        self._whole_file = _WholeFile(dialect, self.check)

    def _asked(self) -> bool:
        """SQLite swallows what is raised here, so it is kept."""
        with suppress(BaseException):
            self.check()
        return self.stopped is not None

    alive = True

    def close(self) -> None:
        self._whole_file.close()
        self.dialect.disconnect(self._raw)

    def interrupt(self) -> None:
        """End what another thread has asked for, if it is under way: SQLite asks nobody while it looks at its file."""
        with suppress(*self.dialect.driver_errors):  # it has ended
            self._raw.interrupt()

    def rows(self, sql: str) -> Rows:
        self.check()
        try:
            return list(self._raw.execute(sql).fetchall())
        except self.dialect.driver_errors as error:
            raise self._failed(error) from error

    def stream(self, sql: str) -> Iterator[tuple[Any, ...]]:
        # all rows are read before the first is looked at: an open SELECT keeps others from writing
        self.check()
        try:
            batches = spooled(self._raw.execute(sql), _BATCH)
            first = list(islice(batches, 1))  # which is given out when all are read
        except self.dialect.driver_errors as error:
            raise self._failed(error) from error
        for batch in chain(first, batches):
            self.check()
            yield from batch

    def _failed(self, error: Exception) -> BaseException:
        return self.dialect.failure(error) if self.stopped is None else self.stopped

    # -- the file and the schema ------------------------------------------------------------------------------

    def begin_integrity(self, thorough: bool) -> None:
        self._whole_file.begin(thorough)

    def integrity(self, thorough: bool) -> Iterator[Fault]:
        lines, broken = self._whole_file.awaited(thorough)
        for line in lines:
            if is_damage(line):
                yield _fault(line)
        if broken is not None:
            yield Fault('damaged database', '', f'SQLite cannot look at all of its file: {told(broken)}')

    def lines(self, sql: str) -> tuple[list[str], CorruptStorage | None]:
        """What a check of SQLite's says, and the damage at which it has ended early."""
        self.check()
        lines: list[str] = []
        try:
            cursor = self._raw.execute(sql)
            while row := cursor.fetchone():
                lines.extend(str(row[0]).splitlines())
        except self.dialect.driver_errors as error:
            failed = self._failed(error)
            try:
                raise failed from error
            except CorruptStorage as damage:
                return lines, damage
        return lines, None

    def found(self) -> set[SchemaPart]:
        parts: set[SchemaPart] = set()
        for table in self.schema.columns:
            self._find_columns(parts, table)
            for row in self.rows(f'PRAGMA foreign_key_list({table})'):
                parts.add(reference_part(table, row[3], row[2], row[6]))
            for row in self.rows(f'PRAGMA index_list({table})'):
                names = [str(column[2]) for column in self.rows(f'PRAGMA index_info({_quoted(row[1])})')]
                if not row[4]:  # it covers all rows
                    parts.add(SchemaPart(table, 'index', ', '.join(names)))
                    if row[2]:
                        parts.add(SchemaPart(table, 'unique', subject_of(names)))
        return parts

    def _find_columns(self, parts: set[SchemaPart], table: str) -> None:
        columns = self.rows(f'PRAGMA table_info({table})')
        for _, name, _, not_null, _, _ in columns:
            sorts: tuple[PartSort, ...] = ('column', 'not null') if not_null else ('column',)
            parts.update(SchemaPart(table, sort, name) for sort in sorts)
        if key := [column[1] for column in columns if column[5]]:
            parts.add(SchemaPart(table, 'primary key', subject_of(key)))

    def sequences(self, tables: list[str]) -> Iterator[Fault]:
        """Nothing: the next primary key is the greatest and one more."""
        yield from ()

    def suspect_trees(self) -> Iterator[tuple[int, str, str | bytes | None]]:
        for page, found in self.rows_of_pages(self.pages('db_dbnode'), self._trees_of):
            if not isinstance(found, RicordiError):
                yield from found
            elif self.must_end(found):
                raise found
            else:
                yield from self._suspect_trees(page)

    def _trees_of(self, page: range) -> str:
        return f'SELECT * FROM ({self.dialect.suspect_trees}) WHERE id BETWEEN {page[0]} AND {page[-1]}'

    def _suspect_trees(self, page: range) -> Iterator[tuple[int, str, str | bytes | None]]:
        within = f'id BETWEEN {page[0]} AND {page[-1]}'
        try:
            yield from self.rows(self._trees_of(page))
            return
        except RicordiError as error:
            if self.must_end(error):
                raise
        guarded = f'SELECT * FROM ({self.dialect.suspect_trees_guarded}) WHERE '
        try:
            yield from self.rows(guarded + within)
            return
        except RicordiError as error:
            if not self.is_of_rows(error, f'{guarded} 1 = 0'):
                raise
        if len(page) > _LEAST_PAGE:  # rows that cannot be read are told where values are looked at
            yield from self._suspect_trees(page[: len(page) // 2])
            yield from self._suspect_trees(page[len(page) // 2 :])

    # -- values -----------------------------------------------------------------------------------------------

    def unsound(self, column: Column, name: str) -> str:
        return f'({_sound(column, name)}) IS NOT TRUE'

    def suspect(self, column: Column, name: str, reference: str = '') -> str:
        # a comparison takes a third of what a call of typeof() takes
        if column.sort == 'text':
            usual = f"{name} >= '' AND {name} < x''" + (f' AND length({name}) <= {column.limit}' * bool(column.limit))
        elif column.sort == 'json':
            usual = f"{name} >= '{{' AND {name} < '|' AND json_valid({name})"
        elif column.sort == 'integer':
            usual = f"typeof({name}) = 'integer'" + (f' AND {reference}' if reference else '')
        else:
            return ''
        return f'{name} IS NOT NULL AND ({usual}) IS NOT TRUE' if column.nullable else f'({usual}) IS NOT TRUE'

    def screen(self, columns: list[tuple[Column, str]], texts: list[str]) -> str:
        screened = [(column.sort, name) for column, name in columns if column.sort in _USUAL]
        if not screened and not texts:
            return ''
        # one call for all of them, for each costs as much as what it does
        usual = re.compile(''.join(f'{_USUAL[sort]}\\|' for sort, _ in screened), re.ASCII).match
        function = '_'.join(['unusual', *(sort for sort, _ in screened)])
        self._raw.create_function(function, -1, lambda *values: usual('|'.join(values)) is None, deterministic=True)
        values = [f"coalesce({name}, '')" for name in (*(name for _, name in screened), *texts)]
        return f'{function}({", ".join([*values, EMPTY])})'

    def undecodable(self, names: list[str]) -> str:
        texts = " || '|' || ".join(f"coalesce({name}, '')" for name in names)
        return f'NOT is_utf8(CAST({texts} AS BLOB))'

    def content(self, name: str) -> str:
        return f'CAST({name} AS BLOB)'

    def is_json(self, name: str) -> str:
        return f"CASE WHEN typeof({name}) = 'text' THEN json_valid({name}) ELSE FALSE END"

    def suspect_json(self, name: str) -> str:
        # deep or long ones are long; short ones can only hold half a character, or a number with a large exponent
        # (a pattern that has a letter behind its star is found ten times as fast as one that has a set there)
        signs = ('\\u[dD]', *(f'{letter}{sign}[0-9][0-9][0-9]' for letter in 'eE' for sign in ('', '+')))
        found = ' OR '.join(f"{name} GLOB '*{sign}*'" for sign in signs)
        return f"typeof({name}) = 'text' AND (length({name}) > 400 OR {found})"

    def member(self, name: str, *keys: str) -> str:
        path = ''.join(f'."{key}"' for key in keys)
        return f"json_extract({name}, '${path}')"

    def odd_key(self, name: str) -> str:
        return f"EXISTS (SELECT 1 FROM json_each({name}) AS pair WHERE pair.key = '' OR instr(pair.key, '.'))"


class _WholeFile:
    """SQLite's own look at all of its file, by a thread and a connection of its own beside the look at rows."""

    def __init__(self, dialect: SqliteDialect, check: Callable[[], None]) -> None:
        """
        :param check: raises where the work is to end.
        """
        self._dialect = dialect
        self._check = check
        self._thread = ThreadPoolExecutor(1, thread_name_prefix='integrity')
        self._looking: Future[tuple[list[str], CorruptStorage | None]] | None = None
        self._reader: SqliteReader | None = None
        self._closing = False

    def begin(self, thorough: bool) -> None:
        self._looking = self._thread.submit(self._look, thorough)

    def _look(self, thorough: bool) -> tuple[list[str], CorruptStorage | None]:
        # first the file is read ahead: SQLite keeps writers waiting until its check is done
        read_ahead(self._dialect.path, self._check_beside)
        name = 'integrity_check' if thorough else 'quick_check'
        with closing(SqliteReader(self._dialect, self._check_beside)) as reader:
            self._reader = reader
            return reader.lines(f'PRAGMA {name}({MOST_FAULTS})')

    def _check_beside(self) -> None:
        if self._closing:
            raise Interrupted('nobody hears of it: ended early')
        self._check()

    def awaited(self, thorough: bool) -> tuple[list[str], CorruptStorage | None]:
        """What it says, as of `SqliteReader.lines`; begun now if it was not."""
        if self._looking is None:
            self.begin(thorough)
        assert self._looking is not None
        while not wait((self._looking,), _LOOK_SECONDS).done:
            self._check()
        return self._looking.result()

    def close(self) -> None:
        """End it."""
        self._closing = True
        while self._looking is not None and not self._looking.done():
            if self._reader is not None:
                self._reader.interrupt()  # once is too little: a statement that is about to begin does not hear it
            wait((self._looking,), _LOOK_SECONDS)
        self._thread.shutdown()


def _sound(column: Column, name: str) -> str:
    is_text = f"typeof({name}) = 'text'"
    if column.sort in ('integer', 'boolean'):
        is_integer = f"typeof({name}) = 'integer'"
        return is_integer if column.sort == 'integer' else f'{is_integer} AND {name} IN (0, 1)'
    if column.sort == 'uuid':
        return f'{is_text} AND is_uuid(CAST({name} AS BLOB))'
    if column.sort == 'time':
        return f'{is_text} AND is_time(CAST({name} AS BLOB))'
    if column.sort == 'json':
        null = f" OR {name} = 'null'" if column.nullable else ''
        dictionary = f"(({name} >= '{{' AND {name} < '|') OR json_type({name}) = 'object'{null})"
        return f'CASE WHEN {is_text} THEN CASE WHEN json_valid({name}) THEN {dictionary} END END'
    if column.sort == 'any json':
        return f"typeof({name}) IN ('integer', 'real') OR CASE WHEN {is_text} THEN json_valid({name}) END"
    return is_text


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


def is_damage(line: str) -> bool:
    """Whether a line of a check of SQLite's tells of damage: not of a single value, which is looked at elsewhere."""
    told = line.strip() and line != 'ok' and not line.startswith('*** in database')
    return bool(told) and _OF_VALUE.fullmatch(line) is None


def _fault(line: str) -> Fault:
    if index := _OF_INDEX.fullmatch(line):
        return Fault('damaged index', next(name for name in index.groups() if name), line)
    return Fault('damaged database', '', line)


def _is_uuid(content: bytes) -> bool:
    return _is_utf8(content) and is_uuid_text(content.decode()) is not None


def _is_time(content: bytes) -> bool:
    return _is_utf8(content) and is_time_text(content.decode())


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
