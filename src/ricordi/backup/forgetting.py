"""Removing snapshots: their manifests first, then the space of what no other snapshot names.

What a snapshot that cannot be read may name is never removed: while there is one, only manifests go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ricordi.backend.maintenance import MaintenanceOptions, MaintenanceReport
from ricordi.backup.key_spool import KeySpool, common
from ricordi.backup.manifests import record_announced
from ricordi.backup.naming import Naming
from ricordi.backup.pieces import FILE_TREES
from ricordi.backup.records import SnapshotRecord
from ricordi.errors import CorruptStorage, ForeignRepository, NotExistent
from ricordi.progress import Run

if TYPE_CHECKING:
    from ricordi.backup.repository import BackupRepository


TRIES = 4
"""How often it is begun anew what others have crossed who remove snapshots from the same bucket at the same time."""


class ForgetReport(NamedTuple):
    """What was done to remove snapshots, or would be.

    :param removed: names of snapshots.
    :param kept: how many are left.
    :param trouble: why no space was given back; empty where there is no reason.
    :param maintenance: what was done in the store; None where nothing was.
    """

    removed: tuple[str, ...]
    kept: int
    trouble: str = ''
    maintenance: MaintenanceReport | None = None


def forget(repository: BackupRepository, names: Sequence[str], free: bool, run: Run) -> ForgetReport:
    """Remove snapshots and give back their space. For one who holds the lock of the place alone."""
    removed = _remove_manifests(repository, names)
    if not free:
        return _kept(repository, removed)
    return _give_back(repository, removed, MaintenanceOptions(full=True), run)


def would_free(repository: BackupRepository, names: Sequence[str], run: Run) -> ForgetReport:
    """What `forget` would do; nothing is changed. For one who holds the lock of the place, alone or with others."""
    return _give_back(repository, names, MaintenanceOptions(full=True, dry_run=True), run)


def _kept(repository: BackupRepository, removed: Sequence[str]) -> ForgetReport:
    return ForgetReport(tuple(removed), len({*repository.names()} - {*removed}))


def _remove_manifests(repository: BackupRepository, names: Sequence[str]) -> list[str]:
    """Remove manifests, durably: from then on there are no such snapshots."""
    there = {*repository.names()}
    removed = [name for name in names if name in there]
    repository.place.remove_manifests(removed)  # before any object goes that only these have named
    return removed


def _give_back(
    repository: BackupRepository,
    forgotten: Sequence[str],
    options: MaintenanceOptions,
    run: Run,
) -> ForgetReport:
    report = _kept(repository, forgotten)
    records, faults = repository.read_all()
    there = {*repository.names()} if faults else set()  # one that another host removes meanwhile names nothing
    for name, error in faults.items():
        if name not in forgotten and name in there:
            return report._replace(trouble=f'nothing that it may name was removed: {error}')
    owner = repository.objects.owner
    if owner is not None and owner.database != repository.place.owner(repository.id).database:
        raise ForeignRepository(
            f'the store of the backup repository in {repository.place.address} is that of {owner.place} too: no object '
            'was removed'
        )
    if repository.place.removes_beside_others:
        return _give_back_beside_others(repository, report, options, run)
    left = [record for record in records if record.name not in forgotten]
    with KeySpool() as spool, KeySpool() as present:
        try:
            with run.step('find what snapshots name', sum(_node_rows(record) for record in left), 'rows'):
                spool.add(Naming(repository.objects, run).keys(left))
        except (CorruptStorage, NotExistent) as error:
            return report._replace(trouble=f'what the snapshots left name is not certain, nothing was removed: {error}')
        # what a snapshot names and the place never had is no reason to keep all else
        present.add(common(spool.ascending(), repository.objects.list_objects()))
        return report._replace(maintenance=repository.objects.maintain(options, present.ascending, run))


def _give_back_beside_others(
    repository: BackupRepository, report: ForgetReport, options: MaintenanceOptions, run: Run
) -> ForgetReport:
    """The same where no lock keeps others out: what snapshots name is asked for anew whenever it matters."""
    for left in reversed(range(TRIES)):
        before = {*repository.names()}
        with KeySpool() as spool:
            named = _NamedByNow(repository, report.removed, spool, run)
            try:
                done = repository.objects.maintain(options, named.keys, run)
                return _kept(repository, report.removed)._replace(maintenance=done)
            except (CorruptStorage, NotExistent) as error:
                # another host may have removed a snapshot while it was read: what it named is nobody's then
                if left and before - {*repository.names()}:
                    repository.objects.look_again()
                    continue
                return report._replace(trouble=f'what snapshots name is not certain, nothing more was removed: {error}')
    raise AssertionError('the last try returns or raises')


class _NamedByNow:
    """What all snapshots name, those in the making included, as of each time that it is asked for."""

    def __init__(self, repository: BackupRepository, forgotten: Sequence[str], spool: KeySpool, run: Run) -> None:
        self._repository = repository
        self._forgotten = {*forgotten}
        self._spool = spool
        self._naming = Naming(repository.objects, run)
        self._read: set[str] = set()

    def keys(self) -> Iterator[str]:
        """Keys, distinct and ascending; of snapshots that went meanwhile too."""
        place = self._repository.place
        # announcements first: a snapshot that is not announced any more is listed by then
        for name, content in place.announced():
            if name not in self._read:
                self._add(name, record_announced(name, content))
        for name in self._repository.names():
            if name not in self._read and name not in self._forgotten and (record := self._record(name)):
                self._add(name, record)
        return self._spool.ascending()

    def _record(self, name: str) -> SnapshotRecord | None:
        """What a manifest says; None of one that was removed since it was listed."""
        try:
            return self._repository.read(name)
        except CorruptStorage:
            if name in self._repository.names():
                raise
            return None

    def _add(self, name: str, record: SnapshotRecord) -> None:
        self._repository.objects.look_again()  # it may need what was put since
        self._spool.add(self._naming.keys([record]))
        self._read.add(name)


def _node_rows(record: SnapshotRecord) -> int:
    return sum(one.rows for one in record.parts if FILE_TREES in one.part.columns)
