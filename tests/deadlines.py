"""Waiting in tests: for an event, until a deadline that fails and says what did not come to pass.

No test depends on how fast the machine is: it waits for something to happen, and the deadline is far beyond what a busy
machine takes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

DEADLINE = 240.0
"""Seconds after which what has not come to pass never will, also where ten times too much runs on a machine."""

Found = TypeVar('Found')


def wait_until(look: Callable[[], Found], what: str, seconds: float = DEADLINE) -> Found:
    """Look now and then until there is something to see; gives what was seen.

    :param what: what is waited for, for the message of a failure.
    """
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f'not within {seconds:.0f} s: {what}'
        time.sleep(0.01)
    return found
