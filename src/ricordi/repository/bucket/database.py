"""The connection to the database of the index: opened when it is needed, anew where the server was lost."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import psycopg
from psycopg import sql

from ricordi.backend.bucket import BucketLocation
from ricordi.repository.bucket.failures import index_failure, is_worth_repeating
from ricordi.repository.bucket.limits import BucketLimits
from ricordi.slow_answers import CONNECT_SECONDS, told_when_slow

Result = TypeVar('Result')
Link = psycopg.Connection[tuple[Any, ...]]


class IndexDatabase:
    """One connection for all threads of a process, one at a time; a forked child opens its own.

    What is handed in to be run may be run again, after the server was lost or was busy: it has to come to the same.
    """

    def __init__(self, location: BucketLocation, limits: BucketLimits) -> None:
        self._location = location
        self._limits = limits
        self._link: Link | None = None
        self._process = os.getpid()
        self._lock = threading.RLock()

    @property
    def place(self) -> str:
        """The database in words."""
        return self._location.index_place

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a statement yields, which is a transaction of its own."""
        return self._repeat(lambda link: _fetch(link, statement, parameters))

    def change(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """How many rows a statement has changed, durably on return."""
        return self._repeat(lambda link: link.execute(statement.encode(), parameters).rowcount)

    def transaction(self, work: Callable[[Link], Result]) -> Result:
        """What `work` returns, done in one transaction, durable on return."""

        def in_transaction(link: Link) -> Result:
            with link.transaction():
                return work(link)

        return self._repeat(in_transaction)

    def once(self, work: Callable[[Link], Result]) -> Result:
        """The same without repeating it: for work that takes long, and which whoever asked for it does anew."""
        with self._lock:
            try:
                link = self._connected()
                with link.transaction():
                    return work(link)
            except psycopg.Error as error:
                raise index_failure(error, self.place) from error

    def _repeat(self, work: Callable[[Link], Result]) -> Result:
        pause = self._limits.pause_seconds
        with self._lock:
            for left in reversed(range(self._limits.tries)):
                try:
                    return work(self._connected())
                except psycopg.Error as error:
                    if not left or not is_worth_repeating(error):
                        raise index_failure(error, self.place) from error
                time.sleep(pause)
                pause *= 2
        raise AssertionError('the last try returns or raises')

    def _connected(self) -> Link:
        if self._process != os.getpid():  # the parent's connection: not ours to close
            self._link, self._process = None, os.getpid()
        if self._link is None or self._link.closed:
            self._link = self._connect()
        return self._link

    def _connect(self) -> Link:
        given = {key: value for key, value in self._location.database.items() if value is not None}
        given = {'client_encoding': 'UTF8', 'connect_timeout': CONNECT_SECONDS, **given}
        with told_when_slow(self.place, float(given['connect_timeout'])):
            link: Link = psycopg.connect(**given, autocommit=True)
        try:
            path = sql.SQL('SET search_path TO {}, pg_catalog').format(sql.Identifier(self._location.schema))
            link.execute(path)
        except BaseException:
            link.close()
            raise
        return link

    def close(self) -> None:
        """Let go of the connection; the next use opens it anew."""
        with self._lock:
            if self._link is not None and self._process == os.getpid():
                with suppress(psycopg.Error):
                    self._link.close()
            self._link = None


def _fetch(link: Link, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with link.cursor(binary=True) as cursor:
        return cursor.execute(statement.encode(), parameters).fetchall()
