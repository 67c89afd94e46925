"""Damage to the pages of a SQLite file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

INTERIOR, LEAF = (0x05, 0x02), (0x0D, 0x0A)
"""What pages of a table begin with, and those of an index."""


def hide_last_rows(database: Path, table: str) -> None:
    """Let the last page of a table say that it has a single row, as one does that was written wrongly."""
    content, begin, _ = _last_page(database, table)
    rows = int.from_bytes(content[begin + 3 : begin + 5])
    assert rows > 1, 'none can be hidden'
    content[begin + 3 : begin + 5] = (1).to_bytes(2)
    _write(database, content)


def zero_last_page(database: Path, table: str) -> None:
    """Let the last page of a table, or of an index, hold zeros, as after a disk has lost it."""
    content, begin, size = _last_page(database, table)
    content[begin : begin + size] = bytes(size)
    _write(database, content)


def _last_page(database: Path, table: str) -> tuple[bytearray, int, int]:
    """The file, and where in it the last page of a table begins, and how long that is."""
    with closing(sqlite3.connect(database)) as raw:
        (root,) = raw.execute('SELECT rootpage FROM sqlite_schema WHERE name = ?', (table,)).fetchone()
        (size,) = raw.execute('PRAGMA page_size').fetchone()
    content = bytearray(database.read_bytes())
    begin = (root - 1) * size
    while content[begin] in INTERIOR:  # the last of the pages below it
        begin = (int.from_bytes(content[begin + 8 : begin + 12]) - 1) * size
    assert content[begin] in LEAF
    return content, begin, size


def _write(database: Path, content: bytearray) -> None:
    content[24:28] = (int.from_bytes(content[24:28]) + 1).to_bytes(4)  # who has pages in memory reads them anew
    database.write_bytes(content)
