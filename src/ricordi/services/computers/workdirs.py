"""The work directories of calculations on their computers: which there are, and which may go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ricordi.backend.query import Comparison, Edge, EdgeKind, Field, Ordering, Projection, Query, Vertex
from ricordi.backend.rows import ComputerRow, EntityKind
from ricordi.backend.storage import StorageBackend
from ricordi.model.node_types import CALCJOB, REMOTE
from ricordi.services.author import default_user

REMOTE_FOLDER = 'remote_folder'
"""The label of the link by which a calculation job gives out the node that points at its work directory."""

CLEANED = 'cleaned'
"""The extra of that node by which AiiDA knows that the directory is gone."""


@dataclass(frozen=True, slots=True)
class WorkDirectory:
    """The work directory of a calculation job.

    :param node: pk of the calculation job.
    :param computer: label of the computer.
    :param remote_nodes: pks of the nodes that point at it and are to be marked as cleaned.
    """

    node: int
    computer: str
    path: str
    remote_nodes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CleaningPlan:
    """What would be removed on computers.

    :param directories: by computer and path.
    :param already_clean: directories that are marked as cleaned.
    :param of_others: directories of other users, which stay.
    :param in_use: directories that nodes which stay point at or into, as AiiDA's caching makes them; they stay.
    """

    directories: tuple[WorkDirectory, ...]
    already_clean: int
    of_others: int
    in_use: int

    @property
    def by_computer(self) -> dict[str, int]:
        """Label of a computer → how many directories."""
        counts: dict[str, int] = {}
        for directory in self.directories:
            counts[directory.computer] = counts.get(directory.computer, 0) + 1
        return counts


def plan_cleaning(storage: StorageBackend, pks: Iterable[int]) -> CleaningPlan:
    """The work directories of the calculation jobs among some nodes; changes nothing.

    Those of the default user, as in AiiDA: one reaches a computer by one's own account.
    """
    me = default_user(storage).pk
    labels = {row.pk: row.label for row in storage.find(ComputerRow)}
    chosen = tuple(sorted(pks))
    folders = _remote_folders(storage, chosen)
    found: dict[tuple[int, str], WorkDirectory] = {}
    already_clean = of_others = 0
    for pk, user, computer, attribute in _calcjobs(storage, chosen):
        own = folders.get(pk, [])
        paths = dict.fromkeys(path for path in (attribute, *(path for _, path, _ in own)) if isinstance(path, str))
        for path in paths:
            nodes = [(remote, cleaned) for remote, where, cleaned in own if where == path]
            if computer not in labels:
                continue
            if user != me:
                of_others += 1
            elif any(cleaned for _, cleaned in nodes):
                already_clean += 1
            else:
                known = found.get((computer, path))
                remotes = (*(known.remote_nodes if known else ()), *(remote for remote, _ in nodes))
                found[computer, path] = WorkDirectory(pk, labels[computer], path, remotes)
    going = {*chosen, *(remote for own in folders.values() for remote, _, _ in own)}
    in_use = _in_use(storage, found, going) if found else set()
    directories = [found[place] for place in sorted(found) if place not in in_use]
    return CleaningPlan(tuple(directories), already_clean, of_others, len(in_use))


def _in_use(storage: StorageBackend, places: Iterable[tuple[int, str]], going: set[int]) -> set[tuple[int, str]]:
    """Which of the directories a node points at, or into, that is not among those that go."""
    asked = {(computer, path.rstrip('/')): (computer, path) for computer, path in places}
    used = set()
    for pk, computer, path in _pointers(storage, sorted({computer for computer, _ in asked})):
        if pk in going or not isinstance(path, str):
            continue
        step = path.rstrip('/')
        while step:
            if (computer, step) in asked:
                used.add(asked[computer, step])
            step = step.rpartition('/')[0]
    return used


# looking up ------------------------------------------------------------------------------------------------


def _calcjobs(storage: StorageBackend, pks: tuple[int, ...]) -> Iterator[tuple[int, int, int, object]]:
    """Calculation jobs: pk, pk of the user, pk of the computer, the attribute `remote_workdir`."""
    query = Query(
        (Vertex('job', EntityKind.NODE),),
        filters=(
            ('job', Comparison(Field('pk'), 'in', pks)),
            ('job', Comparison(Field('node_type'), 'like', f'{CALCJOB}%')),
        ),
        projections=(
            *(Projection('job', Field(name)) for name in ('pk', 'user_pk', 'computer_pk')),
            Projection('job', Field('attributes', ('remote_workdir',))),
        ),
        order_by=(Ordering('job', Field('pk')),),
    )
    return storage.query_rows(query)


def _pointers(storage: StorageBackend, computers: Sequence[int]) -> Iterator[tuple[int, int, object]]:
    """All nodes that point at a directory on the computers, unless it is marked as cleaned: pk, computer, path."""
    for kind, key in ((CALCJOB, 'remote_workdir'), (REMOTE, 'remote_path')):
        query = Query(
            (Vertex('node', EntityKind.NODE),),
            filters=(
                ('node', Comparison(Field('computer_pk'), 'in', tuple(computers))),
                ('node', Comparison(Field('node_type'), 'like', f'{kind}%')),
            ),
            projections=(
                *(Projection('node', Field(name)) for name in ('pk', 'computer_pk')),
                Projection('node', Field('attributes', (key,))),
                Projection('node', Field('extras', (CLEANED,))),
            ),
        )
        for pk, computer, path, cleaned in storage.query_rows(query):
            if cleaned is not True:
                yield pk, computer, path


def _remote_folders(storage: StorageBackend, pks: tuple[int, ...]) -> dict[int, list[tuple[int, object, bool]]]:
    """Pk of a calculation job → its nodes that point at a work directory: pk, path, whether it is marked as cleaned."""
    query = Query(
        (Vertex('job', EntityKind.NODE), Vertex('folder', EntityKind.NODE)),
        (Edge('link', 'job', 'folder', EdgeKind.LINK),),
        (
            ('job', Comparison(Field('pk'), 'in', pks)),
            ('job', Comparison(Field('node_type'), 'like', f'{CALCJOB}%')),
            ('folder', Comparison(Field('node_type'), 'like', f'{REMOTE}%')),
            ('link', Comparison(Field('label'), '==', REMOTE_FOLDER)),
        ),
        (
            Projection('job', Field('pk')),
            Projection('folder', Field('pk')),
            Projection('folder', Field('attributes', ('remote_path',))),
            Projection('folder', Field('extras', (CLEANED,))),
        ),
        (Ordering('folder', Field('pk')),),
    )
    found: dict[int, list[tuple[int, object, bool]]] = defaultdict(list)
    for job, folder, path, cleaned in storage.query_rows(query):
        found[job].append((folder, path, cleaned is True))
    return found
