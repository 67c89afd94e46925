"""The work directories of calculations on their computers: found, and removed through the computer's transport."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ricordi.backend.query import Comparison, Edge, EdgeKind, Field, Ordering, Projection, Query, Vertex
from ricordi.backend.rows import ComputerRow, EntityKind
from ricordi.backend.storage import StorageBackend
from ricordi.errors import InvalidOperation, RicordiError
from ricordi.services.author import default_user
from ricordi.services.computers_access import Access, find_access
from ricordi.services.computers_connection import Connection, connect
from ricordi.services.computers_ssh import shell_path
from ricordi.services.nodes_change import set_extras

CALCJOB = 'process.calculation.calcjob.'
REMOTE_FOLDER = 'remote_folder'
"""The label of the link by which a calculation job gives out the node that points at its work directory."""

CLEANED = 'cleaned'
"""The extra of that node by which AiiDA knows that the directory is gone."""

_AT_ONCE = 200
"""Directories that one command removes."""

_MARK = 'ricordi-work-directory'

_SCRIPT = r"""
w=WORK_DIR
number=0
while IFS= read -r d; do
  why=
  case "${w%/}/" in "$d"/*) why='it holds the work directory of the computer';; esac
  case "$HOME/" in "$d"/*) why='it holds the home directory';; esac
  if [ -n "$why" ]; then state=failed
  elif [ ! -e "$d" ] && [ ! -L "$d" ]; then state=absent
  elif why=$(rm -rf -- "$d" 2>&1 </dev/null); then state=removed
  else state=failed
  fi
  printf 'MARK %s %s %s\n' "$number" "$state" "${why//$'\n'/; }"
  number=$((number + 1))
done
"""
"""Reads a path a line; answers a line each, marked, since login files may write, too."""


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
    """

    directories: tuple[WorkDirectory, ...]
    already_clean: int
    of_others: int

    @property
    def by_computer(self) -> dict[str, int]:
        """Label of a computer → how many directories."""
        counts: dict[str, int] = {}
        for directory in self.directories:
            counts[directory.computer] = counts.get(directory.computer, 0) + 1
        return counts


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What became of the directories on a computer.

    :param absent: how many were not there any more.
    :param failures: what could not be removed, and why.
    """

    computer: str
    removed: int = 0
    absent: int = 0
    failures: tuple[str, ...] = ()


def plan_cleaning(storage: StorageBackend, pks: Iterable[int]) -> CleaningPlan:
    """The work directories of the calculation jobs among some nodes; changes nothing.

    Those of the default user, as in AiiDA: one reaches a computer by one's own account.
    """
    me = default_user(storage).pk
    labels = {row.pk: row.label for row in storage.find(EntityKind.COMPUTER) if isinstance(row, ComputerRow)}
    chosen = tuple(sorted(pks))
    folders = _remote_folders(storage, chosen)
    found: dict[tuple[str, str], WorkDirectory] = {}
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
                place = (labels[computer], path)
                found[place] = WorkDirectory(pk, *place, tuple(remote for remote, _ in nodes))
    return CleaningPlan(tuple(found[place] for place in sorted(found)), already_clean, of_others)


def clean_work_directories(storage: StorageBackend, plan: CleaningPlan) -> Iterator[Cleaned]:
    """Remove directories, computer by computer; what was removed is marked so on the nodes that point at it."""
    by_computer: dict[str, list[WorkDirectory]] = defaultdict(list)
    for directory in plan.directories:
        by_computer[directory.computer].append(directory)
    for label, directories in by_computer.items():
        yield _clean_computer(storage, label, directories)


def _clean_computer(storage: StorageBackend, label: str, directories: Sequence[WorkDirectory]) -> Cleaned:
    outcome: dict[str, str] = {}
    trouble = ''
    try:
        (row,) = storage.find(EntityKind.COMPUTER, {'label': label})
        assert isinstance(row, ComputerRow)
        access = find_access(storage, row, default_user(storage))
        if not access.enabled:
            raise InvalidOperation(f'computer {label!r} is disabled: see `ricordi computer enable {label}`')
        with connect(access, files=True) as connection:
            for start in range(0, len(directories), _AT_ONCE):
                part = directories[start : start + _AT_ONCE]
                outcome |= _remove(connection, access, [directory.path for directory in part])
                gone = [pk for one in part if not _failed(outcome[one.path]) for pk in one.remote_nodes]
                set_extras(storage, gone, {CLEANED: True})
    except (RicordiError, OSError) as error:
        trouble = str(error)
    states = [outcome.get(directory.path, '') for directory in directories]
    failures = [f'{one.path}: {outcome[one.path]}' for one in directories if _failed(outcome.get(one.path, 'absent'))]
    untouched = states.count('')
    if trouble:
        failures.append(f'{untouched} of {len(states)} directories were not reached: {trouble}')
    return Cleaned(label, states.count('removed'), states.count('absent'), tuple(failures))


def _failed(outcome: str) -> bool:
    return outcome not in ('removed', 'absent')


def _remove(connection: Connection, access: Access, paths: list[str]) -> dict[str, str]:
    """Path → `removed`, `absent`, or why it could not be removed."""
    outcome = {path: refusal for path in paths if (refusal := _refusal(path))}
    rest = [path for path in paths if path not in outcome]
    if not rest:
        return outcome
    text = ''.join(f'{path.rstrip("/")}\n' for path in rest)
    script = _SCRIPT.replace('MARK', _MARK).replace('WORK_DIR', shell_path(access.work_dir))
    for line in connection.run(script, stdin=text, login_shell=False).out.splitlines():
        words = line.split(' ', 3)
        if words[0] == _MARK and len(words) == 4:
            number, state, why = words[1:]
            outcome[rest[int(number)]] = state if state != 'failed' else why or 'it could not be removed'
    return {path: outcome.get(path, 'there was no answer') for path in paths}


def _refusal(path: str) -> str:
    """Why a path is not one that may be removed; empty if it is one."""
    if not path.isprintable() or posixpath.normpath(path) != path.rstrip('/') or not path.startswith('/'):
        return 'it is not a plain absolute path'
    if path.startswith('//') or path.count('/', 1) < 1:
        return 'it is a folder at the top, which is never removed'
    return ''


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


def _remote_folders(storage: StorageBackend, pks: tuple[int, ...]) -> dict[int, list[tuple[int, object, bool]]]:
    """Pk of a calculation job → its nodes that point at a work directory: pk, path, whether it is marked as cleaned."""
    query = Query(
        (Vertex('job', EntityKind.NODE), Vertex('folder', EntityKind.NODE)),
        (Edge('link', 'job', 'folder', EdgeKind.LINK),),
        (
            ('job', Comparison(Field('pk'), 'in', pks)),
            ('job', Comparison(Field('node_type'), 'like', f'{CALCJOB}%')),
            ('folder', Comparison(Field('node_type'), 'like', 'data.core.remote.%')),
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
