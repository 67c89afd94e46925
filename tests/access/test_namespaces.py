"""Processes in other PID namespaces (containers): at work they count as live, ended they block nobody."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from tests.access.conftest import CHILD, Child, sidecars

from deadlines import DEADLINE
from ricordi.access import ProfileAccessManager
from ricordi.access.namespaces import INITIAL_NAMESPACE, OtherNamespaces, Sought
from ricordi.access.process import Machine
from ricordi.access.writers import has_writer
from ricordi.config import load_config
from ricordi.errors import LockingProfileError

UNSHARE = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child']

AIIDA = """
import os, sys, psutil
from pathlib import Path
folder = Path(sys.argv[1])
(folder / f'{os.getpid()}.pid').write_text(str(psutil.Process().cmdline()))
print(os.getpid(), flush=True)
input()
"""
"""Writes the record that AiiDA writes."""

Start = Callable[..., Child]


def can_unshare() -> bool:
    return (
        shutil.which('unshare') is not None and subprocess.run([*UNSHARE, 'true'], capture_output=True).returncode == 0
    )


pytestmark = pytest.mark.skipif(not can_unshare(), reason='no PID namespace can be made here')


@pytest.fixture
def start() -> Iterator[Start]:
    """Runs Python in a process of its own, in a PID namespace of its own or in ours: `start(True, code, *args)`."""
    children: list[Child] = []

    def run(contained: bool, code: str, *args: object, python: str = sys.executable) -> Child:
        process = subprocess.Popen(
            [*(UNSHARE if contained else []), python, '-c', code, *map(str, args)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        children.append(Child(process))
        return children[-1]

    yield run
    for child in children:
        for inner in psutil.Process(child.pid).children() if child.process.poll() is None else []:
            with suppress(psutil.NoSuchProcess):  # one that a test has left to itself may end in this moment
                inner.kill()
        child.kill()


def visible_pid(child: Child) -> int:
    """The process ID that a contained process has here."""
    (inner,) = psutil.Process(child.pid).children()
    return inner.pid


def kill_contained(child: Child) -> None:
    psutil.Process(visible_pid(child)).kill()
    child.process.wait()


def says(child: Child) -> str:
    assert child.process.stdout is not None
    return child.process.stdout.readline().strip()


# AiiDA's records -------------------------------------------------------------------------------------------


def test_aiida_at_work_in_a_container_keeps_the_lock_out_and_is_named(
    access: ProfileAccessManager, records: Path, start: Start
) -> None:
    aiida = start(True, AIIDA, records)
    assert says(aiida) == '1'
    with pytest.raises(LockingProfileError, match=f'process {visible_pid(aiida)} '), access.lock():
        pass
    assert (records / '1.pid').exists()


@pytest.mark.skipif(Machine.here().namespace != INITIAL_NAMESPACE, reason='sees a part of the processes only')
def test_aiida_that_has_ended_in_a_container_blocks_nobody_outside(
    access: ProfileAccessManager, records: Path, start: Start
) -> None:
    aiida = start(True, AIIDA, records)
    assert says(aiida) == '1'
    kill_contained(aiida)
    with access.lock():
        assert not (records / '1.pid').exists()


def test_a_process_that_ends_while_it_is_looked_for_is_not_taken_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elsewhere = OtherNamespaces('another')
    monkeypatch.setattr('ricordi.access.namespaces.command_line', lambda pid: [])
    with subprocess.Popen([sys.executable, '-c', 'import sys; sys.stdin.read()'], stdin=subprocess.PIPE) as process:
        monkeypatch.setitem(elsewhere.__dict__, '_inhabitants', {1: [process.pid]})
        assert elsewhere.find(Sought(1, "['verdi']", os.getuid(), time.time())) == process.pid  # its name is hidden
    assert elsewhere.find(Sought(1, "['verdi']", os.getuid(), time.time())) is None


INSIDE = """
storage = {'backend': 'core.sqlite_dos', 'config': {'filepath': sys.argv[2]}}
access = ProfileAccessManager(Profile('main', {'storage': storage}), Path(sys.argv[1]))
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """The database of a storage."""
    (tmp_path / 'storage').mkdir()
    (tmp_path / 'storage' / 'database.sqlite').write_text('')
    return tmp_path / 'storage' / 'database.sqlite'


def age(record: Path, seconds: float = 20.0) -> None:
    """Make a record look as if it had been written a while ago, by a process that is as old."""
    os.utime(record, (time.time() - seconds,) * 2)


