"""The state of the index: the same only of a file to which nobody has written, whoever and however."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ricordi.repository.container.index import Index
from ricordi.repository.container.index_state import index_state

SETTLED = 0.05
INSERT = (
    'INSERT INTO db_object (hashkey, compressed, size, "offset", length, pack_id) '
    'VALUES (hex(randomblob(32)), FALSE, 1, 0, 1, 0)'
)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """An index with a row, closed by all."""
    path = tmp_path / 'packs.idx'
    Index.create(path)
    run(path, INSERT)
    return path


def run(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def state(path: Path) -> str:
    """The state of a file at rest."""
    deadline = time.monotonic() + 60
    while (found := index_state(path, SETTLED)) is None:
        assert time.monotonic() < deadline, 'the file does not come to rest'
        time.sleep(SETTLED)
    return found


def put_back_a_copy(path: Path) -> None:
    """Of the same size, in the same file, with the same time of change."""
    status = path.stat()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    with path.open('r+b') as handle:
        handle.write(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def replace_by_a_copy(path: Path) -> None:
    other = path.with_name('other')
    shutil.copy2(path, other)
    other.replace(path)


@pytest.mark.parametrize(
    'change',
    [
        lambda path: run(path, INSERT),
        lambda path: run(path, 'UPDATE db_object SET size = 2'),
        lambda path: run(path, 'DELETE FROM db_object'),
        lambda path: run(path, 'PRAGMA journal_mode = DELETE', 'UPDATE db_object SET size = 2'),
        lambda path: run(path, 'VACUUM'),
        put_back_a_copy,
        replace_by_a_copy,
    ],
)
def test_any_write_makes_another_state(index: Path, change: Callable[[Path], None]) -> None:
    before = state(index)
    assert state(index) == before
    change(index)
    assert index_state(index, SETTLED) != before
    assert state(index) != before


def test_a_look_at_the_rows_changes_nothing(index: Path) -> None:
    before = state(index)
    opened = Index(index)
    assert opened.packs()[0].objects == 1
    assert index_state(index, SETTLED) == before
    opened.close()
    assert index_state(index, SETTLED) == before


def test_what_lies_in_the_log_of_another_is_not_taken_for_nothing(index: Path) -> None:
    before = state(index)
    connection = sqlite3.connect(index, isolation_level=None)
    connection.execute(INSERT)
    time.sleep(2 * SETTLED)
    assert index_state(index, SETTLED) is None
    connection.close()
    assert state(index) != before


def test_a_writer_that_was_killed_leaves_no_state(index: Path) -> None:
    before = state(index)
    code = (
        'import os, signal, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); '
        'c.execute(sys.argv[2]); os.kill(os.getpid(), signal.SIGKILL)'
    )
    assert subprocess.run([sys.executable, '-c', code, index, INSERT]).returncode == -signal.SIGKILL
    time.sleep(2 * SETTLED)
    assert index_state(index, SETTLED) is None
    opened = Index(index)
    assert opened.packs()[0].objects == 2
    opened.close()
    assert state(index) != before


def test_a_file_written_to_just_now_has_none_and_one_that_is_gone_neither(index: Path) -> None:
    run(index, INSERT)
    assert index_state(index, 3600) is None
    assert index_state(index.with_name('none'), 0) is None
