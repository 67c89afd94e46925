"""The snapshots in a backup repository: listed, and removed by name or by a policy."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from ricordi.backend.backups import BackupAddress
from ricordi.backup.forgetting import ForgetReport, would_free
from ricordi.backup.policy import KeepPolicy, kept_by
from ricordi.backup.records import SnapshotRecord
from ricordi.errors import UsageError
from ricordi.manager import open_backup
from ricordi.progress import Run

if TYPE_CHECKING:
    from ricordi.backup.repository import BackupRepository


KEEP_NOTHING = KeepPolicy()


class ListedSnapshots(NamedTuple):
    """What is in a place.

    :param records: the snapshots, by time.
    :param faults: by name what is wrong with those that cannot be read.
    """

    records: tuple[SnapshotRecord, ...]
    faults: dict[str, str]


class ForgetPlan(NamedTuple):
    """Which snapshots go, and which stay.

    :param place: where the backup repository is.
    :param forget: the names of those that go, by time.
    :param keep: the names of those that stay, each with the reasons: the words of a policy, or none.
    :param records: all that can be read, by name.
    """

    place: BackupAddress
    forget: tuple[str, ...]
    keep: dict[str, tuple[str, ...]]
    records: dict[str, SnapshotRecord]


def list_snapshots(place: BackupAddress) -> ListedSnapshots:
    """The snapshots in a backup repository; no profile is needed.

    :raises ricordi.errors.NoBackupRepository: there is none, or it is of a form that is not known here.
    """
    with open_backup(place) as repository:
        records, faults = repository.read_all()
    return ListedSnapshots(tuple(records), {name: str(error) for name, error in faults.items()})


def plan_forgetting(
    place: BackupAddress, names: Sequence[str] = (), policy: KeepPolicy = KEEP_NOTHING, tags: Sequence[str] = ()
) -> ForgetPlan:
    """Which snapshots would be removed: those that are named, or those that a policy does not keep.

    :param names: as of `BackupRepository.find_name`; also of those that cannot be read.
    :param policy: of each profile in the place by itself.
    :param tags: the policy looks at snapshots with one of these tags only; all others stay.
    :raises ricordi.errors.UsageError: neither names nor a policy are given, or both are.
    :raises ricordi.errors.NotExistent: there is no snapshot of a name.
    """
    policy.check()
    if names and (tags or not policy.is_empty):
        raise UsageError('name the snapshots to remove, or say which to keep: not both')
    if not names and policy.is_empty:
        raise UsageError('nothing says which snapshots to keep, and without that all would go')
    with open_backup(place) as repository:
        return _plan(place, repository, names, policy, tags)


def _plan(
    address: BackupAddress, repository: BackupRepository, names: Sequence[str], policy: KeepPolicy, tags: Sequence[str]
) -> ForgetPlan:
    records, faults = repository.read_all()
    everything = [*[record.name for record in records], *faults]
    if names:
        forget = {repository.find_name(name) for name in names}
        kept: dict[str, list[str]] = {}
    else:
        looked_at = [record for record in records if not tags or {*record.tags} & {*tags}]
        kept = kept_by(policy, looked_at, datetime.now(UTC))
        forget = {record.name for record in looked_at if record.name not in kept}
    return ForgetPlan(
        address,
        tuple(name for name in everything if name in forget),
        {name: tuple(kept.get(name, ())) for name in everything if name not in forget},
        {record.name: record for record in records},
    )


class ForgetOutcome(NamedTuple):
    """What was done, or would be.

    :param seconds: that it took.
    """

    report: ForgetReport
    seconds: float


def forget(plan: ForgetPlan, *, wait: float | None = None, run: Run | None = None) -> ForgetOutcome:
    """Remove the snapshots of a plan, then give back the space of what no other snapshot names.

    That space is also given back which earlier backups have left that were ended early.

    :param wait: seconds to wait for others to be done with the place; None: do not wait.
    :raises ricordi.errors.BusyBackupRepository: snapshots are being made or read.
    """
    began = time.monotonic()
    with open_backup(plan.place) as repository:
        report = repository.forget(plan.forget, wait=wait, run=run)
    return ForgetOutcome(report, time.monotonic() - began)


def estimate_forgetting(plan: ForgetPlan, *, wait: float | None = None, run: Run | None = None) -> ForgetOutcome:
    """What `forget` would do; nothing is changed. Errors as of `forget`."""
    run, began = run or Run(), time.monotonic()
    with open_backup(plan.place) as repository, repository.held(wait, run.stop):
        report = would_free(repository, plan.forget, run)
    return ForgetOutcome(report, time.monotonic() - began)
