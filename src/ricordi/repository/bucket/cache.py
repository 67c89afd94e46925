"""What was read from the bucket, kept on this machine by key: a SQLite file of bounded size, which may go any time."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

FILE = 'objects.sqlite'
WAIT_SECONDS = 2.0
TRIM_TO = 0.8
"""When it is full, the oldest go until this share of it is left."""
_MOST_VARIABLES = 500

_SCHEMA = """
CREATE TABLE IF NOT EXISTS kept (number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS total (one INTEGER PRIMARY KEY CHECK (one = 1), bytes INTEGER NOT NULL);
INSERT OR IGNORE INTO total VALUES (1, 0);
"""


class ReadCache:
    """Contents by SHA-256, compared with it whenever they are read. What goes wrong with the file is never an error.

    SQLite keeps processes apart; it is not told to fsync, for nothing here needs to last.
    """

    def __init__(self, folder: Path | None, most_bytes: int) -> None:
        """
        :param folder: where the file is, made if need be; None: nothing is kept.
        :param most_bytes: of content that is kept.
        """
        self._path = folder and folder / FILE
        self._most = most_bytes
        self._raw: sqlite3.Connection | None = None
        self._process = os.getpid()
        self._lock = threading.Lock()

    def get(self, hash: bytes) -> bytes | None:
        """One content, if it is kept and sound."""
        return self.get_many([hash]).get(hash)

    def get_many(self, hashes: Sequence[bytes]) -> dict[bytes, bytes]:
        """Those that are kept and sound."""
        found: dict[bytes, bytes] = {}
        with self._lock:
            for first in range(0, len(hashes), _MOST_VARIABLES):
                found.update(self._rows(hashes[first : first + _MOST_VARIABLES]))
        return {hash: content for hash, content in found.items() if hashlib.sha256(content).digest() == hash}

    def _rows(self, hashes: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        marks = ','.join('?' * len(hashes))
        try:
            raw = self._connected()
            return (
                raw.execute(f'SELECT hash, content FROM kept WHERE hash IN ({marks})', hashes).fetchall() if raw else []
            )
        except (sqlite3.Error, OSError) as error:
            self._mend(error)
            return []

    def keep(self, contents: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep contents by their hashes; they were checked."""
        rows = [*contents]
        if not rows:
            return
        with self._lock:
            try:
                self._insert(rows)
            except (sqlite3.Error, OSError) as error:
                self._mend(error)

    def _insert(self, rows: list[tuple[bytes, bytes]]) -> None:
        raw = self._connected()
        if raw is None:
            return
        with raw:
            raw.execute('BEGIN IMMEDIATE')
            new = [row for row in rows if not raw.execute('SELECT 1 FROM kept WHERE hash = ?', row[:1]).fetchone()]
            raw.executemany('INSERT OR IGNORE INTO kept (hash, content) VALUES (?, ?)', new)
            raw.execute('UPDATE total SET bytes = bytes + ?', (sum(len(content) for _, content in new),))
            ((total,),) = raw.execute('SELECT bytes FROM total').fetchall()
            if total > self._most:
                self._trim(raw, total)

    def _trim(self, raw: sqlite3.Connection, total: int) -> None:
        """Let the oldest go."""
        last, left = 0, total
        for number, size in raw.execute('SELECT number, length(content) FROM kept ORDER BY number'):
            if left <= self._most * TRIM_TO:
                break
            last, left = number, left - size
        raw.execute('DELETE FROM kept WHERE number <= ?', (last,))
        raw.execute('UPDATE total SET bytes = (SELECT coalesce(sum(length(content)), 0) FROM kept)')

    def drop(self, hashes: Sequence[bytes]) -> None:
        """Keep these no more."""
        with self._lock:
            try:
                raw = self._connected()
                if raw is not None:
                    with raw:
                        raw.executemany('DELETE FROM kept WHERE hash = ?', [(hash,) for hash in hashes])
            except (sqlite3.Error, OSError) as error:
                self._mend(error)

    def _connected(self) -> sqlite3.Connection | None:
        if self._path is None:
            return None
        if self._process != os.getpid():
            self._raw, self._process = None, os.getpid()
        if self._raw is None:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            raw = sqlite3.connect(self._path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
            self._raw = raw
            raw.execute('PRAGMA journal_mode = WAL')
            raw.execute('PRAGMA synchronous = OFF')
            raw.executescript(_SCHEMA)
        return self._raw

    def _mend(self, error: Exception) -> None:
        """Begin anew with a file that is damaged; one that is busy is left."""
        self._let_go()
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError) and self._path:
            for ending in ('', '-wal', '-shm'):
                with suppress(OSError):
                    self._path.with_name(FILE + ending).unlink()

    def close(self) -> None:
        """Let go of the file; the next use opens it anew."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        if self._raw is not None and self._process == os.getpid():
            with suppress(sqlite3.Error):
                self._raw.close()
        self._raw = None
