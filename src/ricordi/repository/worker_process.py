"""Processes of our own that only read: for work at which the threads of one interpreter would take turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

FEW_QUESTIONS = 16
"""A pool leaves so many to its caller: for a few it would take longer to start processes."""
MOST_WORKERS = 4

Answer = TypeVar('Answer')


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


def start_worker(module: str, *arguments: object) -> WorkerProcess | None:
    """A process, or None where none can be started, for want of room or an interpreter: the work is done without."""
    try:
        return WorkerProcess(module, *arguments)
    except OSError:
        return None


class WorkerPool:
    """Several processes that do the same. For several threads at once."""

    def __init__(self, module: str, *arguments: object) -> None:
        """
        :param module: what they run, as for `WorkerProcess`.
        """
        self._start = partial(start_worker, module, *arguments)
        self.number = min(MOST_WORKERS, processors()) if can_start() else 0
        self._lock = threading.Lock()
        self._questions = 0
        self._idle: SimpleQueue[WorkerProcess | None] = SimpleQueue()
        self.started: list[WorkerProcess] = []

    def ask(self, act: Callable[[WorkerProcess], Answer | None]) -> Answer | None:
        """What `act` has from one of them; None where none is there, or what it was given did not answer.

        :param act: it may raise what `WorkerProcess.ask` does.
        """
        if not self._are_started():
            return None
        worker, answer = self._idle.get(), None
        try:
            if worker is not None:
                answer = act(worker)
        except (OSError, ValueError):
            pass  # the same as no answer
        finally:
            self._idle.put(worker if answer is not None else None)  # what failed once is not asked again
        return answer

    def close(self) -> None:
        """End the processes."""
        for worker in self.started:
            worker.close()

    def _are_started(self) -> bool:
        with self._lock:
            self._questions += 1
            if self._questions == FEW_QUESTIONS:
                for _ in range(self.number):
                    worker = self._start()
                    self._idle.put(worker)
                    self.started += [worker] if worker is not None else []
            return self._questions >= FEW_QUESTIONS and self.number > 0
