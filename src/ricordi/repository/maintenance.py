"""Maintenance of a container: count, plan, and carry out step by step. See `docs/storage-maintain.md`.

What may never be the other way round: bytes are fsynced before rows name them; rows are committed before loose copies
or old packs go; nothing is removed for want of a row or a name unless everything that nodes name is at hand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing, nullcontext

from ricordi.backend.maintenance import (
    Amount,
    CleanMark,
    ContainerState,
    KeyStream,
    MaintenanceOptions,
    MaintenanceReport,
    MaintenanceStep,
)
from ricordi.errors import NotEnoughSpace, NotExistent, RicordiError
from ricordi.files import DISK_IS_FULL, free_bytes
from ricordi.progress import Progress, Stop
from ricordi.repository.census import Census
from ricordi.repository.index import PackSummary
from ricordi.repository.layout import REPACK_ID
from ricordi.repository.objects import ObjectStore
from ricordi.repository.pack_writer import fresh_pack_id, pack_to_append_to
from ricordi.repository.packer_lock import packer_lock
from ricordi.repository.packing import LoosePacker, Work, remove_loose
from ricordi.repository.plan import Plan, make_plan, packs_in_words
from ricordi.repository.problems import Problems
from ricordi.repository.recovery import cut_tails, settle_aborted_repack, settle_duplicates, tidy
from ricordi.repository.repacking import Repacker


def maintain(
    container: ObjectStore,
    options: MaintenanceOptions,
    named_keys: KeyStream,
    progress: Progress,
    stop: Stop,
    check_alone: Callable[[], None] | None = None,
) -> MaintenanceReport:
    """Plan and, unless `options.dry_run`, carry out. For `options.full` the caller holds the lock of the profile.

    :param check_alone: asked before each step, before each pack that goes, and at the end; raises if the lock is lost.
    :raises ricordi.errors.CorruptStorage: the index is damaged.
    """
    try:
        return _maintain(container, options, named_keys, progress, stop, check_alone or _nothing)
    except (OSError, TypeError, ValueError, OverflowError, NotExistent) as error:
        # What a damaged index says of places and sizes leads to errors of many kinds.
        if _odd_rows(container):
            raise container.index.odd() from error
        raise


def _odd_rows(container: ObjectStore) -> int:
    try:
        return container.index.odd_rows()
    except RicordiError:
        return 0  # what was met first says more


def _maintain(
    container: ObjectStore,
    options: MaintenanceOptions,
    named_keys: KeyStream,
    progress: Progress,
    stop: Stop,
    check_alone: Callable[[], None],
) -> MaintenanceReport:
    with nullcontext() if options.dry_run else packer_lock(container.layout):
        settled = () if options.dry_run else _settle(container, options)
        clean = options.clean.container if options.clean else None
        with closing(Census(container, named_keys, clean)) as census:
            problems = Problems()
            _note_problems(census, problems)
            plan = make_plan(container, census, options)
            report = MaintenanceReport(
                options,
                census.state(),
                steps=plan.steps,
                space_needed=plan.space_needed,
                problems=tuple(problems.first.values()),
                problem_count=problems.count,
                notes=_notes(census, options),
            )
            if options.dry_run:
                return report
            if not plan.steps:
                report = report._replace(steps=settled, after=report.before)
                return report._replace(clean=_clean_mark(report, census, census.named))
            _check_space(container, plan)
            container.index.check()
            report = _Run(container, census, options, plan, problems, progress, stop, check_alone).carry_out(report)
            return report._replace(steps=settled + report.steps)


def _nothing() -> None:
    """Where nobody can come in."""


def _clean_mark(report: MaintenanceReport, census: Census, named: int) -> CleanMark | None:
    """The container's part of a mark, if it was left clean.

    :param census: taken when the work was done.
    :param named: how many objects nodes name. That many, and none else, are there, though others may be at work.
    """
    state = report.after
    if report.interrupted or report.problem_count or state is None:
        return None
    is_clean = state.garbage == Amount() and not state.loose.objects and state.packed.objects == named
    return CleanMark('', census.fingerprint) if is_clean else None


def _settle(container: ObjectStore, options: MaintenanceOptions) -> tuple[MaintenanceStep, ...]:
    """What has to be put right before anything is counted."""
    steps = []
    start = time.perf_counter()
    if options.full and (objects := settle_aborted_repack(container)):
        steps.append(MaintenanceStep('recover', 'a repack that was killed', objects, seconds=_seconds_since(start)))
    start = time.perf_counter()
    if (work := settle_duplicates(container)).objects:
        seconds = _seconds_since(start)
        steps.append(MaintenanceStep('recover', 'second copies', work.objects, freed=work.freed, seconds=seconds))
    return tuple(steps)


def _seconds_since(start: float) -> float:
    return round(time.perf_counter() - start, 3)


def _check_space(container: ObjectStore, plan: Plan) -> None:
    free = free_bytes(container.layout.folder)
    if free < plan.space_needed:
        raise NotEnoughSpace(
            f'the disk of {container.layout.folder} has {free:,} bytes free, maintenance needs {plan.space_needed:,}; '
            'nothing was written: free some space, or ask for less (--repack none)'
        )


def _note_problems(census: Census, problems: Problems) -> None:
    if census.missing:
        for key in census.missing_keys():
            problems.add('missing', key, 'neither loose nor in a pack')
    if census.unreadable:
        for key, pack_id in census.unreadable_keys():
            size = census.packs[pack_id].file_bytes
            if size is None:
                problems.add('missing', key, f'the file of pack {pack_id} is gone')
            else:
                problems.add('damaged', key, f'the file of pack {pack_id} ends at byte {size}, before the object does')


def _notes(census: Census, options: MaintenanceOptions) -> tuple[str, ...]:
    stray = census.packs.get(REPACK_ID)
    if stray is not None and stray.objects and not options.full:
        return (
            f'a repack of AiiDA was killed: it cannot read {stray.objects:,} objects until full maintenance (--full) '
            'has put that right',
        )
    if options.full and (census.missing or census.unreadable):
        return ('objects that nodes name are not at hand: nothing was removed and no pack was rewritten',)
    if options.full and options.keep_unnamed:
        return ('it is not certain what nodes name: nothing was removed and no pack was rewritten',)
    other_form = {
        'yes': any(pack.compressed < pack.objects for pack in census.packs.values()),
        'no': any(pack.compressed for pack in census.packs.values()),
    }
    if options.full and options.repack == 'auto' and other_form.get(options.compress):
        return ('packs that are not rewritten keep the form they have: add --repack all to change it',)
    return ()


# -- carrying out --------------------------------------------------------------------------------------------


class _Run:
    """One maintenance under way."""

    def __init__(
        self,
        container: ObjectStore,
        census: Census,
        options: MaintenanceOptions,
        plan: Plan,
        problems: Problems,
        progress: Progress,
        stop: Stop,
        check_alone: Callable[[], None],
    ) -> None:
        self.check_alone = check_alone
        self.container = container
        self.census = census
        self.options = options
        self.plan = plan
        self.problems = problems
        self.progress = progress
        self.stop = stop
        self.garbage_is_gone = False

    def carry_out(self, report: MaintenanceReport) -> MaintenanceReport:
        """Do what was planned, in order; end early where asked to, after the step in hand."""
        actions: dict[str, Callable[[], Work]] = {
            'recover': lambda: tidy(self.container, self.plan.wreckage, self.problems),
            'pack': self._pack,
            'remove garbage': self._remove_garbage,
            'repack': self._repack,
            'vacuum index': self._vacuum,
        }
        done: list[MaintenanceStep] = []
        for step in report.steps:
            if self.stop.reason:
                break
            self.check_alone()
            done.append(self._timed(step, actions[step.name]))
        self.check_alone()
        report = report._replace(
            steps=tuple(done),
            problems=tuple(self.problems.first.values()),
            problem_count=self.problems.count,
            interrupted=self.stop.reason,
        )
        with closing(Census(self.container, None)) as census:
            report = report._replace(after=self._state_after(report.before, census.state(), done))
            return report._replace(clean=_clean_mark(report, census, self.census.named))

    def _timed(self, step: MaintenanceStep, action: Callable[[], Work]) -> MaintenanceStep:
        start = time.perf_counter()
        in_bytes = step.name in ('pack', 'repack')
        self.progress.begin(step.name, step.read if in_bytes else step.objects, 'bytes' if in_bytes else 'objects')
        try:
            work = action()
        except OSError as error:
            if error.errno in DISK_IS_FULL:
                raise NotEnoughSpace(
                    f'the step "{step.name}" came to its end on a full disk ({error.strerror}); what was not finished '
                    'was undone, nothing is lost: free some space and run again'
                ) from error
            raise
        finally:
            self.progress.end()
        return step._replace(
            detail=work.detail or step.detail,
            objects=work.objects,
            read=work.read,
            write=work.written,
            freed=max(0, work.freed - work.written) if in_bytes else work.freed,
            seconds=_seconds_since(start),
        )

    def _pack(self) -> Work:
        container, config = self.container, self.container.config
        first = pack_to_append_to(container.layout, container.index, config.pack_size_target)
        if first in {*self.plan.repack} - self.plan.unchanged or first in self._packs_of_garbage():
            first = fresh_pack_id(container.layout, container.index)
        packer = LoosePacker(container, first, self.options.compress, self.problems, self.progress)
        packer.pack(self.census.loose_keys(True if self.plan.remove_garbage else None), self.stop)
        packer.work.freed += self._remove_emptied_packs()
        return packer.work

    def _remove_emptied_packs(self) -> int:
        """Remove packs of which every object was damaged and now lies, from its loose copy, in another; bytes freed."""
        in_use = self.container.index.packs() if self.plan.remove_garbage else self.census.packs
        emptied = [pack for pack in self.census.packs.values() if pack.objects and pack.pack_id not in in_use]
        for pack in emptied:
            self.container.layout.pack_path(pack.pack_id).unlink(missing_ok=True)
        return sum(pack.file_bytes or 0 for pack in emptied)

    def _packs_of_garbage(self) -> set[int]:
        """Packs that go with the garbage, since they hold nothing else."""
        packs = self.census.packs.values() if self.plan.remove_garbage else ()
        return {pack.pack_id for pack in packs if pack.objects and pack.objects == pack.garbage.objects}

    def _remove_garbage(self) -> Work:
        work = remove_loose(self.container, self.census.loose_keys(False), self.progress, self.stop)
        if self.stop.reason:
            return work
        packed = sum(pack.garbage.objects for pack in self.census.packs.values())
        if packed:
            with self.container.index.transaction():
                self.container.index.delete(self.census.packed_garbage_keys())
            work.objects += packed
            self.progress.advance(packed)
        in_use = self.container.index.packs()  # asked anew: nothing goes that a row names by now
        for pack_id in self._packs_of_garbage():
            if pack_id not in in_use:
                self.container.layout.pack_path(pack_id).unlink(missing_ok=True)
                work.freed += self.census.packs[pack_id].file_bytes or 0
        work.freed += self._cut_packs_that_ended_in_garbage(in_use)
        self.garbage_is_gone = True
        return work

    def _cut_packs_that_ended_in_garbage(self, in_use: Mapping[int, PackSummary]) -> int:
        """What is not rewritten is cut at its last object, else the next run would find a tail; bytes freed."""
        sizes = self.container.layout.pack_sizes()
        ids = [
            pack.pack_id
            for pack in self.census.packs.values()
            if pack.garbage.objects and pack.pack_id not in self.plan.repack and pack.pack_id in in_use
        ]
        ended = [pack_id for pack_id in ids if sizes.get(pack_id, 0) > in_use[pack_id].end]
        return cut_tails(self.container, ended, self.problems)[1]

    def _repack(self) -> Work:
        container, config = self.container, self.container.config
        first = pack_to_append_to(container.layout, container.index, config.pack_size_target)
        if first in self.plan.repack:
            first = fresh_pack_id(container.layout, container.index)
        repacker = Repacker(
            container, first, self.options.compress, self.problems, self.progress, before_removal=self.check_alone
        )
        repacker.repack(self.plan.repack, self.plan.check_first, self.stop)
        if repacker.rewritten or repacker.checked:
            repacker.work.detail = packs_in_words(repacker.rewritten, repacker.checked)
        return repacker.work

    def _vacuum(self) -> Work:
        path = self.container.layout.index
        before = path.stat().st_size
        self.container.index.vacuum()
        after = path.stat().st_size
        return Work(read=before, written=after, freed=max(0, before - after))

    def _state_after(
        self, before: ContainerState, state: ContainerState, done: list[MaintenanceStep]
    ) -> ContainerState:
        """As counted anew; what nodes name was not changed by us, so garbage is what it was unless it was removed."""
        garbage = before.garbage
        if any(step.name == 'remove garbage' for step in done):
            garbage = Amount() if self.garbage_is_gone else None  # told to stop in the middle: not counted
        return state._replace(garbage=garbage, missing=before.missing)
