"""Maintenance of a container: count, plan, and carry out step by step. See `docs/storage-maintain.md`.

What may never be the other way round: bytes are fsynced before rows name them; rows are committed before loose copies
or old packs go; nothing is removed for want of a row or a name unless everything that nodes name is at hand.
"""

from __future__ import annotations

import time
from contextlib import closing, nullcontext

from ricordi.backend.maintenance import (
    Amount,
    CleanMark,
    Distrust,
    KeyStream,
    MaintenanceOptions,
    MaintenanceReport,
    MaintenanceStep,
    Note,
    trusted,
)
from ricordi.errors import CorruptStorage, NotExistent, RicordiError
from ricordi.progress import Run
from ricordi.remedies import Remedy
from ricordi.repository.container.catalogue import keep_catalogues
from ricordi.repository.container.index import PackSummary
from ricordi.repository.container.layout import REPACK_ID
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.container.packer_lock import packer_lock
from ricordi.repository.maintenance.carrying_out import Execution
from ricordi.repository.maintenance.inventory import Inventory
from ricordi.repository.maintenance.known_damage import look_at_suspects, note_damage
from ricordi.repository.maintenance.plan import Plan, make_plan, removes_garbage
from ricordi.repository.maintenance.problems import Problems
from ricordi.repository.maintenance.recovery import settle_aborted_repack, settle_duplicates
from ricordi.repository.verification.notes import notes_of


def maintain(
    container: ObjectStore,
    options: MaintenanceOptions,
    named_keys: KeyStream,
    run: Run,
    distrust: Distrust = trusted,
) -> MaintenanceReport:
    """Plan and, unless `options.dry_run`, carry out. For `options.full` the caller holds the lock of the profile.

    :param run: its `check_lock` is asked before each step, before each pack that goes, and at the end.
    :raises ricordi.errors.CorruptStorage: the index is damaged.
    """
    try:
        return _maintain(container, options, named_keys, run, distrust)
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
    run: Run,
    distrust: Distrust,
) -> MaintenanceReport:
    notes = notes_of(container)
    with nullcontext() if options.dry_run else packer_lock(container.layout):
        settled = None if options.dry_run else _settle(container, options)
        with closing(Inventory(container, named_keys, options.clean)) as inventory:
            problems = Problems()
            _note_problems(inventory, problems)
            reason = distrust() if removes_garbage(inventory, options) else ''
            options = options._replace(keep_unnamed=options.keep_unnamed or bool(reason))
            known = look_at_suspects(container, inventory, options, notes, problems)
            plan = make_plan(container, inventory, options, known)
            report = MaintenanceReport(
                options,
                inventory.state(),
                steps=plan.steps,
                space_needed=plan.space_needed,
                problems=tuple(problems.first.values()),
                problem_count=problems.count,
                notes=(*(() if reason else _notes(inventory, options)), *_notes_of_kept(plan)),
                distrust=reason,
            )
            if options.dry_run:
                return report
            if not plan.steps:
                note_damage(container, notes, problems)
                report = report._replace(steps=_with_settled(settled, ()), after=report.before)
                report = _with_catalogues(container, inventory, inventory.missing, report)
                return report._replace(clean=_clean_mark(report, inventory, inventory.named))
            container.index.check()
            execution = Execution(container, inventory, options, plan, problems, run)
            report = execution.carry_out(report)
            note_damage(container, notes, problems)
            with closing(Inventory(container, None)) as counted:
                after = execution.state_after(report.before, counted.state(), report.steps)
                report = report._replace(after=after, steps=_with_settled(settled, report.steps))
                report = _with_catalogues(container, counted, inventory.missing, report)
                return report._replace(clean=_clean_mark(report, counted, inventory.named))


def _clean_mark(report: MaintenanceReport, inventory: Inventory, named: int) -> CleanMark | None:
    """The container's part of a mark, if it was left clean.

    :param inventory: taken when the work was done.
    :param named: how many objects nodes name. That many, and none else, are there, though others may be at work.
    """
    state = report.after
    if report.interrupted or report.problem_count or state is None:
        return None
    is_clean = state.garbage == Amount() and not state.loose.objects and state.packed.objects == named
    return inventory.mark() if is_clean else None


