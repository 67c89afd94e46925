"""A user without rights beside root, as a process of its own."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A folder for temporary files that other users can look into.

    Those of pytest are for one user alone: each of its runs sees to that at its start, for all that go on meanwhile.
    """
    with tempfile.TemporaryDirectory(prefix='ricordi-reachable-') as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def working_as(uid: int, work: Callable[[], None]) -> Iterator[None]:
    """Another user who does something without end, for the length of a `with` block.

    :param work: called in a child under that number of user and group; it must not return.
    """
    child = os.fork()
    if not child:
        with suppress(BaseException):
            os.setgid(uid)
            os.setuid(uid)
            work()
        os._exit(0)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, 'the user has ended before root did'
