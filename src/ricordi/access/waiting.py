"""Trying again until something can be had, or the time is over; and letting those go first who wait for the lock."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ricordi.errors import AccessError, GivingWay, HeldBack, Interrupted, WaitingForOthers

if TYPE_CHECKING:
    from ricordi.access.holder import Holder
    from ricordi.progress import Stop

SHORTEST_PAUSE = 0.01
LONGEST_PAUSE = 0.25
UNTOLD = 1.0
"""Seconds of waiting that are not worth a word."""

Result = TypeVar('Result')


@dataclass(frozen=True, slots=True)
class AccessTimes:
    """Time limits, all in seconds.

    :param unrecorded: how long to wait for the record of a process that holds the kernel's lock: it writes it in the
        next moment.
    :param giving_way: how long a newcomer lets somebody go first who waits for the lock.
    :param reserving: how long who waits for the lock holds newcomers back, and then lets them in freely, in turns: so
        nobody is bothered for the hours that a long calculation keeps the lock away.
    """

    unrecorded: float = 1.0
    giving_way: float = 10.0
    reserving: float = 30.0


class GracePeriod:
    """How long a newcomer lets one go first who waits for the lock."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: float | None = None

    def give_way(self, occupant: Holder | None, name: str) -> None:
        """Step back for the one at the gate, if there is one, and say so once.

        :raises ricordi.errors.GivingWay: try again.
        """
        if occupant is None:
            return
        if self._until is None:
            self._until = time.monotonic() + self._seconds
            warnings.warn(
                f'another process waits for profile {name!r} to be its own, and goes first; this one goes on in '
                f'{self._seconds:.0f} s at the latest:\n  - {occupant}',
                HeldBack,
                stacklevel=2,
            )
        if time.monotonic() < self._until:
            raise GivingWay(f'another process waits for profile {name!r} to be its own:\n  - {occupant}')


class Reservation:
    """Whether one who waits for the lock keeps the gate between two tries."""

    def __init__(self, wait: float | None, seconds: float) -> None:
        """
        :param wait: how long is waited in all; None: not at all, so nothing is reserved.
        :param seconds: after which the gate is left open for as long, in turns.
        """
        self._waits = bool(wait)
        self._seconds = seconds
        self._begin = time.monotonic()

    @property
    def holds(self) -> bool:
        """Whether to keep the gate now."""
        return self._waits and (time.monotonic() - self._begin) % (2 * self._seconds) < self._seconds


def retry(
    attempt: Callable[[], Result],
    wait: float | None,
    stop: Stop | None,
    what: str = 'the profile',
    untold: float = UNTOLD,
) -> Result:
    """Call `attempt` until it raises no `AccessError`; who waits is told for whom, by the warning `WaitingForOthers`.

    :param wait: seconds after which the last error is raised; None: after the first attempt. One that gives way
        (`GivingWay`) is made again in any case.
    :param what: is waited for, in words.
    :param untold: seconds of waiting before that is told.
    :raises ricordi.errors.Interrupted: `stop` asked for an end while waiting.
    """
    begin = time.monotonic()
    deadline = begin + (wait or 0.0)
    pause, told = SHORTEST_PAUSE, False
    while True:
        try:
            return attempt()
        except GivingWay:
            left = LONGEST_PAUSE
        except AccessError as error:
            left = deadline - time.monotonic()
            if left <= 0:
                raise
            if not told and time.monotonic() - begin >= untold:
                told = True
                warnings.warn(f'waiting for {left:.0f} s at most: {error}', WaitingForOthers, stacklevel=3)
        if stop is not None and stop.reason is not None:
            raise Interrupted(f'stopped while waiting for {what}: {stop.reason}; nothing was done')
        time.sleep(min(left, pause * _scatter()))
        pause = min(pause * 2, LONGEST_PAUSE)


def _scatter() -> float:
    """A factor between a half and one, another one each time: processes that wait shall not come all at once."""
    return 0.5 + (os.getpid() * 7919 + time.monotonic_ns() // 1000) % 1000 / 2000
