"""Databases that come from strangers: SQLite is told to trust nothing in them, and to end when it is asked to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from ricordi.model.values import LARGEST_VALUE

LONGEST_SQL = 1 << 20
"""Bytes of a statement, one of the schema included."""
STEPS_BETWEEN_LOOKS = 100_000
"""Instructions of SQLite's machine, a few milliseconds' worth, between two looks at whether work should end."""


def distrust(raw: sqlite3.Connection) -> None:
    """Let nothing that stands in the schema of a database call functions or change it, and no row take much memory.

    What is never met in a real archive is refused by SQLite itself: rows over 32 MiB, statements over 1 MiB.
    """
    raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_VALUE)
    raw.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, LONGEST_SQL)
    set_config = getattr(raw, 'setconfig', None)  # from Python 3.12 on
    if set_config is not None:
        set_config(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)  # type: ignore[attr-defined, unused-ignore]
        set_config(sqlite3.SQLITE_DBCONFIG_ENABLE_TRIGGER, False)  # type: ignore[attr-defined, unused-ignore]
        set_config(sqlite3.SQLITE_DBCONFIG_ENABLE_VIEW, False)  # type: ignore[attr-defined, unused-ignore]
    for setting in ('trusted_schema = OFF', 'cell_size_check = ON'):
        raw.execute(f'PRAGMA {setting}').fetchall()


def end_when_asked(raw: sqlite3.Connection, asked: Callable[[], object] = lambda: None) -> None:
    """Let a statement that takes long end when `asked` says so, or when a signal raises an exception.

    Python handles signals between its own steps, of which there are none while SQLite works; so it is called now and
    then. What a signal raises meanwhile ends the statement as `SQLITE_INTERRUPT`.
    """
    raw.set_progress_handler(lambda: 1 if asked() else 0, STEPS_BETWEEN_LOOKS)


def was_interrupted(error: BaseException) -> bool:
    """Whether an error of the driver says that a statement was ended so."""
    return getattr(error, 'sqlite_errorname', None) == 'SQLITE_INTERRUPT'
