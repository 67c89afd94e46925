"""`archive import`: an archive into a profile, checked before anything is written, rows by one transaction."""

from __future__ import annotations

import time
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from ricordi.errors import IncompatibleStorageSchema, ReadOnlyStorage
from ricordi.files import TemporaryFolder
from ricordi.manager import use_storage
from ricordi.progress import Run, Stop
from ricordi.services.archive.merging import ArchiveImport
from ricordi.storage.archive.file import HEAD, open_archive, read_metadata, unpack_database, version_error
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
        closing(open_archive(path)) as directory,
        closing(_staged(directory, folder, request, run.stop)) as staging,
        use_storage(profile, purpose='archive import') if storage is None else nullcontext(storage) as storage,
    ):
        _refuse_unwritable(storage)
        work = ArchiveImport(staging, directory, storage, request, run)
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
        raise ReadOnlyStorage(f'nothing can be imported: {storage.unwritable}')


def _staged(directory: ZipDirectory, folder: Path, request: ImportRequest, stop: Stop) -> Staging:
    """The database of the archive, unpacked and brought to the current version."""
    path = directory.path
    version = read_metadata(directory)['export_version']
    database = folder / 'db.sqlite3'
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
