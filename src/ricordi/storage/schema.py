"""The schema of a database: made, told by its revision, checked, migrated (formats/database.md)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ricordi.errors import (
    CorruptStorage,
    IncompatibleStorageSchema,
    NoStorage,
    NotExistentKeyError,
    RicordiError,
    StorageExists,
    StorageMigrationError,
)
from ricordi.model.fields import TABLES
from ricordi.remedies import Remedy
from ricordi.storage.settings import get_global_variable, set_global_variable

if TYPE_CHECKING:
    from ricordi.storage.session import Session

HEAD = 'main_0002'
OLDEST = 'main_0001'
REPOSITORY_UUID = 'repository|uuid'

_VERSION_TABLE = 'alembic_version'
ALL_TABLES = (*TABLES.values(), 'db_dbsetting', _VERSION_TABLE)
_DJANGO_TABLE = 'django_migrations'


def create(session: Session, repository_uuid: str | None) -> None:
    """Create tables and indexes at the head revision, tied to a repository, in one transaction.

    :raises ricordi.errors.StorageExists: the database has tables of a storage already.
    """
    check_free(session)
    with session.transaction():
        for statement in definitions(session.dialect.name):
            session.execute(statement)
        mark = session.dialect.mark
        session.execute(f'INSERT INTO {_VERSION_TABLE} (version_num) VALUES ({mark})', (HEAD,))
        if repository_uuid is not None:
            set_global_variable(session, REPOSITORY_UUID, repository_uuid, 'Repository UUID', overwrite=False)


def drop(session: Session) -> None:
    """Remove all tables, in one transaction; nothing is done where there are none."""
    with session.transaction():
        for table in ALL_TABLES:
            session.execute(f'DROP TABLE IF EXISTS {table} CASCADE')


def check_free(session: Session) -> None:
    """See that a database has no storage in it.

    :raises ricordi.errors.StorageExists: it has tables of one.
    """
    taken = session.dialect.table_names(session) & {*ALL_TABLES, _DJANGO_TABLE}
    if taken:
        raise StorageExists(f'the {session.dialect.place} holds a storage already (table {min(taken)}); choose another')


def definitions(dialect_name: str) -> list[str]:
    """The CREATE statements of `ricordi.storage.tables`, as they are kept beside it: compiling them takes a while."""
    text = Path(__file__).with_name(f'tables_{dialect_name}.sql').read_text(encoding='utf-8')
    return [statement for statement in text.split(';\n') if statement.strip()]


# -- revision ------------------------------------------------------------------------------------------------


def read_version(session: Session) -> str:
    """The schema revision of the database.

    :raises ricordi.errors.UnreachableStorage: there is no storage in the database.
    :raises ricordi.errors.IncompatibleStorageSchema: it was made by AiiDA 1 with Django.
    :raises ricordi.errors.CorruptStorage: it does not tell its revision.
    """
    tables = session.dialect.table_names(session)
    place = session.dialect.place
    if _VERSION_TABLE not in tables:
        if _DJANGO_TABLE in tables:
            raise _made_by_aiida_1(place, 'a Django one')
        if tables & set(TABLES.values()):
            raise CorruptStorage(
                f'the {place} does not tell its schema revision (no table {_VERSION_TABLE}); restore it'
            )
        raise NoStorage(f'the {place} holds no storage; check the profile, or initialise a storage')
    rows = session.execute(f'SELECT version_num FROM {_VERSION_TABLE}').fetchall()
    if len(rows) != 1:
        raise CorruptStorage(f'the {place} has {len(rows)} rows in {_VERSION_TABLE} instead of one; restore it')
    return str(rows[0][0])


def check_version(version: str, place: str, profile_name: str) -> None:
    """Accept the head revision only.

    :raises ricordi.errors.IncompatibleStorageSchema: any other; the message says how to get to the head.
    """
    if version == HEAD:
        return
    if version == OLDEST:
        raise IncompatibleStorageSchema(
            f'the {place} has schema {version}, and {HEAD} is needed',
            remedy=Remedy('migrate storage', (profile_name,)),
        )
    raise _unknown_version(version, place)


def _unknown_version(version: str, place: str) -> RicordiError:
    number = re.fullmatch(r'main_(\d{4})', version)
    if number and version > HEAD:
        return IncompatibleStorageSchema(
            f'the {place} has schema {version}, newer than {HEAD}, the newest this program knows: update Ricordi'
        )
    return _made_by_aiida_1(place, version)


def _made_by_aiida_1(place: str, version: str) -> RicordiError:
    return IncompatibleStorageSchema(
        f'the {place} has an old schema ({version}), made before AiiDA 2: back it up and run `verdi storage migrate` '
        'of aiida-core 2 on it first'
    )


def migrate(session: Session) -> None:
    """Bring the database to the head revision, in one transaction; nothing is done where it is there already.

    :raises ricordi.errors.StorageMigrationError: there is no way from its revision.
    """
    version = read_version(session)
    if version == HEAD:
        return
    if version != OLDEST:
        raise StorageMigrationError(str(_unknown_version(version, session.dialect.place)))
    mark = session.dialect.mark
    with session.transaction():
        session.execute(session.dialect.forget_calcjob_hashes)
        session.execute(f'UPDATE {_VERSION_TABLE} SET version_num = {mark} WHERE version_num = {mark}', (HEAD, OLDEST))


# -- tie to the repository --------------------------------------------------------------------------------------


def expected_repository(session: Session) -> str | None:
    """The identifier of the repository that a database belongs to; None where it does not say."""
    try:
        expected = get_global_variable(session, REPOSITORY_UUID)
    except NotExistentKeyError:
        return None
    return expected if isinstance(expected, str) else None


def check_repository(session: Session, repository_uuid: str | None) -> None:
    """See that database and repository belong together (formats/repository.md, *Meeting point*).

    :raises ricordi.errors.CorruptStorage: they do not, or the database does not say.
    """
    expected = expected_repository(session)
    if expected is None:
        raise CorruptStorage(f'the {session.dialect.place} does not say which repository belongs to it; restore it')
    if expected != repository_uuid:
        raise CorruptStorage(
            f'the {session.dialect.place} belongs to the repository {expected}, but the one beside it is '
            f'{repository_uuid}: one of the two was exchanged; put back the pair that belongs together'
        )
