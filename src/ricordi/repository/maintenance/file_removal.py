"""Removing many files beside other work. Where a disk discards blocks at once this takes most of the time.

Threads wait for the disk; of very many files a process of its own takes care, whose threads take no turns with ours.
"""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import IO

from ricordi.folders import KeptFolder, OpenFolder
from ricordi.repository.limits import USUAL, Limits
from ricordi.repository.worker_process import WorkerProcess, can_start, processors

REMOVERS = 8
REMOVE_AT_ONCE = 64
GROUPS_UNDER_WAY = 400
ASKED_UNDER_WAY = 1600


class FileRemover:
    """Removes files beside other work; what is not there any more is passed over.

    At the end of a `with` block all of them are gone; if an interrupt ends it, no more go than are in hand.
    """

    def __init__(self, may_start: bool = True, limits: Limits = USUAL) -> None:
        """
        :param may_start: use a process for very many files. It may live on for a moment after we were killed: only for
            files that are not needed whoever comes then.
        :param limits: what is worth a process, and how much it is asked at once.
        """
        self._executor = ThreadPoolExecutor(REMOVERS, thread_name_prefix='remover')
        self._asker = ThreadPoolExecutor(1, thread_name_prefix='asker')
        self.worker: WorkerProcess | None = None
        """The process, once it was worth one."""
        self._limits = limits
        self._is_worth_a_process = may_start and can_start() and processors(limits) > 1
        self._pending: deque[Future[int]] = deque()
        self._folders = _Folders()
        self._begun = 0
        self._given_up = False
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
                self._submit(self._executor.submit(self._remove_group, group), GROUPS_UNDER_WAY)
            self._begun += len(group)

    def finish(self) -> None:
        """Wait until all of them are gone."""
        while self._pending:
            self.removed += self._pending.popleft().result()

    def __enter__(self) -> FileRemover:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            if kind is None or issubclass(kind, Exception):
                self.finish()
        finally:
            self._given_up = True
            if self.worker is not None:
                self.worker.process.kill()
            for executor in (self._executor, self._asker):
                executor.shutdown(cancel_futures=True)
            self._pending.clear()
            if self.worker is not None:
                self.worker.close()

    def _group_size(self) -> int:
        asks = self._is_worth_a_process and self._begun >= self._limits.many_files
        return self._limits.ask_at_once if asks else REMOVE_AT_ONCE

    def _submit(self, work: Future[int], most: int) -> None:
        self._pending.append(work)
        while len(self._pending) > most:
            self.removed += self._pending.popleft().result()

    # -- in the thread that speaks with the process -------------------------------------------------------------------

    def _ask(self, paths: list[str]) -> int:
        """Let the process remove files; what it does not answer for is removed here."""
        try:
            if self.worker is None:
                self.worker = WorkerProcess(__name__, os.getpid(), limits=self._limits)
            return int(self.worker.ask(paths))
        except (OSError, ValueError):
            self._is_worth_a_process = False
            return self._remove_group(paths)

    def _remove_group(self, paths: Iterable[str]) -> int:
        return _remove(paths, lambda: self._given_up, self._folders)


def remove_files(paths: Iterable[str]) -> int:
    """Remove files, here and now; returns how many were still there.

    :raises OSError: one of them cannot be removed.
    """
    return _remove(paths, lambda: False, _Folders())


class _Folders:
    """Folders of files, each opened in the one above it, which is held open: mostly that of all loose objects.

    No link is followed on the way that root does not trust.
    """

    def __init__(self) -> None:
        self._above: KeptFolder | None = None

    def open(self, path: str) -> int | None:
        """Open a folder; None if it is not there."""
        above, name = os.path.split(path.rstrip('/') or path or '.')
        try:
            return self._open_above(above or '.').open_folder(name or '.')
        except FileNotFoundError:
            return None

    def _open_above(self, path: str) -> OpenFolder:
        kept = self._above
        if kept is None or kept.text != path:
            kept = self._above = KeptFolder(Path(path))
        return kept.now()


def _remove(paths: Iterable[str], is_over: Callable[[], bool], folders: _Folders) -> int:
    removed = 0
    here: str | None = None
    descriptor: int | None = None
    try:
        for path in paths:
            if is_over():
                break
            folder, slash, name = path.rpartition('/')
            if folder + slash != here:
                if descriptor is not None:
                    os.close(descriptor)
                here, descriptor = folder + slash, None
                descriptor = folders.open(here)
            if descriptor is not None:
                try:
                    os.unlink(name, dir_fd=descriptor)
                    removed += 1
                except FileNotFoundError:
                    continue
    except OSError as error:
        error.filename = path
        raise
    finally:
        if descriptor is not None:
            os.close(descriptor)
    return removed


def serve(parent: int, requests: IO[bytes], answers: IO[bytes]) -> None:
    """Remove what is asked for by a process, as long as that lives; the first file that cannot be removed ends it."""
    folders = _Folders()
    with ThreadPoolExecutor(REMOVERS) as executor:
        for line in requests:
            paths = json.loads(line)
            length = len(paths) // REMOVERS + 1  # neighbours together, for they lie in the same folder
            parts = (paths[begin : begin + length] for begin in range(0, len(paths), length))
            removed = sum(executor.map(lambda part: _remove(part, lambda: os.getppid() != parent, folders), parts))
            answers.write(b'%d\n' % removed)
            answers.flush()


if __name__ == '__main__':
    serve(int(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer)
