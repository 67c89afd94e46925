"""Removing the database and the role that a setup has made, with the rights of an administrator; nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from ricordi.errors import InvalidOperation
from ricordi.storage.psql.administrator import Administrator
from ricordi.storage.psql.dialect import PsqlDialect
from ricordi.storage.psql.failures import errors_translated
from ricordi.storage.psql.provision import MADE_HERE, connect_as

_SERVER = 'SELECT pg_postmaster_start_time(), oid FROM pg_database WHERE datname = %s'
_COMMENT_OF = {
    'database': "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
    'role': "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = %s",
}
_CONTENT = """
SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
"""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What became of a database and its role.

    :param removed: in words, what is gone.
    :param kept: in words, what is still there, and why.
    """

    removed: tuple[str, ...]
    kept: tuple[str, ...]


def check_administrator(administrator: Administrator, config: Mapping[str, Any]) -> None:
    """See that the administrator is let in, and into the server that the profile is on.

    :param config: the `storage.config` of the profile.
    :raises ricordi.errors.InvalidOperation: it is another server.
    :raises ricordi.errors.UnreachableStorage: one of the two is not let in.
    """
    name = config['database_name']
    with (
        errors_translated(administrator.place),
        closing(PsqlDialect(config).connect()) as own,
        closing(connect_as(administrator)) as theirs,
    ):
        here, there = (raw.execute(_SERVER, (name,)).fetchone() for raw in (own, theirs))
    if here != there:
        raise InvalidOperation(
            f'the administrator is one of another server: {administrator.place} is not where the database {name!r} of '
            'the profile is; nothing was deleted'
        )


def withdraw_what_setup_made(administrator: Administrator, config: Mapping[str, Any]) -> Withdrawn:
    """Drop the database, if a setup has made it and it is empty by now, and then its role, if a setup has made it.

    :raises ricordi.errors.UnreachableStorage: the administrator is not let in, or the server is gone meanwhile.
    """
    database, role = str(config['database_name']), str(config['database_username'])
    removed: list[str] = []
    kept: list[str] = []
    with errors_translated(administrator.place), closing(connect_as(administrator)) as raw:
        reason = _why_not(raw, 'database', database) or _content(administrator, database)
        reason = reason or _drop(raw, 'DATABASE', database)
        (kept if reason else removed).append(f'database {database!r}' + (f' ({reason})' if reason else ''))
        reason = ('its database stays' if reason else '') or _why_not(raw, 'role', role) or _drop(raw, 'ROLE', role)
        (kept if reason else removed).append(f'role {role!r}' + (f' ({reason})' if reason else ''))
    return Withdrawn(tuple(removed), tuple(kept))


def _why_not(raw: psycopg.Connection[Any], kind: str, name: str) -> str:
    row = raw.execute(_COMMENT_OF[kind].encode(), (name,)).fetchone()
    if row is None:
        return 'there is none of this name'
    return '' if row[0] == MADE_HERE else 'it was not made by a setup of this program'


def _content(administrator: Administrator, database: str) -> str:
    with closing(connect_as(replace(administrator, database=database))) as raw:
        row = raw.execute(_CONTENT).fetchone()
    return 'it holds more than the profile' if row is None or row[0] else ''


def _drop(raw: psycopg.Connection[Any], what: str, name: str) -> str:
    """Drop it if nobody needs it; else tell why it stays."""
    try:
        raw.execute(sql.SQL(f'DROP {what} {{}}').format(sql.Identifier(name)))
    except psycopg.Error as error:
        if raw.closed:  # whether it is gone nobody knows
            raise
        return ' '.join(str(error).split())
    return ''
