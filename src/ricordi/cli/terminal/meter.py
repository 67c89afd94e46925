"""How far a step is: amount, rate and time left, and the words for it."""

from __future__ import annotations

import time

from ricordi.cli.terminal.quantities import format_bytes, format_count, format_seconds
from ricordi.progress import Unit


class Meter:
    """Counts what is done of one step."""

    def __init__(self, step: str, total: int | None, unit: Unit) -> None:
        self.step = step
        self.total = total
        self.unit = unit
        self.done = 0
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the step began."""
        return time.monotonic() - self.started

    @property
    def rate(self) -> float | None:
        """Units per second so far, or None before there is anything to go by."""
        return self.done / self.seconds if self.done and self.seconds > 0.1 else None

    @property
    def seconds_left(self) -> float | None:
        """Estimate of the time the rest takes, or None if nobody knows."""
        if self.total is None or self.rate is None:
            return None
        return max(0, self.total - self.done) / self.rate

    def amount(self, count: float) -> str:
        """`count` with its unit."""
        if self.unit == 'bytes':
            return format_bytes(count)
        number = round(count)
        return f'{format_count(number)} {self.unit.removesuffix("s") if number == 1 else self.unit}'

    def words(self) -> str:
        """`1.2 GB of 3.4 GB (35 %), 120 MB/s, 20.0 s left`, as far as it is known."""
        text = self.amount(self.done)
        if self.total:
            text += f' of {self.amount(self.total)} ({min(100, 100 * self.done // self.total)} %)'
        if self.rate is not None:
            text += f', {self.amount(self.rate)}/s'
        if self.seconds_left is not None:
            text += f', {format_seconds(self.seconds_left)} left'
        return text
