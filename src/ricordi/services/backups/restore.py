"""A new profile with all that a backup holds: objects first, then rows, the name of the profile last."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ricordi.backend.maintenance import Amount, Problem
from ricordi.backend.rows import UserRow
from ricordi.backend.snapshots import Misfit
from ricordi.config import load_config
from ricordi.errors import ValidationError
from ricordi.progress import Run
from ricordi.services.backups.filling import USUAL, Filling, FillingLimits
from ricordi.services.backups.opening import open_source
from ricordi.services.backups.source import Maker, RestoreSource
from ricordi.services.profiles.setup import Request, create_profile
from ricordi.services.profiles.surroundings import check_place_of_storage

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.services.profiles.setup import Created

SQLITE, PSQL, BUCKET = 'core.sqlite_dos', 'core.psql_dos', 'ricordi.psql_bucket'
SHOWN_MISFITS = 10


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was restored.

    :param place: where it comes from.
    :param maker: which program had backed it up.
    :param snapshot: its name.
    :param taken: when it was made; None where that is not told.
    :param of: name of the profile that it is of; empty where that is not told.
    :param created: the new profile.
    :param rows: by table.
    :param objects: that are there now, and their bytes of content that were put.
    :param problems: objects that the backup lacks, or that are damaged in it: the first ones.
    :param problem_count: how many there are.
    :param lost_rows: why the database may have lost rows before it was backed up; empty where nothing tells of any.
    """

    place: str
    maker: Maker
    snapshot: str
    taken: datetime | None
    of: str
    created: Created
    rows: Mapping[str, int]
    objects: Amount
    problems: tuple[Problem, ...]
    problem_count: int
    seconds: float
    lost_rows: str = ''


def restore(
    place: str,
    request: Request,
    *,
    of: str | None = None,
    wait: float | None = None,
    run: Run | None = None,
    limits: FillingLimits = USUAL,
    object_store: Mapping[str, Any] | None = None,
) -> RestoreReport:
    """Make a profile of what a backup holds; all of it is on disk on return, or there is no such profile.

    If it fails or is interrupted, what was put goes again; what a process that was killed has left is gone on with, or
    removed, by the next restore. Objects that the backup lacks do not hold it up: the report names them.

    :param place: `PLACE`, or `PLACE@SNAPSHOT`; see `open_source`.
    :param request: what the new profile shall be; its default user is the one that the backup tells, if there is a row
        of them, else the first.
    :param of: name or uuid of the profile of which the newest snapshot is meant.
    :param wait: seconds to wait for those who remove snapshots from the place; None: do not wait.
    :param limits: from when on rows are put beside objects.
    :param object_store: how a place in a bucket is reached; see `address_at`.
    :raises ricordi.errors.ProfileConfigurationError: the name is taken.
    :raises ricordi.errors.UsageError: the folder lies in what another storage or a backup keeps.
    :raises ricordi.errors.StorageError: the backup cannot be read, or the storage cannot be created.
    :raises ricordi.errors.ValidationError: PostgreSQL has no place for a value of the backup; nothing was written.
    :raises ricordi.errors.NotEnoughSpace: there is no room.
    :raises ricordi.errors.Interrupted: the run was asked to end.
    """
    began, run = time.monotonic(), run or Run()
    # before anything is read, which may take a while
    profile = load_config(create=True).create_profile(request.name, request.backend, request.storage_config)
    check_place_of_storage(profile)
    with open_source(place, of, wait, run.stop, object_store) as source:
        if request.backend in (PSQL, BUCKET):
            refuse_misfits(source, run)
        filling = Filling(
            source,
            run,
            database_beside=request.backend == SQLITE,
            rows_beside=request.backend in (SQLITE, BUCKET),
            limits=limits,
        )

        def contents(storage: StorageBackend) -> str | None:
            filling.fill(storage)
            return user_of(storage, source.user)

        created = create_profile(replace(request, person=None, contents=contents))
        return RestoreReport(
            place=str(source.place),
            maker=source.maker,
            snapshot=source.name,
            taken=source.taken,
            of=source.profile,
            created=created,
            rows=filling.snapshot.rows,
            objects=filling.objects,
            problems=filling.problems,
            problem_count=filling.problem_count,
            seconds=time.monotonic() - began,
            lost_rows=source.lost_rows,
        )


def user_of(storage: StorageBackend, email: str) -> str | None:
    """The email of the user who is to be the default one: the one that is told if there is a row of them, else the
    first; None where there is no user at all."""
    found = next(storage.find(UserRow, {'email': email}, limit=1), None) if email else None
    found = found or next(storage.find(UserRow, limit=1), None)
    return None if found is None else found.email


def refuse_misfits(source: RestoreSource, run: Run) -> None:
    """See that PostgreSQL has a place for all values; read through for that where nobody has yet.

    :raises ricordi.errors.ValidationError: it has not; the first ones are named.
    """
    if source.snapshot.source == 'postgresql':
        return
    found = _misfits_of(source, run) if source.misfits is None else list(source.misfits)
    if not found:
        return
    lines = [f'  {one.table}, pk {one.pk}, {one.column}: {one.reason}' for one in found[:SHOWN_MISFITS]]
    if len(found) > SHOWN_MISFITS:
        lines.append('  and more')
    text = '\n'.join(lines)
    raise ValidationError(
        f'PostgreSQL has no place for what SQLite held in this backup; nothing was restored. Restore it into {SQLITE}, '
        f'or change these there first:\n{text}'
    )


def _misfits_of(source: RestoreSource, run: Run) -> list[Misfit]:
    snapshot = source.snapshot
    with run.step('look for what PostgreSQL would refuse', None, 'rows'):
        for part in snapshot.parts:
            for piece in snapshot.pieces(part):
                run.progress.advance(piece.rows)
    return snapshot.misfits(SHOWN_MISFITS + 1)
