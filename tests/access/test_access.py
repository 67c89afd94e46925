"""Shared access and the exclusive lock among processes of Ricordi."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from deadlines import wait_until
from ricordi.access import ProfileAccessManager
from ricordi.config import Profile
from ricordi.errors import (
    ConfigurationError,
    Interrupted,
    LockedProfileError,
    LockingProfileError,
    ProfileConfigurationError,
    UnrecordableUse,
)
from ricordi.progress import Stop

Run = Callable[..., Any]


def record_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix in ('.pid', '.lock', '.json', '.tmp'))


# access ----------------------------------------------------------------------------------------------------


def test_access_leaves_a_record_in_aiidas_form(access: ProfileAccessManager, records: Path) -> None:
    access.request_access()
    assert (records / f'{os.getpid()}.pid').read_text() == str(psutil.Process().cmdline())
    assert access.is_active()
    assert not access.is_locked()


def test_release_removes_the_record(access: ProfileAccessManager, records: Path) -> None:
    access.request_access()
    access.release()
    assert record_names(records) == []
    assert not access.is_active()
    access.release()


def test_access_of_one_process_counts_as_one_and_ends_with_the_last_release(
    profile: Profile, home: Path, records: Path
) -> None:
    first, second = ProfileAccessManager(profile, home), ProfileAccessManager(profile, home)
    first.request_access()
    first.request_access()
    second.request_access()
    first.release()
    assert (records / f'{os.getpid()}.pid').exists()
    second.release()
    assert record_names(records) == []


def test_the_record_is_removed_at_the_end_of_the_process(run: Run, records: Path) -> None:
    run('access.request_access()').ends()
    assert record_names(records) == []


def test_the_record_is_removed_at_the_end_of_a_worker_of_multiprocessing(run: Run, records: Path) -> None:
    child = run(
        'import multiprocessing\n'
        "worker = multiprocessing.get_context('fork').Process(target=access.request_access)\n"
        'worker.start(); worker.join(); sys.exit(worker.exitcode)'
    )
    assert child.ends() == 0
    assert record_names(records) == []


def test_many_may_have_access_at_a_time(access: ProfileAccessManager, user: Any) -> None:
    access.request_access()
    assert len(access.holders()) == 2


def test_access_is_refused_while_the_profile_is_locked(access: ProfileAccessManager, locker: Any) -> None:
    with pytest.raises(LockedProfileError) as caught:
        access.request_access()
    assert caught.value.exit_code == 5
    for told in (f'process {locker.pid} ', 'user ', 'command `', 'since ', 'for testing', "'main'"):
        assert told in str(caught.value)


def test_access_waits_for_a_lock_to_end_if_asked_to(access: ProfileAccessManager, locker: Any) -> None:
    threading.Timer(0.5, locker.tell).start()
    access.request_access(wait=240)
    assert access.is_active()


def test_holders_tell_who_since_when_and_what_for(access: ProfileAccessManager, user: Any) -> None:
    (holder,) = access.holders()
    assert (holder.pid, holder.kind, holder.state, holder.purpose) == (user.pid, 'access', 'live', 'testing')
    assert holder.command.startswith(sys.executable)
    assert holder.since is not None
    assert abs(holder.since.timestamp() - time.time()) < 900  # less than any mistake with time zones


def test_a_name_that_would_leave_the_folder_is_refused(home: Path) -> None:
    profile = Profile('../../x', {'storage': {'backend': 'x', 'config': {}}}, validate=False)
    with pytest.raises(ProfileConfigurationError):
        ProfileAccessManager(profile, home)


# lock ------------------------------------------------------------------------------------------------------


def test_the_lock_leaves_a_record_for_its_length(access: ProfileAccessManager, records: Path) -> None:
    with access.lock(purpose='testing'):
        assert (records / f'{os.getpid()}.lock').read_bytes() == b''
        assert access.is_locked()
        assert access.holds_lock()
    assert record_names(records) == []
    assert not access.is_locked()


def test_the_lock_ends_with_an_error_too(access: ProfileAccessManager, records: Path) -> None:
    with pytest.raises(KeyError), access.lock():
        raise KeyError
    assert record_names(records) == []


def test_the_lock_is_refused_while_others_use_the_profile(access: ProfileAccessManager, user: Any) -> None:
    with pytest.raises(LockingProfileError, match=rf'process {user.pid} .*for testing') as caught, access.lock():
        pass
    assert caught.value.exit_code == 5


def test_the_lock_is_refused_while_others_have_it(access: ProfileAccessManager, locker: Any) -> None:
    with pytest.raises(LockedProfileError, match=f'process {locker.pid} '), access.lock():
        pass


def test_the_lock_waits_for_others_to_leave_if_asked_to(access: ProfileAccessManager, user: Any) -> None:
    threading.Timer(0.5, user.tell).start()
    with access.lock(wait=240):
        assert access.is_locked()


def test_the_lock_waits_no_longer_than_asked_to(access: ProfileAccessManager, user: Any) -> None:
    begin = time.monotonic()
    with pytest.raises(LockingProfileError), access.lock(wait=0.5):
        pass
    assert time.monotonic() - begin > 0.4
    assert user.process.poll() is None


def test_waiting_ends_when_it_is_told_to_stop(access: ProfileAccessManager, user: Any) -> None:
    stop = Stop()
    threading.Timer(0.3, stop.request, ['SIGTERM']).start()
    with pytest.raises(Interrupted, match='SIGTERM'), access.lock(wait=240, stop=stop):
        pass


def test_own_access_does_not_stand_in_the_way_of_the_lock_and_is_there_again_after(
    access: ProfileAccessManager, run: Run, records: Path
) -> None:
    access.request_access()
    with access.lock():
        run("access.request_access(wait=0.1); say('in')").process.wait()
        assert record_names(records) != []
    assert (records / f'{os.getpid()}.pid').exists()
    other = run('with access.lock(): pass')
    assert other.ends() == 1
    assert f'process {os.getpid()} ' in other.process.stderr.read()


def test_own_access_survives_a_lock_that_was_refused(access: ProfileAccessManager, user: Any, run: Run) -> None:
    access.request_access()
    with pytest.raises(LockingProfileError), access.lock():
        pass
    user.tell()
    user.ends()
    assert run('with access.lock(): pass').ends() == 1


def test_access_asked_for_within_the_lock_lasts_beyond_it(profile: Profile, home: Path, run: Run) -> None:
    first, second = ProfileAccessManager(profile, home), ProfileAccessManager(profile, home)
    with first.lock():
        second.request_access()
    assert run('with access.lock(): pass').ends() == 1
    second.release()
    assert run('with access.lock(): pass').ends() == 0


def test_two_users_that_both_ask_for_the_lock_do_not_wait_for_ever(run: Run) -> None:
    code = (
        "access.request_access(); say('in'); input()\n"
        'from ricordi.errors import LockingProfileError, LockedProfileError\n'
        'try:\n'
        '    with access.lock(wait=1): pass\n'
        'except (LockingProfileError, LockedProfileError): sys.exit(5)\n'
    )
    children = [run(code), run(code)]
    for child in children:
        child.hears('in')
    for child in children:
        child.tell()
    assert [child.ends() for child in children] in ([5, 5], [5, 0], [0, 5])


def test_the_lock_cannot_be_taken_twice_by_one_thread(access: ProfileAccessManager) -> None:
    with access.lock(), pytest.raises(LockedProfileError, match='this very process'), access.lock(wait=800):
        pass


def test_another_thread_of_the_process_is_kept_out(access: ProfileAccessManager, profile: Profile, home: Path) -> None:
    refused = []

    def try_in() -> None:
        for attempt in (ProfileAccessManager(profile, home).request_access, ProfileAccessManager(profile, home).lock):
            try:
                result = attempt()
                if result is not None:
                    with result:
                        pass
            except LockedProfileError as error:
                refused.append(error)

    with access.lock():
        thread = threading.Thread(target=try_in)
        thread.start()
        thread.join()
    assert len(refused) == 2


# guards ----------------------------------------------------------------------------------------------------


def test_guards_are_held_within_the_lock(access: ProfileAccessManager) -> None:
    events = []

    @contextmanager
    def guard() -> Iterator[None]:
        events.append(('enter', access.is_locked()))
        yield
        events.append(('leave', access.is_locked()))

    with access.lock(guards=[guard]):
        events.append(('inside', True))
    assert events == [('enter', True), ('inside', True), ('leave', True)]


def test_the_lock_asks_its_guards_whether_they_still_hold(access: ProfileAccessManager) -> None:
    lost: list[str] = []

    @contextmanager
    def guard() -> Iterator[Callable[[], None]]:
        def check() -> None:
            if lost:
                raise LockingProfileError(lost[0])

        yield check

    with access.lock(guards=[guard, nullcontext]) as check:
        check()
        lost.append('others have come in')
        with pytest.raises(LockingProfileError, match='others have come in'):
            check()
    with access.lock() as check:
        check()


def test_a_guard_that_refuses_is_waited_for(access: ProfileAccessManager, records: Path) -> None:
    attempts = []

    @contextmanager
    def guard() -> Iterator[None]:
        attempts.append(1)
        if len(attempts) < 3:
            raise LockingProfileError('somebody is connected')
        yield

    with access.lock(wait=240, guards=[guard]):
        assert len(attempts) == 3
    attempts.clear()
    with pytest.raises(LockingProfileError, match='somebody is connected'), access.lock(guards=[guard]):
        pass
    assert record_names(records) == []


# processes that die ----------------------------------------------------------------------------------------


@pytest.mark.parametrize('who', ['user', 'locker'])
def test_a_killed_holder_keeps_nobody_out(
    access: ProfileAccessManager, records: Path, who: str, request: pytest.FixtureRequest
) -> None:
    child = request.getfixturevalue(who)
    child.kill_with_watchdog()
    assert [holder.state for holder in access.holders()] == ['stale']
    assert not access.is_locked()
    assert not access.is_active()
    with access.lock():
        pass
    assert record_names(records) == []


def test_a_killed_locker_does_not_keep_users_out(access: ProfileAccessManager, locker: Any, records: Path) -> None:
    locker.kill_with_watchdog()
    access.request_access()
    assert not list(records.glob('*.lock'))


def test_the_record_of_a_killed_locker_goes_by_itself_for_aiida_would_never_remove_it(
    locker: Any, records: Path
) -> None:
    locker.kill()
    wait_until(lambda: record_names(records) == [], 'the record goes')


def test_a_forked_child_of_a_killed_locker_does_not_keep_its_record_alive(run: Run, records: Path) -> None:
    locker = run(
        'import os, time\n'
        'with access.lock():\n'
        '    child = os.fork()\n'
        '    if child == 0: time.sleep(600); os._exit(0)\n'
        '    say("in"); input()'
    )
    locker.hears('in')
    children = psutil.Process(locker.pid).children()
    try:
        locker.kill()
        wait_until(lambda: record_names(records) == [], 'the record goes')
        assert run('with access.lock(): pass').ends() == 0
    finally:
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()


def test_a_lock_leaves_no_process_behind(access: ProfileAccessManager) -> None:
    with access.lock():
        assert any('ricordi-lock-watchdog' in child.cmdline() for child in psutil.Process().children())
    assert not any('ricordi-lock-watchdog' in child.cmdline() for child in psutil.Process().children())


def test_a_zombie_is_taken_for_dead(access: ProfileAccessManager, locker: Any) -> None:
    locker.process.send_signal(9)
    wait_until(lambda: psutil.Process(locker.pid).status() == psutil.STATUS_ZOMBIE, 'the locker has ended')
    access.request_access()


# fork ------------------------------------------------------------------------------------------------------


def in_child(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:
            os.write(2, f'{type(error).__name__}: {error}\n'.encode())
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_forked_child_never_removes_the_record_of_its_parent(access: ProfileAccessManager, records: Path) -> None:
    access.request_access()
    assert in_child(access.release) == 0
    assert (records / f'{os.getpid()}.pid').exists()


def test_a_forked_child_has_a_record_of_its_own(access: ProfileAccessManager, records: Path) -> None:
    access.request_access()

    def work() -> None:
        assert not access.has_access()
        access.request_access()
        assert (records / f'{os.getpid()}.pid').exists()
        access.release()

    assert in_child(work) == 0
    assert record_names(records) != []


def test_a_forked_child_that_leaves_the_lock_leaves_it_to_its_parent(
    access: ProfileAccessManager, run: Run, records: Path
) -> None:
    with access.lock():
        child = os.fork()
        if child == 0:
            break_out = True
        else:
            break_out = False
            os.waitpid(child, 0)
            assert (records / f'{os.getpid()}.lock').exists()
            assert run('access.request_access()').ends() == 1
    if break_out:
        os._exit(0)
    assert record_names(records) == []


def test_what_the_parent_opened_is_protected_as_long_as_its_child_runs(run: Run, access: ProfileAccessManager) -> None:
    parent = run(
        'import os, time\n'
        'access.request_access()\n'
        'if os.fork() == 0:\n'
        '    say("forked"); time.sleep(600); os._exit(0)\n'
        'access.release(); input(); os._exit(0)'
    )
    parent.hears('forked')
    (child,) = psutil.Process(parent.pid).children()
    parent.tell()
    parent.ends()
    try:
        with pytest.raises(LockingProfileError, match=f'process {child.pid}.*from its parent'), access.lock():
            pass
    finally:
        child.kill()
    with access.lock(wait=240):
        pass


# bad folders -----------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can become another user')
@pytest.mark.parametrize('what', ['access', 'lock'])
def test_a_folder_that_cannot_be_written_is_named(home: Path, records: Path, profile: Profile, what: str) -> None:
    for folder in (records, *records.parents):
        if folder.stat().st_uid == os.geteuid() and len(folder.parts) > 2:
            folder.chmod(0o755)

    def work() -> None:
        os.setuid(65534)
        manager = ProfileAccessManager(profile, home)
        attempt = manager.request_access if what == 'access' else ExitStack().enter_context
        with pytest.raises(ConfigurationError, match='make the folder writable') as caught:
            attempt(*([] if what == 'access' else [manager.lock()]))
        assert str(records) in str(caught.value)
        assert manager.holders() == []

    assert in_child(work) == 0


def test_a_full_disk_is_told_from_a_folder_that_may_not_be_written(
    access: ProfileAccessManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(os, 'mkdir', full)
    with pytest.raises(ConfigurationError, match='free some space'):
        access.request_access()


def test_a_file_system_that_gives_no_locks_is_told_as_that(
    access: ProfileAccessManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, 'No locks available')

    monkeypatch.setattr(fcntl, 'flock', refused)
    with pytest.raises(UnrecordableUse, match='mounted with locks'):
        access.request_access()


def test_looking_makes_no_folder(access: ProfileAccessManager, home: Path) -> None:
    assert access.holders() == []
    assert not access.is_locked()
    assert not home.exists()


# the hundred -----------------------------------------------------------------------------------------------

CONTENDER = """
import os
inside = Path(sys.argv[2])
with access.lock(wait=800):
    descriptor = os.open(inside, os.O_CREAT | os.O_EXCL)
    os.close(descriptor)
    if int(sys.argv[3]) % 10 == 7:
        inside.unlink()
        os.kill(os.getpid(), 9)
    inside.unlink()
