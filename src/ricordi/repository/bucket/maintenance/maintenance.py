"""Maintenance of a store in a bucket, from any number of hosts at once: steps that are planned, then carried out.

What keeps others' work safe is not a lock: objects go from the index only if the database has no reference to them, or
under the lock of the profile; a pack leaves the bucket when no object of the index is in it, and after a grace period.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ricordi.backend.maintenance import (
    Amount,
    CleanMark,
    Distrust,
    KeyStream,
    MaintenanceOptions,
    MaintenanceReport,
    MaintenanceStep,
    Note,
    Traffic,
    UndoneStep,
    trusted,
)
from ricordi.errors import CorruptStorage, NotExistent
from ricordi.progress import Run
from ricordi.repository.bucket.counting import UseLook, counted
from ricordi.repository.bucket.limits import BucketLimits
from ricordi.repository.bucket.maintenance.garbage import GarbageRemoval, Unnamed
from ricordi.repository.bucket.maintenance.inline import InlinePacking
from ricordi.repository.bucket.maintenance.leftovers import BucketSweep, PackRemoval
from ricordi.repository.bucket.maintenance.merging import PackMerging
from ricordi.repository.bucket.maintenance.step import BucketStep, BucketWork
from ricordi.repository.bucket.verification.notes import ReadNotes
from ricordi.repository.maintenance.problems import Problems

if TYPE_CHECKING:
    from ricordi.repository.bucket.bucket import BucketRepository


def maintain(
    bucket: BucketRepository,
    options: MaintenanceOptions,
    named_keys: KeyStream,
    run: Run,
    distrust: Distrust = trusted,
) -> MaintenanceReport:
    """Plan and, unless `options.dry_run`, carry out; see `RepositoryBackend.maintain`.

    Beside others: what is in the database is packed, small packs are merged, packs out of use are removed. Full: also
    garbage, waste, and what lies in the bucket without a row. Garbage is looked for where it goes, where that is asked
    for, and where what is missing shows by it alone.
    """
    before = bucket.store.traffic
    problems = Problems()
    look = UseLook(bucket.database)
    unnamed = Unnamed(bucket, look, named_keys, problems, _grace(bucket, options), remember=not options.dry_run)
    counts = options.full or options.dry_run or not unnamed.by_references
    amount = unnamed.amount() if counts else None
    reason = distrust() if options.full and not options.keep_unnamed and amount and amount.objects else ''
    options = options._replace(keep_unnamed=options.keep_unnamed or bool(reason))
    work = BucketWork(bucket, options, run, problems, look, _grace(bucket, options))
    state = look.state(amount, unnamed.missing)
    steps = _steps(work, unnamed, amount or Amount())
    report = MaintenanceReport(options, state, distrust=reason)
    report = _planned(report, steps) if options.dry_run else _carried_out(report, steps, work, unnamed)
    _look_at_suspects(bucket, options, problems)  # when garbage is gone, which may be damaged as it likes
    traffic = expected(report.steps, bucket.limits) if options.dry_run else bucket.store.traffic.since(before)
    return report._replace(
        problems=tuple(problems.first.values()),
        problem_count=problems.count,
        traffic=traffic,
        notes=_notes(traffic, report),
        clean=_clean_mark(bucket, report, problems),
    )


def _clean_mark(bucket: BucketRepository, report: MaintenanceReport, problems: Problems) -> CleanMark | None:
    """That nothing is wrong with what nodes name, as far as is known here.

    Who asks for a full run has looked at all file trees, or knew them clear; a live one leaves it at what was known.
    """
    options = report.options
    if options.dry_run or report.interrupted or problems.count or not (options.full or options.clean):
        return None
    return CleanMark('', str(bucket.uuid))


def _grace(bucket: BucketRepository, options: MaintenanceOptions) -> float:
    if options.grace_seconds is not None:
        return options.grace_seconds
    return 0.0 if options.full else bucket.limits.grace_seconds


def _steps(work: BucketWork, unnamed: Unnamed, garbage: Amount) -> list[BucketStep]:
    steps: list[BucketStep] = []
    if work.options.full and not work.options.keep_unnamed and not work.problems.count and unnamed.is_known:
        steps.append(GarbageRemoval(work, unnamed, garbage))
    steps += [InlinePacking(work), PackMerging(work), PackRemoval(work)]
    if work.options.full and unnamed.is_known:
        steps.append(BucketSweep(work))
    return steps


def _planned(report: MaintenanceReport, steps: Sequence[BucketStep]) -> MaintenanceReport:
    return report._replace(steps=tuple(plan for step in steps if (plan := step.plan()) is not None))


def _carried_out(
    report: MaintenanceReport, steps: Sequence[BucketStep], work: BucketWork, unnamed: Unnamed
) -> MaintenanceReport:
    """What was done. Each step is planned when it is its turn: what those before it have freed is its to take."""
    done: list[MaintenanceStep] = []
    left: list[UndoneStep] = []
    for step in steps:
        plan = step.plan()
        if plan is None:
            continue
        if work.run.stop.reason:
            left.append(UndoneStep(plan.name, plan.detail, plan.objects))
            continue
        begin = time.perf_counter()
        with work.run.step(plan.name, plan.objects or None, 'objects'):
            result = step.carry_out()
        work.look.forget()
        done.append(result._replace(seconds=time.perf_counter() - begin))
        if result.objects < plan.objects and work.run.stop.reason:
            left.append(UndoneStep(plan.name, plan.detail, plan.objects - result.objects))
    after = report.before
    if done:
        garbage = unnamed.amount() if report.before.garbage is not None else None
        after = work.look.state(garbage, unnamed.missing)
    return report._replace(
        steps=tuple(done), after=after, left=tuple(left), interrupted=work.run.stop.reason if left else None
    )


def _look_at_suspects(bucket: BucketRepository, options: MaintenanceOptions, problems: Problems) -> None:
    """Read what was found damaged once, and note what this run has found."""
    notes = ReadNotes(bucket, remember=not options.dry_run)
    noted = [hash.hex() for hash in notes.damaged()]
    for key in dict.fromkeys((*options.suspects, *noted)):
        try:
            bucket.get_object_hash(key)
        except NotExistent:
            continue  # removed since, or told as missing
        except CorruptStorage as error:
            problems.add('damaged', key, str(error).partition('; ')[0])
    for key in problems.damaged.difference(noted):
        notes.note_damaged(key)


def expected(steps: Sequence[MaintenanceStep], limits: BucketLimits) -> Traffic:
    """About what a plan will take of the object store."""
    total = Traffic()
    for step in steps:
        puts = -(-step.write // limits.pack_bytes)
        if step.name == PackMerging.name:
            gets = -(-step.read // limits.window_bytes)
            total += Traffic(puts=puts, gets=gets, sent=step.write, received=step.read)
        elif step.name == InlinePacking.name:  # what is read comes from the database
            total += Traffic(puts=puts, sent=step.write)
        elif step.name != GarbageRemoval.name:
            total += Traffic(deletes=1)
    return total


def _notes(traffic: Traffic, report: MaintenanceReport) -> tuple[Note, ...]:
    """What it takes of the object store, where it takes more than a look."""
    if not report.steps or not traffic.requests:
        return ()
    counts = {'to put': traffic.puts, 'to read': traffic.gets, 'to list': traffic.lists, 'to delete': traffic.deletes}
    each = ', '.join(f'{count} {deed}' for deed, count in counts.items() if count)
    moved = f'{traffic.sent / 1e6:.1f} MB sent, {traffic.received / 1e6:.1f} MB received'
    about = 'about ' if report.options.dry_run else ''
    return (Note(f'{about}{counted(traffic.requests, "request")} to the object store ({each}); {moved}'),)
