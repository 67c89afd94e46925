"""Cursors that a PostgreSQL server keeps, with as few questions to it as can be."""

from __future__ import annotations

from typing import Any

import psycopg

from ricordi.storage.session import Parameters

Raw = tuple[Any, ...]


class ServerCursor:
    """The rows of a SELECT, some at a time; it lives until the transaction ends, or is closed.

    (psycopg's own also asks for the columns, for the end, and before it closes: most of the time that few rows take.)
    """

    def __init__(self, raw: psycopg.Connection[Any], name: str, sql: str, parameters: Parameters) -> None:
        """
        :param raw: inside a transaction.
        """
        self._raw = raw
        self._name = name
        self._at_end = False
        raw.execute(f'DECLARE {name} CURSOR FOR {sql}', parameters)

    def fetchmany(self, size: int) -> list[Raw]:
        """The next rows; fewer than `size` at the end only, and none after it."""
        if self._at_end:
            return []
        rows = self._raw.execute(f'FETCH FORWARD {size} FROM {self._name}', prepare=False).fetchall()
        self._at_end = len(rows) < size
        return rows

    def close(self) -> None:
        """Let go of it before the transaction ends."""
        self._raw.execute(f'CLOSE {self._name}', prepare=False)
