"""Work that tells what it finds, done by a thread beside other work, and heard in its turn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, nullcontext
from queue import Full, Queue
from typing import Generic, TypeVar

from ricordi.progress import Progress, Run, Stop, Unit

AHEAD = 1000
"""So much may be found that nobody has heard yet."""
LOOK_SECONDS = 0.2

Found = TypeVar('Found')


class WorkBeside(Generic[Found]):
    """What an iterator gives, worked out by a thread from now on. To be closed, which ends the work.

    Its progress is told from when it is heard: until then the work beside which it is done tells its own.
    """

    def __init__(self, work: Callable[[Run], Iterator[Found]], run: Run, ahead: int = AHEAD) -> None:
        """
        :param work: is handed the run that it is to be done with.
        """
        self._progress = _LaterProgress(run.progress)
        self._stop = _EitherStop(run.stop)
        self._found: Queue[tuple[Found | None, BaseException | None]] = Queue(ahead)
        self._run = Run(self._progress, self._stop, run.lock_check)
        self._thread = threading.Thread(target=self._do, args=(work,), name='beside', daemon=True)
        self._thread.start()

    def _do(self, work: Callable[[Run], Iterator[Found]]) -> None:
        end: BaseException = StopIteration()
        try:
            results = work(self._run)
            # closed here, where its connections were made
            with closing(results) if isinstance(results, Generator) else nullcontext():
                for one in results:
                    if not self._give((one, None)):
                        break
        except BaseException as error:  # whatever it is: who waits for an end would wait for ever
            end = error
        self._give((None, end))

    def _give(self, one: tuple[Found | None, BaseException | None]) -> bool:
        """Hand one on; False where nobody will hear of it."""
        while not self._stop.closed:
            try:
                self._found.put(one, timeout=LOOK_SECONDS)
            except Full:
                continue
            return True
        return False

    def results(self) -> Iterator[Found]:
        """What it gives, in its order; raises what it raises."""
        self._progress.let_through()
        while True:
            one, end = self._found.get()
            if isinstance(end, StopIteration):
                return
            if end is not None:
                raise end
            yield one  # type: ignore[misc]

    def close(self) -> None:
        """End the work, if it has not ended."""
        self._stop.closed = True
        self._thread.join()


class _EitherStop(Stop):
    """Ends the work where another asks for it, or where nobody hears what it finds."""

    def __init__(self, other: Stop) -> None:
        super().__init__()
        self._other = other
        self.closed = False

    @property
    def reason(self) -> str | None:
        return 'nobody hears' if self.closed else self._other.reason


class _LaterProgress(Progress):
    """Tells nothing until it may, and then the step that is under way."""

    def __init__(self, progress: Progress) -> None:
        self._told = progress
        self._lock = threading.Lock()
        self._through = False
        self._step: tuple[str, int | None, Unit] | None = None
        self._done = 0

    def begin(self, step: str, total: int | None, unit: Unit = 'bytes') -> None:
        with self._lock:
            self._step, self._done = (step, total, unit), 0
            if self._through:
                self._told.begin(step, total, unit)

    def advance(self, amount: int) -> None:
        with self._lock:
            self._done += amount
            if self._through:
                self._told.advance(amount)

    def end(self) -> None:
        with self._lock:
            self._step = None
            if self._through:
                self._told.end()

    def let_through(self) -> None:
        """From now on all is told."""
        with self._lock:
            self._through = True
            if self._step is not None:
                self._told.begin(*self._step)
                self._told.advance(self._done)
