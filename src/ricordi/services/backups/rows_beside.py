"""The rows of a snapshot put into a new database by a process of its own, while another one puts the objects.

The process puts all rows in one transaction, says so, and commits when it is told to: when the objects are all there.
It ends with the one that started it, whatever kills that, and its transaction with it. A process that does not answer
has put nothing, and the work is done without it.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ricordi.answering import answer_parent, questions_of_parent
from ricordi.config import Profile
from ricordi.errors import Interrupted, UnreachableStorage
from ricordi.manager.backends import repository_at, storage_class
from ricordi.repository.worker_process import start_worker
from ricordi.services.backups.counted import CountedSnapshot
from ricordi.services.backups.repository_source import open_snapshot

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.progress import Run
    from ricordi.services.backups.source import RestoreSource

LOOK_SECONDS = 0.1
COMMIT = 'commit'


class RowsPut(NamedTuple):
    """What was put.

    :param rows: by table.
    :param bytes: of them, in the form that snapshots have.
    """

    rows: dict[str, int]
    bytes: int


class RowsBeside:
    """The process, begun when this is made. To be closed: what was not committed by then is not put."""

    def __init__(self, source: RestoreSource, storage: StorageBackend) -> None:
        """
        :param storage: an empty one, which nobody else uses until `commit` or `close`.
        """
        self._worker = start_worker(__name__)
        self._asking = ThreadPoolExecutor(1, thread_name_prefix='rows')
        config = {'backend': storage.profile.storage_backend, 'config': dict(storage.profile.storage_config)}
        self._filled = self._ask([str(source.place), source.name, config])

    def _ask(self, question: object) -> Future[Any]:
        worker = self._worker
        if worker is None:
            return self._asking.submit(lambda: None)
        return self._asking.submit(lambda: worker.ask(question))

    def commit(self, run: Run) -> RowsPut | None:
        """Have the rows committed, when they are all there; None, and nothing is put, if the process has failed.

        :raises ricordi.errors.Interrupted: the run was asked to end; nothing is put.
        :raises ricordi.errors.UnreachableStorage: the process ended while it committed.
        """
        with run.step('put rows', None, 'rows'):
            filled = _awaited(self._filled, run)
            if filled is None:
                return None
            if _awaited(self._ask(COMMIT), None) is None:
                raise UnreachableStorage(
                    'the process that put the rows ended while it committed them; what was restored is removed: run '
                    'again'
                )
            put = RowsPut(dict(filled['rows']), int(filled['bytes']))
            run.progress.advance(sum(put.rows.values()))
            return put

    def close(self) -> None:
        """End the process."""
        if self._worker is not None:
            self._worker.process.kill()
        self._asking.shutdown()  # it hears that the process has ended
        if self._worker is not None:
            self._worker.close()


def _awaited(answer: Future[Any], run: Run | None) -> Any:
    """An answer; None where there is none, for the process has failed."""
    while True:
        wait([answer], LOOK_SECONDS)
        if run is not None and run.stop.reason:
            raise Interrupted(f'{run.stop.reason}: ended early; what was restored so far is removed')
        if answer.done():
            break
    try:
        return answer.result()
    except (OSError, ValueError):
        return None


# the process itself ----------------------------------------------------------------------------------------


def put_rows(question: list[Any], answer: Callable[[object], None], committing: Callable[[], None]) -> None:
    """Put the rows that a question names.

    :param answer: is told what was put, before it is committed and again after.
    :param committing: returns when it shall be committed.
    """
    place, name, config = question
    profile = Profile('restored', {'storage': config, 'process_control': {'backend': None, 'config': None}})
    kind = storage_class(profile)
    with (
        open_snapshot(Path(place), name, None, None, None) as source,
        closing(repository_at(kind.repository_location(profile))) as repository,
        closing(kind.open(profile, repository)) as storage,
    ):
        counted = CountedSnapshot(source.snapshot)

        def before_commit() -> None:
            answer({'rows': counted.rows, 'bytes': counted.bytes})
            committing()

        repository.release_nodes()  # it would refuse nodes whose objects are still on the way; see `Filling.fill`
        storage.fill(counted, before_commit=before_commit)
        answer({})


def main() -> None:
    """Answer the process that has started this one, and end when that ends."""
    gc.disable()  # very many rows come and go, and none in a circle
    asked = questions_of_parent()  # without it, what is not committed must not be
    put_rows(asked.get(), answer_parent, lambda: None if asked.get() == COMMIT else os._exit(1))


if __name__ == '__main__':
    main()