def test_aiida_outside_is_live_for_who_looks_from_inside_a_container_while_it_has_the_database_open(
    records: Path, home: Path, start: Start, database: Path
) -> None:
    aiida = start(False, AIIDA, records)
    assert says(aiida) == str(aiida.pid)
    code = CHILD + INSIDE + 'with access.lock(): say("in")'
    age(records / f'{aiida.pid}.pid', -DEADLINE)  # who looks may take long to come to it
    at_work = start(True, code, home, database.parent)
    assert at_work.ends() == 1  # it may be about to open the database
    age(records / f'{aiida.pid}.pid')
    with database.open('r+b'):
        at_work = start(True, code, home, database.parent)
        assert at_work.ends() == 1
        assert at_work.process.stderr is not None
        assert 'cannot be checked from here' in at_work.process.stderr.read()
        assert (records / f'{aiida.pid}.pid').exists()
        clears = CHILD + INSIDE + 'say(len(access.clear_locks(foreign=True)))'
        assert says(start(True, clears, home, database.parent)) == '1'


def test_what_aiida_left_behind_blocks_nobody_in_a_container_where_the_database_is_not_open(
    records: Path, home: Path, start: Start, database: Path
) -> None:
    for name in ('4000000.pid', '4000001.lock'):
        (records / name).write_text('' if name.endswith('lock') else "['verdi']")
    age(records / '4000000.pid')
    assert start(True, CHILD + INSIDE + 'with access.lock(): say("in")', home, database.parent).ends() == 0


def test_a_file_that_is_open_for_writing_is_told_from_one_that_is_not(database: Path) -> None:
    assert has_writer(database) is False
    with database.open('rb'):
        assert has_writer(database) is False
    with database.open('r+b'):
        assert has_writer(database) is True
    assert has_writer(database) is False
    assert has_writer(database.with_name('none')) is False


def test_a_record_from_before_the_last_boot_blocks_nobody_in_a_container(
    records: Path, home: Path, start: Start, database: Path
) -> None:
    record = records / '4000000.pid'
    record.write_text("['verdi']")
    os.utime(record, (psutil.boot_time() - 3600,) * 2)
    with database.open('r+b'):
        assert start(True, CHILD + INSIDE + 'with access.lock(): pass', home, database.parent).ends() == 0


def test_a_record_of_a_namesake_in_another_container_is_there_again_after(
    access: ProfileAccessManager, records: Path, home: Path, start: Start
) -> None:
    aiida = start(True, AIIDA, records)
    assert says(aiida) == '1'
    content = (records / '1.pid').read_text()
    user = start(
        True, CHILD + 'access.request_access(); say("in"); input(); access.release(); say("out"); input()', home
    )
    user.hears('in')
    user.tell()
    user.hears('out')
    assert (records / '1.pid').read_text() == content
    with pytest.raises(LockingProfileError, match=f'process {visible_pid(aiida)} '), access.lock():
        pass


# records of Ricordi's --------------------------------------------------------------------------------------


@pytest.mark.parametrize('what', ['access', 'lock'])
def test_ours_in_a_container_is_live_until_it_ends_however_it_ends(
    access: ProfileAccessManager, records: Path, home: Path, start: Start, what: str
) -> None:
    code = {
        'access': 'access.request_access("testing"); say("in"); input()',
        'lock': 'with access.lock(purpose="testing"): say("in"); input()',
    }[what]
    child = start(True, CHILD + code, home)
    child.hears('in')
    assert [(holder.pid, holder.state, holder.own) for holder in access.holders()] == [(1, 'live', False)]
    assert access.clear_locks(foreign=True) == []
    with pytest.raises(Exception, match='for testing'), access.lock():
        pass
    kill_contained(child)
    with access.lock(wait=DEADLINE):
        pass
    assert sidecars(records) == []


def test_ours_that_was_killed_outside_blocks_nobody_in_a_container(home: Path, records: Path, start: Start) -> None:
    for code in ('access.request_access()', 'with access.lock()'):
        child = start(
            False, CHILD + code.replace('()', '()', 1) + (': ' if 'with' in code else '; ') + 'say(1); input()', home
        )
        child.hears('1')
        child.kill_with_watchdog()
        assert list(records.glob('*.json'))
        assert start(True, CHILD + 'with access.lock(): pass', home).ends() == 0


def test_two_of_ours_with_the_same_number_in_two_containers_see_each_other(
    home: Path, records: Path, start: Start
) -> None:
    first = start(True, CHILD + 'access.request_access(); say("in"); input()', home)
    first.hears('in')
    second = start(True, CHILD + 'with access.lock(): pass', home)
    assert second.ends() == 1
    first.tell()
    first.ends()
    assert start(True, CHILD + 'with access.lock(): pass', home).ends() == 0


# with aiida-core -------------------------------------------------------------------------------------------

USES = """
from aiida import load_profile
from aiida.manage import get_manager
load_profile('mixed')
get_manager().get_profile_storage()
print('in', flush=True)
input()
"""


@pytest.mark.interop
def test_a_real_aiida_in_a_container_keeps_full_maintenance_out(
    reference_home: Path, aiida_python: str, start: Start
) -> None:
    aiida = start(True, USES, python=aiida_python)
    assert says(aiida) == 'in'
    profile = load_config().get_profile('mixed')
    with (
        pytest.raises(LockingProfileError, match=f'process {visible_pid(aiida)} '),
        ProfileAccessManager(profile).lock(),
    ):
        pass
