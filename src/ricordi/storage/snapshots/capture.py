"""A snapshot of a database, whichever it is."""

from __future__ import annotations

from pathlib import Path

from ricordi.backend.snapshots import DatabaseSnapshot
from ricordi.storage.dialect import Dialect
from ricordi.storage.snapshots.cutting import SnapshotLimits


def capture(dialect: Dialect, scratch: Path | None = None, limits: SnapshotLimits | None = None) -> DatabaseSnapshot:
    """All rows of a database at one moment; writers go on.

    :param scratch: a folder for the copy of an SQLite file; None for that of temporary files.
    :raises ricordi.errors.NotEnoughSpace: there is no room for that copy.
    """
    limits = limits or SnapshotLimits()
    if dialect.name == 'sqlite':
        from ricordi.storage.snapshots.sqlite_capture import SqliteSnapshot
        from ricordi.storage.sqlite.dialect import SqliteDialect

        assert isinstance(dialect, SqliteDialect)
        return SqliteSnapshot(dialect, scratch, limits)
    from ricordi.storage.psql.dialect import PsqlDialect
    from ricordi.storage.snapshots.psql_capture import PsqlSnapshot

    assert isinstance(dialect, PsqlDialect)
    return PsqlSnapshot(dialect, limits)
