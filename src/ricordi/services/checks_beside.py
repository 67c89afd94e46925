"""The checks of a database, shared out between this process and one of its own, each to whichever is free.

What the other process does not answer is done here: it may be killed at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from ricordi.backend.verification import Finding
from ricordi.errors import Interrupted
from ricordi.repository.worker_process import several_processors, start_worker

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.backend.verification import DatabaseCheck, DatabaseChecks
    from ricordi.repository.worker_process import WorkerProcess

LOOK_SECONDS = 0.2


class Sharing(NamedTuple):
    """When another process takes part.

    :param least_bytes: of the smallest database for which it is worth its start.
    :param processors: how many there are to be used; None: those that this process may use.
    """

    least_bytes: int = 24 << 20
    processors: int | None = None


USUAL_SHARING = Sharing()


def findings_of(
    storage: StorageBackend, thorough: bool, check_stop: Callable[[], None], sharing: Sharing = USUAL_SHARING
) -> Iterator[Finding]:
    """What `storage.verify_database` finds, in its order.

    :raises ricordi.errors.Interrupted: by `check_stop`; what was found by then was told.
    """
    with closing(storage.database_checks(thorough, check_stop)) as checks:
        apart, worker = checks.apart, None
        if apart is not None and apart.size >= sharing.least_bytes and several_processors(sharing.processors):
            worker = start_worker(apart.module)
        if apart is None or worker is None:
            yield from checks.all()
            return
        with closing(SharedChecks(checks, worker, apart.settings, check_stop)) as shared:
            yield from shared.findings()


class SharedChecks:
    """Some checks, of which this process and another one do the heaviest that is left. To be closed."""

    def __init__(
        self, checks: DatabaseChecks, worker: WorkerProcess, settings: object, check_stop: Callable[[], None]
    ) -> None:
        """
        :param settings: what the other process is told first.
        """
        self._checks = checks
        self._worker = worker
        self._check_stop = check_stop
        self._left = sorted(checks.listed, key=lambda check: -check.work)
        self._found: dict[str, Sequence[Finding]] = {}
        self._changed = Condition()
        self._least = min((check.work for check in checks.listed if check.work), default=1.0)
        # the heaviest, while the process begins; taken here, where no other one has been begun
        first = self._take(self._least)
        self._thread = Thread(target=self._elsewhere, args=(settings, first), name='checks', daemon=True)

    def findings(self) -> Iterator[Finding]:
        """What all of them find, in the order in which they are listed."""
        self._checks.begin()
        self._thread.start()
        untold = list(self._checks.listed)
        try:
            while untold:
                while untold[0].name not in self._found:
                    self._here(untold[0])
                yield from self._found[untold.pop(0).name]
        except Interrupted:
            for check in untold:
                yield from self._found.get(check.name, ())
            raise

    def _take(self, least_work: float) -> DatabaseCheck | None:
        """The heaviest check that nobody has done or does."""
        with self._changed:
            if not self._left or self._left[0].work < least_work:
                return None
            return self._left.pop(0)

    def _note(self, check: DatabaseCheck, found: Sequence[Finding]) -> None:
        with self._changed:
            self._found[check.name] = found
            self._changed.notify_all()

    def _here(self, awaited: DatabaseCheck) -> None:
        """Do a check; where none is left, wait a moment for what the other process finds by one."""
        check = self._take(0)
        if check is None:
            with self._changed:
                self._changed.wait_for(lambda: awaited.name in self._found or self._left, LOOK_SECONDS)
            self._check_stop()
            return
        found: list[Finding] = []
        try:
            for one in self._checks.run(check):
                found.append(one)
        finally:
            self._note(check, found)

    def _elsewhere(self, settings: object, check: DatabaseCheck | None) -> None:
        """Have the other process do what it can, until nothing is left or it does not answer.

        :param check: the one to begin with.
        """
        try:
            self._worker.ask(settings)
            while check is not None:
                self._note(check, [_finding(*one) for one in self._worker.ask(check.name)])
                check = self._take(self._least)
        except Exception:  # whatever it is, also a warning that a user has made an error: the check is done here
            with self._changed:
                self._left[:0] = [check] if check is not None else []
                self._changed.notify_all()

    def close(self) -> None:
        """End the other process."""
        self._worker.process.kill()
        if self._thread.ident is not None:
            self._thread.join()  # it hears that the process has ended
        self._worker.close()


def _finding(*words: Any) -> Finding:
    found = Finding(*words)
    return found._replace(nodes=tuple((pk, uuid, path) for pk, uuid, path in found.nodes))
