"""Progress for a person, on stderr: a bar with rate and time left on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, cast

from ricordi.cli.terminal.meter import Meter
from ricordi.cli.terminal.quantities import format_seconds
from ricordi.cli.terminal.screen import has_colors
from ricordi.cli.terminal.streams import TerminalStream, harmless, write_commands
from ricordi.progress import Progress, Unit

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

FIRST_BAR_AFTER = 0.4
"""Seconds of work before a bar appears: loading `rich` costs a tenth of a second, and short work needs none."""
REDRAW_EVERY = 0.1
LOG_LINE_EVERY = 30.0


@contextmanager
def drawing(quiet: bool, verbose: bool = False) -> Iterator[Progress]:
    """The progress that fits this process: silent when quiet, a bar on a terminal, else lines. Gone when left.

    :param verbose: lines, also at begin and end of each step.
    """
    if quiet:
        yield Progress()
        return
    progress = BarProgress() if sys.stderr.isatty() and not verbose else LogProgress(verbose=verbose)
    try:
        yield progress
    finally:
        progress.end()


class LogProgress(Progress):
    """Writes a line when a step has run for a while, then one every half minute."""

    def __init__(self, every: float = LOG_LINE_EVERY, verbose: bool = False) -> None:
        self._every = every
        self._verbose = verbose
        self._meter: Meter | None = None
        self._next = 0.0

    def begin(self, step: str, total: int | None, unit: Unit = 'bytes') -> None:
        """Start counting."""
        self._meter = Meter(step, total, unit)
        self._next = time.monotonic() + self._every
        if self._verbose:
            amount = '' if total is None else f', {self._meter.amount(total)}'
            print(f'ricordi: {step}: begins{amount}', file=sys.stderr, flush=True)

    def advance(self, amount: int) -> None:
        """Count, and write a line if it is time."""
        if self._meter is None:
            return
        self._meter.done += amount
        now = time.monotonic()
        if now >= self._next:
            self._next = now + self._every
            print(f'ricordi: {self._meter.step}: {self._meter.words()}', file=sys.stderr, flush=True)

    def end(self) -> None:
        """Forget the step."""
        if self._verbose and self._meter is not None:
            took = format_seconds(self._meter.seconds)
            print(f'ricordi: {self._meter.step}: ended after {took}', file=sys.stderr, flush=True)
        self._meter = None


class BarProgress(Progress):
    """Draws a bar with `rich`, once the work has taken long enough to be worth it; it vanishes at the end."""

    def __init__(self, first_after: float = FIRST_BAR_AFTER) -> None:
        self._show_from = time.monotonic() + first_after
        self._meter: Meter | None = None
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None
        self._next = 0.0

    def begin(self, step: str, total: int | None, unit: Unit = 'bytes') -> None:
        """Start counting; the bar comes with the first redraw."""
        self.end()
        self._meter = Meter(step, total, unit)
        self._redraw()

    def advance(self, amount: int) -> None:
        """Count, and redraw if the last time is long enough ago."""
        if self._meter is None:
            return
        self._meter.done += amount
        if time.monotonic() >= self._next:
            self._redraw()

    def end(self) -> None:
        """Take the bar away."""
        self._meter = None
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None
            TerminalStream.has_drawing = False

    def _redraw(self) -> None:
        now = time.monotonic()
        self._next = max(self._show_from, now + REDRAW_EVERY)
        if now < self._show_from or self._meter is None:
            return
        if self._bar is None or self._task is None:
            self._bar = _new_bar()
            TerminalStream.has_drawing = True
            self._bar.start()
            self._task = self._bar.add_task(harmless(self._meter.step), total=self._meter.total or None, words='')
        self._bar.update(self._task, completed=self._meter.done, words=self._meter.words())


class _Screen:
    """Standard error for `rich`, whose commands to the terminal are our own."""

    def write(self, text: str) -> int:
        write_commands(text, sys.stderr)
        return len(text)

    def flush(self) -> None:
        """Nothing is left to do: what was written went out at once."""

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr, name)


def _new_bar() -> RichProgress:
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn
    from rich.progress import Progress as RichProgress

    return RichProgress(
        SpinnerColumn(),
        TextColumn('{task.description}', markup=False),
        BarColumn(bar_width=24),
        TextColumn('{task.fields[words]}', markup=False),
        console=Console(file=cast('IO[str]', _Screen()), no_color=not has_colors(sys.stderr)),
        transient=True,
        refresh_per_second=8,
        # Else `rich` puts streams of its own in place of ours, which the drawing then goes through as if it were text
        redirect_stdout=False,
        redirect_stderr=False,
    )
