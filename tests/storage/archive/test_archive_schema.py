"""The schema of the database of an archive is looked at; what keeps it from being read is told as what it is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ricordi.errors import AccessError, CorruptStorage
from ricordi.storage.archive.schema import check_schema


def test_a_database_whose_disk_gives_no_locks_is_not_told_as_damaged(tmp_path: Path) -> None:
    path = tmp_path / 'database.sqlite'
    with closing(sqlite3.connect(path)) as other, closing(sqlite3.connect(path, timeout=0.0)) as raw:
        other.execute('BEGIN EXCLUSIVE')
        with pytest.raises(AccessError, match='locked'):
            check_schema(raw, 'x.aiida')


def test_what_is_no_database_is_told_as_damaged(tmp_path: Path) -> None:
    path = tmp_path / 'database.sqlite'
    path.write_bytes(b'no database' * 100)
    with closing(sqlite3.connect(path)) as raw, pytest.raises(CorruptStorage, match='get the archive anew'):
        check_schema(raw, 'x.aiida')
