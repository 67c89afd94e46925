"""The provenance of a profile or a group as folders of files, in the layout of verdi: incremental and resumable."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from ricordi.backend.rows import GroupRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import UsageError
from ricordi.model.node_types import CALCULATION, WORKFLOW
from ricordi.progress import Run
from ricordi.remedies import Remedy
from ricordi.services.dump.folder import DumpFolder
from ricordi.services.dump.log import DumpLog
from ricordi.services.dump.names import CALCULATIONS, GROUPS, UNGROUPED, WORKFLOWS, group_path
from ricordi.services.dump.opening import clear_dump, open_log
from ricordi.services.dump.request import DumpReport, DumpRequest, chosen_groups, process_filter, report_of
from ricordi.services.dump.select import (
    Process,
    all_processes,
    called_by,
    called_pks,
    grouped_pks,
    members,
    without,
)
from ricordi.services.dump.stale import gone_groups, stale_folders
from ricordi.services.dump.sync import Sync
from ricordi.services.dump.writing import Tally

_KINDS = ((CALCULATIONS, CALCULATION), (WORKFLOWS, WORKFLOW))
_BATCH = 200


@dataclass(frozen=True, slots=True)
class _Root:
    """A folder that holds `calculations` and `workflows`: of a group, or of the processes that are in none."""

    path: str
    group: GroupRow | None = None

    @property
    def uuid(self) -> str:
        return self.group.uuid if self.group is not None else ''


def dump_profile(
    storage: StorageBackend,
    path: Path,
    request: DumpRequest,
    run: Run | None = None,
) -> DumpReport:
    """Dump the processes of a profile, by their groups.

    A second run writes what is new or has changed; one that was interrupted or killed is completed by the next.

    :param path: the folder: a new one, an empty one, or one that an earlier dump made.
    :raises ricordi.errors.UsageError: nothing was chosen, or choices contradict each other.
    :raises ricordi.errors.InvalidOperation: the folder is not one of a dump, or of a dump of something else.
    :raises ricordi.errors.AccessError: another process dumps into the folder.
    :raises ricordi.errors.Interrupted: a stop was asked for.
    """
    named = (request.user, request.computers, request.codes, request.past_days, request.start, request.end)
    if not (request.everything or request.groups or any(one not in (None, ()) for one in named)):
        raise UsageError('nothing was chosen', remedy=Remedy('choose what to dump'))
    if not (request.everything or request.groups or request.also_ungrouped):
        raise UsageError('filters choose among groups, and no group was chosen', remedy=Remedy('choose groups to dump'))
    groups = chosen_groups(storage, request)
    roots = [
        _Root(f'{GROUPS}/{group_path(group.label)}' if request.organize_by_groups else '', group) for group in groups
    ]
    if request.also_ungrouped:
        roots.append(_Root(UNGROUPED if request.organize_by_groups else ''))
    return _Dump(storage, path, request, roots, 'profile', run or Run()).carry_out()


def dump_group(
    storage: StorageBackend,
    identifier: str,
    path: Path,
    request: DumpRequest,
    run: Run | None = None,
) -> DumpReport:
    """Dump the processes of one group into a folder; parameters and errors as of `dump_profile`."""
    from ricordi.services.groups.groups import find_group

    group = find_group(storage, identifier)
    return _Dump(storage, path, request, [_Root('', group)], group.uuid, run or Run()).carry_out()


class _Dump:
    """One run."""

    def __init__(
        self,
        storage: StorageBackend,
        path: Path,
        request: DumpRequest,
        roots: list[_Root],
        subject: str,
        run: Run,
    ) -> None:
        self._storage, self._request, self._roots, self._subject = storage, request, roots, subject
        self._run = run
        self._dry_run = request.sync.dry_run
        self._chosen = process_filter(storage, request)
        self._folder = DumpFolder(path)
        self._new_groups = 0

    def carry_out(self) -> DumpReport:
        began = time.monotonic()
        if self._dry_run:
            tally = self._work()
        else:
            with self._folder.held():
                if self._request.overwrite:
                    clear_dump(self._folder)
                tally = self._work()
        groups = sum(1 for root in self._roots if root.group is not None)
        seconds = time.monotonic() - began
        return report_of(tally, self._folder, self._dry_run, seconds, groups, self._new_groups)

    def _work(self) -> Tally:
        log = open_log(self._storage, self._folder, self._subject, self._dry_run, self._request.overwrite)
        try:
            removed = self._remove_stale(log) if self._request.delete_missing else 0
            sync = Sync(self._storage, self._folder, log, self._request.sync, self._run)
            sync.tally.removed = removed
            roots = [self._settled(root, log, sync) for root in self._roots]
            # Counted by asking twice: some hundredths of the time that writing takes, for a time left that is true.
            total = (
                None
                if self._dry_run
                else sum(1 for root in roots for _, kind in _KINDS for _ in self._processes(root, kind))
            )
            with self._run.step('dump processes', total, 'nodes'):
                for root in roots:
                    self._dump_root(root, sync)
        except BaseException:
            with suppress(OSError):  # on a full disk what is not in the log is written again
                log.flush()
            raise
        log.close()
        return sync.tally

    # -- what is gone ---------------------------------------------------------------------------------------

    def _remove_stale(self, log: DumpLog) -> int:
        dumped = [root.uuid for root in self._roots if root.group is not None]
        paths = stale_folders(self._storage, log, dumped)
        for path in paths:
            self._remove(path, log)
        for group in gone_groups(self._storage, log):
            if not self._dry_run:
                self._folder.unmark(log.roots[group])
            log.forget_root(group)
        return len(paths)

    def _remove(self, path: str, log: DumpLog) -> None:
        if not self._dry_run:
            self._folder.remove(path, log.files(path))
        log.remove(path)

    # -- groups ---------------------------------------------------------------------------------------------

    def _settled(self, root: _Root, log: DumpLog, sync: Sync) -> _Root:
        """Make the folder of a group, or have the one that is there follow its label."""
        known = log.roots.get(root.uuid)
        if root.group is None:
            return root
        if known is not None and known != root.path:
            if not self._request.relabel and known and root.path:
                return _Root(known, root.group)
            self._relabel(root, known, log, sync)
        if known is None:
            self._new_groups += 1
        if not self._dry_run:
            self._folder.make(root.path, marked=True)
        log.set_root(root.uuid, root.path)
        return root

    def _relabel(self, root: _Root, known: str, log: DumpLog, sync: Sync) -> None:
        """Move the folders of a group from the root `known`; what cannot be moved is removed and written anew."""
        bases = [_join(root.path, kind) for kind, _ in _KINDS]
        shared = sum(1 for path in log.roots.values() if path == known) > 1
        if known and root.path and not shared:
            for (kind, _), new in zip(_KINDS, bases, strict=True):
                if self._folder.has(f'{known}/{kind}') and not self._folder.has(new):
                    sync.rename(f'{known}/{kind}', new)
        if self._request.delete_missing:
            left = [path for path, entry in log.entries.items() if entry.group == root.uuid]
            left = [path for path in left if not path.startswith(tuple(f'{base}/' for base in bases))]
            for path in sorted(left, key=lambda path: path.count('/'), reverse=True):
                self._remove(path, log)
                sync.tally.removed += 1
        if not self._dry_run and not shared:
            self._folder.unmark(known)

    # -- processes ------------------------------------------------------------------------------------------

    def _dump_root(self, root: _Root, sync: Sync) -> None:
        for kind, prefix in _KINDS:
            base = _join(root.path, kind)
            processes = self._processes(root, prefix)
            first = next(processes, None)
            if first is None:
                continue
            if root.group is None and not self._dry_run:
                self._folder.make(root.path, marked=True)
            sync.dump(chain([first], processes), base, root.uuid)

    def _processes(self, root: _Root, prefix: str) -> Iterator[tuple[Process, str]]:
        """The processes of a root that get a folder of their own there, with on whose account each is there."""
        if root.group is None:
            yield from ((process, process.uuid) for process in self._ungrouped(prefix))
            return
        group_pk = root.group.pk
        yield from ((one, one.uuid) for one in members(self._storage, group_pk, prefix, self._chosen))
        if not self._is_top_only(prefix):
            workflows = members(self._storage, group_pk, WORKFLOW, self._chosen)
            yield from self._called(workflows, prefix)

    def _ungrouped(self, prefix: str) -> Iterator[Process]:
        group_pks = [root.group.pk for root in self._roots if root.group is not None]
        found = without(all_processes(self._storage, prefix, self._chosen), grouped_pks(self._storage, group_pks))
        return without(found, called_pks(self._storage)) if self._is_top_only(prefix) else found

    def _is_top_only(self, prefix: str) -> bool:
        request = self._request
        return request.top_calculations_only if prefix == CALCULATION else request.top_workflows_only

    def _called(self, workflows: Iterable[Process], prefix: str) -> Iterator[tuple[Process, str]]:
        """The processes of a kind that workflows called, at any depth, with the uuid of the workflow."""
        stream = iter(workflows)
        while batch := list(islice(stream, _BATCH)):
            tops = {process.pk: process.uuid for process in batch if process.sealed or self._request.sync.unsealed}
            while tops:
                below: dict[int, str] = {}
                for caller, calls in called_by(self._storage, list(tops)).items():
                    for _, process in calls:
                        if process.node_type.startswith(prefix):
                            yield process, tops[caller]
                        if not process.is_calculation:
                            below[process.pk] = tops[caller]
                tops = below


def _join(root: str, kind: str) -> str:
    return f'{root}/{kind}' if root else kind
