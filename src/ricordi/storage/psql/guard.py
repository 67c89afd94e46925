"""Having a PostgreSQL database for one process, wherever the others run: what full maintenance asks for.

Who wants it takes an advisory lock, and then looks whether other sessions are there. Who connects then
looks whether somebody else holds the lock. So of two that come at the same moment, at least one sees the other.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from ricordi.backend.storage import DatabaseSession
from ricordi.errors import InvalidOperation, LockingProfileError, UnreachableStorage
from ricordi.remedies import Remedy
from ricordi.storage.psql.dialect import PsqlDialect
from ricordi.storage.psql.failures import errors_translated
from ricordi.storage.psql.sessions import LOCK_KEY, has_ended, holds_lock, list_sessions

SESSIONS_TIME_OUT_FROM = 140000
ENDING_SECONDS = 10.0
"""How long the server may take to hear that a process has ended."""
LOOK_SECONDS = 0.05
_WHAT_NOW = 'ended early, and nothing more was removed: run it again when the database is there and nobody uses it'


class DatabaseGuard:
    """The exclusive hold of one database by this process, from the moment it is made until `release`."""

    def __init__(self, dialect: PsqlDialect) -> None:
        """
        :raises ricordi.errors.LockingProfileError: others are connected; the message names them.
        """
        self._place = dialect.place
        self._process = os.getpid()
        self._raw = _take(dialect)

    def check(self) -> None:
        """See that this process still has the database for itself: a server that restarts forgets it.

        :raises ricordi.errors.UnreachableStorage: the connection that held it is lost.
        :raises ricordi.errors.LockingProfileError: somebody else is there, who does not ask who has the database.
        """
        if self._process != os.getpid():  # a forked child holds nothing of its parent's
            raise InvalidOperation(f'this process does not have the {self._place} for itself')
        try:
            if not holds_lock(self._raw):
                raise LockingProfileError(f'the hold of the {self._place} was lost; {_WHAT_NOW}')
            others = [session for session in list_sessions(self._raw) if not session.own]
        except psycopg.Error as error:
            raise UnreachableStorage(
                f'the connection that kept others out of the {self._place} is lost; {_WHAT_NOW}'
            ) from error
        if others:
            names = ''.join(f'\n  - {session}' for session in others)
            raise LockingProfileError(f'others have come into the {self._place}; {_WHAT_NOW}:{names}')

    def release(self) -> None:
        """Let others in again."""
        if self._process != os.getpid():
            return
        _let_go(self._raw)


@contextmanager
def exclusive(dialect: PsqlDialect) -> Iterator[Callable[[], None]]:
    """Have a database for this process, for the length of a `with` block, which is given `DatabaseGuard.check`.

    :raises ricordi.errors.LockingProfileError: others are connected; the message names them.
    """
    guard = DatabaseGuard(dialect)
    try:
        yield guard.check
    finally:
        guard.release()


def _take(dialect: PsqlDialect) -> psycopg.Connection[Any]:
    raw = dialect.connect()
    try:
        dialect.check_writable(raw)
        with errors_translated(dialect.place):
            if raw.info.server_version >= SESSIONS_TIME_OUT_FROM:
                raw.execute('SET idle_session_timeout = 0')
            is_held, others = _lock(raw)
        if others or not is_held:
            raise LockingProfileError(_in_use(dialect.place, others), remedy=Remedy('wait'))
    except BaseException:
        _let_go(raw)
        raise
    return raw


def _let_go(raw: psycopg.Connection[Any]) -> None:
    """Close a connection; unlocked first, for the server may need a moment to notice that it has ended."""
    with suppress(psycopg.Error):
        raw.execute('SELECT pg_advisory_unlock_all()')
    raw.close()


def _lock(raw: psycopg.Connection[Any]) -> tuple[bool, list[DatabaseSession]]:
    """Whether the lock is held now, and the sessions of other programs.

    Where all of these are of processes that have ended, once the server has heard of that.
    """
    end = time.monotonic() + ENDING_SECONDS
    is_held = False
    others: list[DatabaseSession] = []
    while True:
        has_waited = bool(others)
        # The lock before the look: who comes in between sees the lock, who came before it is seen.
        if not is_held:
            row = raw.execute('SELECT pg_try_advisory_lock(%s)', (LOCK_KEY,)).fetchone()
            is_held = bool(row and row[0])
        others = [session for session in list_sessions(raw) if not session.own]
        waits = all(map(has_ended, others)) and time.monotonic() < end if others else has_waited and not is_held
        if not waits:
            return is_held, others
        time.sleep(LOOK_SECONDS)


def _in_use(place: str, others: list[DatabaseSession]) -> str:
    names = (
        ''.join(f'\n  - {session}' for session in others)
        or '\n  - a session that has just ended, or another lock of this process'
    )
    return f'the {place} is in use; end these programs:{names}'
