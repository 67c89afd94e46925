"""The database for a user's own SQL: engines of SQLAlchemy over connections like those of the storage itself."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ricordi.storage.dialect import Dialect

_URLS = {'sqlite': 'sqlite://', 'postgresql': 'postgresql+psycopg://'}
_READ_ONLY = {
    'sqlite': 'PRAGMA query_only = ON',
    # A setting of the session, so that it holds in autocommit mode, too.
    'postgresql': 'SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY',
}


class Engines:
    """The engines of one open storage, one to read and one to write.

    A connection is made when it is asked for and closed when it is given back: nothing stays open between two
    statements of the user that a server would count, a fork would share, or that would keep others from writing.
    """

    def __init__(self, dialect: Dialect, check_open: Callable[[], None]) -> None:
        """
        :param check_open: raises if the storage was closed.
        """
        self._dialect = dialect
        self._check_open = check_open
        self._engines: dict[bool, Engine] = {}
        self._open: dict[int, tuple[int, Any]] = {}
        """Connections by their identity, with the process that has made them."""
        self._lock = threading.Lock()

    def get(self, writable: bool) -> Engine:
        """The engine to read by, or the one to write by; made when it is first asked for."""
        with self._lock:
            if writable not in self._engines:
                self._engines[writable] = self._make(writable)
            return self._engines[writable]

    def close(self) -> None:
        """Close the connections that are still open: the storage's own access to the profile ends."""
        with self._lock:
            own = [key for key, (process, _) in self._open.items() if process == os.getpid()]  # others are a parent's
            opened = [self._open.pop(key)[1] for key in own]
        for raw in opened:
            self._dialect.disconnect(raw)

    def _make(self, writable: bool) -> Engine:
        name = self._dialect.name
        engine = create_engine(_URLS[name], creator=lambda: self._connect(writable), poolclass=NullPool)
        event.listen(engine, 'close', self._disconnect)
        if writable and name == 'sqlite':
            # The driver is in autocommit mode; a transaction that writes waits for others when it begins.
            event.listen(engine, 'begin', lambda connection: connection.exec_driver_sql(self._dialect.begin))
        return engine

    def _connect(self, writable: bool) -> Any:
        self._check_open()
        raw = self._dialect.connect()
        try:
            self._dialect.check_access(raw)
            if not writable:
                raw.execute(_READ_ONLY[self._dialect.name])
            if self._dialect.name == 'postgresql':
                raw.autocommit = False  # as SQLAlchemy has it, which begins and ends transactions itself
        except BaseException:
            self._dialect.disconnect(raw)
            raise
        with self._lock:
            self._open[id(raw)] = (os.getpid(), raw)
        return raw

    def _disconnect(self, raw: Any, record: Any) -> None:
        with self._lock:
            known = self._open.pop(id(raw), None)
        if known is not None and known[0] == os.getpid():
            self._dialect.disconnect(raw)
