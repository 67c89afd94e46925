"""Which database of which PostgreSQL server it is, and what that server can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from ricordi.errors import InvalidOperation, ReadOnlyStorage, UnwritableStorage
from ricordi.storage.session import Session

UNTOLD = '-'
SETUP_KEY = 0x5249434F53455455
"""The advisory lock of who creates a storage in the database."""
SETUP_MILLISECONDS = 60_000

_IDENTITY = """
SELECT (SELECT system_identifier FROM pg_control_system()), d.oid,
       CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_lsn()), 8) END
FROM pg_database AS d WHERE d.datname = current_database()
"""
_OTHERS = """
SELECT datname::text FROM pg_database
WHERE datallowconn AND datname <> current_database() AND has_database_privilege(datname, 'CONNECT') ORDER BY datname
"""
_TIED = """
SELECT val #>> '{}' FROM db_dbsetting WHERE key = 'repository|uuid'
"""


def identity(session: Session) -> str:
    """The number of the database in its cluster, with that of the cluster and of its timeline.

    A copy by `createdb -T` or from a dump has another number. A standby that was promoted and a server that was put
    back to an earlier moment have another timeline.
    """
    cluster, number, timeline = session.execute(_IDENTITY).fetchone()
    return f'postgresql {cluster} {number} {timeline or UNTOLD}'


def is_same(one: str, other: str) -> bool:
    """Whether two identities are of one database; a standby does not tell its timeline, and is that of its primary."""
    (*number, timeline), (*other_number, other_timeline) = one.split(), other.split()
    return number == other_number and (timeline == other_timeline or UNTOLD in (timeline, other_timeline))


def is_standby(raw: psycopg.Connection[Any]) -> bool:
    """Whether the server is in recovery. It tells so by itself from version 14 on, and says when that changes."""
    told = raw.info.parameter_status('in_hot_standby')
    if told is not None:
        return told == 'on'
    row = raw.execute('SELECT pg_is_in_recovery()').fetchone()
    return bool(row and row[0])


def standby(place: str) -> ReadOnlyStorage:
    """The error for what a standby cannot do."""
    return UnwritableStorage(
        f'the server of the {place} is a standby (in recovery), which can only be read, and may lag behind its '
        'primary: name the primary in the profile, or promote this server'
    )


def begin_setup(session: Session) -> None:
    """See that a storage can be created in a database, and keep other setups out of it while the session lasts.

    :raises ricordi.errors.InvalidOperation: its encoding is not UTF8, in which alone AiiDA keeps every text.
    :raises ricordi.errors.AccessError: another setup goes on there, and does not end.
    """
    with session.driver():
        in_recovery = is_standby(session.raw)
    if in_recovery:
        raise standby(session.dialect.place)
    (encoding,) = session.execute("SELECT current_setting('server_encoding')").fetchone()
    if encoding != 'UTF8':
        raise InvalidOperation(
            f'the {session.dialect.place} has the encoding {encoding}, which cannot keep every text, and which AiiDA '
            "cannot read: make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        )
    session.execute(f'SET lock_timeout = {SETUP_MILLISECONDS}')
    session.execute('SELECT pg_advisory_lock(%s)', (SETUP_KEY,))
    session.execute('SET lock_timeout = 0')


def databases_tied_to(session: Session, arguments: Mapping[str, Any], repository_uuid: str | None) -> dict[str, bool]:
    """The other databases of this server, of those that the same user may read, that name this repository as theirs.

    :return: by name; True: it says so; False: it gives no answer, and may.
    """
    found = {}
    for (name,) in session.execute(_OTHERS) if repository_uuid else ():
        answer = _is_tied(name, arguments, repository_uuid)
        if answer is not False:
            found[name] = answer is True
    return found


def _is_tied(database: str, arguments: Mapping[str, Any], repository_uuid: str | None) -> bool | None:
    """Whether a database says that a repository is its own; None where it gives no answer."""
    try:
        raw = psycopg.connect(**{**arguments, 'dbname': database})
    except psycopg.errors.ConnectionTimeout:
        return None
    except psycopg.Error:  # it lets this user not in, or the server nobody just now
        return False if _can_connect(arguments) else None
    try:
        with raw:
            return raw.execute(_TIED).fetchone() == (repository_uuid,)
    except psycopg.ProgrammingError:  # no storage, or one of somebody else
        return False
    except psycopg.Error:
        return None


def _can_connect(arguments: Mapping[str, Any]) -> bool:
    try:
        psycopg.connect(**arguments).close()
    except psycopg.Error:
        return False
    return True
