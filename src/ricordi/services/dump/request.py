"""What is asked of a dump and what it tells: request, report, and the choice of groups and processes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ricordi.backend.rows import GroupRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import UsageError
from ricordi.remedies import Remedy
from ricordi.services.dump.folder import DumpFolder
from ricordi.services.dump.select import ProcessFilter
from ricordi.services.dump.sync import SyncOptions
from ricordi.services.dump.writing import Tally


@dataclass(frozen=True, slots=True)
class DumpRequest:
    """What to dump, and how.

    :param everything: all groups.
    :param groups: these, by label, pk or uuid.
    :param user: processes of this one, by address.
    :param computers: processes on these, by label, pk or uuid.
    :param codes: processes that used these, by label, pk or uuid.
    :param past_days: processes modified in the last so many days.
    :param start: modified then or later.
    :param end: then or before.
    :param top_calculations_only: a called calculation has no folder besides that in the folder of its caller.
    :param top_workflows_only: a called workflow likewise.
    :param delete_missing: remove the folders of what is gone: nodes, memberships, groups.
    :param organize_by_groups: a folder for each group; else all processes are together.
    :param also_ungrouped: also processes that are in none of the groups.
    :param relabel: a folder follows the label of its group.
    :param overwrite: begin anew: remove what an earlier dump made.
    """

    everything: bool = False
    groups: tuple[str, ...] = ()
    user: str | None = None
    computers: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    past_days: float | None = None
    start: datetime | None = None
    end: datetime | None = None
    top_calculations_only: bool = True
    top_workflows_only: bool = True
    delete_missing: bool = True
    organize_by_groups: bool = True
    also_ungrouped: bool = False
    relabel: bool = True
    overwrite: bool = False
    sync: SyncOptions = field(default_factory=SyncOptions)


@dataclass(frozen=True, slots=True)
class DumpReport:
    """What was done, or would be.

    :param folder: where.
    :param groups: groups that were dumped.
    :param new: folders of processes that were written.
    :param changed: written again.
    :param same: left alone.
    :param linked: links to folders of calculations.
    :param moved: folders that were renamed.
    :param removed: of what is gone.
    :param unsealed: processes that were left out, for they are not sealed.
    :param files: that were written.
    :param bytes: of them.
    :param problem_count: files whose content is missing or damaged.
    :param problems: the first of them.
    """

    folder: str
    dry_run: bool
    nothing_to_do: bool
    groups: int
    new: int
    changed: int
    same: int
    linked: int
    moved: int
    removed: int
    unsealed: int
    files: int
    bytes: int
    problem_count: int
    problems: tuple[str, ...]
    seconds: float


def report_of(
    tally: Tally, folder: DumpFolder, dry_run: bool, seconds: float, groups: int = 0, new_groups: int = 0
) -> DumpReport:
    """The report of what a tally counts.

    :param new_groups: groups whose folders were not there before.
    """
    done = tally.new + tally.changed + tally.linked + tally.moved + tally.removed + new_groups
    return DumpReport(
        folder=str(folder.root),
        dry_run=dry_run,
        nothing_to_do=not done and not tally.problem_count,
        groups=groups,
        new=tally.new,
        changed=tally.changed,
        same=tally.same,
        linked=tally.linked,
        moved=tally.moved,
        removed=tally.removed,
        unsealed=tally.unsealed,
        files=tally.files,
        bytes=tally.bytes,
        problem_count=tally.problem_count,
        problems=tuple(tally.problems),
        seconds=round(seconds, 3),
    )


def chosen_groups(storage: StorageBackend, request: DumpRequest) -> list[GroupRow]:
    """The groups to dump, each once.

    :raises ricordi.errors.NotExistent: one of them is not there.
    """
    if request.everything:
        return list(storage.find(GroupRow))
    from ricordi.services.groups.groups import find_group

    found = {row.uuid: row for row in (find_group(storage, one) for one in request.groups)}
    return list(found.values())


def process_filter(storage: StorageBackend, request: DumpRequest) -> ProcessFilter:
    """What processes have to fulfil.

    :raises ricordi.errors.UsageError: choices contradict each other.
    :raises ricordi.errors.NotExistent: a user, computer or code is not there.
    """
    if request.codes and request.computers:
        raise UsageError(
            'codes and computers contradict each other: a code is on a computer',
            remedy=Remedy('choose codes or computers'),
        )
    if request.past_days is not None and (request.start or request.end):
        raise UsageError(
            'a number of past days contradicts a start date and an end date', remedy=Remedy('choose days or dates')
        )
    if request.start and request.end and request.start > request.end:
        raise UsageError(
            f'the start date {request.start} is after the end date {request.end}', remedy=Remedy('choose other dates')
        )
    earliest = request.start
    if request.past_days is not None:
        earliest = datetime.now(UTC) - timedelta(days=request.past_days)
    from ricordi.orm import load_code
    from ricordi.services.author import find_user
    from ricordi.services.computers.computers import find_computer

    return ProcessFilter(
        user=None if request.user is None else find_user(storage, request.user).pk,
        computers=tuple(find_computer(storage, one).pk for one in request.computers),
        codes=tuple(load_code(one, backend=storage).pk or 0 for one in request.codes),
        earliest=earliest,
        latest=request.end,
    )
