"""Repair of a storage: verify, plan, ask, carry out, verify once more. See `docs/storage-repair.md`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ricordi.backend.maintenance import OUT_OF_ROOM
from ricordi.backend.repair import Mending, RepairOrder, RepairSource, SetAside
from ricordi.backend.verification_report import VerificationReport, VerifyOptions
from ricordi.errors import InvalidOperation
from ricordi.files import DISK_IS_FULL
from ricordi.manager import lock_profile, storage_class, use_storage
from ricordi.manager.settings import restore_settings, settings_mending
from ricordi.progress import Run
from ricordi.services.repair.faults import Faults
from ricordi.services.repair.sources import open_sources
from ricordi.services.verify import verify_open_storage

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.config import Profile


class RepairOptions(NamedTuple):
    """What a repair shall do.

    :param sources: profiles, archives, containers, backups from which objects may be taken, in this order.
    :param read: first read all content; else what earlier verifications have found damaged is known.
    :param database: also mend what takes rows away from the database, which are written to a file before.
    :param dry_run: tell what would be done, and change nothing.
    :param object_store: how sources in buckets are reached; see `ricordi.services.backups.places.address_at`.
    """

    sources: tuple[str, ...] = ()
    read: bool = False
    database: bool = False
    dry_run: bool = False
    object_store: Mapping[str, Any] = {}


class RepairReport(NamedTuple):
    """What is to be done, or was done.

    :param found: the verification before; None where the storage could not be opened before its settings were mended.
    :param planned: what would be done about each fault.
    :param done: what was done about each; empty for a plan.
    :param aside: files, in the store of objects, with what was put out of use.
    :param after: the verification after; None for a plan, and where nothing could be done.
    :param by_maintenance: by kind what a maintenance tidies.
    :param interrupted: why it ended early, or None.
    :param alone: whether others have to leave the profile meanwhile.
    """

    options: RepairOptions
    found: VerificationReport | None = None
    planned: tuple[Mending, ...] = ()
    done: tuple[Mending, ...] = ()
    aside: tuple[str, ...] = ()
    after: VerificationReport | None = None
    by_maintenance: dict[str, int] = {}
    interrupted: str | None = None
    seconds: float = 0.0
    alone: bool = True

    @property
    def can_do(self) -> bool:
        """Whether anything of the plan can be done."""
        return any(one.deed for one in self.planned)

    @property
    def left(self) -> tuple[Mending, ...]:
        """What was, or would be, left as it is."""
        return tuple(one for one in (self.done or self.planned) if not one.deed)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left that is wrong, as far as it was looked for."""
        if self.interrupted:
            return False
        if self.after is not None:
            return not self.left and not self.after.finding_count
        return self.found is not None and not self.found.finding_count


def repair_storage(
    profile: Profile,
    options: RepairOptions | None = None,
    *,
    consent: Callable[[RepairReport], bool] = lambda plan: True,
    wait: float | None = None,
    run: Run | None = None,
) -> RepairReport:
    """Mend what a verification finds in the storage of a profile, and verify it again.

    First it is verified beside its other users, and a plan is made. With consent the profile is locked, unless it has
    its objects in a bucket, and each fault is looked at again and mended: objects from second copies, from what lies
    unnamed in packs, from sources; the index from catalogues and packs. What is put out of use is kept in `set-aside/`
    of the container or the bucket::

        report = repair_storage(profile, RepairOptions(sources=('/backups/mine', 'copy.aiida')))
        for one in report.left:
            print(one.fault, one.subject, one.detail)

    :param consent: is handed the plan; what it refuses is not done, and the plan is the report.
    :param wait: seconds to wait for others to leave the profile; None: do not wait.
    :param run: hears how far it is; ends the work early, by a request or when its time is over.
    :raises ricordi.errors.UsageError: a source is none.
    :raises ricordi.errors.AccessError: the profile is locked or in use.
    :raises ricordi.errors.StorageError: the storage cannot be opened.
    """
    if storage_class(profile).read_only:
        raise InvalidOperation(f'{profile.name!r} can only be read: nothing in it can be mended')
    run, begin = run or Run(), time.perf_counter()
    options = options or RepairOptions()
    own = storage_class(profile).repository_location(profile)
    with open_sources(options.sources, own, wait, run.stop, options.object_store) as sources:
        report = _Repair(
            profile=profile, options=options, sources=sources, consent=consent, wait=wait, run=run
        ).repair()
    return report._replace(seconds=time.perf_counter() - begin)


