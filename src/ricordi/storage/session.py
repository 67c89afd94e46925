"""Connections of a storage: one for each thread, with its transaction; and what becomes of them at fork and close."""

from __future__ import annotations

import itertools
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from ricordi.errors import ClosedStorage, StorageError

if TYPE_CHECKING:
    from ricordi.storage.dialect import Dialect

Parameters = Sequence[Any] | dict[str, Any]

_epochs = itertools.count()


class Session:
    """The connection of one thread: statements and nested transactions."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.raw = dialect.connect()
        self.depth = 0
        self.undo: list[Callable[[], None]] = []
        """What to call, last first, if the open transaction is rolled back."""
        self.ended: Callable[[bool, bool], None] | None = None
        """Called when the transaction has ended, or a part of it was rolled back: whether it was committed, whether all
        of it has ended."""
        self.guarded = False
        """Whether queries guard against rows that they cannot work with, for one was met (`Dialect.is_of_a_row`)."""
        self.version: int | None = None
        """What tells of changes by others, as long as there can be none to be seen: inside a transaction."""
        self.deferred: ExitStack | None = None
        """The transaction that waits for the first change."""
        self.epoch = next(_epochs)
        """Another one for each session, and after each roll-back."""
        self.pid = os.getpid()
        self._lost = False
        self._finalizer = weakref.finalize(self, _close_own, dialect, self.raw, self.pid)

    def execute(self, sql: str, parameters: Parameters = ()) -> Any:
        """Run one statement; returns the driver's cursor.

        :raises ricordi.errors.RicordiError: what the driver raised, in our words (`Dialect.failure`).
        """
        self._check_transaction()
        try:  # as in `driver`, for each statement that is run
            return self.raw.execute(sql, parameters)
        except self.dialect.driver_errors as error:
            raise self._failed(error) from error

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """Run one statement for each row of parameters; returns how many rows of the table it touched in all."""
        with self.driver():
            cursor = self.raw.cursor()
            cursor.executemany(sql, rows)
            return int(cursor.rowcount)

    @contextmanager
    def driver(self) -> Iterator[None]:
        """Whatever is done with the driver's connection inside raises errors in our words."""
        self._check_transaction()
        try:
            yield
        except self.dialect.driver_errors as error:
            raise self._failed(error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that happens inside is committed together at the end, or none is; nested ones are savepoints."""
        if self.depth:
            name = f'level_{self.depth}'
            begin, commit, rollback = f'SAVEPOINT {name}', f'RELEASE {name}', f'ROLLBACK TO {name}'
        else:
            begin, commit, rollback = self.dialect.begin, 'COMMIT', 'ROLLBACK'
        self.execute(begin)
        if not self.depth:
            self.version = None  # until now others may have made changes
        self.depth += 1
        before = len(self.undo)
        try:
            yield
            self.execute(commit)
            if self.depth == 1 and self.ended is not None:
                self.ended(True, True)
        except BaseException:
            # A failed COMMIT of SQLite leaves the transaction open; a full disk may have rolled it back already.
            with suppress(*self.dialect.driver_errors):
                if self.dialect.in_transaction(self.raw):
                    self.raw.execute(rollback)
            self.epoch = next(_epochs)
            while len(self.undo) > before:
                self.undo.pop()()
            if self.ended is not None:
                self.ended(False, self.depth == 1)
            raise
        finally:
            self.depth -= 1
            if not self.depth:
                self._lost = False
                self.version = None
                self.undo.clear()

    @contextmanager
    def unbroken(self) -> Iterator[None]:
        """What is inside is a part of the transaction that is open, or is one of its own.

        Without a savepoint: for statements of which only the last one changes anything.
        """
        if self.depth:
            yield
            return
        with self.transaction():
            yield

    @contextmanager
    def deferred_transaction(self) -> Iterator[None]:
        """A transaction that begins with `begin_deferred`; inside another one it is a part of that."""
        if self.depth or self.deferred is not None:
            yield
            return
        try:
            with ExitStack() as self.deferred:
                yield
        finally:
            self.deferred = self.version = None

    def begin_deferred(self) -> None:
        """Begin the transaction that waits for the first change, if there is one."""
        if self.deferred is not None and not self.depth:
            self.deferred.enter_context(self.transaction())

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return not self._finalizer.alive

    def close(self) -> None:
        """Close the connection; in a forked child it is only forgotten, for the parent uses it."""
        self._finalizer()

    def _failed(self, error: Exception) -> Exception:
        failure = self.dialect.failure(error, self.raw)
        if self.depth and not self.dialect.in_transaction(self.raw):
            self._lost = True
        return failure

    def _check_transaction(self) -> None:
        if self._lost:
            raise StorageError('the database has rolled the transaction back after an earlier error; begin a new one')


class Sessions:
    """The sessions of one open storage."""

    def __init__(self, dialect: Dialect, place: str) -> None:
        """
        :param place: the storage in words, for messages.
        """
        self.dialect = dialect
        self.closed = False
        self._place = place
        self._local = threading.local()
        self._all: weakref.WeakSet[Session] = weakref.WeakSet()
        self._lock = threading.Lock()

    def get(self) -> Session:
        """The session of this thread, connected anew where the server has dropped it or the process was forked.

        :raises ricordi.errors.ClosedStorage: the storage was closed.
        """
        session: Session | None = getattr(self._local, 'session', None)
        if session is not None and session.pid == os.getpid() and not self.closed:
            if session.depth or self.dialect.usable(session.raw):
                return session
            session.close()
        return self._connect()

    @property
    def in_transaction(self) -> bool:
        """Whether this thread is inside a transaction."""
        session: Session | None = getattr(self._local, 'session', None)
        return session is not None and session.pid == os.getpid() and session.depth > 0

    def close(self) -> None:
        """Close the connections of all threads."""
        self.closed = True
        with self._lock:
            sessions = list(self._all)
        for session in sessions:
            session.close()

    def check_open(self) -> None:
        """
        :raises ricordi.errors.ClosedStorage: the storage was closed.
        """
        if self.closed:
            raise ClosedStorage(f'{self._place} was closed; load the profile again to use it')

    def _connect(self) -> Session:
        self.check_open()
        session = Session(self.dialect)
        try:
            self.dialect.check_access(session.raw)
        except BaseException:
            session.close()
            raise
        self._local.session = session
        with self._lock:
            self._all.add(session)
        return session


def _close_own(dialect: Dialect, raw: Any, pid: int) -> None:
    # Closing a connection that the parent of a fork still uses would end it on the server for the parent, too.
    if os.getpid() == pid:
        dialect.disconnect(raw)
