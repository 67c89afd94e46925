"""Many files go beside other work, some of them by a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ricordi.repository import file_removal
from ricordi.repository.file_removal import FileRemover


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
def remover(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileRemover]:
    """One to which a hundred files are worth a process."""
    monkeypatch.setattr(file_removal, 'MANY_FILES', 100)
    monkeypatch.setattr(file_removal, 'ASK_AT_ONCE', 500)
    monkeypatch.setattr(file_removal, 'processors', lambda: 2)
    with FileRemover() as remover:
        yield remover


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


def test_where_none_may_be_started_threads_remove_all(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_removal, 'MANY_FILES', 100)
    monkeypatch.setattr(file_removal, 'processors', lambda: 2)
    with FileRemover(may_start=False) as remover:
        remover.remove(files)
    assert (remover.removed, left(files), remover.worker) == (3000, 0, None)


@pytest.mark.parametrize('may_start', [True, False])
def test_an_interrupt_leaves_what_is_not_in_hand(
    remover: FileRemover, files: list[str], monkeypatch: pytest.MonkeyPatch, may_start: bool
) -> None:
    monkeypatch.setattr(file_removal, 'MANY_FILES', 100 if may_start else 1 << 30)
    unlink = os.unlink

    def slowly(path: str) -> None:
        time.sleep(0.002)
        unlink(path)

    def work() -> None:
        with remover:
            remover.remove(files)
            raise KeyboardInterrupt

    monkeypatch.setattr(os, 'unlink', slowly)
    with pytest.raises(KeyboardInterrupt):
        work()
    now = left(files)
    assert now > 1000
    time.sleep(0.3)
    assert left(files) == now
    assert remover.worker is None or remover.worker.process.poll() is not None


def test_the_process_ends_with_who_asked_it(files: list[str]) -> None:
    script = (
        'import sys, time; from ricordi.repository import file_removal as f\n'
        'f.MANY_FILES = 0; f.ASK_AT_ONCE = 1 << 20\n'
        'f.processors = lambda: 2\n'
        'remover = f.FileRemover(); remover.remove(sys.stdin.read().splitlines())\n'
        'while remover.worker is None: time.sleep(0.001)\n'
        'print(remover.worker.process.pid, flush=True); time.sleep(60)'
    )
    many = [str(Path(files[0]).parent.parent / f'file {number}') for number in range(60_000)]
    for path in many:
        Path(path).touch()
    asking = subprocess.Popen([sys.executable, '-c', script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert asking.stdin is not None
    assert asking.stdout is not None
    with asking.stdin:
        asking.stdin.write('\n'.join(many))
    worker = psutil.Process(int(asking.stdout.readline()))
    while Path(many[0]).exists():
        time.sleep(0.001)
    asking.kill()
    asking.wait()
    worker_gone = psutil.wait_procs([worker], timeout=240)[0]
    assert worker_gone
    assert left(many) > 0
    asking.stdout.close()


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
