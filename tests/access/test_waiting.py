"""Who waits for the lock of a storage goes first; newcomers are held back for a moment, and told."""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.access.conftest import Child

from deadlines import wait_until
from ricordi.access import ProfileAccessManager
from ricordi.access.waiting import AccessTimes
from ricordi.config import Profile
from ricordi.errors import HeldBack, LockedProfileError, LockingProfileError

Run = Callable[..., Child]

SOON = AccessTimes(giving_way=1.0)
CHILD = """
import time
from ricordi.access.waiting import AccessTimes
times = AccessTimes(*map(float, sys.argv[4:]))
storage = {'backend': 'core.sqlite_dos', 'config': {'filepath': sys.argv[2]}}
access = ProfileAccessManager(Profile(sys.argv[3], {'storage': storage}), Path(sys.argv[1]), times)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a storage, as far as the lock asks for it."""
    (tmp_path / 'storage' / 'container').mkdir(parents=True)
    (tmp_path / 'storage' / 'container' / 'config.json').write_text('{}')
    return tmp_path / 'storage'


def named(name: str, folder: Path, home: Path) -> ProfileAccessManager:
    config = {'storage': {'backend': 'core.sqlite_dos', 'config': {'filepath': str(folder)}}}
    return ProfileAccessManager(Profile(name, config), home, SOON)


@pytest.fixture
def access(folder: Path, home: Path) -> Any:
    """Access to the storage by the name `one`."""
    manager = named('one', folder, home)
    yield manager
    manager.release()


@pytest.fixture
def start(run: Run, folder: Path) -> Run:
    """Runs code in a process of its own, which has the storage by a name: `start('two', 'access.lock()')`."""
    return lambda name, code, *times: run(CHILD + code, str(folder), name, *map(str, times))


WAITS = "say('waits')\nwith access.lock(wait=500, purpose='a great cleaning'): say('in'); input()"


def wait_until_it_stands_at_the_gate(folder: Path) -> None:
    def tells_who() -> bool:
        with suppress(FileNotFoundError):
            return bool((folder / 'container' / 'ricordi.gate').read_text())
        return False

    wait_until(tells_who, 'somebody stands at the gate')  # whose note is written last


def container_holds(folder: Path) -> set[str]:
    return {path.name for path in (folder / 'container').iterdir()} - {'config.json', 'ricordi.access'}


def test_the_lock_is_had_though_users_come_and_go_by_several_names(start: Run, folder: Path) -> None:
    uses = (
        'import itertools, time\nfor turn in itertools.count():\n'
        '    access.request_access(); time.sleep(0.2); access.release()\n'
        "    if turn == 0: say('uses')"
    )
    users = [start(name, uses) for name in ('one', 'two', 'three', 'four')]
    for user in users:
        user.hears('uses')
    waiter = start('five', "with access.lock(wait=240): say('in')")
    waiter.hears('in')
    assert waiter.ends() == 0


def test_a_newcomer_is_told_who_goes_first_and_goes_on_after_a_moment(
    access: ProfileAccessManager, start: Run, folder: Path
) -> None:
    user = start('two', "access.request_access(); say('in'); input()")
    user.hears('in')
    waiter = start('three', WAITS, 1.0, 10.0, 1000.0)  # it reserves for longer than this may take
    waiter.hears('waits')
    wait_until_it_stands_at_the_gate(folder)
    begin = time.monotonic()
    with pytest.warns(HeldBack, match=rf'process {waiter.pid} .*for a great cleaning') as told:
        access.request_access()
    assert time.monotonic() - begin > 0.9
    assert len(told) == 1
    with pytest.raises(LockingProfileError, match=f'process {waiter.pid} '), access.lock():
        pass  # there is a queue
    user.tell()
    access.release()
    waiter.hears('in')
    with pytest.raises(LockedProfileError, match=f'process {waiter.pid} '):
        access.request_access()


def test_who_has_access_already_is_not_held_back(
    access: ProfileAccessManager, start: Run, folder: Path, home: Path
) -> None:
    access.request_access()
    waiter = start('two', WAITS)
    waiter.hears('waits')
    wait_until_it_stands_at_the_gate(folder)
    again = [named('one', folder, home), named('three', folder, home)]
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        for manager in again:
            manager.request_access()
    for manager in again:
        manager.release()
    access.release()
    waiter.hears('in')


def test_a_waiting_process_that_is_killed_holds_nobody_back(
    access: ProfileAccessManager, start: Run, folder: Path, home: Path
) -> None:
    user = start('two', "access.request_access(); say('in'); input()")
    user.hears('in')
    waiter = start('three', WAITS)
    waiter.hears('waits')
    wait_until_it_stands_at_the_gate(folder)
    waiter.kill()
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        access.request_access()
    access.release()
    user.tell()
    with access.lock(wait=240):
        pass
    assert container_holds(folder) == set()


