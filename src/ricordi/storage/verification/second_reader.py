"""A second connection for a verification, asked by a thread of its own: while it computes, so does the first one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ricordi.errors import RicordiError
    from ricordi.storage.verification.reader import DatabaseReader, Rows


class SecondReader:
    """A connection that is opened when it is first asked, used and closed by one thread. To be closed."""

    def __init__(self, connect: Callable[[], DatabaseReader]) -> None:
        """
        :param connect: opens it; called by the thread.
        """
        self._connect = connect
        self._thread = ThreadPoolExecutor(1, thread_name_prefix='second-reader')
        self._reader: DatabaseReader | None = None

    def ask(self, sql: str) -> Future[Rows | RicordiError]:
        """The rows of a SELECT, or why there are none; worked out from now on."""
        return self._thread.submit(self._rows, sql)

    def _rows(self, sql: str) -> Rows | RicordiError:
        if self._reader is None:
            self._reader = self._connect()
        return self._reader.rows_or_error(sql)

    def close(self) -> None:
        """Close it, when what it was asked is done."""
        self._thread.submit(self._close).result()
        self._thread.shutdown()

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
