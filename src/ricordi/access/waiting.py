"""Trying again until something can be had, or the time is over."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ricordi.errors import AccessError, Interrupted

if TYPE_CHECKING:
    from ricordi.progress import Stop

SHORTEST_PAUSE = 0.01
LONGEST_PAUSE = 0.25

Result = TypeVar('Result')


def retry(attempt: Callable[[], Result], wait: float | None, stop: Stop | None) -> Result:
    """Call `attempt` until it raises no `AccessError`.

    :param wait: seconds after which the last error is raised; None: after the first attempt.
    :raises ricordi.errors.Interrupted: `stop` asked for an end while waiting.
    """
    deadline = time.monotonic() + (wait or 0.0)
    pause = SHORTEST_PAUSE
    while True:
        try:
            return attempt()
        except AccessError:
            left = deadline - time.monotonic()
            if left <= 0:
                raise
        if stop is not None and stop.reason is not None:
            raise Interrupted(f'stopped while waiting for the profile: {stop.reason}; nothing was done')
        time.sleep(min(left, pause * _scatter()))
        pause = min(pause * 2, LONGEST_PAUSE)


def _scatter() -> float:
    """A factor between a half and one, another one each time: processes that wait shall not come all at once."""
    return 0.5 + (os.getpid() * 7919 + time.monotonic_ns() // 1000) % 1000 / 2000
