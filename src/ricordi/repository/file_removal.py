"""Removing many files beside other work. Where a disk discards blocks at once this takes most of the time.

Threads wait for the disk; of very many files a process of its own takes care, whose threads take no turns with ours.
"""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from typing import IO

from ricordi.repository.worker_process import WorkerProcess, can_start, processors

REMOVERS = 8
REMOVE_AT_ONCE = 64
GROUPS_UNDER_WAY = 400
MANY_FILES = 8000
"""So many are removed here, before it is worth a process."""
ASK_AT_ONCE = 1024
ASKED_UNDER_WAY = 200


class FileRemover:
    """Removes files beside other work; what is not there any more is passed over."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(REMOVERS, thread_name_prefix='remover')
        self._asker = ThreadPoolExecutor(1, thread_name_prefix='asker')
        self.worker: WorkerProcess | None = None
        """The process, once it was worth one."""
        self._is_worth_a_process = can_start() and processors() > 1
        self._pending: deque[Future[int]] = deque()
        self._begun = 0
        self.removed = 0
        """How many files were still there, of those that are surely gone by now."""

    def remove(self, paths: Iterable[str]) -> None:
        """Begin to remove these files; waits while very many are under way.

        :raises OSError: one of an earlier call cannot be removed.
        """
        source = iter(paths)
        while group := list(islice(source, self._group_size())):
            if len(group) > REMOVE_AT_ONCE:
                self._submit(self._asker.submit(self._ask, group), ASKED_UNDER_WAY)
            else:
                self._submit(self._executor.submit(_remove_group, group), GROUPS_UNDER_WAY)
            self._begun += len(group)

    def finish(self) -> None:
        """Wait until all of them are gone."""
        while self._pending:
            self.removed += self._pending.popleft().result()

    def close(self) -> None:
        """Finish, and end threads and process."""
        try:
            self.finish()
        finally:
            self._executor.shutdown()
            self._asker.shutdown()
            if self.worker is not None:
                self.worker.close()

    def _group_size(self) -> int:
        return ASK_AT_ONCE if self._is_worth_a_process and self._begun >= MANY_FILES else REMOVE_AT_ONCE

    def _submit(self, work: Future[int], most: int) -> None:
        self._pending.append(work)
        while len(self._pending) > most:
            self.removed += self._pending.popleft().result()

    # -- in the thread that speaks with the process -------------------------------------------------------------------

    def _ask(self, paths: list[str]) -> int:
        """Let the process remove files; what it does not answer for is removed here."""
        try:
            if self.worker is None:
                self.worker = WorkerProcess(__name__)
            return int(self.worker.ask(paths))
        except (OSError, ValueError):
            self._is_worth_a_process = False
            return _remove_group(paths)


def remove_files(paths: Iterable[str]) -> int:
    """Remove files, many at a time; returns how many were still there."""
    with closing(FileRemover()) as remover:
        remover.remove(paths)
        remover.finish()
        return remover.removed


def _remove_group(paths: Iterable[str]) -> int:
    removed = 0
    for path in paths:
        try:
            os.unlink(path)  # noqa: PTH108
            removed += 1
        except FileNotFoundError:
            continue
    return removed


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Remove what is asked for; the first file that cannot be removed ends it, so that who asked meets it."""
    with ThreadPoolExecutor(REMOVERS) as executor:
        for line in requests:
            removed = sum(executor.map(_remove_group, _parts(json.loads(line))))
            answers.write(b'%d\n' % removed)
            answers.flush()


def _parts(paths: list[str]) -> Iterator[list[str]]:
    return (paths[start : start + REMOVE_AT_ONCE] for start in range(0, len(paths), REMOVE_AT_ONCE))


if __name__ == '__main__':
    serve(sys.stdin.buffer, sys.stdout.buffer)
