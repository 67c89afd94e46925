"""Kills `profile setup` and `presto` at every change they make, and has every change fail: `… WORK FOLDER`.

Then the same command is given once more. It must end well, or the first one had come to its end; and in the end there
is one whole storage, with a profile, and nothing besides. See `trap.py` for what counts as a change. Prints a JSON
object: `points` and `runs`.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from faults.crash_points import check_clean
from faults.trap import Trap, killed
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.backend.rows import ComputerRow, UserRow
from ricordi.cli import main as command_line
from ricordi.config import load_config
from ricordi.manager import use_storage
from ricordi.repository.container.container import Container
from ricordi.services import storage
from ricordi.services.profiles.leftovers import remove_leftovers
from ricordi.services.profiles.profiles import find_profile

PERSON = ('--email', 'ada@example.org', '-n')


class Place:
    """Where one work sets up: a configuration folder and what lies beside it."""

    def __init__(self, folder: Path, command: Callable[[Path], tuple[str, ...]], database: str | None) -> None:
        self.folder = folder
        self.command = command(folder)
        self.database = database
        os.environ['AIIDA_PATH'] = str(folder / '.aiida')

    def run(self) -> int:
        with contextlib.redirect_stderr(io.StringIO()) as self.told:
            return command_line.run(list(self.command))

    def begin_anew(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        if self.database:
            with psycopg.connect(self.database) as raw:
                raw.execute('DROP SCHEMA public CASCADE')
                raw.execute('CREATE SCHEMA public')

    def files(self) -> set[str]:
        """What lies there, with the names that are chosen at random made alike."""
        repository = self.folder / '.aiida' / 'repository'
        chosen = [path.name for path in repository.iterdir()] if repository.exists() else []
        names = {str(path.relative_to(self.folder)) for path in self.folder.rglob('*')}
        for name in chosen:
            names = {one.replace(name, 'chosen') for one in names}
        return {name for name in names if not name.endswith(('.ricordi-lock', 'database.sqlite-journal'))}


def sqlite(folder: Path) -> tuple[str, ...]:
    return ('profile', 'setup', 'core.sqlite_dos', '-p', 'new', '--filepath', str(folder / 'a' / 'data'), *PERSON)


def presto(folder: Path) -> tuple[str, ...]:
    return ('presto', '-p', 'new')


def psql(folder: Path) -> tuple[str, ...]:
    parts = psycopg.conninfo.conninfo_to_dict(os.environ['CRASH_DATABASE'])
    options = ('hostname', 'host'), ('port', 'port'), ('username', 'user'), ('name', 'dbname')
    database = [word for option, key in options for word in (f'--database-{option}', str(parts[key]))]
    return ('profile', 'setup', 'core.psql_dos', '-p', 'new', *database, '--database-password', 'none', *PERSON)


WORKS = {'sqlite': sqlite, 'presto': presto, 'psql': psql}


class FailingTrap(Trap):
    """Has one change fail, as a disk does; or all from one on, as a disk that is full."""

    def __init__(self, target: int, error: int, lasting: bool) -> None:
        super().__init__(0)
        self.failing_at, self.error, self.lasting = target, error, lasting

    def passes(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with self._guard:
            self.count += 1
            count = self.count
        takes_room = getattr(function, '__name__', '') not in ('unlink', 'remove', 'rmdir')
        if count == self.failing_at or (self.lasting and count > self.failing_at and takes_room):
            raise OSError(self.error, os.strerror(self.error))
        return function(*args, **kwargs)


def fail_at(place: Place, target: int, error: int, lasting: bool) -> int:
    """The exit code of the command in a process in which a change fails."""
    child = os.fork()
    if not child:
        code = 99
        try:
            FailingTrap(target, error, lasting).set()
            code = place.run()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def is_set_up() -> bool:
    try:
        find_profile('new')
    except Exception:
        return False
    return True


def check(place: Place, expected: set[str]) -> None:
    """The command ends well when it is given again, and leaves all that it should, and nothing else."""
    if not is_set_up():
        code = place.run()
        assert code == 0, f'the next setup ended with {code}: {place.told.getvalue()}'
    else:  # what was left when there was a profile, the next setup of another one tidies up
        load_config().store()
        remove_leftovers(Path())
    profile = find_profile('new')
    with use_storage(profile) as opened:
        assert [user.email for user in opened.find(UserRow)]
        container = opened.repository.layout.folder
        assert 'presto' not in place.command or len(list(opened.find(ComputerRow))) == 1
    report = storage.maintain(profile, MaintenanceOptions(full=True), wait=None)
    assert (report.doubt, report.problem_count) == ('', 0), report
    with Container(container) as store:
        check_clean(store)
    found = place.files()
    assert found == expected, f'other files: {sorted(found ^ expected)}'


def crash_everywhere(place: Place) -> dict[str, int]:
    tempfile.gettempdir()
    place.begin_anew()
    died, points = killed(lambda: _well(place), 0)
    assert not died
    storage.maintain(find_profile('new'), MaintenanceOptions(full=True), wait=None)
    expected = place.files()
    runs = 0
    for target in range(1, points + 1):
        for how in ('killed after', 'EIO once', *(['ENOSPC from then on'] if target % 4 == 0 else [])):
            place.begin_anew()
            try:
                if how == 'killed after':
                    died, _ = killed(lambda: _well(place), target)
                    assert died
                else:
                    once = how == 'EIO once'
                    code = fail_at(place, target, errno.EIO if once else errno.ENOSPC, not once)
                    assert code not in (98, 99)
                    assert (code == 0) <= is_set_up(), f'ended with {code}, and there is no profile'
                    if code and once:
                        assert not is_set_up(), f'ended with {code}, and there is a profile'
                check(place, expected)
            except BaseException as error:
                error.add_note(f'{how} change {target} of {points}')
                raise
            runs += 1
    return {'points': points, 'runs': runs}


def _well(place: Place) -> None:
    code = place.run()
    assert code == 0, place.told.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('work', choices=WORKS)
    parser.add_argument('folder', type=Path)
    arguments = parser.parse_args()
    database = os.environ['CRASH_DATABASE'] if arguments.work == 'psql' else None
    place = Place(arguments.folder / 'now', WORKS[arguments.work], database)
    print(json.dumps(crash_everywhere(place)))


if __name__ == '__main__':
    main()
