"""What the packs of a bucket hold, kept on this machine: a SQLite file that may go any time, and is made anew then.

Processes share what packs hold, which never changes. Which packs there are each process has seen for itself.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from ricordi.errors import StorageError
from ricordi.repository.bucket.index import PackEntry

VERSION = 2
WAIT_SECONDS = 120.0
Rows = list[tuple[Any, ...]]

_SHARED = """
CREATE TABLE IF NOT EXISTS packs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, uuid BLOB NOT NULL UNIQUE, bytes INTEGER NOT NULL, digest BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS objects (
    hash BLOB NOT NULL, pack INTEGER NOT NULL, start INTEGER NOT NULL, stored INTEGER NOT NULL, size INTEGER NOT NULL,
    compressed INTEGER NOT NULL, PRIMARY KEY (hash, pack)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bad (
    hash BLOB NOT NULL, uuid BLOB NOT NULL, time REAL NOT NULL, is_bad INTEGER NOT NULL, PRIMARY KEY (hash, uuid))
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS taken (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS verified (uuid BLOB PRIMARY KEY, time REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS looked (
    one INTEGER PRIMARY KEY CHECK (one = 1), time REAL NOT NULL, findings INTEGER NOT NULL);
"""
_FROM_1 = """
ALTER TABLE bad ADD COLUMN time REAL NOT NULL DEFAULT 0;
ALTER TABLE bad ADD COLUMN is_bad INTEGER NOT NULL DEFAULT 1;
"""
_OWN = """
CREATE TEMP TABLE IF NOT EXISTS seen (number INTEGER PRIMARY KEY, lasting INTEGER NOT NULL);
CREATE TEMP TABLE IF NOT EXISTS moving (uuid BLOB NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (uuid, hash)) WITHOUT ROWID;
CREATE TEMP TABLE IF NOT EXISTS moved (hash BLOB NOT NULL, uuid BLOB NOT NULL, PRIMARY KEY (hash, uuid)) WITHOUT ROWID;
"""
_ADD = """
INSERT OR IGNORE INTO objects (pack, hash, start, stored, size, compressed)
VALUES ((SELECT number FROM packs WHERE uuid = ?), ?, ?, ?, ?, ?)
"""


class CatalogueFile:
    """One connection for all threads. A file that is damaged goes, and is begun anew: then `losses` has grown."""

    def __init__(self, path: Path | None) -> None:
        """
        :param path: of the file, its folder made if need be; None: one without a name.
        """
        self._path = path
        self._raw: sqlite3.Connection | None = None
        self._process = os.getpid()
        self._lock = threading.RLock()
        self.losses = 0

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        """What a statement yields."""
        with self._lock:
            try:
                return self._connected().execute(statement, parameters).fetchall()
            except sqlite3.Error as error:
                self._mend(error)
                return self._connected().execute(statement, parameters).fetchall()

    def change(self, *work: tuple[str, Iterable[Sequence[Any]]]) -> None:
        """Statements with the rows of each, in one transaction."""
        given = [(statement, [*rows]) for statement, rows in work]
        with self._lock:
            try:
                self._change(given)
            except sqlite3.Error as error:
                self._mend(error)
                self._change(given)

    def _change(self, work: list[tuple[str, list[Sequence[Any]]]]) -> None:
        raw = self._connected()
        with raw:
            raw.execute('BEGIN IMMEDIATE')
            for statement, rows in work:
                raw.executemany(statement, rows)

    # -- packs --------------------------------------------------------------------------------------------------

    def packs(self) -> dict[UUID, int]:
        """Packs of which the list is here, with their bytes."""
        return {UUID(bytes=uuid): size for uuid, size in self.rows('SELECT uuid, bytes FROM packs')}

    def add(self, pack: UUID, size: int, entries: Iterable[PackEntry]) -> None:
        """Keep the list of a pack; nothing where it is here."""
        listed = sorted({entry.hash: entry for entry in entries}.values())
        digest = hashlib.sha256(b''.join(entry.hash for entry in listed)).digest()
        self.change(
            ('INSERT OR IGNORE INTO packs (uuid, bytes, digest) VALUES (?, ?, ?)', [(pack.bytes, size, digest)]),
            (
                _ADD,
                ((pack.bytes, one.hash, one.start, one.stored, one.size, int(one.compressed)) for one in listed),
            ),
        )

    def remove(self, packs: Iterable[UUID]) -> None:
        """Keep the lists of these packs no more; what is noted of them stays."""
        some = [(pack.bytes,) for pack in packs]
        if some:
            self.change(
                ('DELETE FROM objects WHERE pack = (SELECT number FROM packs WHERE uuid = ?)', some),
                ('DELETE FROM packs WHERE uuid = ?', some),
            )

    def keep_notes_of(self, packs: Iterable[UUID]) -> None:
        """Forget what is noted of all packs but these."""
        here = {pack.bytes for pack in packs}
        noted = {row[0] for row in self.rows('SELECT uuid FROM bad UNION SELECT uuid FROM verified')}
        if gone := [(pack,) for pack in noted - here]:
            self.change(('DELETE FROM bad WHERE uuid = ?', gone), ('DELETE FROM verified WHERE uuid = ?', gone))

    def see(self, packs: Mapping[UUID, bool]) -> None:
        """From now on there are these packs and no others, each with whether it stays."""
        with self._lock:
            self.change(
                ('DELETE FROM temp.seen', [()]),
                (
                    'INSERT INTO temp.seen SELECT number, ? FROM packs WHERE uuid = ?',
                    ((int(lasting), pack.bytes) for pack, lasting in packs.items()),
                ),
            )

    def wrong(self) -> list[UUID]:
        """Packs of which the list here is not the one that was kept: a bit has flipped, or a process was killed."""
        digests: dict[int, Any] = {}
        for hash, number in self._walk():
            if number not in digests:
                digests[number] = hashlib.sha256()
            digests[number].update(hash)
        empty = hashlib.sha256()
        return [
            UUID(bytes=uuid)
            for number, uuid, digest in self.rows('SELECT number, uuid, digest FROM packs')
            if digests.get(number, empty).digest() != digest
        ]

    def _walk(self) -> Iterator[tuple[bytes, int]]:
        last = (b'', 0)
        statement = 'SELECT hash, pack FROM objects WHERE (hash, pack) > (?, ?) ORDER BY hash, pack LIMIT 20000'
        while rows := self.rows(statement, last):
            yield from rows
            last = rows[-1]

    # -- the connection -----------------------------------------------------------------------------------------

    def _connected(self) -> sqlite3.Connection:
        if self._process != os.getpid():
            self._raw, self._process = None, os.getpid()
        if self._raw is None:
            try:
                self._raw = self._opened(self._path)
            except (sqlite3.Error, OSError) as error:
                self._mend(error)
                self._raw = self._opened(self._path)
        return self._raw

    def _opened(self, path: Path | None) -> sqlite3.Connection:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        raw = sqlite3.connect(path or '', timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            raw.execute('PRAGMA journal_mode = WAL')
            raw.execute('PRAGMA synchronous = OFF')  # what a power cut does to it is found by its digests
            ((version,),) = raw.execute('PRAGMA user_version').fetchall()
            if version not in (0, 1, VERSION):
                raise sqlite3.DatabaseError(f'a later program has made it: {version}')
            if version == 1:
                raw.executescript(f'BEGIN IMMEDIATE;{_FROM_1}PRAGMA user_version = {VERSION};COMMIT;')
            raw.executescript(f'{_SHARED}{_OWN}PRAGMA user_version = {VERSION};')
        except BaseException:
            raw.close()
            raise
        return raw

    def _mend(self, error: Exception) -> None:
        """Begin anew with a file that is damaged, and without one where none can be made."""
        self.close()
        self.losses += 1
        if self.losses > 3:
            raise StorageError(f'the lists of packs cannot be kept at {self._path or "a temporary file"}: {error}')
        if isinstance(error, sqlite3.OperationalError | OSError):
            self._path = None
            return
        for ending in ('', '-wal', '-shm'):
            with suppress(OSError):
                Path(f'{self._path}{ending}').unlink()

    def close(self) -> None:
        """Let go of the file; what this process has seen is forgotten."""
        with self._lock:
            if self._raw is not None and self._process == os.getpid():
                with suppress(sqlite3.Error):
                    self._raw.close()
            self._raw = None
