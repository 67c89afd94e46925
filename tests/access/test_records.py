"""Live and stale records told apart: whatever cannot be checked counts as live."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.access.conftest import rewrite_sidecar, sidecars

from deadlines import wait_until
from ricordi.access import Holder, ProfileAccessManager
from ricordi.access.process import Machine, existence, own_command_line, start_time, start_token
from ricordi.errors import LockedProfileError, LockingProfileError

Run = Callable[..., Any]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that knows nothing of profiles."""
    process = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', 'an argument'])
    wait_until(lambda: len(psutil.Process(process.pid).cmdline()) == 4, 'the program has begun')
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def dead_pid() -> int:
    """A process ID that belongs to nobody."""
    process = subprocess.Popen([sys.executable, '-c', ''])
    process.wait()
    return process.pid


def write(folder: Path, name: str, content: str = '', age: float = 0.0) -> Path:
    """A record as AiiDA writes it, `age` seconds ago."""
    path = folder / name
    path.write_text(content)
    then = time.time() - age
    os.utime(path, (then, then))
    return path


def the_one(access: ProfileAccessManager) -> Holder:
    (holder,) = access.holders()
    return holder


def assert_survives(access: ProfileAccessManager, path: Path) -> None:
    error = LockedProfileError if path.suffix == '.lock' else LockingProfileError
    with pytest.raises(error), access.lock():
        pass
    assert path.exists()


def assert_cleaned(access: ProfileAccessManager, path: Path) -> None:
    assert the_one(access).state == 'stale'
    with access.lock():
        assert not path.exists()


# records without a sidecar ---------------------------------------------------------------------------------