"""


@pytest.mark.slow
def test_a_hundred_processes_after_one_lock_never_two_inside(
    run: Run, tmp_path: Path, records: Path, access: ProfileAccessManager
) -> None:
    children = [run(CONTENDER, str(tmp_path / 'inside'), str(number)) for number in range(100)]
    codes = [child.process.wait(timeout=850) for child in children]
    assert [code for number, code in enumerate(codes) if number % 10 != 7] == [0] * 90
    assert [code for number, code in enumerate(codes) if number % 10 == 7] == [-9] * 10
    with access.lock():
        pass
    assert record_names(records) == []


@pytest.mark.slow
def test_users_and_lockers_are_never_inside_together(run: Run, tmp_path: Path) -> None:
    marks = tmp_path / 'marks'
    marks.mkdir()
    user = """
import os, time
mark = Path(sys.argv[2]) / f'user-{os.getpid()}'
for turn in range(15):
    access.request_access(wait=800)
    mark.touch()
    assert not list(mark.parent.glob('locker-*'))
    mark.unlink()
    access.release()
    time.sleep(0.01)
"""
    locker = """
import os, time
mark = Path(sys.argv[2]) / f'locker-{os.getpid()}'
for turn in range(5):
    with access.lock(wait=800):
        mark.touch()
        assert [path.name for path in mark.parent.iterdir()] == [mark.name]
        mark.unlink()
    time.sleep(0.01)
"""
    children = [run(code, str(marks)) for code in (user, locker) for _ in range(6)]
    for child in children:
        assert child.process.wait(timeout=850) == 0, child.process.stderr.read()


def test_asking_for_access_is_cheap(access: ProfileAccessManager) -> None:
    code = (
        'import sys, ricordi.access; '
        "print([name for name in ('sqlite3', 'psutil', 'filelock', 'sqlalchemy', 'click') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'
