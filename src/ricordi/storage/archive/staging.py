"""The unpacked database of an archive that is about to be imported, with what is found out about it in tables beside.

Sets of keys and pks are kept in SQLite, so that memory does not grow with the archive.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ricordi.errors import CorruptStorage, Interrupted
from ricordi.model.file_trees import named_in, parsed_tree
from ricordi.progress import Stop
from ricordi.storage.archive.checks import check_lengths, check_rows
from ricordi.storage.archive.cycles import check_cycles
from ricordi.storage.archive.schema import check_schema
from ricordi.storage.sqlite.dialect import SqliteDialect
from ricordi.storage.sqlite.failures import OF_THE_DISK, failure
from ricordi.storage.sqlite.strangers import distrust, end_when_asked, was_interrupted
from ricordi.zipfiles.format import Member

if TYPE_CHECKING:
    from ricordi.backend.imports import ImportTarget

CACHE_KIB = 16_384
SHOWN = 5


class Staging:
    """A database of an archive, in a file of our own that may be changed."""

    def __init__(self, path: Path, archive: str, stop: Stop | None = None) -> None:
        """
        :param archive: the archive in words, for messages.
        :param stop: asked while SQLite works; it then ends with `ricordi.errors.Interrupted`.
        :raises ricordi.errors.CorruptStorage: it is not the database of an archive.
        """
        self.path = path
        self.archive = archive
        self._stop = stop or Stop()
        self.raw = sqlite3.connect(f'{path.absolute().as_uri()}?mode=rw', uri=True, isolation_level=None)
        end_when_asked(self.raw, lambda: self._stop.reason)
        try:
            with self.guarded():
                distrust(self.raw)
            check_schema(self.raw, archive)
            for setting in ('journal_mode = OFF', 'synchronous = OFF', f'cache_size = -{CACHE_KIB}'):
                with self.guarded():
                    self.raw.execute(f'PRAGMA {setting}').fetchall()
        except BaseException:
            self.raw.close()
            raise

    def close(self) -> None:
        """Close the connection; the file stays."""
        self.raw.close()

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """What SQLite says of a broken file becomes an error that names the archive."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise self._translated(error) from error
        except UnicodeDecodeError as error:
            raise CorruptStorage(f'the database of {self.archive} is damaged: it holds text that is none') from error

    def _translated(self, error: sqlite3.DatabaseError) -> BaseException:
        if self._stop.reason:
            return Interrupted(f'{self._stop.reason}: ended early; the profile is as it was')
        if was_interrupted(error):
            return KeyboardInterrupt()
        code = getattr(error, 'sqlite_errorname', '') or ''
        if code.startswith(OF_THE_DISK):
            return failure(error, f'database {self.path}, unpacked from {self.archive}', 0.0)
        return CorruptStorage(f'the database in {self.archive} is damaged ({error}); get the archive anew')

    def check(self, target: ImportTarget) -> None:
        """See that what it holds is a graph that may be imported.

        :param target: what it is for.
        :raises ricordi.errors.CorruptStorage: the file is damaged, or rows refer to nothing or contradict each other.
        :raises ricordi.errors.ValidationError: links break a rule of the provenance graph, or a text is too long for
            that storage.
        """
        with self.guarded():
            told = self.raw.execute('PRAGMA integrity_check(1)').fetchone()[0]
            if told != 'ok':
                raise CorruptStorage(f'the database in {self.archive} is damaged ({told}); get the archive anew')
            check_rows(self.raw, self.archive)
            check_cycles(self.raw, self.archive)
            if target.limits_texts:
                check_lengths(self.raw, self.archive, target.place)

    # -- objects ------------------------------------------------------------------------------------------------

    def take_members(self, members: Iterable[Member], prefix: str) -> None:
        """Note where the objects lie in the zip file, and which of them nodes name.

        :param prefix: what stands before the key in the name of a member.
        :raises ricordi.errors.CorruptStorage: two members have one name, they overlap, or a named one is not there.
        """
        with self.guarded():
            self.raw.execute(
                'CREATE TEMP TABLE member (key VARCHAR PRIMARY KEY, method INTEGER, crc INTEGER, packed INTEGER, '
                'size INTEGER, "offset" INTEGER, flags INTEGER) WITHOUT ROWID'
            )
            self.raw.execute('BEGIN')
            try:
                self.raw.executemany(
                    'INSERT INTO temp.member VALUES (?, ?, ?, ?, ?, ?, ?)',
                    ((member.name[len(prefix) :], *member[1:]) for member in members if member.name.startswith(prefix)),
                )
            except sqlite3.IntegrityError:
                raise CorruptStorage(f'two files in {self.archive} have one name; do not trust it') from None
            self.raw.execute('COMMIT')
            self.raw.execute('CREATE TEMP TABLE named (key VARCHAR PRIMARY KEY) WITHOUT ROWID')
            self.raw.execute(f'INSERT INTO temp.named {SqliteDialect.named_keys}')
            self._refuse_missing()
            self._refuse_overlap()

    def _refuse_missing(self) -> None:
        missing = [
            key
            for (key,) in self.raw.execute(
                'SELECT key FROM temp.named WHERE key NOT IN (SELECT key FROM temp.member) ORDER BY key'
            )
        ]
        if missing:
            uses = '; '.join(f'node {uuid}, {path}' for uuid, path in self._uses(missing[:SHOWN]))
            raise CorruptStorage(
                f'{len(missing):,} objects that nodes name are not in {self.archive}: {", ".join(missing[:SHOWN])} '
                f'({uses}); get the archive anew'
            )

    def _uses(self, keys: list[str]) -> Iterator[tuple[str, str]]:
        sql, parameters = SqliteDialect(self.path).nodes_naming(keys)
        for _, uuid, tree in self.raw.execute(f'{sql} LIMIT {SHOWN}', parameters):
            yield from ((uuid, path) for path, key in named_in(parsed_tree(tree)) if key in keys)

    def _refuse_overlap(self) -> None:
        """Members that share bytes: how a small file unpacks to a huge one."""
        for (key,) in self.raw.execute(
            'SELECT key FROM (SELECT key, "offset" AS begin, '
            'lag("offset" + packed, 1, 0) OVER (ORDER BY "offset") AS before FROM temp.member) WHERE begin < before'
        ):
            raise CorruptStorage(f'the object {key} in {self.archive} shares bytes with another; do not trust it')

    def named_keys(self) -> Iterator[str]:
        """The keys that nodes name: distinct, ascending."""
        for (key,) in self._paged('SELECT key FROM temp.named WHERE key > ? ORDER BY key LIMIT 1000', ''):
            yield key

    def note_lacking(self, keys: Iterable[str]) -> tuple[int, int]:
        """Note which objects the profile lacks; returns their number and the bytes of their content."""
        with self.guarded():
            self.raw.execute('DROP TABLE IF EXISTS temp.lacking')
            self.raw.execute('CREATE TEMP TABLE lacking (key VARCHAR PRIMARY KEY) WITHOUT ROWID')
            self.raw.execute('BEGIN')
            self.raw.executemany('INSERT INTO temp.lacking VALUES (?)', ((key,) for key in keys))
            self.raw.execute('COMMIT')
            self.raw.execute('DROP TABLE IF EXISTS temp.place')
            self.raw.execute(
                'CREATE TEMP TABLE place ("offset" INTEGER PRIMARY KEY, key VARCHAR, method INTEGER, crc INTEGER, '
                'packed INTEGER, size INTEGER, flags INTEGER)'
            )
            self.raw.execute(
                'INSERT INTO temp.place SELECT "offset", key, method, crc, packed, size, flags FROM temp.member '
                'WHERE key IN (SELECT key FROM temp.lacking) ORDER BY "offset"'
            )
            number, total = self.raw.execute('SELECT count(*), coalesce(sum(size), 0) FROM temp.place').fetchone()
        return int(number), int(total)

    def lacking_members(self, prefix: str) -> Iterator[Member]:
        """Where the lacking objects lie in the zip file, from front to back."""
        statement = (
            'SELECT "offset", key, method, crc, packed, size, flags FROM temp.place WHERE "offset" > ? '
            'ORDER BY "offset" LIMIT 1000'
        )
        for offset, key, method, crc, packed, size, flags in self._paged(statement, -1):
            yield Member(prefix + key, method, crc, packed, size, offset, flags)

    def _paged(self, statement: str, start: Any) -> Iterator[tuple[Any, ...]]:
        """Rows of a SELECT that is asked again for what comes after the first column of the last row."""
        last = start
        while rows := self._page(statement, last):
            yield from rows
            last = rows[-1][0]

    def _page(self, statement: str, last: Any) -> list[tuple[Any, ...]]:
        with self.guarded():
            return self.raw.execute(statement, (last,)).fetchall()
