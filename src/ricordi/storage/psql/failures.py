"""What the errors of PostgreSQL mean, and the way out of each. No message holds a password: libpq writes none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from ricordi.errors import (
    AccessError,
    CorruptStorage,
    GoneObject,
    IntegrityError,
    NotEnoughSpace,
    QueryError,
    RicordiError,
    StorageError,
    UniquenessError,
    UnreachableStorage,
    UnwritableStorage,
    ValidationError,
)
from ricordi.storage.columns import row_words

KEPT_OBJECT = 'node_references_hash_fkey'
"""The constraint by which the index of a bucket, beside the nodes, keeps what these name."""
_WAYS_OUT = (
    ('password authentication failed', 'check database_username and database_password in the profile'),
    ('no password supplied', 'give the profile a database_password'),
    ('does not exist', 'check database_name and database_username in the profile'),
    ('no pg_hba.conf entry', 'ask whoever runs the server to let this host and user in (pg_hba.conf)'),
    ('too many', 'close other programs that use the server, or raise its max_connections'),
    ('starting up', 'the server is starting or recovering: try again in a moment'),
    ('host name', 'check database_hostname in the profile'),
    ('resolve host', 'check database_hostname in the profile'),
    ('refused', 'check that the server runs, and database_hostname and database_port in the profile'),
    ('timeout', 'check that the server runs and that no firewall is between'),
)


def connection_failure(error: psycopg.Error, place: str, of_administrator: bool = False) -> RicordiError:
    """The error for a connection that could not be made.

    :param of_administrator: it was to be made as one of the server, whom no profile knows.
    """
    reason = _reason(error)
    way = next((way for sign, way in _WAYS_OUT if sign in reason), 'check that the server runs, and the profile')
    if of_administrator:
        way = way.replace('the profile', "the administrator's address").replace('database_', '')
    return UnreachableStorage(f'cannot reach the {place}: {reason}; {way}')


def failure(error: Exception, place: str) -> RicordiError:
    """The error for a statement that failed.

    :param place: the database in words.
    """
    if isinstance(error, OverflowError):
        return ValidationError('an integer is too large for a column of the database')
    if isinstance(error, UnicodeEncodeError):
        return ValidationError(f'a text cannot be stored, for it is no valid Unicode: {error.reason}')
    if not isinstance(error, psycopg.Error):
        return StorageError(f'the {place} refused: {error}')
    return _by_state(error, error.sqlstate or '', place)


def _by_state(error: psycopg.Error, state: str, place: str) -> RicordiError:
    reason = _reason(error)
    if state.startswith('23'):
        return _constraint(error, state, reason)
    if state in ('40001', '40P01', '55P03', '57014'):
        return AccessError(f'the {place} was busy with the change of another program ({reason}); try again')
    if state in ('53100', '53400'):
        return NotEnoughSpace(f'the disk of the {place} is full; nothing of the change was kept')
    if state in ('54001', '54011', '54023'):
        return QueryError(f'the query is too large for the {place} ({reason}): ask for less at a time')
    if state.startswith('54'):
        return ValidationError(f'a value cannot be stored: {reason}')
    if state == '25006':
        return UnwritableStorage(f'the {place} cannot be written: {reason}')
    if state == '42501':
        return UnreachableStorage(
            f'the user may not do that in the {place} ({reason}): ask for the right on its tables'
        )
    if state == '42P01':
        return CorruptStorage(f'a table is missing in the {place} ({reason}); restore it from a backup')
    if state.startswith('XX'):
        return CorruptStorage(f'the {place} is damaged ({reason}); restore it from a backup')
    if state.startswith('22'):
        return ValidationError(f'a value cannot be stored: {reason}')
    if state.startswith(('08', '53', '57', '58', '25P03')) or _is_of_connection(error):
        return UnreachableStorage(f'the connection to the {place} was lost ({reason}); check the server and try again')
    if isinstance(error, psycopg.DataError):  # refused by the driver before it reached the server
        return ValidationError(f'a value cannot be stored: {reason}')
    return StorageError(f'the {place} refused: {reason}')


def _is_of_connection(error: psycopg.Error) -> bool:
    """Whether it is the driver that could not speak with the server; what is closed by now is an `InterfaceError`."""
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)


@contextmanager
def errors_translated(place: str) -> Iterator[None]:
    """What the driver raises inside, in our words: a server may go at any moment.

    :param place: the database or server in words.
    """
    try:
        yield
    except psycopg.Error as error:
        raise failure(error, place) from error


def _constraint(error: psycopg.Error, state: str, reason: str) -> RicordiError:
    table = row_words(error.diag.table_name or '')
    detail = error.diag.message_detail or ''
    if error.diag.constraint_name == KEPT_OBJECT:
        key = re.search(r'\\x([0-9a-f]{64})', detail)
        return GoneObject(
            f'the repository has no object {key.group(1) if key else "of some key"}, which a node names: it was never '
            'put there, or nobody named it and it was removed; put its content anew, and store the node again'
        )
    if state == '23505':
        same = re.match(r'Key \((.+)\)=\((.+)\) already exists', detail)
        names = same.group(1).replace(', ', ' and ') if same else 'value'
        return UniquenessError(f'there is a {table} with the same {names} already')
    if state == '23502':
        return IntegrityError(f'a {table} must have a value for {error.diag.column_name}')
    return IntegrityError(f'the database refused a change of a {table}: {detail or reason}')


def _reason(error: psycopg.Error) -> str:
    """The server's own words in one line; of several addresses tried, the last."""
    # libpq explains what happened in further lines, which it indents
    lines = [line for line in str(error).splitlines() if line.strip() and not line[0].isspace()]
    told_last = re.sub(r'^.*(?:FATAL:\s+|\bfailed: )', '', lines[-1]) if lines else ''
    return (error.diag.message_primary or told_last or type(error).__name__).strip().rstrip('.')
