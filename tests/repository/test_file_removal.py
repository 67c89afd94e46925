"""Many files go beside other work, some of them by a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ricordi.repository import file_removal
from ricordi.repository.file_removal import FileRemover, remove_files


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
    with closing(FileRemover()) as remover:
        yield remover


def left(files: list[str]) -> int:
    return sum(Path(path).exists() for path in files)


def test_few_files_start_no_process(files: list[str]) -> None:
    assert remove_files(files) == 3000
    assert left(files) == 0


def test_many_files_go_by_a_process(remover: FileRemover, files: list[str]) -> None:
    remover.remove(files)
    remover.finish()
    assert (remover.removed, left(files)) == (3000, 0)
    assert remover.worker is not None
    assert remover.worker.process.poll() is None
    remover.close()
    assert remover.worker.process.poll() is not None


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
