"""Work on many files at once: threads wait for the disk and compute digests while results come in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from typing import TypeVar

READERS = 4
PLAIN_READERS = 2
"""Where nothing is compressed: digests of small objects leave the interpreter's lock too short for more."""
REMOVERS = 8
REMOVE_AT_ONCE = 64
GROUPS_UNDER_WAY = 400

Item = TypeVar('Item')
Result = TypeVar('Result')


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], ahead: int = READERS, threads: int = READERS
) -> Generator[Result, None, None]:
    """`function` of each item, computed in threads, at most `ahead` items before the one that is asked for.

    Several threads gain where they wait for the disk or compress; where they take digests of small objects the lock of
    the interpreter makes them slower than one. An exception of `function` is raised where its result would have come.
    """
    source = iter(items)
    with ThreadPoolExecutor(threads, thread_name_prefix='reader') as executor:
        pending: deque[Future[Result]] = deque(executor.submit(function, item) for item in islice(source, ahead))
        try:
            while pending:
                result = pending.popleft().result()
                pending.extend(executor.submit(function, item) for item in islice(source, 1))
                yield result
        finally:
            for future in pending:
                future.cancel()


class FileRemover:
    """Removes files in threads, beside other work; where a disk discards blocks at once this takes most of the time."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(REMOVERS, thread_name_prefix='remover')
        self._pending: deque[Future[int]] = deque()
        self.removed = 0
        """How many files were still there, of those that are surely gone by now."""

    def remove(self, paths: Iterable[str]) -> None:
        """Begin to remove these files; waits while very many are under way."""
        source = iter(paths)
        while group := list(islice(source, REMOVE_AT_ONCE)):
            while len(self._pending) >= GROUPS_UNDER_WAY:
                self.removed += self._pending.popleft().result()
            self._pending.append(self._executor.submit(_remove_group, group))

    def finish(self) -> None:
        """Wait until all of them are gone."""
        while self._pending:
            self.removed += self._pending.popleft().result()

    def close(self) -> None:
        """Finish, and end the threads."""
        try:
            self.finish()
        finally:
            self._executor.shutdown()


def remove_files(paths: Iterable[str]) -> int:
    """Remove files, many at a time; returns how many were still there."""
    with closing(FileRemover()) as remover:
        remover.remove(paths)
        remover.finish()
        return remover.removed


def _remove_group(paths: list[str]) -> int:
    removed = 0
    for path in paths:
        try:
            os.unlink(path)  # noqa: PTH108
            removed += 1
        except FileNotFoundError:
            continue
    return removed
