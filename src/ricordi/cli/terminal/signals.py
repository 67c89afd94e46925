"""SIGINT, SIGTERM and SIGHUP during long work: the first asks for a clean end, a second SIGINT quits at once."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager

from ricordi.errors import ended_by

TYPE_CHECKING = False  # so that a verb without options loads neither `typing` nor what stops long work
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from types import FrameType

    from ricordi.progress import Stop

_SIGNALS = tuple(getattr(signal, name) for name in ('SIGINT', 'SIGTERM', 'SIGHUP') if hasattr(signal, name))

INTERRUPTED = 130
"""The exit code after Ctrl-C."""


def end_tidily() -> None:
    """Let SIGINT, SIGTERM and SIGHUP end the process by an exception, so that temporary files and access records go.

    They are noted: who calls our functions may swallow what is raised in them, as SQLite does.
    """
    for number in _SIGNALS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _end)


def _end(number: int, frame: FrameType | None) -> None:
    ended_by.append(number)
    raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)


@contextmanager
def _handled_by(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, previous in before.items():
        if previous is not signal.SIG_IGN:  # nohup ignores SIGHUP, and that stays so
            signal.signal(number, handle)
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def interruptible() -> AbstractContextManager[None]:
    """While a person is asked, also amid long work: a signal ends the process, and does not wait for the answer."""
    return _handled_by(_end)


def end_at_once() -> None:
    """Let a further Ctrl-C end the process without a word: all is let go, and nothing but the end is left to do."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def stopping(stop: Stop) -> Iterator[None]:
    """While inside, signals ask `stop` for an early end instead of killing the process."""

    def handle(number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        stop.request(name)
        # A second one must end the process even if the work never looks at `stop`; the storage survives that.
        signal.signal(number, _end if number == signal.SIGINT else signal.SIG_DFL)
        again = ' (Ctrl-C again quits at once)' if number == signal.SIGINT else ''
        try:
            # Not print: the handler may have interrupted a write to the same buffer.
            os.write(2, f'ricordi: {name}: ending at the next clean point{again}\n'.encode())
        except OSError:
            pass

    with _handled_by(handle):
        yield
