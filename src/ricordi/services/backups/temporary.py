"""A storage that is made for a while: to restore into it, or to bring an older database to the current schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from ricordi.backend.snapshots import DatabaseSnapshot
from ricordi.config import Profile
from ricordi.files import TemporaryFolder
from ricordi.manager.backends import repository_at
from ricordi.services.backups.counted import CountedSnapshot
from ricordi.storage import schema
from ricordi.storage.snapshots.fill import check_schema
from ricordi.storage.sqlite.dos import SqliteDosStorage


@contextmanager
def temporary_storage() -> Iterator[SqliteDosStorage]:
    """A new, empty storage that no configuration knows, gone afterwards."""
    with TemporaryFolder('rehearsal') as folder:
        config = {'storage': {'backend': 'core.sqlite_dos', 'config': {'filepath': str(folder / 'storage')}}}
        profile = Profile('rehearsal', {**config, 'process_control': {'backend': None, 'config': None}})
        with repository_at(SqliteDosStorage.repository_location(profile)) as repository:
            SqliteDosStorage.initialise(profile, repository)
            with closing(SqliteDosStorage.open(profile, repository)) as storage:
                yield storage


@contextmanager
def at_current_schema(snapshot: DatabaseSnapshot) -> Iterator[DatabaseSnapshot]:
    """A snapshot as it is, or migrated where it is of an older schema from which there is a way.

    :raises ricordi.errors.IncompatibleStorageSchema: there is none.
    """
    if snapshot.schema != schema.OLDEST:
        check_schema(snapshot.schema)
        yield snapshot
        return
    with temporary_storage() as storage, TemporaryFolder('restore') as scratch:
        storage.fill(CountedSnapshot(snapshot, schema.HEAD))
        session = storage.session
        with session.transaction():
            session.execute(session.dialect.forget_calcjob_hashes)  # all that the migration does to rows
        with storage.snapshot(scratch) as migrated:
            yield CountedSnapshot(migrated, sequences=snapshot.sequences)
