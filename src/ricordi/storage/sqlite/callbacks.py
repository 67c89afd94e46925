"""Functions in Python that SQLite calls: what one of them raises is told from what a signal raises amid it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

_RAISED = 'user-defined function raised exception'
"""All that SQLite says of an exception, unless it is an `OverflowError` (`SQLITE_TOOBIG`) or a lack of memory."""


def define(raw: sqlite3.Connection, name: str, arguments: int, function: Callable[..., Any]) -> None:
    """Let SQL call a function whose result depends on its arguments alone.

    Python handles a signal as soon as SQLite calls it, before the function can catch anything, and SQLite swallows the
    exception. So what the function itself raises becomes `SQLITE_TOOBIG`, and what is left is of a signal
    (`was_interrupted`).

    :param arguments: how many it takes; -1 for any number.
    """

    def called(*values: Any) -> Any:
        try:
            return function(*values)
        except MemoryError:
            raise
        except Exception as error:
            raise OverflowError from error

    raw.create_function(name, arguments, called, deterministic=True)


def was_interrupted(error: BaseException) -> bool:
    """Whether an error of the driver says that a signal has ended a statement, or `end_when_asked`."""
    return getattr(error, 'sqlite_errorname', None) == 'SQLITE_INTERRUPT' or str(error) == _RAISED
