"""Who else is in a PostgreSQL database: an advisory lock among Ricordi's processes, and the server's list of sessions.

Each process keeps one session per database for it. While a storage is open, that session holds the lock shared; for
full maintenance it holds it exclusively, too. The lock ends with the session, whatever ends the process.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from ricordi.backend.storage import DatabaseSession
from ricordi.errors import LockedProfileError, LockingProfileError, UnreachableStorage
from ricordi.storage.psql_dialect import PsqlDialect, application_name

LOCK_KEY = 0x5249434F524449
"""The advisory lock of Ricordi; advisory locks are counted per database."""

_SESSIONS = """
SELECT pid, coalesce(usename::text, ''), coalesce(application_name, ''), coalesce(host(client_addr), ''), backend_start
FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' ORDER BY pid
"""
_HOLDERS = """
SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND mode = 'ExclusiveLock' AND objsubid = 1
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND (classid::bigint << 32) + objid::bigint = %s
"""


class DatabaseGuard:
    """The guard of one database in this process; made by `guard_of`. Safe to use from several threads."""

    def __init__(self, dialect: PsqlDialect) -> None:
        self._dialect = dialect
        self._mutex = threading.RLock()
        self._raw: psycopg.Connection[Any] | None = None
        self._pid = os.getpid()
        self._sharers = 0
        self._holders = 0

    def share(self) -> None:
        """Count as a user of the database, until `unshare`.

        :raises ricordi.errors.LockedProfileError: another process has the database for itself.
        """
        with self._mutex:
            raw = self._connection()
            if not self._sharers and not self._ask(raw, 'pg_try_advisory_lock_shared'):
                holders = {pid for (pid,) in raw.execute(_HOLDERS, (LOCK_KEY,))}
                names = _lines(session for session in list_sessions(raw) if session.pid in holders)
                self._release_if_idle()
                raise LockedProfileError(
                    f'the {self._dialect.place} is locked for maintenance; try again when it is done. '
                    f'It is held by:{names}'
                )
            self._sharers += 1

    def unshare(self) -> None:
        """End what `share` began."""
        with self._mutex:
            if self._pid != os.getpid():
                return
            self._sharers -= 1
            if not self._sharers and self._raw is not None:
                self._let_go(self._raw, 'pg_advisory_unlock_shared')
            self._release_if_idle()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Have the database for this process, for the length of a `with` block; may be nested.

        :raises ricordi.errors.LockingProfileError: others are connected; the message names them.
        """
        with self._mutex:
            raw = self._connection()
            others = [session for session in list_sessions(raw) if not session.own]
            if others or not self._ask(raw, 'pg_try_advisory_lock'):
                self._release_if_idle()
                names = _lines(others or (session for session in list_sessions(raw) if not session.own))
                raise LockingProfileError(
                    f'the {self._dialect.place} is in use; end these programs, or use --wait to wait for them:{names}'
                )
            self._holders += 1
        try:
            yield
        finally:
            with self._mutex:
                self._holders -= 1
                self._let_go(raw, 'pg_advisory_unlock')
                self._release_if_idle()

    def _connection(self) -> psycopg.Connection[Any]:
        """The session that holds the locks; a lost one is replaced, a forked child begins with none."""
        if self._pid != os.getpid():
            self._pid, self._raw, self._sharers, self._holders = os.getpid(), None, 0, 0
        if self._raw is None or self._raw.closed:
            self._raw = self._dialect.connect()
            if self._sharers:
                self._ask(self._raw, 'pg_try_advisory_lock_shared')
        return self._raw

    def _ask(self, raw: psycopg.Connection[Any], function: str) -> bool:
        try:
            row = raw.execute(f'SELECT {function}(%s)'.encode(), (LOCK_KEY,)).fetchone()
        except psycopg.Error as error:
            raise self._dialect.failure(error) from error
        return bool(row and row[0])

    def _let_go(self, raw: psycopg.Connection[Any], function: str) -> None:
        if self._pid == os.getpid() and not raw.closed:
            with suppress(UnreachableStorage):  # a lost session holds no lock any more
                self._ask(raw, function)

    def _release_if_idle(self) -> None:
        if self._raw is not None and not self._sharers and not self._holders:
            if self._pid == os.getpid():
                self._raw.close()
            self._raw = None


def list_sessions(raw: psycopg.Connection[Any]) -> list[DatabaseSession]:
    """Who is connected to the database of a connection, the connection itself left out."""
    own = application_name()
    return [
        DatabaseSession(pid, user, application, client, since, own=application == own)
        for pid, user, application, client, since in raw.execute(_SESSIONS)
        if pid != raw.info.backend_pid
    ]


_guards: dict[tuple[Any, ...], DatabaseGuard] = {}
_guards_mutex = threading.Lock()


def guard_of(dialect: PsqlDialect) -> DatabaseGuard:
    """The guard that this process keeps for a database."""
    with _guards_mutex:
        return _guards.setdefault(dialect.identity, DatabaseGuard(dialect))


def _lines(sessions: Any) -> str:
    return ''.join(f'\n  - {session}' for session in sessions)