@dataclass(kw_only=True)
class Repairing:
    """What every repair works with, and what it has done so far."""

    options: RepairOptions
    sources: Sequence[RepairSource]
    consent: Callable[[RepairReport], bool]
    wait: float | None
    run: Run
    done: list[Mending] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)

    def goes_ahead(self, plan: RepairReport) -> bool:
        """Whether what is planned shall be done."""
        return bool(not (self.options.dry_run or plan.interrupted) and plan.can_do and self.consent(plan))

    def carried_out(self, plan: RepairReport, work: Callable[[], VerificationReport]) -> RepairReport:
        """The report of a plan that is carried out; where the disk is full, of what was done by then.

        :param work: mends, and verifies once more.
        """
        reason, after = None, None
        try:
            after = work()
        except OSError as error:
            if error.errno not in DISK_IS_FULL:
                raise
            reason = OUT_OF_ROOM
        return plan._replace(
            done=tuple(self.done), aside=tuple(self.aside), after=after, interrupted=reason or self.run.stop.reason
        )

    def take(self, told: Iterable[Mending | SetAside]) -> None:
        """Note what was done."""
        for one in told:
            if isinstance(one, SetAside):
                self.aside.append(one.place)
            else:
                self.done.append(one)


@dataclass(kw_only=True)
class _Repair(Repairing):
    """One repair of a profile."""

    profile: Profile
    faults: Faults = field(default_factory=Faults)

    def repair(self) -> RepairReport:
        """Plan, ask, carry out."""
        if mending := settings_mending(self.profile):
            plan = RepairReport(self.options, planned=(mending,))
        else:
            plan = self._plan()
        if not self.goes_ahead(plan):
            return plan
        if mending:
            self._restore_settings(plan)
        report = self.carried_out(plan, lambda: self._carry_out(plan))
        return report._replace(by_maintenance=dict(self.faults.maintenance))

    def _locked(self) -> AbstractContextManager[Callable[[], None]]:
        return lock_profile(self.profile, 'storage repair', wait=self.wait, stop=self.run.stop)

    def _restore_settings(self, plan: RepairReport) -> None:
        # By a lock of its own: that of the storage is held on config.json, and so on none as long as there is none.
        with self._locked():
            restore_settings(self.profile, [source.objects for source in self.sources])
        self.take(plan.planned)

    # -- the plan ---------------------------------------------------------------------------------------------

    def _plan(self) -> RepairReport:
        options = VerifyOptions(read=self.options.read, remember=not self.options.dry_run)
        with use_storage(self.profile, purpose='storage repair, plan', wait=self.wait, stop=self.run.stop) as storage:
            found = verify_open_storage(storage, options, self.run, self.faults.hear)
            planned = [] if found.interrupted else list(self._mend(storage, self.faults, True, self.run))
        return RepairReport(
            self.options,
            found,
            tuple(one for one in planned if isinstance(one, Mending)),
            by_maintenance=dict(self.faults.maintenance),
            interrupted=found.interrupted,
            alone=storage_class(self.profile).repair_alone or bool(self.faults.database),
        )

    # -- carrying out -----------------------------------------------------------------------------------------

    def _carry_out(self, plan: RepairReport) -> VerificationReport:
        with self._locked() if plan.alone else nullcontext(self.run.lock_check) as check, self._opened(plan) as storage:
            return self._carry_out_in(storage, plan.found is None, replace(self.run, lock_check=check))

    def _opened(self, plan: RepairReport) -> AbstractContextManager[StorageBackend]:
        wait, stop = self.wait, self.run.stop
        return use_storage(self.profile, shared_access=not plan.alone, purpose='storage repair', wait=wait, stop=stop)

    def _carry_out_in(self, storage: StorageBackend, is_unknown: bool, run: Run) -> VerificationReport:
        """Mend, and verify once more."""
        if is_unknown:
            verify_open_storage(storage, VerifyOptions(read=self.options.read), run, self.faults.hear)
        if self.faults.new_index:
            self.take(storage.repository.repair(RepairOrder(new_index=True), (), storage.named_keys, run))
            # What nodes name and nobody has shows only now.
            known, self.faults = self.faults, Faults()
            verify_open_storage(storage, VerifyOptions(), run, self.faults.hear)
            self.faults.keys |= known.keys
        if not run.stop.reason:
            self.take(self._mend(storage, self.faults, False, run))
        run.check_lock()
        self.faults = Faults()
        return verify_open_storage(storage, VerifyOptions(), run, self.faults.hear)

    def _mend(self, storage: StorageBackend, faults: Faults, dry_run: bool, run: Run) -> Iterable[Mending | SetAside]:
        yield from storage.repair_database(faults.database, self.options.database, dry_run)
        if faults.of_objects:
            yield from storage.repository.repair(faults.order(dry_run), self.sources, storage.named_keys, run)
