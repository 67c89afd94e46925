"""Reading a database for a verification: statements that end when they are asked to, and pages of large tables."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from ricordi.errors import AccessError, NotEnoughSpace, RicordiError
from ricordi.storage.verification.declared import Column, Declared, SchemaPart, declared

if TYPE_CHECKING:
    from ricordi.storage.dialect import Dialect

Rows = list[tuple[Any, ...]]
LARGEST_PK = 2**63 - 1


class Fault(NamedTuple):
    """What a database itself finds wrong.

    :param kind: one of `ricordi.storage.verification.kinds`.
    :param table: or index, where it is known.
    """

    kind: str
    table: str
    detail: str


def told(error: BaseException) -> str:
    """What the database has said, in one line, without the advice that goes with it in a message."""
    return str(error.__cause__ or error).strip().split('\n', 1)[0]


class DatabaseReader(ABC):
    """A connection of its own, by which nothing is written, and the SQL that differs between databases.

    Statements have no parameters: nothing goes into them but names of the schema and integers.
    """

    page_rows: ClassVar[int]
    """How many primary keys a statement over a large table takes at a time."""

    def __init__(self, dialect: Dialect, check_stop: Callable[[], None]) -> None:
        """
        :param check_stop: raises when the work should end; called often, also while a statement runs.
        """
        self.dialect = dialect
        self.schema: Declared = declared(dialect.name)
        self.stopped: BaseException | None = None
        self._check_stop = check_stop

    def check(self) -> None:
        """See whether the work may go on; what says that it may not is kept in `stopped`."""
        try:
            self._check_stop()
        except BaseException as error:
            self.stopped = error
            raise

    def must_end(self, error: BaseException) -> bool:
        """Whether an error is no finding: the work was ended, or the connection is lost."""
        return self.stopped is not None or not self.alive

    @property
    @abstractmethod
    def alive(self) -> bool:
        """Whether the connection can still be used."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the connection."""

    @abstractmethod
    def rows(self, sql: str) -> Rows:
        """All rows of a SELECT, of which there are few.

        :raises ricordi.errors.RicordiError: what the driver raised, in our words.
        """

    @abstractmethod
    def stream(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a SELECT in constant memory; no writer is held up while they are looked at."""

    def rows_or_error(self, sql: str) -> Rows | RicordiError:
        """The same, with what would be raised."""
        try:
            return self.rows(sql)
        except RicordiError as error:
            return error

    def rows_of_pages(
        self, pages: Iterable[range], select: Callable[[range], str]
    ) -> Iterator[tuple[range, Rows | RicordiError]]:
        """The rows of a SELECT about each of some pages, in their order, or why there are none.

        :param select: the statement for a page.
        """
        return ((page, self.rows_or_error(select(page))) for page in pages)

    # -- what differs ---------------------------------------------------------------------------------------

    def begin_integrity(self, thorough: bool) -> None:
        """Have the database's own checks done from now on, beside what else is asked; else `integrity` does them."""
        return

    @abstractmethod
    def integrity(self, thorough: bool) -> Iterator[Fault]:
        """What the database's own checks find."""

    @abstractmethod
    def found(self) -> set[SchemaPart]:
        """What of the schema is there; of a table that is not, nothing."""

    @abstractmethod
    def sequences(self, tables: list[str]) -> Iterator[Fault]:
        """What would give the next row of one of these tables a primary key that is taken."""

    @abstractmethod
    def suspect_trees(self) -> Iterator[tuple[int, str, str | bytes | None]]:
        """The nodes whose file tree may not be sound: pk, uuid, JSON text."""

    @abstractmethod
    def unsound(self, column: Column, name: str) -> str:
        """The condition that a value, which is not NULL, is none of its column; empty where the database sees to that.

        :param name: the column in SQL.
        """

    @abstractmethod
    def suspect(self, column: Column, name: str, reference: str = '') -> str:
        """A condition that is quickly told, and true of each value that is none of its column, and of few others.

        It is true, too, where there is no value and must be one. Empty where there is no such condition.

        :param name: the column in SQL.
        :param reference: the condition that what it names is there, which is looked at with it.
        """

    @abstractmethod
    def screen(self, columns: list[tuple[Column, str]], texts: list[str]) -> str:
        """A condition that is quickly told, and true, or cannot be told, if one of these values is none of its column.

        It seldom is so otherwise. Empty where there is no such condition.

        :param columns: with the column in SQL.
        :param texts: columns in SQL of which one may be no UTF-8.
        """

    @abstractmethod
    def undecodable(self, names: list[str]) -> str:
        """The condition that one of these texts is no UTF-8; empty where the database sees to that."""

    @abstractmethod
    def content(self, name: str) -> str:
        """SQL of a value as bytes or text, to be looked at here, whatever it is."""

    @abstractmethod
    def is_json(self, name: str) -> str:
        """The condition that a value is JSON of some kind, so that `member` can be asked."""

    @abstractmethod
    def suspect_json(self, name: str) -> str:
        """The condition that JSON may be such as Python cannot read; `json_fault` tells."""

    @abstractmethod
    def member(self, name: str, *keys: str) -> str:
        """SQL of the text of a value in JSON that is sound; NULL where there is none. True is `true` or `1`."""

    @abstractmethod
    def odd_key(self, name: str) -> str:
        """The condition that a dictionary, which is sound, has a key that is empty or has a period."""

    # -- pages ------------------------------------------------------------------------------------------------

    def pages(self, table: str, key: str = 'id', first: int | None = None, last: int | None = None) -> Iterator[range]:
        """Ranges of an indexed column of integers, in which all rows lie, with no more than `page_rows` values each.

        :param first: where to begin; None for the least value.
        :param last: where to end; None for the greatest.
        """
        start = self._end(table, key, 'min') if first is None else first
        stop = self._end(table, key, 'max') if last is None else last
        while start is not None and stop is not None and start <= stop:
            end = min(start + self.page_rows, stop + 1)
            yield range(start, end)
            start = self._next(table, key, end) if end <= stop else None

    def _end(self, table: str, key: str, function: str) -> int | None:
        """The least or greatest value; None where there is none. (What is no integer may come after all integers.)"""
        value = self.rows(f'SELECT {function}({key}) FROM {table} WHERE {key} <= {LARGEST_PK}')[0][0]
        return None if value is None else math.floor(value)

    def _next(self, table: str, key: str, start: int) -> int | None:
        try:
            value = self.rows(f'SELECT min({key}) FROM {table} WHERE {key} >= {start} AND {key} <= {LARGEST_PK}')[0][0]
        except RicordiError as error:
            if self.must_end(error):
                raise
            return start  # it cannot be skipped what cannot be read: whoever reads the page will meet it
        return None if value is None else math.floor(value)

    def is_of_rows(self, error: RicordiError, sql: str) -> bool:
        """Whether a statement failed for the rows that it met: without any it does not.

        :param sql: the statement, with a condition that no row meets.
        """
        if self.must_end(error) or isinstance(error, AccessError | NotEnoughSpace):
            return False
        try:
            self.rows(sql)
        except RicordiError:
            return False
        return True

    def nodes(self, pks: list[Any]) -> tuple[tuple[int, str, str], ...]:
        """The nodes that are there of these, with their uuids."""
        wanted = [pk for pk in dict.fromkeys(pks) if isinstance(pk, int)]
        found: dict[int, str] = {}
        if wanted:
            listed = ', '.join(map(str, wanted))
            with suppress(RicordiError):
                found = dict(self.rows(f'SELECT id, uuid FROM db_dbnode WHERE id IN ({listed})'))
        return tuple((pk, str(found[pk]), '') for pk in wanted if pk in found)
