"""What the errors of PostgreSQL and of an object store mean, and the way out of each. No message holds a secret."""

from __future__ import annotations

import re

import psycopg

from ricordi.errors import (
    AccessError,
    CorruptStorage,
    IntegrityError,
    LostObject,
    NotEnoughSpace,
    RicordiError,
    StorageError,
    UnreachableStorage,
    UnwritableStorage,
)

BUSY_STATES = ('40001', '40P01', '55P03')
LOST_STATES = ('08', '57P')

_OF_CLASSES = {
    'UnauthenticatedError': 'the credentials are refused or have expired: check them',
    'PermissionDeniedError': 'the credentials do not permit it: ask whoever runs the store for the right',
}
_NO_CREDENTIALS = 'no credentials were found: name a key and its secret in the environment or in the shared file'
_OF_WORDS = (
    ('/latest/api/token', _NO_CREDENTIALS),  # what is asked for the role of a machine, where nothing else was found
    ('/latest/meta-data/', _NO_CREDENTIALS),
    ('Missing SecretAccessKey', 'there is an access key without its secret: name that, too'),
    ('Missing AccessKeyId', 'there is a secret without its access key: name that, too'),
    ('NoSuchBucket', 'the bucket is not there: check its name, or make it'),
    ('InvalidAccessKeyId', 'the credentials are refused: check the access key'),
    ('SignatureDoesNotMatch', 'the credentials are refused: check the secret access key'),
    ('RequestTimeTooSkewed', 'the clock of this machine is wrong: set it'),
    ('ExpiredToken', 'the credentials have expired: get new ones'),
    ('AccessDenied', 'the credentials do not permit it: ask whoever runs the store for the right'),
    ('InternalError', 'something is wrong in the store itself, perhaps its disk is full: see its log, then try again'),
    ('dns error', 'check the host name of the endpoint'),
    ('Connection refused', 'check that the store runs, and the endpoint'),
    ('connect', 'check that the store runs, and the endpoint'),
    ('timed out', 'check that the store runs and that no firewall is between'),
)
_ENDED = ('InvalidRange', '416 Range Not Satisfiable', 'but object was only')
"""How stores refuse bytes that begin behind the end of something."""
_FULL = ('QuotaExceeded', 'InsufficientStorage', 'EntityTooLarge', 'XMinioStorageFull', 'No space left')


def is_lost(error: psycopg.Error) -> bool:
    """Whether the connection is gone, so that what was sent may have been done, or not."""
    if error.sqlstate:
        return error.sqlstate.startswith(LOST_STATES)
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)


def is_busy(error: psycopg.Error) -> bool:
    """Whether it was undone because of another's change, and may be tried again."""
    return error.sqlstate in BUSY_STATES


def is_worth_repeating(error: psycopg.Error) -> bool:
    """Whether a short while later the same may be done; a server that did not answer at all was waited for already."""
    return (is_lost(error) or is_busy(error)) and not isinstance(error, psycopg.errors.ConnectionTimeout)


def index_failure(error: psycopg.Error, place: str) -> RicordiError:
    """The error for a statement, or a connection, that failed.

    :param place: the database in words.
    """
    reason, state = _reason(error), error.sqlstate or ''
    if is_busy(error):
        return AccessError(f'the {place} was busy with the change of another program ({reason}); try again')
    if state.startswith('23'):
        return IntegrityError(f'the {place} refused a change: {error.diag.message_detail or reason}')
    if state in ('53100', '53400'):
        return NotEnoughSpace(f'the disk of the {place} is full; nothing of the change was kept')
    if state == '25006':
        return UnwritableStorage(f'the {place} cannot be written: {reason}')
    if state in ('42P01', '3F000') or state.startswith('XX'):
        return CorruptStorage(f'the index of objects in the {place} is damaged ({reason}); restore it from a backup')
    if state == '42501':
        return UnreachableStorage(f'the user may not do that in the {place} ({reason}): ask for the right')
    if is_lost(error) or state.startswith(('28', '3D', '53')):
        return UnreachableStorage(f'cannot reach the {place} ({reason}); check that the server runs, and the profile')
    return StorageError(f'the {place} refused: {reason}')


def _reason(error: psycopg.Error) -> str:
    lines = [line for line in str(error).splitlines() if line.strip() and not line[0].isspace()]
    return (error.diag.message_primary or (lines[-1] if lines else type(error).__name__)).strip().rstrip('.')


def store_failure(error: Exception, place: str, deed: str) -> RicordiError:
    """The error for a request to the object store that failed, tried as often as is worth it.

    :param place: the bucket in words.
    :param deed: what was asked for, in words.
    """
    told = str(error)
    if any(word in told for word in _FULL):
        return NotEnoughSpace(f'the {place} is full, or over its quota; cannot {deed}')
    if isinstance(error, FileNotFoundError) and 'NoSuchBucket' not in told:
        return LostObject(f'cannot {deed}: it is not in the {place}; restore it from a backup')
    if any(word in told for word in _ENDED):
        return CorruptStorage(f'cannot {deed} in the {place}: it ends before that')
    way = next((way for word, way in _OF_WORDS if word in told), None) or _OF_CLASSES.get(type(error).__name__)
    if way == _NO_CREDENTIALS:  # what the client tells is of a server of clouds that nobody has named
        return UnreachableStorage(f'cannot {deed} in the {place}: {way}')
    return UnreachableStorage(f'cannot {deed} in the {place}: {_first_line(told)}; {way or "try again later"}')


def _first_line(told: str) -> str:
    """The cause in one line, the store's own word first: the client repeats the whole request and more below it."""
    return code_in(told) or next(
        (line.strip()[:300] for line in told.splitlines() if line.strip()), 'no reason is told'
    ).rstrip('.')


def code_in(answer: str) -> str:
    """The store's own word for what is wrong, out of its answer; empty: it tells none."""
    code = re.search('<Code>([^<]+)</Code>', answer)
    return code.group(1)[:100] if code else ''
