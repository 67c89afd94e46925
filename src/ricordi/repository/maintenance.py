"""Maintenance of a container: count, plan, and carry out step by step. See `docs/storage-maintain.md`.

What may never be the other way round: bytes are fsynced before rows name them; rows are committed before loose copies
or old packs go; nothing is removed for want of a row or a name unless everything that nodes name is at hand.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace

from ricordi.backend.maintenance import (
    Amount,
    CompressMode,
    ContainerState,
    KeyStream,
    MaintenanceOptions,
    MaintenanceReport,
    MaintenanceStep,
)
from ricordi.errors import NotEnoughSpace
from ricordi.files import free_bytes
from ricordi.progress import Progress, Stop
from ricordi.repository.census import Census, PackCensus
from ricordi.repository.index import PackSummary
from ricordi.repository.objects import ObjectStore
from ricordi.repository.pack_writer import COMMIT_BYTES, fresh_pack_id, pack_to_append_to
from ricordi.repository.packer_lock import packer_lock
from ricordi.repository.packing import LoosePacker, Work, remove_loose
from ricordi.repository.problems import Problems
from ricordi.repository.recovery import (
    Wreckage,
    cut_tails,
    find_wreckage,
    settle_aborted_repack,
    settle_duplicates,
    tidy,
)
from ricordi.repository.repacking import Repacker

SMALL_PACK_SHARE = 0.25
"""Of two or more packs below this share of the target size, `auto` makes one."""
INDEX_BYTES_PER_OBJECT = 400
VACUUM_SHARE = 0.1
VACUUM_LEAST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, and with what."""

    wreckage: Wreckage
    remove_garbage: bool
    repack: tuple[int, ...]
    unchanged: frozenset[int]
    steps: tuple[MaintenanceStep, ...]
    space_needed: int


def maintain(
    container: ObjectStore, options: MaintenanceOptions, named_keys: KeyStream, progress: Progress, stop: Stop
) -> MaintenanceReport:
    """Plan and, unless `options.dry_run`, carry out. For `options.full` the caller holds the lock of the profile."""
    counts_names = options.full or options.dry_run
    with nullcontext() if options.dry_run else packer_lock(container.layout):
        settled = () if options.dry_run else _settle(container, options)
        with closing(Census(container, named_keys if counts_names else None)) as census:
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
                return replace(report, steps=settled, after=report.before)
            _check_space(container, plan)
            report = _Run(container, census, options, plan, problems, progress, stop).carry_out(report)
            return replace(report, steps=settled + report.steps)


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


def _objects(number: int) -> str:
    return 'object' if number == 1 else 'objects'


def _seconds_since(start: float) -> float:
    return round(time.perf_counter() - start, 3)


# -- planning ------------------------------------------------------------------------------------------------


def make_plan(container: ObjectStore, census: Census, options: MaintenanceOptions) -> Plan:
    """What a maintenance with these options would do, step by step, with bytes."""
    may_remove = options.full and not census.missing and not census.unreadable
    repack = _packs_to_repack(container, census, options) if may_remove else ()
    unchanged = _packs_to_check_only(container, census, options, repack)
    rewritten = tuple(pack_id for pack_id in repack if pack_id not in unchanged)
    wreckage = find_wreckage(container, census, options.full, may_remove, rewritten)
    steps: list[MaintenanceStep] = []
    if wreckage.items:
        steps.append(MaintenanceStep('recover', wreckage.describe(), wreckage.items, freed=wreckage.freed))
    garbage_loose = census.loose_garbage if may_remove else Amount()
    to_pack = census.loose.objects - garbage_loose.objects
    bytes_to_pack = census.loose.bytes - garbage_loose.bytes
    if to_pack:
        detail = f'{to_pack:,} loose {_objects(to_pack)} into packs'
        steps.append(MaintenanceStep('pack', detail, to_pack, bytes_to_pack, bytes_to_pack, bytes_to_pack))
    packed_garbage = sum(pack.garbage.objects for pack in census.packs.values()) if may_remove else 0
    if packed_garbage or garbage_loose.objects:
        number = packed_garbage + garbage_loose.objects
        detail = f'{number:,} {_objects(number)} that no node names'
        steps.append(MaintenanceStep('remove garbage', detail, number, freed=garbage_loose.bytes))
    steps.extend(_repack_steps(census, repack, unchanged))
    if options.full and (vacuum := _vacuum_step(container, packed_garbage)):
        steps.append(vacuum)
    space = _space_needed(census, to_pack, bytes_to_pack, rewritten, options.compress) if to_pack or rewritten else 0
    return Plan(wreckage, may_remove, repack, unchanged, tuple(steps), space)


def _packs_to_repack(container: ObjectStore, census: Census, options: MaintenanceOptions) -> tuple[int, ...]:
    live = {
        pack.pack_id: pack.length - pack.garbage.bytes
        for pack in census.packs.values()
        if pack.objects > pack.garbage.objects and pack.file_bytes is not None
    }
    if options.repack == 'none':
        return ()
    if options.repack == 'all':
        return tuple(live)
    wasteful = {
        pack_id
        for pack_id, length in live.items()
        if (waste := min(census.packs[pack_id].end, census.packs[pack_id].file_bytes or 0) - length) > 0
        and waste * 100 > options.max_waste * (length + waste)
    }
    small = {
        pack_id
        for pack_id, length in live.items()
        if pack_id not in wasteful and length < SMALL_PACK_SHARE * container.config.pack_size_target
    }
    return tuple(pack_id for pack_id in live if pack_id in wasteful or (len(small) > 1 and pack_id in small))


