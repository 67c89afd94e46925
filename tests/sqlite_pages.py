"""Damage to the pages of a SQLite file that no statement notices."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

INTERIOR, LEAF = 0x05, 0x0D
"""What pages of a table begin with."""


def hide_last_rows(database: Path, table: str) -> None:
    """Let the last page of a table say that it has a single row, as one does that was written wrongly."""
    with closing(sqlite3.connect(database)) as raw:
        (root,) = raw.execute('SELECT rootpage FROM sqlite_schema WHERE name = ?', (table,)).fetchone()
        (size,) = raw.execute('PRAGMA page_size').fetchone()
    content = bytearray(database.read_bytes())
    begin = (root - 1) * size
    while content[begin] == INTERIOR:  # the last of the pages below it
        begin = (int.from_bytes(content[begin + 8 : begin + 12]) - 1) * size
    rows = int.from_bytes(content[begin + 3 : begin + 5])
    assert content[begin] == LEAF
    assert rows > 1, 'none can be hidden'
    content[begin + 3 : begin + 5] = (1).to_bytes(2)
    content[24:28] = (int.from_bytes(content[24:28]) + 1).to_bytes(4)  # who has pages in memory reads them anew
    database.write_bytes(content)
