"""Removing work directories of calculations on their computers, through the computer's transport."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ricordi.backend.rows import ComputerRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import InvalidOperation, RicordiError
from ricordi.remedies import Remedy
from ricordi.services.author import default_user
from ricordi.services.computers.access import Access, find_access
from ricordi.services.computers.connection import Connection, connect
from ricordi.services.computers.ssh import named_commands, shell_path
from ricordi.services.computers.workdirs import CLEANED, CleaningPlan, WorkDirectory
from ricordi.services.nodes.change import set_extras

_AT_ONCE = 200
"""Directories that one command removes."""

_MARK = 'ricordi-work-directory'
_STATES = ('removed', 'absent', 'failed')
_LONGEST = 500
"""Characters of a reason."""

_SCRIPT = r"""
w=$(cd -P -- WORK_DIR 2>/dev/null && pwd -P)
h=$(cd -P -- "$HOME" 2>/dev/null && pwd -P)
number=0
while IFS= read -r d; do
  why= state=failed name=${d##*/} above=${d%/*}
  if ! p=$(cd -P -- "${above:-/}" 2>/dev/null && pwd -P); then
    [ -e "$above" ] || state=absent
    why='it cannot be reached'
  else
    real=${p%/}/$name
    case "$real/" in "$w"/?*/) [ -n "$w" ] || why='x';; *) why='x';; esac
    [ -z "$why" ] || why="it is not in the work directory ${w:-of the computer, which is not there}"
    case "$h/" in "$real"/*) why='it holds the home directory';; esac
    if [ ! -e "$real" ] && [ ! -L "$real" ]; then state=absent
    elif [ -n "$why" ]; then :
    elif why=$(cd -P -- "$p" && [ "$(pwd -P)" = "$p" ] && rm -rf -- "./$name" 2>&1 </dev/null); then state=removed
    fi
  fi
  printf 'MARK %s %s %s\n' "$number" "$state" "${why//$'\n'/; }"
  number=$((number + 1))
done
"""
"""Reads a path a line; answers a line each, marked, since login files may write, too.

Where a path leads is asked there, with all links and `..` followed: a directory goes only if it lies below the work
directory of the computer, and never the home directory or what holds it. Not even a link that is put in its place
meanwhile leads elsewhere: the folder that holds it is entered, and it is removed from there.
"""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What became of the directories on a computer.

    :param absent: how many were not there any more.
    :param failures: what could not be removed, and why.
    :param remedy: what can be done about the last of these.
    """

    computer: str
    removed: int = 0
    absent: int = 0
    failures: tuple[str, ...] = ()
    remedy: Remedy | None = None


def clean_work_directories(storage: StorageBackend, plan: CleaningPlan) -> Iterator[Cleaned]:
    """Remove directories, computer by computer; what was removed is marked so on the nodes that point at it."""
    by_computer: dict[str, list[WorkDirectory]] = defaultdict(list)
    for directory in plan.directories:
        by_computer[directory.computer].append(directory)
    for label, directories in by_computer.items():
        yield _clean_computer(storage, label, directories)


def commands_for_cleaning(storage: StorageBackend, plan: CleaningPlan) -> list[str]:
    """The commands that would be run on this machine on the way to the computers, as stored settings name them."""
    found: list[str] = []
    for label in plan.by_computer:
        for row in storage.find(ComputerRow, {'label': label}):
            with suppress(RicordiError):  # told when it is tried
                found += named_commands(find_access(storage, row, default_user(storage)))
    return found


def _clean_computer(storage: StorageBackend, label: str, directories: Sequence[WorkDirectory]) -> Cleaned:
    outcome: dict[str, str] = {}
    trouble, remedy = '', None
    try:
        (row,) = storage.find(ComputerRow, {'label': label})
        access = find_access(storage, row, default_user(storage))
        if not access.enabled:
            raise InvalidOperation(f'computer {label!r} is disabled', remedy=Remedy('enable computer', (label,)))
        with connect(access, files=True) as connection:
            for start in range(0, len(directories), _AT_ONCE):
                part = directories[start : start + _AT_ONCE]
                outcome |= _remove(connection, access, [directory.path for directory in part])
                gone = [pk for one in part if not _failed(outcome[one.path]) for pk in one.remote_nodes]
                set_extras(storage, gone, {CLEANED: True})
    except (RicordiError, OSError) as error:
        trouble, remedy = str(error), getattr(error, 'remedy', None)
    states = [outcome.get(directory.path, '') for directory in directories]
    failures = [f'{one.path}: {outcome[one.path]}' for one in directories if _failed(outcome.get(one.path, 'absent'))]
    untouched = states.count('')
    if trouble:
        failures.append(f'{untouched} of {len(states)} directories were not reached: {trouble}')
    return Cleaned(label, states.count('removed'), states.count('absent'), tuple(failures), remedy)


def _failed(outcome: str) -> bool:
    return outcome not in ('removed', 'absent')


def _remove(connection: Connection, access: Access, paths: list[str]) -> dict[str, str]:
    """Path → `removed`, `absent`, or why it could not be removed."""
    outcome = {path: refusal for path in paths if (refusal := _refusal(path))}
    rest = [path for path in paths if path not in outcome]
    if not rest:
        return outcome
    numbers = {str(number): path for number, path in enumerate(rest)}
    text = ''.join(f'{path.rstrip("/")}\n' for path in rest)
    script = _SCRIPT.replace('MARK', _MARK).replace('WORK_DIR', shell_path(access.work_dir))
    for line in connection.run(script, stdin=text, login_shell=False).out.splitlines():
        words = line.split(' ', 3)
        if words[0] == _MARK and len(words) == 4 and words[1] in numbers and words[2] in _STATES:
            number, state, why = words[1:]
            outcome[numbers[number]] = state if state != 'failed' else why[:_LONGEST] or 'it could not be removed'
    return {path: outcome.get(path, 'there was no answer') for path in paths}


def _refusal(path: str) -> str:
    """Why a path is not one that may be removed; empty if it is one."""
    if not path.isprintable() or posixpath.normpath(path) != path.rstrip('/') or not path.startswith('/'):
        return 'it is not a plain absolute path'
    if path.startswith('//') or path.count('/', 1) < 1:
        return 'it is a folder at the top, which is never removed'
    return ''
