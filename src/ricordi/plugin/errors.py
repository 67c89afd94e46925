"""Errors of ours in AiiDA's classes, and in SQLAlchemy's where AiiDA and its plug-ins catch those."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiida.common import exceptions
from sqlalchemy import exc, orm

from ricordi import errors


class Worded(Exception):
    """An error that is told by its message alone, whatever else its class wants to be made of."""

    def __init__(self, message: object = '') -> None:
        Exception.__init__(self, message)

    __str__ = Exception.__str__


class RefusedRow(Worded, exceptions.IntegrityError, exc.IntegrityError):
    """The database refused a row: AiiDA raises either class for that, depending on where."""


class TakenLabel(RefusedRow, exceptions.UniquenessError):
    """A group of that label is there: AiiDA tells of one error, and raises the other."""


class BusyDatabase(Worded, exceptions.AiidaException, exc.OperationalError):
    """Another program holds the database; AiiDA's engine goes on without a time stamp that met this."""


class LostDatabase(Worded, exceptions.UnreachableStorage, exc.OperationalError):
    """The database cannot be reached, or not any more."""


class RefusedValue(Worded, exceptions.ValidationError, exc.StatementError):
    """A value that the database has no place for."""


class DeletedRow(Worded, exceptions.NotExistent, orm.exc.ObjectDeletedError):
    """The row of an entity is not there any more."""


class LostContent(Worded, exceptions.NotExistent, FileNotFoundError):
    """The repository has no object of that key."""


_CLASSES: dict[type[Exception], type[Exception]] = {
    errors.RicordiError: exceptions.AiidaException,
    errors.IntegrityError: RefusedRow,
    errors.ValidationError: RefusedValue,
    errors.NotExistent: exceptions.NotExistent,
    errors.MissingObject: LostContent,
    errors.MultipleObjectsError: exceptions.MultipleObjectsError,
    errors.ModificationNotAllowed: exceptions.ModificationNotAllowed,
    errors.InvalidOperation: exceptions.InvalidOperation,
    errors.ConfigurationError: exceptions.ConfigurationError,
    errors.StorageError: exceptions.AiidaException,
    errors.UnreachableStorage: LostDatabase,
    errors.CorruptStorage: exceptions.CorruptStorage,
    errors.ClosedStorage: exceptions.ClosedStorage,
    errors.IncompatibleStorageSchema: exceptions.IncompatibleStorageSchema,
    errors.StorageMigrationError: exceptions.StorageMigrationError,
    errors.AccessError: BusyDatabase,
    errors.LockedProfileError: exceptions.LockedProfileError,
    errors.LockingProfileError: exceptions.LockingProfileError,
}
"""The class of AiiDA for each of ours; one that is not here has that of the nearest class it derives from."""


def as_aiida(error: errors.RicordiError) -> Exception:
    """The error that AiiDA's own storage would raise in the place of one of ours."""
    return next(_CLASSES[one] for one in type(error).__mro__ if one in _CLASSES)(str(error))


@contextmanager
def translated() -> Iterator[None]:
    """What is ours and raised inside, in AiiDA's classes; a wrong query stays as it is, a ValueError."""
    try:
        yield
    except errors.QueryError:
        raise
    except errors.RicordiError as error:
        raise as_aiida(error) from error
