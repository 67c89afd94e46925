"""The database of an archive in the making: a SQLite file that is filled from a storage and checked."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ricordi.backend.rows import EntityKind
from ricordi.errors import CorruptStorage, Interrupted, InvalidOperation
from ricordi.model.fields import TABLES
from ricordi.model.values import LARGEST_VALUE
from ricordi.progress import Stop
from ricordi.storage import schema
from ricordi.storage.archive.damage import refuse_damage, refuse_many_elements, too_large
from ricordi.storage.archive.selection import ArchiveSelection
from ricordi.storage.archive.source import reading
from ricordi.storage.columns import row_words
from ricordi.storage.sql_storage import SqlStorage
from ricordi.storage.sqlite.dialect import SqliteDialect
from ricordi.storage.sqlite.failures import failure
from ricordi.storage.sqlite.strangers import end_when_asked

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.storage.dialect import Dialect

CHECKPOINT = 'checkpoints'
"""The attribute in which AiiDA keeps the state of a running process, code included; it does not go into archives."""
CACHE_KIB = 16_384
SHOWN = 10


class ArchiveDraft:
    """The file and a connection to it. What is written need not survive a crash: the archive does not exist yet."""

    def __init__(self, path: Path, stop: Stop | None = None) -> None:
        """
        :param path: a file that does not exist.
        :param stop: asked while a database works; it then ends with `ricordi.errors.Interrupted`.
        """
        self.path = path
        self._stop = stop or Stop()
        self.counts: dict[EntityKind, int] = dict.fromkeys(TABLES, 0)
        self._raw = sqlite3.connect(f'{path.absolute().as_uri()}?mode=rwc', uri=True, isolation_level=None)
        self._raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_VALUE)  # the same as where it is imported
        end_when_asked(self._raw, lambda: self._stop.reason)
        for setting in ('journal_mode = OFF', 'synchronous = OFF', f'cache_size = -{CACHE_KIB}'):
            self._raw.execute(f'PRAGMA {setting}').fetchall()
        self._raw.create_function('without_checkpoint', 1, _without_checkpoint, deterministic=True)
        tables, self._indexes = _definitions()
        try:
            for statement in tables:
                self._raw.execute(statement)
        except sqlite3.Error as error:  # such as a full disk
            self._raw.close()
            raise failure(error, f'database {path}', 0.0) from error

    def close(self) -> None:
        """Close the connection; the file stays."""
        self._raw.close()

    def fill(
        self, storage: StorageBackend, selection: ArchiveSelection, progress: Callable[[int], None] = lambda rows: None
    ) -> None:
        """Copy what is chosen from the database of a storage, then check it.

        :param progress: hears of rows copied.
        :raises ricordi.errors.InvalidOperation: a process node is not sealed; the message names it.
        :raises ricordi.errors.CorruptStorage: a row refers to one that does not exist, or a value is damaged.
        :raises ricordi.errors.ValidationError: a row is larger than an import would take.
        :raises ricordi.errors.Interrupted: `stop` was asked to end the work.
        """
        dialect = dialect_of(storage)
        with self._guarded(dialect):
            with reading(dialect, self._raw, self._stop) as source:
                source.copy(selection, lambda kind, number: self._note(kind, number, progress))
            if dialect.keeps_any_type:
                refuse_damage(self._raw, dialect.place)
            else:
                refuse_many_elements(self._raw, dialect.place)
            self._raw.execute(
                'UPDATE db_dbnode SET attributes = without_checkpoint(attributes) '
                f"WHERE node_type LIKE 'process.%' AND instr(attributes, '\"{CHECKPOINT}\"')"
            )
            for statement in self._indexes:
                self._raw.execute(statement)
            self._refuse_dangling(dialect)  # what is graver is told first
            self._refuse_unsealed()

    @contextmanager
    def _guarded(self, dialect: Dialect) -> Iterator[None]:
        """What the databases say becomes an error in our words; so does the end that `stop` was asked for."""
        try:
            yield
        except Exception as error:
            if not isinstance(error, (sqlite3.Error, *dialect.driver_errors)):
                raise
            if self._stop.reason:
                raise Interrupted(f'{self._stop.reason}: ended early, no archive was written') from None
            if getattr(error, 'sqlite_errorname', None) == 'SQLITE_TOOBIG':
                raise too_large(dialect) from error
            if isinstance(error, sqlite3.Error):
                raise failure(error, f'database {self.path}, made from the {dialect.place}', 0.0) from error
            raise dialect.failure(error) from error

    def _note(self, kind: EntityKind, number: int, progress: Callable[[int], None]) -> None:
        self.counts[kind] = number
        progress(number)

    def _refuse_unsealed(self) -> None:
        found = self._raw.execute(
            "SELECT id, uuid, json_extract(attributes, '$.process_state') FROM db_dbnode "
            "WHERE node_type LIKE 'process.%' AND coalesce(json_extract(attributes, '$.sealed'), 0) IS NOT 1 "
            'ORDER BY id'
        ).fetchall()
        if found:
            shown = ', '.join(f'{pk} ({uuid}, {state or "no state"})' for pk, uuid, state in found[:SHOWN])
            more = f' and {len(found) - SHOWN} more' if len(found) > SHOWN else ''
            raise InvalidOperation(
                f'processes that are not sealed cannot go into an archive: {shown}{more}; wait until they have ended, '
                'or choose nodes without them'
            )

    def _refuse_dangling(self, dialect: Dialect) -> None:
        for table, pk, parent, _ in self._raw.execute('PRAGMA foreign_key_check'):
            raise CorruptStorage(
                f'in the {dialect.place} the {row_words(table)} with pk {pk} names a {row_words(parent)} that does '
                'not exist; no archive was written'
            )

    # -- reading it ---------------------------------------------------------------------------------------------

    def named_keys(self) -> Iterator[str]:
        """The keys of objects that its nodes name: distinct, ascending.

        :raises ricordi.errors.Interrupted: `stop` was asked to end the work.
        """
        cursor = self._raw.cursor()
        try:
            for (key,) in cursor.execute(SqliteDialect.named_keys):
                yield key
        except sqlite3.Error as error:  # said here, for who asks for keys is at work on another database
            if self._stop.reason:
                raise Interrupted(f'{self._stop.reason}: ended early, no archive was written') from None
            raise failure(error, f'database {self.path}', 0.0) from error
        finally:
            cursor.close()

    def chunks(self, size: int = 1 << 20) -> Iterator[bytes]:
        """The bytes of the file.

        :raises ricordi.errors.Interrupted: `stop` was asked to end the work.
        """
        with self.path.open('rb') as file:
            while chunk := file.read(size):
                if self._stop.reason:
                    raise Interrupted(f'{self._stop.reason}: ended early, no archive was written')
                yield chunk

    def uuids(self, kind: EntityKind, pks: tuple[int, ...]) -> list[str]:
        """The uuids of some of its rows, in the order of `pks`."""
        statement = f'SELECT uuid FROM {TABLES[kind]} WHERE id = ?'
        rows = (self._raw.execute(statement, (pk,)).fetchone() for pk in pks)
        return [row[0] for row in rows if row is not None]


def dialect_of(storage: StorageBackend) -> Dialect:
    """How to speak with the database of a storage.

    :raises ricordi.errors.InvalidOperation: it has none that is known here.
    """
    if not isinstance(storage, SqlStorage):
        raise InvalidOperation(f'archives are made from SQL storages, not from a {type(storage).__name__}')
    return storage.dialect


def _definitions() -> tuple[list[str], list[str]]:
    """The statements that make tables, and those that make indexes: a filled table is indexed faster."""
    statements = [text for text in schema.definitions('sqlite') if 'alembic_version' not in text]
    tables = [text for text in statements if text.lstrip().upper().startswith('CREATE TABLE')]
    return tables, [text for text in statements if text not in tables]


def _without_checkpoint(text: str | None) -> str | None:
    if text is None:
        return None
    attributes: Any = json.loads(text)
    if isinstance(attributes, dict) and attributes.pop(CHECKPOINT, None) is not None:
        return json.dumps(attributes)
    return text