def test_a_waiting_process_holds_newcomers_back_in_turns_only(
    access: ProfileAccessManager, start: Run, folder: Path
) -> None:
    user = start('two', "access.request_access(); say('in'); input()")
    user.hears('in')
    waiter = start('three', WAITS, 1.0, 10.0, 0.7)  # it reserves for 0.7 s
    waiter.hears('waits')
    wait_until_it_stands_at_the_gate(folder)

    def comes_in_freely() -> bool:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter('always')
            access.request_access()
        access.release()
        return not told

    wait_until(comes_in_freely, 'a newcomer comes in without being held back')


def test_a_waiting_process_that_gives_up_leaves_nothing(access: ProfileAccessManager, start: Run, folder: Path) -> None:
    user = start('two', "access.request_access(); say('in'); input()")
    user.hears('in')
    with pytest.raises(LockingProfileError, match=f'process {user.pid} '), access.lock(wait=0.3):
        pass
    assert container_holds(folder) == set()
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        access.request_access()


# the lock of the storage -----------------------------------------------------------------------------------


def test_the_lock_by_one_name_is_a_lock_by_every_name(access: ProfileAccessManager, start: Run) -> None:
    locker = start('two', "with access.lock(purpose='cleaning'): say('in'); input()")
    locker.hears('in')
    for attempt in (access.request_access, lambda: access.lock().__enter__()):
        with pytest.raises(LockedProfileError, match=rf'process {locker.pid} .*for cleaning'):
            attempt()
    assert access.is_locked()
    locker.kill_with_watchdog()
    with access.lock():
        assert [holder.pid for holder in access.holders()] == [os.getpid()]
    assert access.holders() == []


def test_access_by_one_name_keeps_the_lock_out_by_every_name(access: ProfileAccessManager, start: Run) -> None:
    user = start('two', "access.request_access('testing'); say('in'); input()")
    user.hears('in')
    assert access.is_active()
    with pytest.raises(LockingProfileError, match=rf'process {user.pid} .*for testing'), access.lock():
        pass
    user.kill()
    with access.lock():
        pass


def test_access_by_one_name_does_not_keep_this_very_process_from_locking_by_another(
    access: ProfileAccessManager, start: Run, folder: Path, home: Path
) -> None:
    access.request_access()
    with named('two', folder, home).lock():
        assert start('three', 'access.request_access()').ends() == 1
    assert start('three', 'with access.lock(): pass').ends() == 1
    assert start('three', 'access.request_access()').ends() == 0
    access.release()
    assert start('three', 'with access.lock(): pass').ends() == 0


def test_another_thread_is_kept_out_by_every_name(access: ProfileAccessManager, folder: Path, home: Path) -> None:
    refused: list[Exception] = []

    def try_in() -> None:
        try:
            named('two', folder, home).request_access()
        except LockedProfileError as error:
            refused.append(error)

    with access.lock():
        thread = threading.Thread(target=try_in)
        thread.start()
        thread.join()
    assert len(refused) == 1


def test_users_that_both_ask_for_the_lock_lose_nothing_of_what_they_have(start: Run, folder: Path, home: Path) -> None:
    """While one gives up shared access for the lock, and gets it back, nobody has the storage alone in between."""
    code = """
from ricordi.errors import AccessError
access.request_access(); say('in'); input()
while True:
    try:
        with access.lock(): sys.exit(3)
    except AccessError: pass
"""
    both = [start('one', code), start('two', code)]
    for child in both:
        child.hears('in')
    for child in both:
        child.tell()
    outsider, alone = named('three', folder, home), 0
    end = time.monotonic() + 2
    while time.monotonic() < end:
        try:
            with outsider.lock():
                alone += 1
        except (LockingProfileError, LockedProfileError):
            pass
    assert alone == 0
    assert [child.process.poll() for child in both] == [None, None]


def test_a_forked_child_keeps_the_storage_protected_that_its_parent_opened(
    access: ProfileAccessManager, start: Run
) -> None:
    parent = start(
        'two',
        'import os\naccess.request_access()\n'
        'if os.fork() == 0:\n    say("forked"); time.sleep(600); os._exit(0)\n'
        'access.release(); input(); os._exit(0)',
    )
    import psutil

    parent.hears('forked')
    (child,) = psutil.Process(parent.pid).children()
    parent.tell()
    parent.ends()
    try:
        with pytest.raises(LockingProfileError, match=f'process {child.pid}'), access.lock():
            pass
    finally:
        child.kill()
    with access.lock(wait=240):
        pass


def test_a_container_in_which_nothing_can_be_written_is_locked_all_the_same(
    access: ProfileAccessManager, start: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / 'container' / 'ricordi.access').write_text('no folder')  # stands in the way of the records
    user = start('two', "access.request_access(); say('in'); input()")
    user.hears('in')
    with pytest.raises(LockingProfileError, match=f'process {user.pid}'), access.lock():
        pass
    user.tell()
    user.ends()
    with access.lock():
        assert start('two', 'access.request_access()').ends() == 1
