"""Processes of our own that only read: for work at which the threads of one interpreter would take turns."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, TypeVar

from ricordi.errors import StoppedWorker
from ricordi.repository.limits import USUAL, Limits

MOST_WORKERS = 4

LOOK_SECONDS = 0.2
SILENT_SECONDS = 600.0
"""How long one may not answer, where the system does not tell whether it is stopped."""

Answer = TypeVar('Answer')


def processors(limits: Limits = USUAL) -> int:
    """How many processors to use."""
    if limits.processors is not None:
        return limits.processors
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def several_processors(number: int | None = None) -> bool:
    """Whether another process would have a processor.

    :param number: how many there are to be used; None: those that this process may use.
    """
    return can_start() and (processors() if number is None else number) > 1


def can_start() -> bool:
    """Whether it is known which interpreter to start: not so where Python is embedded in another program."""
    return bool(sys.executable)


class StopTimeout:
    """How long to wait for a process: it may work as long as it likes, but not be stopped."""

    def __init__(self, process_id: int, stopped_seconds: float) -> None:
        """
        :param stopped_seconds: how long it may be stopped.
        """
        self._stopped_seconds = stopped_seconds
        self._state = Path(f'/proc/{process_id}/stat')
        self._begin = time.monotonic()
        self._stopped_since: float | None = None

    def is_over(self) -> bool:
        """Whether the process was found stopped for too long. To be asked now and then."""
        now = time.monotonic()
        try:
            is_stopped = self._state.read_bytes().rpartition(b')')[2].split()[0] in b'Tt'
        except (OSError, IndexError):
            return now - self._begin > SILENT_SECONDS
        self._stopped_since = (self._stopped_since or now) if is_stopped else None
        return self._stopped_since is not None and now - self._stopped_since > self._stopped_seconds


class WorkerProcess:
    """A module of this program, run by a process that is asked and answers through pipes; it ends with the block.

    What it does not answer, its caller has to do: it may be killed at any time, and what it says of errors is lost. One
    that is stopped is ended, with the warning `StoppedWorker`; so no wait for it is without limit.
    """

    def __init__(self, module: str, *arguments: object, limits: Limits = USUAL) -> None:
        """
        :param module: its name; it is run as `python -m`.
        :param limits: how long it may be stopped.
        """
        self.limits = limits
        self.process = subprocess.Popen(
            [sys.executable, '-P', '-m', module, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,  # Ctrl-C is heard by the caller, who ends in order
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._request: IO[bytes] = self.process.stdin
        self._answer: IO[bytes] = self.process.stdout
        for pipe in (self._request, self._answer):
            os.set_blocking(pipe.fileno(), False)
        self._received = bytearray()

    def ask(self, question: Any) -> Any:
        """Send a line of JSON, and wait for a line of JSON.

        :raises OSError: the process has ended, or was stopped and is ended now.
        :raises ValueError: it has ended, or what it says is not JSON.
        """
        request = memoryview(json.dumps(question).encode() + b'\n')
        while request:
            self._await(self._request, select.POLLOUT)
            request = request[os.write(self._request.fileno(), request) :]
        while b'\n' not in self._received and (piece := self._receive()):
            self._received += piece
        line, _, rest = self._received.partition(b'\n')
        self._received = rest
        return json.loads(line)

    def read(self, size: int) -> bytearray:
        """So many bytes that follow a line of the answer; fewer if the process has ended."""
        found = self._received[:size]
        del self._received[:size]
        while len(found) < size and (piece := self._receive(size - len(found))):
            found += piece
        return found

    def patience(self) -> StopTimeout:
        """How long to wait for it, from now on."""
        return StopTimeout(self.process.pid, self.limits.stopped_seconds)

    def give_up(self) -> None:
        """End it since it is stopped, and say so."""
        self.process.kill()
        warnings.warn(
            f'process {self.process.pid}, a helper of this one, was stopped and did not answer: it was ended, and its '
            'work is done here; there is nothing to do about it but to find out who sent it SIGSTOP',
            StoppedWorker,
            stacklevel=4,
        )

    def _receive(self, size: int = 1 << 16) -> bytes:
        self._await(self._answer, select.POLLIN)
        return os.read(self._answer.fileno(), size)

    def _await(self, pipe: IO[bytes], event: int) -> None:
        """Wait until a pipe can be used, or has nobody at its other end."""
        poll = select.poll()
        poll.register(pipe, event)
        patience: StopTimeout | None = None
        while not poll.poll(LOOK_SECONDS * 1000):
            patience = patience or self.patience()
            if patience.is_over():
                self.give_up()
                raise TimeoutError('the process was stopped')

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


def start_worker(module: str, *arguments: object, limits: Limits = USUAL) -> WorkerProcess | None:
    """A process, or None where none can be started, for want of room or an interpreter: the work is done without."""
    try:
        return WorkerProcess(module, *arguments, limits=limits)
    except OSError:
        return None


class WorkerPool:
    """Several processes that do the same. For several threads at once."""

    def __init__(self, module: str, *arguments: object, limits: Limits = USUAL) -> None:
        """
        :param module: what they run, as for `WorkerProcess`.
        :param limits: how many there are, and after how many questions.
        """
        self._start = partial(start_worker, module, *arguments, limits=limits)
        self._few_questions = limits.few_questions
        self.number = min(MOST_WORKERS, processors(limits)) if can_start() else 0
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
            if self._questions == self._few_questions:
                for _ in range(self.number):
                    worker = self._start()
                    self._idle.put(worker)
                    self.started += [worker] if worker is not None else []
            return self._questions >= self._few_questions and self.number > 0
