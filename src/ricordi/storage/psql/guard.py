"""Having a PostgreSQL database for one process, wherever the others run: what full maintenance asks for.

Who wants it takes an advisory lock, and then looks whether other sessions are there. Who connects then
looks whether somebody else holds the lock. So of two that come at the same moment, at least one sees the other.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from ricordi.backend.storage import DatabaseSession
from ricordi.errors import InvalidOperation, LockingProfileError, UnreachableStorage
from ricordi.remedies import Remedy
from ricordi.storage.psql.dialect import PsqlDialect
from ricordi.storage.psql.failures import told
from ricordi.storage.psql.sessions import LOCK_KEY, holds_lock, list_sessions

SESSIONS_TIME_OUT_FROM = 140000
_WHAT_NOW = 'ended early, and nothing more was removed: run it again when the database is there and nobody uses it'


class DatabaseGuard:
    """The exclusive hold of one database by this process; made by `guard_of`. It may be entered several times."""

    def __init__(self, dialect: PsqlDialect) -> None:
        self._dialect = dialect
        self._mutex = threading.RLock()
        self._raw: psycopg.Connection[Any] | None = None
        self._process = os.getpid()
        self._depth = 0

    @contextmanager
    def exclusive(self) -> Iterator[Callable[[], None]]:
        """Have the database for this process, for the length of a `with` block, which is given `check`.

        :raises ricordi.errors.LockingProfileError: others are connected; the message names them.
        """
        self._enter()
        try:
            yield self.check
        finally:
            self._leave()

    def check(self) -> None:
        """See that this process still has the database for itself: a server that restarts forgets it.

        :raises ricordi.errors.UnreachableStorage: the connection that held it is lost.
        :raises ricordi.errors.LockingProfileError: somebody else is there, who does not ask who has the database.
        """
        with self._mutex:
            raw = self._raw
            if raw is None or self._process != os.getpid():
                raise InvalidOperation(f'this process does not have the {self._dialect.place} for itself')
            try:
                if not holds_lock(raw):
                    raise LockingProfileError(f'the hold of the {self._dialect.place} was lost; {_WHAT_NOW}')
                others = [session for session in list_sessions(raw) if not session.own]
            except psycopg.Error as error:
                raise UnreachableStorage(
                    f'the connection that kept others out of the {self._dialect.place} is lost; {_WHAT_NOW}'
                ) from error
        if others:
            names = ''.join(f'\n  - {session}' for session in others)
            raise LockingProfileError(f'others have come into the {self._dialect.place}; {_WHAT_NOW}:{names}')

    def _enter(self) -> None:
        with self._mutex:
            if self._process != os.getpid():  # a forked child holds nothing of its parent's
                self._process, self._raw, self._depth = os.getpid(), None, 0
            if not self._depth:
                self._raw = self._take()
            self._depth += 1

    def _leave(self) -> None:
        with self._mutex:
            if self._process != os.getpid():
                return
            self._depth -= 1
            if not self._depth and self._raw is not None:
                # Unlocked first: the server may need a moment to notice that a connection has ended.
                with suppress(psycopg.Error):
                    self._raw.execute('SELECT pg_advisory_unlock(%s)', (LOCK_KEY,))
                self._raw.close()
                self._raw = None

    def _take(self) -> psycopg.Connection[Any]:
        raw = self._dialect.connect()
        try:
            self._dialect.check_writable(raw)
            with told(self._dialect.place):
                if raw.info.server_version >= SESSIONS_TIME_OUT_FROM:
                    raw.execute('SET idle_session_timeout = 0')
                row = raw.execute('SELECT pg_try_advisory_lock(%s)', (LOCK_KEY,)).fetchone()
                others = [session for session in list_sessions(raw) if not session.own]
            if others or not (row and row[0]):
                raise LockingProfileError(_in_use(self._dialect.place, others), remedy=Remedy('wait'))
        except BaseException:
            raw.close()
            raise
        return raw


_guards: dict[tuple[Any, ...], DatabaseGuard] = {}
_guards_mutex = threading.Lock()


def guard_of(dialect: PsqlDialect) -> DatabaseGuard:
    """The guard that this process keeps for a database."""
    with _guards_mutex:
        return _guards.setdefault(dialect.identity, DatabaseGuard(dialect))


def _in_use(place: str, others: list[DatabaseSession]) -> str:
    names = ''.join(f'\n  - {session}' for session in others) or '\n  - a session that has just ended'
    return f'the {place} is in use; end these programs:{names}'
