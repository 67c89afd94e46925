"""Processes of our own that only read: for work at which the threads of one interpreter would take turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def can_start() -> bool:
    """Whether it is known which interpreter to start: not so where Python is embedded in another program."""
    return bool(sys.executable)


class WorkerProcess:
    """A module of this program, run by a process that is asked and answers through pipes; it ends with the block.

    What it does not answer, its caller has to do: it may be killed at any time, and what it says of errors is lost.
    """

    def __init__(self, module: str, *arguments: object) -> None:
        """
        :param module: its name; it is run as `python -m`.
        """
        self.process = subprocess.Popen(
            [sys.executable, '-P', '-m', module, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is heard by the caller, who ends in order
        )

    def ask(self, question: Any) -> Any:
        """Send a line of JSON, and wait for a line of JSON.

        :raises OSError: the process has ended.
        :raises ValueError: it has ended, or what it says is not JSON.
        """
        request, answer = self.process.stdin, self.process.stdout
        assert request is not None
        assert answer is not None
        request.write(json.dumps(question).encode() + b'\n')
        request.flush()
        return json.loads(answer.readline())

    def read(self, size: int) -> bytes:
        """So many bytes that follow a line of the answer; fewer if the process has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.read(size)

    def close(self) -> None:
        """End it, whatever it is at."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue  # what was not sent has nobody to read it
        self.process.wait()

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()
