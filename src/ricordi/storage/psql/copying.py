"""The rows that a COPY hands over, without a wait of the driver for each of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus


def copied(cursor: psycopg.Cursor[Any], statement: str, parameters: Any, rows: int, size: int) -> Iterator[bytearray]:
    """The text of a `COPY … TO STDOUT`, some whole rows at a time.

    The driver's own way begins a wait for each row, which costs three times what all else of reading it does. Here
    there is one where no whole row is at hand.

    :param rows: so many at a time, at most.
    :param size: bytes at which fewer are enough.
    :raises psycopg.Error: the server refuses the statement, or ends it.
    """
    connection = cursor.connection.pgconn
    text, count = bytearray(), 0
    with cursor.copy(statement, parameters) as copy:
        while row := copy.read():
            length = len(row)
            while length > 0:
                text += row
                count += 1
                if count >= rows or len(text) >= size:
                    yield text
                    text, count = bytearray(), 0
                length, row = connection.get_copy_data(1)
            if length < 0:
                _see_the_end(connection)
                break
    if text:
        yield text


def _see_the_end(connection: psycopg.pq.abc.PGconn) -> None:
    """Take from the connection what it says after the last row."""
    # All of it before an error is raised: else the connection would still be busy with the COPY.
    for result in list(iter(connection.get_result, None)):
        if result.status != ExecStatus.COMMAND_OK:
            raise error_from_result(result)
