"""Repair of a backup repository: what describes it, the index of its store, and all that its snapshots need."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from ricordi.backend.repair import Mending, SetAside
from ricordi.backend.storage import RepositoryLocation
from ricordi.backend.verification_report import VerificationReport, VerifyOptions
from ricordi.backup.key_spool import KeySpool, lacking
from ricordi.backup.naming import Naming
from ricordi.backup.places.folder import FolderPlace
from ricordi.backup.places.place import DESCRIPTION
from ricordi.backup.repository import BackupRepository
from ricordi.errors import StorageError
from ricordi.manager.backups import open_place
from ricordi.model.file_trees import is_key
from ricordi.progress import Run
from ricordi.services.backups.verify import findings_in
from ricordi.services.repair.faults import Faults
from ricordi.services.repair.repair import Repairing, RepairOptions, RepairReport
from ricordi.services.repair.sources import open_sources
from ricordi.services.verify import NAMED, Gathered

if TYPE_CHECKING:
    from ricordi.backend.backups import BackupAddress
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.backup.places.place import BackupPlace

ROUNDS = 4
"""Lists can be looked for when there is an index; what a list names shows when it is there, so what a piece names."""


def repair_backup(
    address: BackupAddress,
    options: RepairOptions | None = None,
    *,
    consent: Callable[[RepairReport], bool] = lambda plan: True,
    wait: float | None = None,
    run: Run | None = None,
) -> RepairReport:
    """Mend what a verification finds in a backup repository, and verify it again.

    First it is verified, and a plan is made. With consent the place is locked and mended: `repository.json` and the
    settings of its store are written anew, the index is made from catalogues and packs, objects come from second
    copies, from the packs, and from sources. What is put out of use is kept in `set-aside/` of the store. In a bucket
    nothing is locked, and nothing is put out of use: what was lost is put once more.

    :param options: as of `repair_storage`; `database` has no meaning here.
    :param consent: is handed the plan; what it refuses is not done, and the plan is the report.
    :param wait: seconds to wait for those who back up or restore; None: do not wait.
    :param run: hears how far it is; ends the work early, by a request or when its time is over.
    :raises ricordi.errors.NoBackupRepository: there is none, or it is of a form that is not known here.
    :raises ricordi.errors.UsageError: a source is none.
    :raises ricordi.errors.BusyBackupRepository: others make, read or remove snapshots.
    """
    run, begin, options = run or Run(), time.perf_counter(), options or RepairOptions()
    with (
        open_place(address) as (place, objects),
        open_sources(options.sources, _store_at(address), wait, run.stop, options.object_store) as sources,
    ):
        report = _PlaceRepair(
            place=place, objects=objects, options=options, sources=sources, consent=consent, wait=wait, run=run
        ).repair()
    return report._replace(seconds=time.perf_counter() - begin)


def _store_at(address: BackupAddress) -> RepositoryLocation:
    if isinstance(address, Path):
        return RepositoryLocation('container', FolderPlace(address).container)
    return RepositoryLocation('bucket', bucket=address)


@dataclass(kw_only=True)
class _PlaceRepair(Repairing):
    """One repair of a place."""

    place: BackupPlace
    objects: RepositoryBackend

    def repair(self) -> RepairReport:
        """Plan, ask, carry out."""
        unopened = tuple(self._mendings_before_opening())
        plan = RepairReport(self.options, planned=unopened) if unopened else self._plan()
        plan = plan._replace(alone=not self.place.removes_beside_others)
        if not self.goes_ahead(plan):
            return plan
        return self.carried_out(plan, lambda: self._carry_out(unopened))

    # -- what is needed to open it ----------------------------------------------------------------------------

    def _mendings_before_opening(self) -> Iterator[Mending]:
        if fault := self.place.description_fault():
            detail = f'{fault}; its snapshots show what it is'
            yield Mending(
                'lost description', 'write the description of the backup repository anew', DESCRIPTION, detail
            )
        else:
            self.place.id()  # there is one, of a form that is known
        if fault := self.objects.settings_fault():
            yield self.objects.settings_mending(fault)

    def _make_openable(self, mendings: Sequence[Mending]) -> None:
        # the settings first: whose the store is stands in the store
        if self.objects.settings_fault():
            self.objects.restore_settings(str(uuid4()), [source.objects for source in self.sources])
        if self.place.description_fault():
            self.place.describe(self.objects)
        self.take(mendings)

    # -- all else -----------------------------------------------------------------------------------------------

    def _plan(self) -> RepairReport:
        faults = Faults()
        with self.place.locked('shared', self.wait, self.run.stop):
            repository = BackupRepository(self.place, self.objects)
            found = self._verify(repository, faults, remember=not self.options.dry_run)
            told = [] if found.interrupted else list(self._mend(repository, faults, dry_run=True))
        return RepairReport(
            self.options,
            found,
            tuple(one for one in told if isinstance(one, Mending)),
            interrupted=found.interrupted,
        )

    def _carry_out(self, unopened: Sequence[Mending]) -> VerificationReport:
        with self.place.locked('exclusive', self.wait, self.run.stop):
            if unopened:
                self._make_openable(unopened)
            return self._carry_out_in(BackupRepository(self.place, self.objects))

    def _carry_out_in(self, repository: BackupRepository) -> VerificationReport:
        """Mend, and verify once more."""
        faults, left = Faults(), list[Mending]()
        self._verify(repository, faults, remember=False)
        for _ in range(ROUNDS):
            if self.run.stop.reason:
                break
            left, done = [], len(self.done)
            for one in self._mend(repository, faults, dry_run=False):
                if isinstance(one, Mending) and not one.deed:
                    left.append(one)
                else:
                    self.take([one])
            if len(self.done) == done:
                break
            faults = Faults()
            for one in left:
                if is_key(one.subject):
                    faults.doubt(one.subject)
        self.take(left)  # of the last round alone: what one has left, the next may mend
        return self._verify(repository, Faults(), remember=True)

    def _verify(self, repository: BackupRepository, faults: Faults, remember: bool) -> VerificationReport:
        options = VerifyOptions(read=self.options.read, remember=remember)
        gathered = Gathered(options.most_named, self.run, unshown=NAMED)
        gathered.take(findings_in(repository, options, self.run, faults.hear))
        return gathered.report(options, repository.objects)

    def _mend(self, repository: BackupRepository, faults: Faults, dry_run: bool) -> Iterator[Mending | SetAside]:
        with KeySpool() as named:
            if not faults.new_index:
                naming = Naming(repository.objects, self.run, faults.doubt)
                named.add(naming.keys(repository.snapshots()))
                for key in lacking(named.ascending(), repository.objects.list_objects()):
                    faults.doubt(key)
                for key in repository.objects.damaged_objects():
                    faults.doubt(key)
            if faults.of_objects:
                order = faults.order(dry_run, _never_there(repository))
                yield from repository.objects.repair(order, self.sources, named.ascending, self.run)


def _never_there(repository: BackupRepository) -> Iterator[str]:
    """Keys of objects that were missing when a snapshot was made, the first ones of each."""
    with suppress(StorageError):
        for record in repository.snapshots():
            yield from record.missing
