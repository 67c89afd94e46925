"""Making a role and a database on a PostgreSQL server, with the rights of its administrator; and undoing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from ricordi.errors import InvalidOperation
from ricordi.storage.psql_failures import connection_failure, failure

CONNECT_SECONDS = 10
MADE_HERE = 'made by ricordi for a profile'
"""The comment of databases and roles that a setup has made, by which they are known when the profile goes."""

_COMMENT = 'COMMENT ON {} {{}} IS {{}}'


@dataclass(frozen=True, slots=True)
class Administrator:
    """How to reach the server with the right to create roles and databases; what is None is left to libpq."""

    hostname: str | None = None
    port: int | None = None
    username: str | None = None
    password: str | None = None
    database: str = 'postgres'

    @property
    def place(self) -> str:
        """The server in words, without the password."""
        return (
            f'PostgreSQL server {self.hostname or "localhost"}:{self.port or 5432} (user {self.username or "default"})'
        )


@dataclass(frozen=True, slots=True)
class Provision:
    """What was created, and would have to go if it is not wanted after all."""

    role: str | None
    database: str | None


def provide_database(administrator: Administrator, database: str, role: str, password: str) -> Provision:
    """Create a database that belongs to a role of its own; the role is created too, unless there is one.

    :raises ricordi.errors.InvalidOperation: there is a database of this name, or a role whose password is another.
    :raises ricordi.errors.UnreachableStorage: the administrator is not let in, or has not the rights.
    """
    with connect_as(administrator) as connection:
        if _exists(connection, 'SELECT 1 FROM pg_database WHERE datname = %s', database):
            raise InvalidOperation(f'there is a database {database!r} on this server already; choose another name')
        made_role = not _exists(connection, 'SELECT 1 FROM pg_roles WHERE rolname = %s', role)
        if made_role:
            _run(
                connection,
                administrator,
                'CREATE ROLE {} LOGIN PASSWORD {}',
                sql.Identifier(role),
                sql.Literal(password),
            )
        provision = Provision(role if made_role else None, None)
        try:
            if made_role:
                _run(connection, administrator, _COMMENT.format('ROLE'), sql.Identifier(role), sql.Literal(MADE_HERE))
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
            mark = (sql.Identifier(database), sql.Literal(MADE_HERE))
            _run(connection, administrator, _COMMENT.format('DATABASE'), *mark)
        except BaseException:
            _drop(connection, administrator, provision)
            raise
        return provision


def withdraw_database(administrator: Administrator, provision: Provision) -> None:
    """Drop what `provide_database` created."""
    with connect_as(administrator) as connection:
        _drop(connection, administrator, provision)


def _drop(connection: psycopg.Connection[Any], administrator: Administrator, provision: Provision) -> None:
    if provision.database is not None:
        _run(connection, administrator, 'DROP DATABASE IF EXISTS {} WITH (FORCE)', sql.Identifier(provision.database))
    if provision.role is not None:
        _run(connection, administrator, 'DROP ROLE IF EXISTS {}', sql.Identifier(provision.role))


def connect_as(administrator: Administrator) -> psycopg.Connection[Any]:
    """A connection with the rights of the administrator.

    :raises ricordi.errors.UnreachableStorage: the server is not there, or does not let them in.
    """
    arguments: dict[str, Any] = {
        'host': administrator.hostname,
        'port': administrator.port,
        'user': administrator.username,
        'password': administrator.password,
        'dbname': administrator.database,
        'connect_timeout': CONNECT_SECONDS,
    }
    try:
        return psycopg.connect(
            autocommit=True, **{name: value for name, value in arguments.items() if value is not None}
        )
    except psycopg.Error as error:
        raise connection_failure(error, administrator.place) from error


def _exists(connection: psycopg.Connection[Any], query: str, name: str) -> bool:
    return connection.execute(query.encode(), (name,)).fetchone() is not None


def _is_superuser(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute('SELECT rolsuper FROM pg_roles WHERE rolname = current_user').fetchone()
    return bool(row and row[0])


def _run(
    connection: psycopg.Connection[Any], administrator: Administrator, statement: str, *parts: sql.Composable
) -> None:
    try:
        connection.execute(sql.SQL(statement).format(*parts))
    except psycopg.Error as error:
        raise failure(error, administrator.place) from error