def _packs_to_check_only(
    container: ObjectStore, census: Census, options: MaintenanceOptions, repack: tuple[int, ...]
) -> frozenset[int]:
    """Those packs of which rewriting would give the very same bytes: nothing unnamed in them, no form to change.

    Not so where packs are small and more than one: these are to become one.
    """

    def keeps_forms(pack: PackCensus) -> bool:
        mode = options.compress
        return (
            mode == 'keep'
            or (mode == 'no' and not pack.compressed)
            or (mode == 'yes' and pack.compressed == pack.objects)
        )

    packs = [census.packs[pack_id] for pack_id in repack] if options.repack == 'all' else []
    small = {pack.pack_id for pack in packs if pack.length < SMALL_PACK_SHARE * container.config.pack_size_target}
    return frozenset(
        pack.pack_id
        for pack in packs
        if pack.is_gapless
        and not pack.garbage.objects
        and keeps_forms(pack)
        and not (len(small) > 1 and pack.pack_id in small)
    )


def _repack_steps(census: Census, repack: tuple[int, ...], unchanged: frozenset[int]) -> Iterator[MaintenanceStep]:
    if not repack:
        return
    packs = [census.packs[pack_id] for pack_id in repack]
    objects = sum(pack.objects - pack.garbage.objects for pack in packs)
    length = sum(pack.length - pack.garbage.bytes for pack in packs)
    freed = max(0, sum(pack.file_bytes or 0 for pack in packs) - length)
    rewritten = len(packs) - len(unchanged)
    parts = [
        f'{rewritten} {"pack" if rewritten == 1 else "packs"} rewritten' if rewritten else '',
        f'{len(unchanged)} without waste read and checked' if unchanged else '',
    ]
    written = length - sum(census.packs[pack_id].length for pack_id in unchanged)
    yield MaintenanceStep('repack', ', '.join(part for part in parts if part), objects, length, written, freed)


def _vacuum_step(container: ObjectStore, rows_to_delete: int) -> MaintenanceStep | None:
    free, pages, page_bytes = container.index.free_pages()
    rows = container.index.count()
    gain = free * page_bytes + (pages * page_bytes * rows_to_delete // rows if rows else 0)
    if gain < VACUUM_LEAST_BYTES or gain < VACUUM_SHARE * pages * page_bytes:
        return None
    size = pages * page_bytes
    return MaintenanceStep('vacuum index', 'unused pages of packs.idx', 0, size, size - gain, gain)


def _space_needed(
    census: Census, to_pack: int, bytes_to_pack: int, repack: tuple[int, ...], compress: CompressMode
) -> int:
    """Packing gives back what it takes batch by batch; a repack needs room for a pack before the old one goes."""
    packing = min(bytes_to_pack, 2 * COMMIT_BYTES + census.largest_loose) + INDEX_BYTES_PER_OBJECT * to_pack
    inflates = compress in ('no', 'auto')
    packs = [census.packs[pack_id] for pack_id in repack]
    repacking = max((max(pack.length, pack.size if inflates else 0) for pack in packs), default=0)
    objects = sum(pack.objects for pack in packs)
    return max(packing, repacking + INDEX_BYTES_PER_OBJECT * objects)


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
            state = 'is gone' if size is None else f'ends at byte {size}, before the object does'
            problems.add('damaged', key, f'the file of pack {pack_id} {state}')


def _notes(census: Census, options: MaintenanceOptions) -> tuple[str, ...]:
    if options.full and (census.missing or census.unreadable):
        return ('objects that nodes name are not at hand: nothing was removed and no pack was rewritten',)
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
    ) -> None:
        self.container = container
        self.census = census
        self.options = options
        self.plan = plan
        self.problems = problems
        self.progress = progress
        self.stop = stop

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
            done.append(self._timed(step, actions[step.name]))
        return replace(
            report,
            steps=tuple(done),
            after=self._state_after(report.before, done),
            problems=tuple(self.problems.first.values()),
            problem_count=self.problems.count,
            interrupted=self.stop.reason,
        )

    def _timed(self, step: MaintenanceStep, action: Callable[[], Work]) -> MaintenanceStep:
        start = time.perf_counter()
        in_bytes = step.name in ('pack', 'repack')
        self.progress.begin(step.name, step.read if in_bytes else step.objects, 'bytes' if in_bytes else 'objects')
        try:
            work = action()
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise NotEnoughSpace(
                    f'the step "{step.name}" came to its end on a full disk ({error.strerror}); what was not finished '
                    'was undone, nothing is lost: free some space and run again'
                ) from error
            raise
        finally:
            self.progress.end()
        return replace(
            step,
            objects=work.objects,
            read=work.read,
            write=work.written,
            freed=work.freed,
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
        work = remove_loose(self.container, self.census.loose_keys(False), self.progress)
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
        repacker = Repacker(container, first, self.options.compress, self.problems, self.progress)
        repacker.repack(self.plan.repack, self.plan.unchanged, self.stop)
        return repacker.work

    def _vacuum(self) -> Work:
        path = self.container.layout.index
        before = path.stat().st_size
        self.container.index.vacuum()
        after = path.stat().st_size
        return Work(read=before, written=after, freed=max(0, before - after))

    def _state_after(self, before: ContainerState, done: list[MaintenanceStep]) -> ContainerState:
        """Counted anew; what nodes name was not changed by us, so garbage is what it was unless it was removed."""
        with closing(Census(self.container, None)) as census:
            state = census.state()
        removed = any(step.name == 'remove garbage' for step in done)
        garbage = Amount() if removed else before.garbage
        return replace(state, garbage=garbage, missing=before.missing)
