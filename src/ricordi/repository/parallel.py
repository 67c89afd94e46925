"""Work on many files at once: threads wait for the disk and compute digests while results come in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

READERS = 4
REMOVERS = 8
REMOVE_AT_ONCE = 256

Item = TypeVar('Item')
Result = TypeVar('Result')


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], ahead: int = READERS
) -> Generator[Result, None, None]:
    """`function` of each item, computed in threads, at most `ahead` items before the one that is asked for.

    An exception of `function` is raised where its result would have come.
    """
    source = iter(items)
    with ThreadPoolExecutor(READERS, thread_name_prefix='reader') as executor:
        pending: deque[Future[Result]] = deque(executor.submit(function, item) for item in islice(source, ahead))
        try:
            while pending:
                result = pending.popleft().result()
                pending.extend(executor.submit(function, item) for item in islice(source, 1))
                yield result
        finally:
            for future in pending:
                future.cancel()


def remove_files(paths: Iterable[str]) -> int:
    """Remove files, many at a time, since a disk does that far faster; returns how many were still there."""
    source = iter(paths)
    groups = iter(lambda: list(islice(source, REMOVE_AT_ONCE)), [])
    with ThreadPoolExecutor(REMOVERS, thread_name_prefix='remover') as executor:
        removed, pending = 0, deque(executor.submit(_remove_group, group) for group in islice(groups, 4 * REMOVERS))
        while pending:
            removed += pending.popleft().result()
            pending.extend(executor.submit(_remove_group, group) for group in islice(groups, 1))
    return removed


def _remove_group(paths: list[str]) -> int:
    removed = 0
    for path in paths:
        try:
            os.unlink(path)  # noqa: PTH108
            removed += 1
        except FileNotFoundError:
            continue
    return removed
