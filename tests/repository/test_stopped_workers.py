"""A process of ours that somebody stops holds nobody up: it is ended, that is told, and its work is done here."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from deadlines import DEADLINE
from ricordi.errors import StoppedWorker
from ricordi.progress import Run
from ricordi.repository.container.container import Container
from ricordi.repository.limits import Limits
from ricordi.repository.maintenance import pack_check
from ricordi.repository.maintenance.file_removal import FileRemover
from ricordi.repository.worker_process import WorkerPool, WorkerProcess

Contents = Callable[..., list[bytes]]


QUICK = Limits(stopped_seconds=0.3, many_files=10, few_questions=1, processors=2)


@pytest.fixture
def stopped_at_start(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every process that is started is stopped at once."""
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def stopped(*args: object, **options: object) -> subprocess.Popen[bytes]:
        started.append(start(*args, **options))
        started[-1].send_signal(signal.SIGSTOP)
        return started[-1]

    monkeypatch.setattr(subprocess, 'Popen', stopped)
    return started


def test_a_question_to_a_stopped_process_is_given_up_and_the_process_is_ended_for_good(
    stopped_at_start: list[subprocess.Popen[bytes]],
) -> None:
    with WorkerProcess('ricordi.repository.maintenance.file_removal', os.getpid(), limits=QUICK) as worker:
        with pytest.warns(StoppedWorker, match=f'process {worker.process.pid}'), pytest.raises(OSError):
            worker.ask(['x' * 1000] * 1000)  # more than a pipe holds: it cannot even be asked
        assert worker.process.wait(DEADLINE) == -signal.SIGKILL


def test_files_are_removed_here_if_the_process_for_that_is_stopped(
    tmp_path: Path, stopped_at_start: list[subprocess.Popen[bytes]]
) -> None:
    paths = [tmp_path / str(number) for number in range(500)]
    for path in paths:
        path.touch()
    with pytest.warns(StoppedWorker), FileRemover(limits=QUICK) as remover:
        remover.remove(map(str, paths))
    assert len(stopped_at_start) == 1
    assert remover.removed == 500
    assert list(tmp_path.iterdir()) == []


def test_a_pool_of_stopped_processes_answers_nothing_and_ends(
    stopped_at_start: list[subprocess.Popen[bytes]],
) -> None:
    with (
        closing(WorkerPool('ricordi.repository.maintenance.file_removal', os.getpid(), limits=QUICK)) as pool,
        pytest.warns(StoppedWorker),
    ):
        assert [pool.ask(lambda worker: worker.ask([])) for _ in range(3)] == [None, None, None]
    assert [process.returncode for process in stopped_at_start] == [-signal.SIGKILL] * 2


def test_a_share_of_a_pack_is_checked_here_if_its_process_is_stopped(
    container: Container,
    contents: Contents,
    limited: Callable[..., Container],
    stopped_at_start: list[subprocess.Popen[bytes]],
) -> None:
    some = contents(200)
    container.put_objects_into_pack(some)
    third = sum(map(len, some)) // 3
    shared = limited(stopped_seconds=0.3, share_bytes=third, head_start_bytes=0, processors=3)
    with pytest.warns(StoppedWorker):
        found = pack_check.check_pack(shared, 0, 'keep', Run())
    assert found is not None
    assert (found.right, found.objects) == (True, 200)
    assert len(stopped_at_start) == 2


def test_a_process_that_takes_its_time_is_waited_for() -> None:
    with WorkerProcess('ricordi.repository.maintenance.file_removal', os.getpid(), limits=QUICK) as worker:
        worker.process.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        worker.process.send_signal(signal.SIGCONT)
        assert worker.ask([]) == 0


LOOSE = 1500

MAINTAIN = """
import subprocess, sys
from ricordi.repository.limits import Limits
from ricordi.repository.container.objects import ObjectStore
ObjectStore.__init__.__defaults__ = (Limits(many_files=10, processors=2),)
start = subprocess.Popen
def stopped(*args, **options):
    process = start(*args, **options)
    if 'ricordi.repository.maintenance.file_removal' in args[0]:
        process.send_signal(19)
        print('stopped', flush=True)
    return process
subprocess.Popen = stopped
from ricordi.cli.main import run
sys.exit(run(['-p', 'loose', 'storage', 'maintain', '--format', 'json']))
"""


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, None])
def test_a_maintenance_whose_helper_is_stopped_ends_cleanly_and_says_why_it_waited(
    reference_home: Path, number: signal.Signals | None
) -> None:
    with Container(reference_home / 'repository' / 'loose' / 'container') as container:
        for one in range(LOOSE):
            container.put_object_from_bytes(b'%d' % one)
    process = subprocess.Popen(
        [sys.executable, '-c', MAINTAIN], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == 'stopped\n'
    if number is not None:
        process.send_signal(number)
    _, told = process.communicate(timeout=DEADLINE)
    assert process.returncode in ((0, 7) if number else (0,))
    assert 'a helper of this one, was stopped and did not answer' in told
    with Container(reference_home / 'repository' / 'loose' / 'container') as container:
        assert all(container.has_objects([hashlib.sha256(b'%d' % one).hexdigest() for one in range(LOOSE)]))
