"""The file of a large database is read ahead, where the system has the memory for it, and by another process."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ricordi.errors import Interrupted
from ricordi.storage.sqlite.read_ahead import AheadSizes, read_ahead

ALL = AheadSizes(least=0)


def nothing() -> None:
    """For one whom nobody ends."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / 'database.sqlite'
    path.write_bytes(os.urandom(5 << 20))
    return path


def test_a_file_is_read_to_its_end(file: Path) -> None:
    assert read_ahead(file, nothing, ALL)


def test_a_small_file_is_left_to_who_reads_it(file: Path) -> None:
    assert not read_ahead(file, nothing)


@pytest.mark.parametrize('told', ['MemTotal: 99 kB\nMemAvailable: 6000 kB\n', 'MemTotal: 9000000 kB\n', ''])
def test_a_file_is_not_read_where_the_memory_for_it_is_not_there_or_not_told(
    file: Path, tmp_path: Path, told: str
) -> None:
    meminfo = tmp_path / 'meminfo'
    meminfo.write_text(told)
    assert not read_ahead(file, nothing, ALL, meminfo)


def test_a_file_that_is_not_there_or_cannot_be_read_is_no_error(tmp_path: Path) -> None:
    assert not read_ahead(tmp_path / 'none', nothing, ALL)
    assert not read_ahead(tmp_path, nothing, ALL)


def test_asked_to_end_it_leaves_no_process(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def noted(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(start(*arguments, **options))
        return started[-1]

    def end() -> None:
        raise Interrupted('asked to end')

    monkeypatch.setattr(subprocess, 'Popen', noted)
    with pytest.raises(Interrupted):
        read_ahead(file, end, ALL)
    assert started[0].returncode is not None


def test_locks_of_this_process_on_a_database_stay(tmp_path: Path) -> None:
    path = tmp_path / 'database.sqlite'
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute('CREATE TABLE a (b)')
    holder.execute('BEGIN IMMEDIATE')
    assert read_ahead(path, nothing, ALL)
    in_another = 'import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute("INSERT INTO a VALUES (1)")'
    done = subprocess.run([sys.executable, '-c', in_another, str(path)], capture_output=True, text=True, check=False)
    assert 'database is locked' in done.stderr
    holder.close()
