"""How long work tells how far it is, and how it is told to end early. Nothing here prints."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

Unit = Literal['bytes', 'objects', 'rows', 'nodes', 'snapshots']


class Progress:
    """Hears of the steps of some work. This one is silent; the command line hands in one that draws."""

    def begin(self, step: str, total: int | None, unit: Unit = 'bytes') -> None:
        """A step begins.

        :param step: what is done, in words for a person (`pack loose objects`).
        :param total: how much there is in `unit`, or None if nobody knows.
        """

    def advance(self, amount: int) -> None:
        """`amount` more (in the unit of the step) is done."""

    def end(self) -> None:
        """The step has ended, complete or not."""


class Stop:
    """Tells long work that it should end at the next clean point: on request (a signal) or at a deadline."""

    def __init__(
        self,
        max_seconds: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        out_of_time: str = 'the time that was given is over',
    ) -> None:
        """
        :param max_seconds: time budget from now on, in seconds; None for no limit.
        :param out_of_time: the reason that is told when that is used up.
        """
        self._clock = clock
        self._deadline = None if max_seconds is None else clock() + max_seconds
        self._reason: str | None = None
        self._out_of_time = out_of_time

    def request(self, reason: str) -> None:
        """Ask for an early end; `reason` goes into the report (`SIGTERM`)."""
        self._reason = reason

    @property
    def reason(self) -> str | None:
        """Why the work should end now, or None while it may go on."""
        if self._reason is None and self._deadline is not None and self._clock() >= self._deadline:
            self._reason = self._out_of_time
        return self._reason


@dataclass(frozen=True, slots=True)
class Run:
    """What is handed on with long work, from the command down to its last step.

    :param progress: hears how far it is.
    :param stop: tells it to end early.
    :param lock_check: raises where the lock that keeps others out has been lost; None where it was not handed on.
    """

    progress: Progress = field(default_factory=Progress)
    stop: Stop = field(default_factory=Stop)
    lock_check: Callable[[], None] | None = None

    @contextmanager
    def step(self, name: str, total: int | None, unit: Unit = 'bytes') -> Iterator[None]:
        """A step, as of `Progress.begin`, for the length of a `with` block."""
        self.progress.begin(name, total, unit)
        try:
            yield
        finally:
            self.progress.end()

    def check_lock(self) -> None:
        """Raise if the lock that keeps others out has been lost: to be asked before what only the lock allows."""
        if self.lock_check is not None:
            self.lock_check()