def test_a_record_of_a_process_that_runs_is_live(
    access: ProfileAccessManager, records: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    path = write(records, f'{sleeper.pid}.pid', str(psutil.Process(sleeper.pid).cmdline()))
    holder = the_one(access)
    assert (holder.pid, holder.state, holder.purpose) == (sleeper.pid, 'live', '')
    assert holder.command.endswith("'an argument'")
    assert_survives(access, path)


def test_a_lock_of_a_process_that_runs_is_live(
    access: ProfileAccessManager, records: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    path = write(records, f'{sleeper.pid}.lock')
    assert_survives(access, path)
    with pytest.raises(LockedProfileError, match=str(sleeper.pid)):
        access.request_access()


@pytest.mark.parametrize('name', ['{}.pid', '{}.lock'])
def test_a_record_of_a_process_that_is_gone_is_stale(
    access: ProfileAccessManager, records: Path, dead_pid: int, name: str
) -> None:
    assert_cleaned(access, write(records, name.format(dead_pid), "['/usr/bin/verdi', 'shell']"))


def test_a_stale_lock_does_not_keep_users_out(access: ProfileAccessManager, records: Path, dead_pid: int) -> None:
    path = write(records, f'{dead_pid}.lock')
    access.request_access()
    assert not path.exists()


def test_a_record_with_another_command_line_is_stale(
    access: ProfileAccessManager, records: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    assert_cleaned(access, write(records, f'{sleeper.pid}.pid', "['/usr/bin/verdi', 'shell']"))


@pytest.mark.parametrize('ending', ['pid', 'lock'])
def test_a_record_older_than_its_process_is_stale_for_the_process_id_was_used_again(
    access: ProfileAccessManager, records: Path, sleeper: subprocess.Popen[bytes], ending: str
) -> None:
    content = str(psutil.Process(sleeper.pid).cmdline())
    assert_cleaned(access, write(records, f'{sleeper.pid}.{ending}', content, age=3600))


@pytest.mark.parametrize('ending', ['pid', 'lock'])
def test_a_process_id_that_was_used_again_within_a_second_is_told(
    access: ProfileAccessManager, records: Path, sleeper: subprocess.Popen[bytes], ending: str
) -> None:
    started = start_time(sleeper.pid)
    assert started is not None
    path = write(records, f'{sleeper.pid}.{ending}', str(psutil.Process(sleeper.pid).cmdline()))
    os.utime(path, (started - 0.5, started - 0.5))
    assert_cleaned(access, path)


def test_a_start_is_known_to_a_hundredth_of_a_second() -> None:
    before = time.time()
    process = subprocess.Popen(['sleep', '60'])
    after = time.time()
    started = start_time(process.pid)
    process.kill()
    process.wait()
    assert started is not None
    assert before - 0.02 < started < after + 0.02


def test_a_start_is_known_though_something_comes_between_the_looks_at_two_clocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known, look, pauses = start_time(1), time.clock_gettime, [0.2, 0.0, 0.1]

    def after_a_pause(clock: int) -> float:
        time.sleep(pauses.pop())
        return look(clock)

    monkeypatch.setattr(time, 'clock_gettime', after_a_pause)
    assert start_time(1) == pytest.approx(known, abs=0.05)


def test_a_leftover_under_our_own_process_id_is_stale(access: ProfileAccessManager, records: Path) -> None:
    path = write(records, f'{os.getpid()}.lock', age=10**6)
    with access.lock():
        pass
    assert not path.exists()


@pytest.mark.parametrize('content', ['', '[', "['/usr/bin/python', 'x", 'no list at all', "'text'"])
def test_half_written_records_of_a_process_that_runs_survive(
    access: ProfileAccessManager, records: Path, sleeper: subprocess.Popen[bytes], content: str
) -> None:
    assert_survives(access, write(records, f'{sleeper.pid}.pid', content))


def test_a_record_that_is_not_text_survives(
    access: ProfileAccessManager, records: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    path = records / f'{sleeper.pid}.pid'
    path.write_bytes(b'\xff\x00\xfe')
    assert_survives(access, path)


@pytest.mark.parametrize('name', ['what.pid', '-1.pid', '0.pid', 'x.lock'])
def test_records_that_name_no_process_survive(access: ProfileAccessManager, records: Path, name: str) -> None:
    assert_survives(access, write(records, name))


def test_a_process_that_may_not_be_looked_at_counts_as_live(
    access: ProfileAccessManager,
    records: Path,
    sleeper: subprocess.Popen[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write(records, f'{sleeper.pid}.pid', "['another', 'command']", age=3600)

    def refuse(self: psutil.Process) -> None:
        raise psutil.AccessDenied(self.pid)

    for method in ('cmdline', 'create_time'):
        monkeypatch.setattr(psutil.Process, method, refuse)
    monkeypatch.setattr('ricordi.access.process._start_ticks', lambda pid: '')
    assert_survives(access, path)


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can become another user')
def test_a_process_of_another_user_is_live(records: Path, sleeper: subprocess.Popen[bytes]) -> None:
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        os._exit(0 if existence(sleeper.pid) == 'running' else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_thread_is_no_process(run: Run) -> None:
    child = run(
        'import threading, time\n'
        'thread = threading.Thread(target=time.sleep, args=(60,), daemon=True); thread.start()\n'
        'say(thread.native_id); input()'
    )
    number = int(child.process.stdout.readline())
    os.kill(number, 0)  # answers, and yet
    assert existence(number) == 'gone'


def test_a_record_that_belongs_to_aiida_in_this_very_process_stays(access: ProfileAccessManager, records: Path) -> None:
    path = write(records, f'{os.getpid()}.pid', str(own_command_line()))
    access.request_access()
    access.release()
    assert path.exists()


def test_a_record_that_aiida_in_this_very_process_replaced_stays(access: ProfileAccessManager, records: Path) -> None:
    access.request_access()
    write(records, f'{os.getpid()}.tmp', str(own_command_line())).rename(records / f'{os.getpid()}.pid')
    access.release()
    assert (records / f'{os.getpid()}.pid').exists()


# sidecars --------------------------------------------------------------------------------------------------


def test_a_record_of_another_host_counts_as_live_and_is_named_as_such(
    access: ProfileAccessManager, records: Path, user: Any
) -> None:
    rewrite_sidecar(sidecars(records)[0], host='elsewhere', boot='1', machine='2')
    user.kill()
    holder = the_one(access)
    assert (holder.state, holder.host) == ('foreign', 'elsewhere')
    assert access.is_active()
    with pytest.raises(LockingProfileError, match=r'on elsewhere.*cannot be checked from here'), access.lock():
        pass


def test_a_record_of_another_container_under_the_same_kernel_is_live_as_long_as_its_process_runs(
    access: ProfileAccessManager, records: Path, locker: Any
) -> None:
    rewrite_sidecar(sidecars(records)[0], namespace='pid:[1]')
    assert the_one(access).state == 'live'
    with pytest.raises(LockedProfileError, match=f'process {locker.pid} '):
        access.request_access()
    locker.kill_with_watchdog()
    assert the_one(access).state == 'stale'
    access.request_access()


def test_a_record_of_another_container_whose_lock_cannot_be_looked_at_counts_as_live(
    access: ProfileAccessManager, records: Path, locker: Any
) -> None:
    rewrite_sidecar(sidecars(records)[0], namespace='pid:[1]', held=[0, 0])  # as of a copy
    locker.kill_with_watchdog()
    assert the_one(access).state == 'foreign'
    with pytest.raises(LockedProfileError, match='container'):
        access.request_access()


def test_only_a_person_clears_what_cannot_be_checked(access: ProfileAccessManager, records: Path, locker: Any) -> None:
    rewrite_sidecar(sidecars(records)[0], host='elsewhere', boot='1', machine='2')
    locker.kill_with_watchdog()
    assert access.clear_locks() == []
    assert access.is_locked()
    assert [holder.pid for holder in access.clear_locks(foreign=True)] == [locker.pid]
    with access.lock():
        pass


def test_clearing_leaves_the_living_alone_unless_forced(
    access: ProfileAccessManager, records: Path, user: Any, dead_pid: int
) -> None:
    write(records, f'{dead_pid}.lock')
    assert [holder.pid for holder in access.clear_locks(foreign=True)] == [dead_pid]
    assert access.is_active()
    assert [holder.pid for holder in access.clear_locks(force=True)] == [user.pid]
    with pytest.raises(LockingProfileError), access.lock():
        pass  # the kernel knows better


def test_a_record_of_an_earlier_boot_of_this_host_is_stale(
    access: ProfileAccessManager, records: Path, locker: Any
) -> None:
    locker.kill_with_watchdog()
    rewrite_sidecar(sidecars(records)[0], boot='another')
    assert the_one(access).state == 'stale'
    with access.lock():
        pass
    assert sidecars(records) == []


def test_a_host_of_the_same_name_on_another_machine_is_foreign() -> None:
    here = Machine('localhost', 'a', 'boot-1', 'pid:[1]')
    assert here.relation(Machine('localhost', 'b', 'boot-2', 'pid:[1]')) == 'foreign'
    assert here.relation(Machine('localhost', 'a', 'boot-2', 'pid:[1]')) == 'earlier boot'
    assert here.relation(Machine('renamed', 'a', 'boot-1', 'pid:[1]')) == 'same'
    assert here.relation(Machine('localhost', 'a', 'boot-1', 'pid:[2]')) == 'foreign'


@pytest.mark.parametrize('content', ['', '{"pid": ', '[]', '{}'])
def test_a_half_written_sidecar_makes_its_record_live(
    access: ProfileAccessManager, records: Path, user: Any, content: str
) -> None:
    (records / f'{user.pid}.pid').touch()
    sidecars(records)[0].write_text(content)
    user.kill()
    assert_survives(access, records / f'{user.pid}.pid')


def test_the_sidecar_of_a_dead_process_does_not_condemn_a_later_one_of_its_number(
    access: ProfileAccessManager, records: Path, user: Any, sleeper: subprocess.Popen[bytes]
) -> None:
    user.kill()
    sidecar = sidecars(records)[0]
    rewrite_sidecar(sidecar, pid=sleeper.pid)
    sidecar.rename(records / sidecar.name.replace(str(user.pid), str(sleeper.pid)))
    (records / f'{user.pid}.pid').unlink()
    assert_survives(access, write(records, f'{sleeper.pid}.pid', str(psutil.Process(sleeper.pid).cmdline())))


def test_a_namesake_in_another_container_keeps_its_record(access: ProfileAccessManager, records: Path) -> None:
    access.request_access()
    own = sidecars(records)[0]
    theirs = records / f'{os.getpid()}.0123456789.pid.json'
    theirs.write_text(own.read_text())
    rewrite_sidecar(theirs, namespace='pid:[1]', host='container')
    access.release()
    assert (the_one(access).state, the_one(access).host) == ('foreign', 'container')


def test_a_process_id_used_again_is_told_by_its_start(access: ProfileAccessManager, records: Path, user: Any) -> None:
    rewrite_sidecar(sidecars(records)[0], start='1', held=None)  # as on a file system without locks
    path = records / f'{user.pid}.pid'
    os.utime(path, (time.time() - 3600, time.time() - 3600))
    assert the_one(access).state == 'stale'


def test_a_lock_removes_what_was_never_finished_and_nothing_that_may_be(
    access: ProfileAccessManager, records: Path, user: Any
) -> None:
    tag = Machine.here().tag
    ended = next(number for number in range(2_000_000, 3_000_000) if existence(number) == 'gone')
    for name in (f'{ended}.{tag}.lock.json.tmp', f'{ended}.{tag}.lock.json', f'{ended}.0123456789.pid.json', '1.tmp'):
        write(records, name, '{}')
    for name in ('1.tmp', f'{ended}.0123456789.pid.json'):
        os.utime(records / name, (0, 0))
    fresh = [f'{ended}.0123456789.lock.json', f'{os.getpid()}.{tag}.pid.json.tmp', '2.tmp']
    for name in fresh:
        write(records, name, '')
    user.kill()
    with access.lock():
        left = {path.name for path in records.iterdir() if path.name != 'ricordi.guard'}
    assert left == {*fresh, f'{os.getpid()}.lock', f'{os.getpid()}.{tag}.lock.json'}


# facts about processes -------------------------------------------------------------------------------------


@pytest.mark.parametrize('arguments', [['a', '', 'b c', "d'e", 'ü\n'], []])
def test_the_own_command_line_is_what_psutil_reads(arguments: list[str]) -> None:
    code = (
        'import psutil; from ricordi.access.process import *; assert own_command_line() == psutil.Process().cmdline()'
    )
    subprocess.run([sys.executable, '-c', code, *arguments], check=True)


def test_a_process_has_one_start() -> None:
    assert start_token(os.getpid()) == start_token(os.getpid()) != ''
    assert start_token(os.getpid()) != start_token(1)


@pytest.mark.timeout(600)  # each looked at once is a matter of a second; each by each would be one of hours
def test_thousands_of_leftovers_of_aiidas_are_cleaned(access: ProfileAccessManager, records: Path) -> None:
    numbers = [number for number in range(2_000_000, 2_002_000) if existence(number) == 'gone']
    for number in numbers:
        write(records, f'{number}.pid', "['/usr/bin/verdi', 'process', 'list']")
    with access.lock():
        assert not list(records.glob('*.pid'))


# between two looks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize('ending', ['pid', 'lock'])
def test_aiida_that_comes_between_the_look_and_the_record_of_a_lock_is_seen(
    access: ProfileAccessManager,
    records: Path,
    sleeper: subprocess.Popen[bytes],
    monkeypatch: pytest.MonkeyPatch,
    ending: str,
) -> None:
    record = ProfileAccessManager._record
    command = str(psutil.Process(sleeper.pid).cmdline()) if ending == 'pid' else ''

    def after_somebody_came(manager: ProfileAccessManager, *words: Any, **options: Any) -> None:
        write(records, f'{sleeper.pid}.{ending}', command)
        record(manager, *words, **options)

    monkeypatch.setattr(ProfileAccessManager, '_record', after_somebody_came)
    error = LockingProfileError if ending == 'pid' else LockedProfileError
    with pytest.raises(error, match=f'process {sleeper.pid} '), access.lock():
        pass
    assert [path.name for path in records.iterdir() if path.suffix in ('.pid', '.lock')] == [f'{sleeper.pid}.{ending}']
