"""Work on many files at once: threads wait for the disk and compute digests while results come in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

READERS = 4
PLAIN_READERS = 2
"""For digests and inflating of small objects, which leave the lock of the interpreter too short for more."""

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
