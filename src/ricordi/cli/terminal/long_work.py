"""What goes with all work that takes long: signals that ask it to end, and how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from ricordi.cli.session import CommandSession
from ricordi.cli.terminal.drawing import drawing
from ricordi.cli.terminal.signals import stopping
from ricordi.progress import Run, Stop


@contextmanager
def long_work(session: CommandSession, stop: Stop, *, writes: bool = True) -> Iterator[Run]:
    """What is handed on with long work: its progress is drawn while inside, and signals ask for an early end.

    :param writes: whether anything is changed. Where nothing is, a signal ends it at once.
    """
    with stopping(stop) if writes else nullcontext(), drawing(session.silent, session.verbose) as progress:
        yield Run(progress, stop)
