"""Who is connected to a PostgreSQL database, as the server sees it, and who has it for itself."""

from __future__ import annotations

import os
import secrets
import socket
from typing import Any

import psycopg

from ricordi.access.process import existence
from ricordi.backend.storage import DatabaseSession

LOCK_KEY = 0x5249434F524449
"""The advisory lock of who has the database for itself; the server keeps it per database, until its session ends."""
IMPORT_KEY = 0x5249434F494D50
"""The advisory lock of the import that adds its rows just now; the server keeps it until its transaction ends."""

_SESSIONS = """
SELECT pid, coalesce(usename::text, ''), coalesce(application_name, ''), coalesce(host(client_addr), ''), backend_start
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid
"""
_HOLDER = """
SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted AND objsubid = 1
AND (classid::bigint << 32) + objid::bigint = %s
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

_tokens: dict[int, str] = {}


def application_name() -> str:
    """How the sessions of this process are called on the server: `ricordi <host>:<pid>:<random>`."""
    pid = os.getpid()
    token = _tokens.setdefault(pid, secrets.token_hex(3))
    return f'ricordi {socket.gethostname()[:35]}:{pid}:{token}'


def has_ended(session: DatabaseSession) -> bool:
    """Whether a session is that of a process of this host that is gone: the server takes a moment to hear of it."""
    name, _, number = session.application.rpartition(':')[0].rpartition(':')
    is_here = name == f'ricordi {socket.gethostname()[:35]}' and number.isdecimal()
    return is_here and existence(int(number)) == 'gone'


def list_sessions(raw: psycopg.Connection[Any]) -> list[DatabaseSession]:
    """Who is connected to the database of a connection, the connection itself left out."""
    own = application_name()
    return [
        DatabaseSession(pid, user, application, client, since, own=application == own)
        for pid, user, application, client, since in raw.execute(_SESSIONS)
    ]


def holds_lock(raw: psycopg.Connection[Any]) -> bool:
    """Whether it is the session of this connection that has the database for itself."""
    return raw.execute(_HOLDER, (LOCK_KEY,)).fetchone() == (raw.info.backend_pid,)


def exclusive_holder(raw: psycopg.Connection[Any]) -> DatabaseSession | None:
    """The session of another process that has the database for itself, if there is one."""
    row = raw.execute(_HOLDER, (LOCK_KEY,)).fetchone()
    if row is None:
        return None
    return next((session for session in list_sessions(raw) if session.pid == row[0] and not session.own), None)
