"""What AiiDA asks of the SQLAlchemy session of a thread, where it goes past its own interface."""

from __future__ import annotations

from typing import NoReturn


class ThreadSession:
    """Stands in the place of the session that AiiDA's own storages give out.

    AiiDA's REST API closes it at the end of each request, so that connections of threads do not pile up, and its engine
    commits it before it reads what a daemon has written. On our storage there is nothing to do for either: outside a
    transaction a statement sees what is committed when it begins, and a thread's connection ends with the thread.
    Inside a transaction neither ends it: that is what `StorageBackend.transaction` does.
    """

    __slots__ = ()

    def close(self) -> None:
        """End nothing: the connection ends with its thread."""

    def commit(self) -> None:
        """End nothing: what was changed outside a transaction is committed."""

    def __getattr__(self, name: str) -> NoReturn:
        """
        :raises AttributeError: always; what else a session of SQLAlchemy can do, this one cannot.
        """
        raise AttributeError(
            f'a session of Ricordi has no `{name}`: an engine of SQLAlchemy is `storage.ricordi.engine()`'
        )
