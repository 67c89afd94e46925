"""Texts in SQLite that are no UTF-8, which the driver refuses together with all rows that come with them.

SQLite keeps any bytes as a text. The driver raises an error at the first row that holds such a text, and is still at
that row. So it is asked for the row once more, with a reader of texts that yields what stands for a damaged one; where
all texts can be read, nothing is done besides.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from ricordi.model.values import text_or_damaged

_UNDECODABLE = 'Could not decode to UTF-8'


class ForgivingConnection(sqlite3.Connection):
    """A connection whose cursors give out rows that hold what is no text."""

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(ForgivingCursor)

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        return super().cursor(ForgivingCursor).execute(sql, parameters)


class ForgivingCursor(sqlite3.Cursor):
    """A cursor that gives out rows that hold what is no text, by `fetchone`, `fetchmany` and `fetchall`.

    In a loop over it such a row still is an error.
    """

    def fetchone(self) -> Any:
        try:
            return super().fetchone()
        except sqlite3.OperationalError as error:
            with self._forgiving(error):
                return super().fetchone()

    def fetchmany(self, size: int | None = 1) -> list[Any]:
        rows: list[Any] = []
        try:
            rows.extend(islice(self, size or 0))
        except sqlite3.OperationalError as error:
            with self._forgiving(error):  # the rows before are in the list already
                rows.extend(islice(self, (size or 0) - len(rows)))
        return rows

    def fetchall(self) -> list[Any]:
        rows: list[Any] = []
        try:
            rows.extend(self)
        except sqlite3.OperationalError as error:
            with self._forgiving(error):
                rows.extend(self)
        return rows

    @contextmanager
    def _forgiving(self, error: sqlite3.OperationalError) -> Iterator[None]:
        if _UNDECODABLE not in str(error):
            raise error
        self.connection.text_factory = text_or_damaged
        try:
            yield
        finally:
            self.connection.text_factory = str
