"""Archives that AiiDA 0 and 1 wrote, as services take them: read, and brought to the current version."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ricordi.repository.archive.unpacking import checked_members
from ricordi.repository.archive.zip_keys import PREFIX
from ricordi.storage.archive.legacy.reading import reading_legacy
from ricordi.storage.archive.migration import migrate_database

if TYPE_CHECKING:
    from ricordi.progress import Run
    from ricordi.storage.archive.legacy.reading import LegacyArchive


@contextmanager
def opened_legacy(path: Path, version: str, folder: Path, run: Run) -> Iterator[LegacyArchive]:
    """An old archive with a database of the current version, for the length of a `with` block.

    :param version: of the archive.
    :param folder: where temporary files may be made.
    :raises ricordi.errors.CorruptStorage: it is damaged, or not what an archive of its version is.
    """
    with reading_legacy(path, version, folder, PREFIX, checked_members, run) as found:
        database = folder / 'current.sqlite3'
        migrate_database(found.database, database, str(path), run.stop)
        found.database.unlink()
        yield replace(found, database=database)
