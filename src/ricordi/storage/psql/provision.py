"""Making a role and a database on a PostgreSQL server, with the rights of its administrator; and undoing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from ricordi.errors import InvalidOperation, RicordiError
from ricordi.slow_answers import CONNECT_SECONDS, told_when_slow
from ricordi.storage.psql.administrator import Administrator
from ricordi.storage.psql.failures import connection_failure, errors_translated

MADE_HERE = 'made by ricordi for a profile'
"""The comment of databases and roles that a setup has made, by which they are known when the profile goes."""

MARK = 'made by a setup of Ricordi that has not come to its end'
LOCK_CLASS = 0x52494353
"""With the hash of the name of a role: the advisory lock of the setup that made it."""
LOCK = sql.Literal(LOCK_CLASS)

_MARKED = """
SELECT rolname::text FROM pg_roles WHERE shobj_description(oid, 'pg_authid') = %s ORDER BY rolname
"""
_OWNED = """
SELECT datname::text FROM pg_database JOIN pg_roles ON datdba = pg_roles.oid WHERE rolname = %s ORDER BY datname
"""


@dataclass(frozen=True, slots=True)
class Provision:
    """What was created, and would have to go if it is not wanted after all."""

    role: str | None
    database: str | None


@contextmanager
def provided_database(
    administrator: Administrator, database: str, role: str, password: str
) -> Iterator[Callable[[], None]]:
    """A database that belongs to a role of its own; the role is created too, unless there is one.

    Yields what is to be called when the setup has all but its profile: until then the role bears a mark, and if the
    block fails, what was created goes again. What a setup that was killed has left bears that mark, and nobody holds
    the lock that belongs to it, which the server drops with the connection: it goes first.

    :raises ricordi.errors.InvalidOperation: there is a database of this name, or a role whose password is another.
    :raises ricordi.errors.UnreachableStorage: the administrator is not let in, or has not the rights.
    """
    # What is raised inside the block of the caller is none of the driver's: its storage speaks in our words.
    with errors_translated(administrator.place), connect_as(administrator) as connection:
        _remove_leftovers(connection, administrator)
        if _exists(connection, 'SELECT 1 FROM pg_database WHERE datname = %s', database):
            raise InvalidOperation(f'there is a database {database!r} on this server already; choose another name')
        provision = Provision(None, None)
        try:
            if not _exists(connection, 'SELECT 1 FROM pg_roles WHERE rolname = %s', role):
                _create_marked_role(connection, administrator, role, password)
                provision = Provision(role, None)
            # An administrator who is no superuser must be a member of the role to give it a database.
            if not _is_superuser(connection):
                _run(connection, administrator, 'GRANT {} TO CURRENT_USER', sql.Identifier(role))
            _run(
                connection,
                administrator,
                "CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0",
                sql.Identifier(database),
                sql.Identifier(role),
            )
            provision = Provision(provision.role, database)
            yield lambda: _unmark(connection, administrator, provision)
        except BaseException:
            with suppress(RicordiError):
                _drop(connection, administrator, provision)
            raise


def _create_marked_role(
    connection: psycopg.Connection[Any], administrator: Administrator, role: str, password: str
) -> None:
    """Create a role that bears the mark from its first moment, under the lock of this process."""
    with connection.transaction():
        _run(connection, administrator, 'SELECT pg_advisory_lock({}, hashtext({}))', LOCK, sql.Literal(role))
        _run(connection, administrator, 'CREATE ROLE {} LOGIN PASSWORD {}', sql.Identifier(role), sql.Literal(password))
        _run(connection, administrator, 'COMMENT ON ROLE {} IS {}', sql.Identifier(role), sql.Literal(MARK))


def _unmark(connection: psycopg.Connection[Any], administrator: Administrator, provision: Provision) -> None:
    """Put the mark of what a setup has made in place of that of a setup under way."""
    for kind, name in (('DATABASE', provision.database), ('ROLE', provision.role)):
        if name is not None:
            statement = f'COMMENT ON {kind} {{}} IS {{}}'
            _run(connection, administrator, statement, sql.Identifier(name), sql.Literal(MADE_HERE))


def _remove_leftovers(connection: psycopg.Connection[Any], administrator: Administrator) -> None:
    """Drop the roles with the mark whose setups are at an end, and the databases that belong to them."""
    for (role,) in connection.execute(_MARKED, (MARK,)).fetchall():
        free = connection.execute('SELECT pg_try_advisory_lock(%s, hashtext(%s))', (LOCK_CLASS, role)).fetchone()
        if not (free and free[0]):
            continue
        try:
            for (database,) in connection.execute(_OWNED, (role,)).fetchall():
                _drop(connection, administrator, Provision(None, database))
            _drop(connection, administrator, Provision(role, None))
        except RicordiError:  # not ours to drop, or still in use: the name that is wanted will be found taken
            continue
        finally:
            connection.execute('SELECT pg_advisory_unlock(%s, hashtext(%s))', (LOCK_CLASS, role))


def _drop(connection: psycopg.Connection[Any], administrator: Administrator, provision: Provision) -> None:
    if provision.database is not None:
        _run(connection, administrator, 'DROP DATABASE IF EXISTS {} WITH (FORCE)', sql.Identifier(provision.database))
    if provision.role is not None:
        _run(connection, administrator, 'DROP ROLE IF EXISTS {}', sql.Identifier(provision.role))


def connect_as(administrator: Administrator, connect_seconds: int = CONNECT_SECONDS) -> psycopg.Connection[Any]:
    """A connection with the rights of the administrator.

    :param connect_seconds: how long to wait for the server to answer.
    :raises ricordi.errors.UnreachableStorage: the server is not there, or does not let them in.
    """
    arguments: dict[str, Any] = {
        'host': administrator.hostname,
        'port': administrator.port,
        'user': administrator.username,
        'password': administrator.password,
        'dbname': administrator.database,
        'connect_timeout': connect_seconds,
    }
    try:
        with told_when_slow(administrator.place, connect_seconds):
            return psycopg.connect(
                autocommit=True, **{name: value for name, value in arguments.items() if value is not None}
            )
    except psycopg.Error as error:
        raise connection_failure(error, administrator.place, of_administrator=True) from error


def _exists(connection: psycopg.Connection[Any], query: str, name: str) -> bool:
    return connection.execute(query.encode(), (name,)).fetchone() is not None


def _is_superuser(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute('SELECT rolsuper FROM pg_roles WHERE rolname = current_user').fetchone()
    return bool(row and row[0])


def _run(
    connection: psycopg.Connection[Any], administrator: Administrator, statement: str, *parts: sql.Composable
) -> None:
    with errors_translated(administrator.place):
        connection.execute(sql.SQL(statement).format(*parts))
