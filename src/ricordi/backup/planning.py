"""What a snapshot would put into a place, without putting anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ricordi.backend.maintenance import Amount
from ricordi.backend.repository import RepositoryBackend
from ricordi.backend.snapshots import DatabaseSnapshot, Misfit
from ricordi.backup.key_spool import KeySpool, lacking
from ricordi.backup.taking import MOST_NAMED, DatabaseIntoPieces, check_stop, spool_names
from ricordi.progress import Run


class BackupPlan(NamedTuple):
    """What a snapshot would put; bytes are before compression.

    :param named: how many objects nodes name.
    :param missing_count: how many of these the storage lacks, and the place too; damaged ones are found only when they
        are read.
    :param rows: by table.
    :param lost_rows: as of a snapshot.
    """

    pieces: Amount
    objects: Amount
    named: int
    missing_count: int
    misfits: tuple[Misfit, ...]
    rows: dict[str, int]
    lost_rows: str = ''


def plan_snapshot(
    snapshot: DatabaseSnapshot,
    source: RepositoryBackend,
    store: RepositoryBackend | None,
    spool: KeySpool,
    run: Run,
) -> BackupPlan:
    """Read a database, and compare it and what it names with what is in a place. The snapshot is closed.

    :param store: of the place; None: there is none yet.
    :param spool: takes the keys that nodes name.
    :raises ricordi.errors.Interrupted: `run.stop` asked for an end.
    """
    rows = DatabaseIntoPieces(snapshot, (lambda key: False) if store is None else store.has_object, run)
    with run.step('read the database', None, 'rows'):
        for _ in rows.objects():
            pass
    check_stop(run)
    names = spool_names(snapshot, spool)
    misfits, lost = tuple(snapshot.misfits(MOST_NAMED)), snapshot.lost_rows()
    snapshot.close()

    def wanted() -> Iterator[str]:
        return lacking(names.keys.ascending(), () if store is None else store.list_objects())

    count = sum(1 for _ in wanted())
    missing = sum(1 for _ in lacking(wanted(), source.list_objects())) if count else 0
    return BackupPlan(
        rows.new,
        Amount(count - missing, source.content_bytes(wanted()) if count else 0),
        names.number + names.no_key_count,
        missing + names.no_key_count,
        misfits,
        {one.part.table: one.rows for one in rows.parts},
        lost,
    )
