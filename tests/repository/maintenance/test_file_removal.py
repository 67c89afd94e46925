"""Many files go beside other work, some of them by a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deadlines import DEADLINE, wait_for_end_of, wait_until
from ricordi.repository.limits import Limits
from ricordi.repository.maintenance import file_removal
from ricordi.repository.maintenance.file_removal import FileRemover
from ricordi.repository.worker_process import WorkerProcess

FEW = Limits(many_files=100, ask_at_once=500, processors=2)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Paths of 3,000 files, with names that are hard to write down, and of ten that are not there."""
    folder = tmp_path / 'a folder\nof two lines, \udcff'
    folder.mkdir()
    paths = [folder / f'{number:04} ü' for number in range(3010)]
    for path in paths[10:]:
        path.touch()
    return list(map(str, paths))


@pytest.fixture
def remover() -> Iterator[FileRemover]:
    """One to which a hundred files are worth a process."""
    with FileRemover(limits=FEW) as remover:
        yield remover


ASKS = """
import os, signal, sys, time
from ricordi.repository.maintenance.file_removal import FileRemover
from ricordi.repository.limits import Limits
from ricordi.repository.worker_process import WorkerProcess
start = WorkerProcess.__init__
def stopped(worker, *words, **options):
    start(worker, *words, **options)
    os.kill(worker.process.pid, signal.SIGSTOP)
def has_asked(worker):
    print(worker.process.pid, flush=True)
    time.sleep(600)
WorkerProcess.__init__, WorkerProcess._receive = stopped, has_asked
remover = FileRemover(limits=Limits(many_files=0, ask_at_once=1000, processors=2))
remover.remove(sys.stdin.read().splitlines())
time.sleep(600)
"""
"""Asks a process, which is stopped, to remove files, and tells its number when that is done."""


def left(files: list[str]) -> int:
    return sum(Path(path).exists() for path in files)


def test_few_files_start_no_process(files: list[str]) -> None:
    with FileRemover() as remover:
        remover.remove(files)
        remover.finish()
        assert (remover.removed, left(files), remover.worker) == (3000, 0, None)


def test_many_files_go_by_a_process_that_ends_with_the_block(remover: FileRemover, files: list[str]) -> None:
    with remover:
        remover.remove(files)
        remover.finish()
        assert (remover.removed, left(files)) == (3000, 0)
        assert remover.worker is not None
        assert remover.worker.process.poll() is None
    assert remover.worker.process.poll() is not None


def test_where_none_may_be_started_threads_remove_all(files: list[str]) -> None:
    with FileRemover(may_start=False, limits=FEW) as remover:
        remover.remove(files)
    assert (remover.removed, left(files), remover.worker) == (3000, 0, None)


@pytest.mark.parametrize('may_start', [True, False])
def test_an_interrupt_leaves_what_is_not_in_hand(
    files: list[str], monkeypatch: pytest.MonkeyPatch, may_start: bool
) -> None:
    unlink, ask, asked = os.unlink, WorkerProcess.ask, []

    def when_given_up(name: str, dir_fd: int) -> None:
        wait_until(lambda: remover._given_up, 'the interrupt is heard')
        unlink(name, dir_fd=dir_fd)

    def once(worker: WorkerProcess, paths: list[str]) -> object:
        if asked:
            wait_for_end_of(worker.process.pid)  # which may come a moment after the interrupt is heard
        asked.append(paths)
        return ask(worker, paths)

    def work() -> None:
        with remover:
            remover.remove(files)
            if may_start:
                wait_until(lambda: len(asked) == 1 and left(asked[0]) == 0, 'the process has removed some')
            raise KeyboardInterrupt

    monkeypatch.setattr(os, 'unlink', when_given_up)
    monkeypatch.setattr(WorkerProcess, 'ask', once)
    remover = FileRemover(may_start, FEW)
    with pytest.raises(KeyboardInterrupt):
        work()
    in_hand = file_removal.REMOVERS
    assert 3000 - in_hand <= left(files) + sum(map(len, asked[:1])) <= 3000
    assert (remover.worker is None) is not may_start
    assert remover.worker is None or remover.worker.process.poll() is not None


def test_the_process_ends_with_who_asked_it(tmp_path: Path) -> None:
    some = [str(tmp_path / f'file {number}') for number in range(300)]
    for path in some:
        Path(path).touch()
    asking = subprocess.Popen([sys.executable, '-c', ASKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert asking.stdin is not None
    assert asking.stdout is not None
    with asking.stdin, asking.stdout:
        asking.stdin.write('\n'.join(some))
        asking.stdin.close()
        worker = psutil.Process(int(asking.stdout.readline()))
        asking.kill()
        asking.wait()
    worker.resume()
    assert psutil.wait_procs([worker], timeout=DEADLINE)[0]
    assert left(some) == 300


def test_a_process_that_is_killed_leaves_no_file(remover: FileRemover, files: list[str]) -> None:
    remover.remove(files[:1000])
    remover.finish()
    assert remover.worker is not None
    remover.worker.process.kill()
    remover.remove(files[1000:])
    remover.finish()
    assert left(files) == 0


@pytest.mark.parametrize('script', ['exit 1', 'read line; echo no number'])
def test_what_a_process_does_not_answer_for_is_removed_here(
    remover: FileRemover, files: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str
) -> None:
    program = tmp_path / 'python'
    program.write_text(f'#!/bin/sh\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, 'executable', str(program))
    remover.remove(files)
    remover.finish()
    assert (remover.removed, left(files)) == (3000, 0)


def test_what_cannot_be_removed_is_an_error(remover: FileRemover, files: list[str], tmp_path: Path) -> None:
    (tmp_path / 'folder').mkdir()
    remover.remove([*files, str(tmp_path / 'folder')])
    with pytest.raises(OSError, match='folder'):
        remover.finish()
