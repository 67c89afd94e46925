"""`archive import`: an archive into a profile, checked before anything is written, rows by one transaction."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from ricordi.errors import IncompatibleStorageSchema, ReadOnlyStorage, UnwritableStorage
from ricordi.files import TemporaryFolder
from ricordi.manager import use_storage
from ricordi.progress import Run, Stop
from ricordi.services.archive.merging import ArchiveImport, PreparedArchive
from ricordi.storage.archive.file import HEAD, LEGACY, open_archive, unpack_database, version_error
from ricordi.storage.archive.legacy.metadata import metadata_of
from ricordi.storage.archive.merge import ImportedArchive, ImportRequest
from ricordi.storage.archive.staging import Staging

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.config import Profile
    from ricordi.zipfiles.directory import ZipDirectory

__all__ = ('ImportRequest', 'ImportedArchive', 'import_archive')


def import_archive(
    profile: Profile,
    path: Path,
    request: ImportRequest,
    *,
    dry_run: bool = False,
    storage: StorageBackend | None = None,
    run: Run | None = None,
) -> ImportedArchive:
    """Import one archive. If it fails, or is killed, the profile is as before, but for objects that no node names.

    :param storage: that of the profile, if it is open already.
    :raises ricordi.errors.CorruptStorage: the archive cannot be trusted; nothing was changed.
    :raises ricordi.errors.IncompatibleStorageSchema: it has another version.
    :raises ricordi.errors.UniquenessError: archive and profile contradict each other; nothing was changed.
    """
    began = time.monotonic()
    run = run or Run()
    with (
        TemporaryFolder('archive') as folder,
        _prepared(path, folder, request, run) as archive,
        use_storage(profile, purpose='archive import') if storage is None else nullcontext(storage) as storage,
    ):
        _refuse_unwritable(storage)
        work = ArchiveImport(archive, storage, request, run)
        # As a whole before anything is written: afterwards nothing of a bad archive would be half in.
        work.check()
        if dry_run:
            return work.result(work.merger(None).plan(), dry_run=True, began=began)
        work.add_objects()  # before the rows that name them
        merged = work.merge()
        storage.changes.forget()  # extras and comments of what was there may be others now
        work.add_objects_again()
        return work.result(merged, dry_run=False, began=began)


def _refuse_unwritable(storage: StorageBackend) -> None:
    if storage.read_only:
        raise ReadOnlyStorage(f'profile {storage.profile.name!r} is an archive itself: nothing can be imported into it')
    if storage.unwritable:
        raise UnwritableStorage(f'nothing can be imported: {storage.unwritable}') from storage.unwritable_cause


@contextmanager
def _prepared(path: Path, folder: Path, request: ImportRequest, run: Run) -> Iterator[PreparedArchive]:
    """An archive with its database unpacked and brought to the current version, for the length of a `with` block."""
    version = metadata_of(path)['export_version']
    if version in LEGACY and request.migrate:
        from ricordi.services.archive.legacy import opened_legacy

        with (
            opened_legacy(path, version, folder, run) as found,
            closing(Staging(found.database, str(path), run.stop)) as staging,
        ):
            yield PreparedArchive(staging, found.directory, path, found.members, found.notes)
        return
    with (
        closing(open_archive(path)) as directory,
        closing(_staged(directory, version, folder, request, run.stop)) as staging,
    ):
        yield PreparedArchive(staging, directory, path)


def _staged(directory: ZipDirectory, version: str, folder: Path, request: ImportRequest, stop: Stop) -> Staging:
    """The database of an archive of AiiDA 2."""
    path, database = directory.path, folder / 'db.sqlite3'
    if version != HEAD:
        from ricordi.storage.archive.migration import can_migrate, migrate_database

        if not (request.migrate and can_migrate(version)):
            raise version_error(IncompatibleStorageSchema, version, path)
        old = folder / 'old.sqlite3'
        unpack_database(directory, old, stop)
        migrate_database(old, database, str(path), stop)
        old.unlink()
    else:
        unpack_database(directory, database, stop)
    return Staging(database, str(path), stop)
