"""Waiting in tests: for an event, until a deadline that fails and says what did not come to pass.

No test depends on how fast the machine is: it waits for something to happen, and the deadline is far beyond what a busy
machine takes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
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


def wait_for_end_of(process_id: int) -> None:
    """Wait until a process that is no child of this one has ended."""
    state = Path(f'/proc/{process_id}/stat')

    def has_ended() -> bool:
        try:
            return state.read_bytes().rpartition(b')')[2].split()[0] == b'Z'  # nobody has asked how it ended
        except OSError:
            return True

    wait_until(has_ended, f'process {process_id} has ended')