def _with_catalogues(
    container: ObjectStore, inventory: Inventory, missing: int, report: MaintenanceReport
) -> MaintenanceReport:
    """Have the catalogues in step with the index; the report with a note where they cannot be written.

    :param inventory: taken when the work was done.
    :param missing: how many objects that nodes name are not there.
    """
    packs = {
        pack.pack_id: PackSummary(pack.objects, pack.length, pack.size, pack.end, pack.compressed)
        for pack in inventory.packs.values()
    }
    try:
        keep_catalogues(container, packs, missing > 0)
    except (OSError, CorruptStorage) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).partition('; ')[0]
        text = f'the catalogues of packs cannot be written ({reason}); all else was done'
        return report._replace(notes=(*report.notes, Note(text)))
    return report


def _settle(container: ObjectStore, options: MaintenanceOptions) -> MaintenanceStep | None:
    """What has to be put right before anything is counted; one thing counts as one, as in a plan."""
    start = time.perf_counter()
    repacks = settle_aborted_repack(container) if options.full else 0
    copies = settle_duplicates(container)
    if not repacks and not copies.objects:
        return None
    parts = [
        f'a repack of disk-objectstore that was killed, with {repacks:,} objects' if repacks else '',
        f'{copies.objects:,} second {"copy" if copies.objects == 1 else "copies"}' if copies.objects else '',
    ]
    detail, objects = ', '.join(part for part in parts if part), bool(repacks) + copies.objects
    seconds = round(time.perf_counter() - start, 3)
    return MaintenanceStep('recover', detail, objects, freed=copies.freed, seconds=seconds)


def _with_settled(settled: MaintenanceStep | None, steps: tuple[MaintenanceStep, ...]) -> tuple[MaintenanceStep, ...]:
    """The steps with what was settled before: one `recover` in all."""
    if settled is None:
        return steps
    if not steps or steps[0].name != 'recover':
        return (settled, *steps)
    more = steps[0]
    whole = settled._replace(
        detail=f'{settled.detail}, {more.detail}',
        objects=settled.objects + more.objects,
        freed=settled.freed + more.freed,
        seconds=(settled.seconds or 0.0) + (more.seconds or 0.0),
    )
    return (whole, *steps[1:])


def _note_problems(inventory: Inventory, problems: Problems) -> None:
    if inventory.missing:
        for key in inventory.missing_keys():
            problems.add('missing', key, 'neither loose nor in a pack')
    if inventory.unreadable:
        for key, pack_id in inventory.unreadable_keys():
            size = inventory.packs[pack_id].file_bytes
            if size is None:
                problems.add('missing', key, f'the file of pack {pack_id} is gone')
            else:
                problems.add('damaged', key, f'the file of pack {pack_id} ends at byte {size}, before the object does')


def _notes(inventory: Inventory, options: MaintenanceOptions) -> tuple[Note, ...]:
    stray = inventory.packs.get(REPACK_ID)
    if stray is not None and stray.objects and not options.full:
        text = f'a repack of AiiDA was killed: it cannot read {stray.objects:,} objects until that is put right'
        return (Note(text, Remedy('maintain in full')),)
    if options.full and (inventory.missing or inventory.unreadable):
        return (Note('objects that nodes name are not at hand: nothing was removed and no pack was rewritten'),)
    if options.full and options.keep_unnamed:
        return (Note('it is not certain what nodes name: nothing was removed and no pack was rewritten'),)
    other_form = {
        'yes': any(pack.compressed < pack.objects for pack in inventory.packs.values()),
        'no': any(pack.compressed for pack in inventory.packs.values()),
    }
    if options.full and options.repack == 'auto' and other_form.get(options.compress):
        return (Note('packs that are not rewritten keep the form they have', Remedy('repack all')),)
    return ()


def _notes_of_kept(plan: Plan) -> tuple[Note, ...]:
    """That packs are not rewritten which should be: what is damaged in them would keep their files all the same."""
    if not plan.kept:
        return ()
    packs = f'{"pack" if len(plan.kept) == 1 else "packs"} {", ".join(map(str, plan.kept))}'
    text = f'{packs} cannot be rewritten, which would free nothing as long as objects in there are damaged'
    return (Note(text, Remedy('mend objects')),)
