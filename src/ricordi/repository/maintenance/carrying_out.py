"""Carrying out the plan of a maintenance, step by step: what frees room first; what does not fit is left, and named.

Each step leaves a clean state, done or not: so where the disk is full the others go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice

from ricordi.backend.maintenance import (
    OUT_OF_ROOM,
    Amount,
    ContainerState,
    MaintenanceOptions,
    MaintenanceReport,
    MaintenanceStep,
    UndoneStep,
)
from ricordi.errors import NotEnoughSpace, UnreachableStorage
from ricordi.files import DISK_IS_FULL, format_bytes, free_bytes
from ricordi.progress import Run
from ricordi.repository.container.index import PackSummary
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.container.pack_writer import fresh_pack_id, pack_to_append_to
from ricordi.repository.maintenance.inventory import Inventory
from ricordi.repository.maintenance.packing import LoosePacker, Work, remove_loose
from ricordi.repository.maintenance.plan import Plan, packs_in_words
from ricordi.repository.maintenance.problems import Problems
from ricordi.repository.maintenance.recovery import cut_tails, tidy
from ricordi.repository.maintenance.repacking import Repacker
from ricordi.repository.maintenance.space import (
    JOURNAL_BYTES_PER_ROW,
    LEAST_JOURNAL_BYTES,
    repack_needs,
    rows_at_once,
    vacuum_needs,
)


class Execution:
    """One maintenance under way."""

    def __init__(
        self,
        container: ObjectStore,
        inventory: Inventory,
        options: MaintenanceOptions,
        plan: Plan,
        problems: Problems,
        run: Run,
    ) -> None:
        self.container = container
        self.inventory = inventory
        self.options = options
        self.plan = plan
        self.problems = problems
        self.run = run
        self.garbage_is_gone = False
        self._work = Work()
        self._done: list[MaintenanceStep] = []
        self._left: list[UndoneStep] = []
        self._full_disk: Exception | None = None
        self._free_at_begin = 0
        """Bytes of free disk when the step in hand began."""

    def carry_out(self, report: MaintenanceReport) -> MaintenanceReport:
        """Do what was planned, in order; end early where asked to, after the step in hand.

        :returns: the report without the state that is reached.
        :raises ricordi.errors.NotEnoughSpace: nothing of it could be done; its `report` says what was left.
        """
        actions: dict[str, Callable[[], None]] = {
            'recover': self._recover,
            'remove garbage': self._remove_garbage,
            'pack': self._pack,
            'repack': self._repack,
            'vacuum index': self._vacuum,
        }
        for step in report.steps:
            if self.run.stop.reason:
                self._left.append(UndoneStep(step.name, step.detail, step.objects))
                continue
            self._carry_out_step(step, actions[step.name])
        self.run.check_lock()
        lacks_room = any(step.space_needed for step in self._left)
        report = report._replace(
            steps=tuple(self._done),
            problems=tuple(self.problems.first.values()),
            problem_count=self.problems.count,
            interrupted=self.run.stop.reason or (OUT_OF_ROOM if lacks_room else None),
            left=tuple(self._left),
        )
        if lacks_room and not self._done and not self.run.stop.reason:
            raise self._nothing_fits(report) from self._full_disk
        return report

    def state_after(
        self, before: ContainerState, state: ContainerState, done: Sequence[MaintenanceStep]
    ) -> ContainerState:
        """As counted anew; what nodes name was not changed by us, so garbage is what it was unless it was removed."""
        garbage = before.garbage
        if any(step.name == 'remove garbage' for step in done):
            garbage = Amount() if self.garbage_is_gone else None  # ended early in the middle: not counted
        return state._replace(garbage=garbage, missing=before.missing)

    # -- one step ---------------------------------------------------------------------------------------------

    def _carry_out_step(self, step: MaintenanceStep, action: Callable[[], None]) -> None:
        """Do a step as far as it fits; what is left of it is noted."""
        start, left = time.perf_counter(), len(self._left)
        in_bytes = step.name in ('pack', 'repack')
        self._work = Work()
        self._free_at_begin = self._free()
        try:
            with self.run.step(step.name, step.read if in_bytes else step.objects, 'bytes' if in_bytes else 'objects'):
                self.run.check_lock()
                action()
        except (OSError, UnreachableStorage) as error:
            if not self._is_full_disk(error):
                raise
            self._full_disk = self._full_disk or error
            needed = max(self._free() + 1, self._needs(step))
            self._left.append(UndoneStep(step.name, step.detail, max(0, step.objects - self._work.objects), needed))
        work = self._work
        if len(self._left) > left:
            if not (work.objects or work.freed or work.written):
                return
        elif work.objects < step.objects and self.run.stop.reason:
            self._left.append(UndoneStep(step.name, step.detail, step.objects - work.objects))
        self._done.append(
            step._replace(
                detail=work.detail or step.detail,
                objects=work.objects,
                read=work.read,
                write=work.written,
                freed=max(0, work.freed - work.written) if in_bytes else work.freed,
                seconds=round(time.perf_counter() - start, 3),
            )
        )

    def _is_full_disk(self, error: OSError | UnreachableStorage) -> bool:
        """Whether an error comes of a full disk. SQLite says only that it cannot open or write, if it has no room."""
        if isinstance(error, OSError):
            return error.errno in DISK_IS_FULL
        return self._free() < LEAST_JOURNAL_BYTES

    def _needs(self, step: MaintenanceStep) -> int:
        """Bytes of free disk with which a step can be done."""
        if step.name == 'pack':
            return self.plan.packing.needs_at_least()
        if step.name == 'vacuum index':
            return vacuum_needs(self.container.layout.index, step.write)
        if step.name == 'repack':
            return max((self._repack_needs(pack_id) for pack_id in self.plan.repack), default=0)
        return LEAST_JOURNAL_BYTES

    def _free(self) -> int:
        return free_bytes(self.container.layout.folder)

    def _nothing_fits(self, report: MaintenanceReport) -> NotEnoughSpace:
        folder, free = self.container.layout.folder, self._free()
        if isinstance(self._full_disk, OSError):
            message = (
                f'the step "{self._left[0].name}" came to its end on a full disk ({self._full_disk.strerror}); what '
                'was not finished was undone, nothing is lost: free some space and run again'
            )
        else:
            needed = max(self.plan.space_needed, min(step.space_needed for step in self._left if step.space_needed))
            message = (
                f'the disk of {folder} has {format_bytes(free)} free, maintenance needs {format_bytes(needed)}; '
                'nothing was written: free some space and run again'
            )
        return NotEnoughSpace(message, report)

    # -- the steps ----------------------------------------------------------------------------------------------

    def _recover(self) -> None:
        tidy(self.container, self.plan.leftovers, self.problems, self._work)
        self.container.suspend()  # on a full disk the index was opened for reading only

    def _pack(self) -> None:
        container, config = self.container, self.container.config
        first = pack_to_append_to(container.layout, container.index, config.pack_size_target)
        if first in {*self.plan.repack} - self.plan.unchanged or first in self._packs_of_garbage():
            first = fresh_pack_id(container.layout, container.index)
        room = self.plan.packing.room(self._free_at_begin)
        packer = LoosePacker(container, first, self.options.compress, self.problems, self.run, room)
        self._work = packer.work
        packer.pack(self.inventory.loose_keys(True if self.plan.remove_garbage else None))
        packer.work.freed += self._remove_emptied_packs()
        if packer.too_large.objects and not self.run.stop.reason:
            number, largest = packer.too_large
            detail = f'{number:,} loose {"object" if number == 1 else "objects"} into packs'
            need = self.plan.packing._replace(largest=largest).needs_at_least()
            self._left.append(UndoneStep('pack', detail, number, need))

    def _remove_emptied_packs(self) -> int:
        """Remove packs of which every object was damaged and now lies, from its loose copy, in another; bytes freed."""
        in_use = self.container.index.packs() if self.plan.remove_garbage else self.inventory.packs
        gone = [pack for pack in self.inventory.packs.values() if pack.objects and pack.pack_id not in in_use]
        sizes = self.container.layout.pack_sizes() if gone else {}
        emptied = [pack.pack_id for pack in gone if pack.pack_id in sizes]
        for pack_id in emptied:
            self.container.layout.opened.packs.unlink(str(pack_id), missing_ok=True)
        return sum(sizes[pack_id] for pack_id in emptied)

    def _packs_of_garbage(self) -> set[int]:
        """Packs that go with the garbage, since they hold nothing else."""
        packs = self.inventory.packs.values() if self.plan.remove_garbage else ()
        return {pack.pack_id for pack in packs if pack.objects and pack.objects == pack.garbage.objects}

    def _remove_garbage(self) -> None:
        # Loose garbage first: that needs no room at all, and what it gives back the index may need for its log.
        remove_loose(self.container, self.inventory.loose_keys(False), self.run, self._work)
        if self.run.stop.reason:
            return
        self.container.suspend()  # on a full disk the index was opened for reading only
        self._remove_packed_garbage()  # rows before packs: no row may name a pack that is gone
        in_use = self.container.index.packs()  # asked anew: nothing goes that a row names by now
        self._remove_packs_of_garbage(self._packs_of_garbage(), in_use)
        self._work.freed += self._cut_packs_that_ended_in_garbage(in_use)
        self.garbage_is_gone = not self.run.stop.reason

    def _remove_packed_garbage(self) -> None:
        packed = sum(pack.garbage.objects for pack in self.inventory.packs.values())
        if not packed:
            return
        if self._free() < JOURNAL_BYTES_PER_ROW * packed:
            self._remove_packed_garbage_by_and_by()
            return
        with self.container.index.transaction():
            self.container.index.delete(self.inventory.packed_garbage_keys())
        self._count_removed(packed)

    def _remove_packed_garbage_by_and_by(self) -> None:
        """A pack at a time, and of that what the log of the index has room for; packs that go as a whole come first."""
        index, going = self.container.index, self._packs_of_garbage()
        packs = [pack for pack in self.inventory.packs.values() if pack.garbage.objects]
        for pack in sorted(packs, key=lambda pack: (pack.pack_id not in going, pack.garbage.objects)):
            keys = self.inventory.garbage_keys_of_pack(pack.pack_id)
            while not self.run.stop.reason and (some := list(islice(keys, rows_at_once(self._free())))):
                with index.transaction():
                    index.delete(some)
                index.checkpoint()
                self._count_removed(len(some))
            if pack.pack_id in going:
                self._remove_packs_of_garbage([pack.pack_id], index.packs())

    def _count_removed(self, rows: int) -> None:
        self._work.objects += rows
        self.run.progress.advance(rows)

    def _remove_packs_of_garbage(self, pack_ids: Iterable[int], in_use: Mapping[int, PackSummary]) -> None:
        """Remove those packs that no row names any more."""
        for pack_id in pack_ids:
            path = self.container.layout.pack_path(pack_id)
            if pack_id not in in_use and path.exists():
                self.container.layout.opened.packs.unlink(path.name)
                self._work.freed += self.inventory.packs[pack_id].file_bytes or 0

    def _cut_packs_that_ended_in_garbage(self, in_use: Mapping[int, PackSummary]) -> int:
        """What is not rewritten is cut at its last object, else the next run would find a tail; bytes freed."""
        sizes = self.container.layout.pack_sizes()
        ids = [
            pack.pack_id
            for pack in self.inventory.packs.values()
            if pack.garbage.objects and pack.pack_id not in self.plan.repack and pack.pack_id in in_use
        ]
        ended = [pack_id for pack_id in ids if sizes.get(pack_id, 0) > in_use[pack_id].end]
        return cut_tails(self.container, ended, self.problems)[1]

    def _repack(self) -> None:
        container, config = self.container, self.container.config
        first = pack_to_append_to(container.layout, container.index, config.pack_size_target)
        if first in self.plan.repack:
            first = fresh_pack_id(container.layout, container.index)
        repacker = Repacker(
            container,
            first,
            self.options.compress,
            self.problems,
            self.run,
            has_room=lambda pack_id: self._may_rewrite(pack_id, repacker),
        )
        self._work = repacker.work
        left = repacker.repack(self.plan.repack, self.plan.check_first)
        if repacker.rewritten or repacker.checked or repacker.kept:
            repacker.work.detail = packs_in_words(repacker.rewritten, repacker.checked, repacker.kept)
        if left and not self.run.stop.reason:
            packs = [self.inventory.packs[pack_id] for pack_id in left]
            objects = sum(pack.objects - pack.garbage.objects for pack in packs)
            need = max(self._repack_needs(pack_id) for pack_id in left)
            self._left.append(UndoneStep('repack', packs_in_words(len(left), 0), objects, need))

    def _may_rewrite(self, pack_id: int, repacker: Repacker) -> bool:
        """Whether there is room to rewrite a pack, and something to gain: small ones gain by becoming one."""
        free = self._free()
        if self._repack_needs(pack_id) > free:
            return False
        pack = self.inventory.packs[pack_id]
        is_merely_small = self.options.repack == 'auto' and pack.is_gapless and not pack.garbage.objects
        if not is_merely_small or repacker.rewritten:
            return True
        return sum(self._repack_needs(other) <= free for other in self.plan.repack) > 1

    def _repack_needs(self, pack_id: int) -> int:
        return repack_needs(self.inventory.packs[pack_id], self.options.compress)

    def _vacuum(self) -> None:
        index = self.container.index
        before = index.path.stat().st_size
        assert self.plan.vacuum is not None
        need = vacuum_needs(index.path, self.plan.vacuum.write)
        if self._free() < need:
            self._left.append(UndoneStep('vacuum index', self.plan.vacuum.detail, 0, need))
            return
        index.vacuum()
        after = index.path.stat().st_size
        self._work = Work(read=before, written=after, freed=max(0, before - after))
