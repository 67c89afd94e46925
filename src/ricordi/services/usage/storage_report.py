"""All that a report on a storage tells, as plain data: what takes the space, its state, how well it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ricordi.backend.maintenance import MaintenanceOptions, MaintenanceReport
from ricordi.backend.storage import StorageBackend
from ricordi.backend.usage import Dimension, UsageQuestion
from ricordi.backend.verification_report import VerificationState
from ricordi.progress import Run
from ricordi.services.backups.history import LastBackup, last_backups
from ricordi.services.history import last_maintained, with_what_was_seen
from ricordi.services.usage.usage import SpaceReport, spaces_used

DIVISIONS: dict[Dimension, Dimension | None] = {
    Dimension.PROCESS: Dimension.FILE,
    Dimension.TYPE: Dimension.FILE,
    Dimension.GROUP: Dimension.FILE,
    Dimension.USER: Dimension.FILE,
    Dimension.FILE: Dimension.SIZE,
    Dimension.MONTH: None,
    Dimension.SIZE: None,
}
"""By what the space is told, and by what within each category."""

MOST_SHARES = 400
"""So many categories of a dimension are told, the largest, those within others among them."""
MOST_MONTHS = 12_000
MOST_FILES = 400
"""So many of the largest files are told."""


@dataclass(frozen=True, slots=True)
class StorageReport:
    """What a report on a storage tells.

    :param made: when, aware.
    :param spaces: what takes the space, by each dimension of `DIVISIONS`.
    :param entities: kind of row → how many there are.
    :param database_bytes: what the database takes.
    :param plan: of a full maintenance, with the state of the container; None: the storage needs none.
    :param maintained: `live`, `full` → when it was last done, in ISO 8601; None: not known.
    :param verified: what verifications have left known; None: such a storage remembers none.
    :param backups: the last snapshot in each place, the newest first.
    """

    profile: str
    backend: str
    made: datetime
    spaces: Mapping[Dimension, SpaceReport]
    entities: Mapping[str, int]
    database_bytes: int | None
    plan: MaintenanceReport | None
    maintained: Mapping[str, str | None]
    verified: VerificationState | None
    backups: tuple[LastBackup, ...]

    @property
    def total(self) -> SpaceReport:
        """The dimension from which sums over everything are taken."""
        return self.spaces[Dimension.TYPE]


def make_report(storage: StorageBackend, run: Run | None = None) -> StorageReport:
    """Gather a report; nothing is changed, and no content is read.

    :raises ricordi.errors.InvalidOperation: the storage cannot tell what takes the space.
    """
    run = run or Run()
    profile = storage.profile
    questions = [_question(by, within) for by, within in DIVISIONS.items()]
    spaces = dict(zip(DIVISIONS, spaces_used(storage, questions, run=run), strict=True))
    info: dict[str, Any] = storage.get_info(False)
    plan = None
    if not storage.read_only:
        plan = storage.maintain(with_what_was_seen(profile, MaintenanceOptions(full=True, dry_run=True)), run=run)
    return StorageReport(
        profile.name,
        profile.storage_backend,
        datetime.now(UTC),
        spaces,
        info['entities'],
        info['database']['bytes'],
        plan,
        last_maintained(profile),
        storage.repository.verification_state(),
        tuple(last_backups(profile)),
    )


def _question(by: Dimension, within: Dimension | None) -> UsageQuestion:
    top = MOST_MONTHS if by is Dimension.MONTH else MOST_SHARES
    return UsageQuestion(by, top, within=within, files=MOST_FILES)
