"""Maintenance of a storage: that of its repository, then what the database has to gain, as one plan and one report."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import islice
from typing import NamedTuple

from ricordi.backend.maintenance import (
    OUT_OF_ROOM,
    CleanMark,
    MaintenanceOptions,
    MaintenanceReport,
    MaintenanceStep,
    Problem,
    UndoneStep,
)
from ricordi.backend.repository import RepositoryBackend
from ricordi.errors import InvalidOperation, NotEnoughSpace
from ricordi.model.file_trees import is_key
from ricordi.progress import Run
from ricordi.storage.lost_rows import distrust
from ricordi.storage.object_keys import named_keys, unclear_trees, uses_of_keys
from ricordi.storage.session import Session

NODES_PER_PROBLEM = 10
NEVER = 1e9
"""Seconds of grace for what may be another's."""
MOST_UNCLEAR = 100
"""So many file trees that are not clear are named."""


def maintain(
    session: Session,
    repository: RepositoryBackend,
    options: MaintenanceOptions,
    run: Run,
    doubt: str = '',
    alone: bool = True,
) -> MaintenanceReport:
    """Plan and, unless `options.dry_run`, carry out.

    :param doubt: why another database may name objects of the repository: its users are not kept out, and what this one
        does not name may be theirs. So the repository is maintained as it is live.
    :param alone: whether nobody else uses the storage meanwhile.
    :raises ricordi.errors.NotEnoughSpace: no step at all has the room it needs; nothing was changed.
    """
    if session.depth:
        raise InvalidOperation('a storage cannot be maintained inside a transaction; end it first')
    dialect = session.dialect
    # Before anything is looked at: a node that comes meanwhile makes another mark, and nothing is called clean.
    mark = _NodesMark.taken(session, options.clean) if _may_be_clean(repository, options) else _NodesMark(None, '')
    if options.clean and options.clean.database != mark.nodes:
        options = options._replace(clean=None)
    planned = dialect.vacuum_plan(session, options.max_waste) if options.full else ()
    unclear = _Unclear()
    if (options.full or options.dry_run) and options.clean is None:  # as it was, all was clear
        unclear.find(session)
    options = options._replace(keep_unnamed=options.keep_unnamed or unclear.count > 0)
    in_repository = options._replace(full=False, repack='auto', grace_seconds=NEVER) if doubt else options
    doubted = cache(lambda: distrust(session, repository))
    refusal: NotEnoughSpace | None = None
    try:
        report = repository.maintain(in_repository, lambda: named_keys(session), run, doubted)
    except NotEnoughSpace as error:
        if not planned or not isinstance(error.report, MaintenanceReport):
            raise
        report, refusal = error.report, error  # something of the database may fit yet
    report = report._replace(options=options, doubt=doubt)
    # A rebuilt database has nothing left of the rows that a damaged page hides.
    if report.distrust or (any(step.freed for step in planned) and doubted()):
        report, planned = report._replace(distrust=doubted(), clean=None), ()
    if not all(is_key(problem.key) for problem in report.problems):
        unclear.find(session, guarded=True)
    report = unclear.added_to(report._replace(problems=_with_nodes(session, report.problems)))
    if options.dry_run:
        space = max([report.space_needed, *(dialect.space_for(step) for step in planned)])
        return report._replace(steps=report.steps + planned, space_needed=space)
    report = _vacuum(session, report, planned, run, refusal)
    return report._replace(clean=_whole_mark(session, report, mark, alone))


def _may_be_clean(repository: RepositoryBackend, options: MaintenanceOptions) -> bool:
    """Whether it matters what the nodes look like: something is known of them, or may be known at the end."""
    looks = options.full or repository.compares_live
    return options.clean is not None or (looks and not options.dry_run)


class _Unclear:
    """Nodes of which nobody can tell what they name: the first ones by name, all of them by number."""

    def __init__(self) -> None:
        self.count = 0
        self._first: list[Problem] = []

    def find(self, session: Session, guarded: bool = False) -> None:
        """Look at all nodes, unless some were found already."""
        if self.count:
            return
        for pk, uuid, fault in unclear_trees(session, guarded):
            self.count += 1
            if len(self._first) < MOST_UNCLEAR:
                self._first.append(Problem('file tree', '', fault, ((pk, uuid, ''),)))

    def added_to(self, report: MaintenanceReport) -> MaintenanceReport:
        """The report with these among its problems; what has some is not clean."""
        if not self.count:
            return report
        return report._replace(
            problems=(*self._first, *report.problems),
            problem_count=report.problem_count + self.count,
            unclear_trees=self.count,
            clean=None,
        )


class _NodesMark(NamedTuple):
    """What the nodes of a database looked like at a moment.

    :param nodes: None where that cannot be told for certain.
    """

    nodes: str | None
    moment: str

    @classmethod
    def taken(cls, session: Session, before: CleanMark | None) -> _NodesMark:
        """The mark of now; where no transaction has ended since the one before, without a look at the nodes."""
        moment = session.dialect.moment(session)  # first: what changes after it is not hidden by it
        if before is not None and moment and moment == before.moment:
            return cls(before.database, moment)
        return cls(session.dialect.nodes_mark(session), moment)


def _whole_mark(session: Session, report: MaintenanceReport, before: _NodesMark, alone: bool) -> CleanMark | None:
    """The mark with what the database looks like now; None where somebody may have changed it meanwhile.

    :param before: what it looked like before the names were read.
    """
    if report.clean is None or report.interrupted or report.doubt:
        return None
    known = None if before.nodes is None else report.clean._replace(database=before.nodes, moment=before.moment)
    now = _NodesMark.taken(session, known)
    if now.nodes is None or not (alone or now.nodes == before.nodes):
        return None
    return report.clean._replace(database=now.nodes, moment=now.moment)


def _vacuum(
    session: Session,
    report: MaintenanceReport,
    planned: Sequence[MaintenanceStep],
    run: Run,
    refusal: NotEnoughSpace | None,
) -> MaintenanceReport:
    """Add to a report the steps of the database: done, or left for want of room or time.

    :raises ricordi.errors.NotEnoughSpace: no step at all could be done.
    """
    done, left = list(report.steps), list(report.left)
    for step in planned:
        if run.stop.reason:
            left.append(UndoneStep(step.name, step.detail))
            continue
        try:
            with run.step(step.name, None):
                session.dialect.check_space(step)
                done.append(session.dialect.vacuum(session, step, report.options.max_waste))
        except NotEnoughSpace as error:
            refusal = refusal or error
            left.append(UndoneStep(step.name, step.detail, space_needed=max(1, session.dialect.space_for(step))))
    if refusal is not None and not done and not run.stop.reason:
        raise refusal
    reason = run.stop.reason if left else None
    interrupted = report.interrupted or reason or (OUT_OF_ROOM if any(step.space_needed for step in left) else None)
    return report._replace(steps=tuple(done), left=tuple(left), interrupted=interrupted)


def _with_nodes(session: Session, problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """The problems with the nodes that name the objects, the first ones of many."""
    keys = [problem.key for problem in problems if not problem.nodes]
    found: dict[str, list[tuple[int, str, str]]] = {key: [] for key in keys}
    if keys:
        # One key may be named by very many nodes (the empty file is): enough is enough.
        for use in islice(uses_of_keys(session, keys), NODES_PER_PROBLEM * NODES_PER_PROBLEM * len(keys)):
            if len(found[use.key]) < NODES_PER_PROBLEM:
                found[use.key].append((use.pk, use.uuid, use.path))
    return tuple(problem._replace(nodes=problem.nodes or tuple(found[problem.key])) for problem in problems)
