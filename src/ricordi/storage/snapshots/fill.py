"""A new database filled from a snapshot, whichever it is: all of it in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from ricordi.backend.snapshots import DatabaseSnapshot
from ricordi.errors import IncompatibleStorageSchema, StorageExists
from ricordi.model.fields import ValueKind
from ricordi.progress import Run
from ricordi.storage import schema
from ricordi.storage.dialect import Dialect
from ricordi.storage.session import Session
from ricordi.storage.settings import set_global_variable
from ricordi.storage.snapshots.blocks import tables_of
from ricordi.storage.snapshots.parts import COLUMNS, SETTINGS


def fill(
    dialect: Dialect,
    snapshot: DatabaseSnapshot,
    repository_uuid: str | None,
    run: Run,
    before_commit: Callable[[], None],
) -> None:
    """Put all rows of a snapshot into a database that has the tables, and no rows.

    :param repository_uuid: of the repository that belongs to the database.
    :param before_commit: called when all rows are there and nobody sees them yet; what it raises undoes them.
    :raises ricordi.errors.IncompatibleStorageSchema: the snapshot has another schema than this program works on.
    :raises ricordi.errors.StorageExists: the database holds rows.
    :raises ricordi.errors.CorruptStorage: the snapshot does not hold what it should.
    :raises ricordi.errors.ValidationError: PostgreSQL has no place for a value that SQLite holds.
    :raises ricordi.errors.Interrupted: the run was asked to end.
    """
    check_schema(snapshot.schema)
    tables = tables_of(snapshot)
    with closing(Session(dialect)) as session:
        dialect.check_access(session.raw)
        with dialect.filling(session, run, before_commit) as put:
            _check_empty(session)
            session.execute(f'DELETE FROM {SETTINGS}')
            for table in tables:
                put(snapshot, table)
            _set_repository(session, repository_uuid)


def check_schema(version: str) -> None:
    """See that a snapshot has the schema that this program works on.

    :raises ricordi.errors.IncompatibleStorageSchema: it has not.
    """
    if version == schema.HEAD:
        return
    newer = version.startswith('main_') and version > schema.HEAD
    way = 'update Ricordi' if newer else f'restore it with a program that works on {version}, then migrate the storage'
    raise IncompatibleStorageSchema(f'the snapshot has schema {version}, and {schema.HEAD} is needed: {way}')


def _check_empty(session: Session) -> None:
    for table in COLUMNS:
        if table != SETTINGS and session.execute(f'SELECT 1 FROM {table} LIMIT 1').fetchone():
            raise StorageExists(
                f'the {session.dialect.place} holds rows already (table {table}): a snapshot needs a new storage'
            )


def _set_repository(session: Session, repository_uuid: str | None) -> None:
    """Tie the database to its own repository; nothing else of the setting changes."""
    encode, mark = session.dialect.encoder(ValueKind.JSON), session.dialect.mark
    assert encode is not None
    changed = session.execute(
        f'UPDATE {SETTINGS} SET val = {mark} WHERE key = {mark}',
        (encode(repository_uuid, 'uuid'), schema.REPOSITORY_UUID),
    ).rowcount
    if not changed:
        set_global_variable(session, schema.REPOSITORY_UUID, repository_uuid, 'Repository UUID', overwrite=False)
