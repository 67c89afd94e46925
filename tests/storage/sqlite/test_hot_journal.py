"""A program that was killed amid a change of SQLite's file: the change is undone by whoever opens it next, or told."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from ricordi.errors import UnwritableStorage
from ricordi.storage.sqlite.dialect import SqliteDialect
from ricordi.storage.verification.database import verify

KILLED = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute('PRAGMA cache_size = 1')
connection.execute('BEGIN IMMEDIATE')
connection.executemany('INSERT INTO many VALUES (?)', [('x' * 2000,)] * 500)
connection.execute("UPDATE one SET value = 'half'")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / 'database.sqlite'
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE one (value); CREATE TABLE many (value); INSERT INTO one VALUES ('whole')")
    connection.close()
    ended = subprocess.run([sys.executable, '-c', KILLED, str(path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert any(path.with_name(f'{path.name}-journal').read_bytes()[:8])  # it is hot
    return path


def test_half_a_change_is_undone_by_a_verification(database: Path) -> None:
    findings = list(verify(SqliteDialect(database), None, False, lambda: None))
    assert 'damaged database' not in {one.kind for one in findings}
    connection = sqlite3.connect(database)
    assert connection.execute('SELECT value, (SELECT count(*) FROM many) FROM one').fetchall() == [('whole', 0)]
    connection.close()


def test_who_may_not_write_is_told_that_half_a_change_has_to_be_undone(database: Path) -> None:
    with pytest.raises(UnwritableStorage, match='a program was ended amid a change of the database'):
        SqliteDialect(database, read_only=True).connect()
