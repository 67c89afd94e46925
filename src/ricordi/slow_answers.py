"""Telling who waits for a server that it does not answer: requests are watched by a thread beside them.

The client itself is silent until its time is over, which for a server that takes a connection and says nothing is long.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ricordi.errors import SlowAnswer

CONNECT_SECONDS = 10
"""Each address of a database server is tried for so long, where its user does not say otherwise."""
SLOWEST = 1 << 20
"""Bytes a second with which what a request carries is expected to come through."""
LOOK_SECONDS = 1.0
IDLE_LOOKS = 10
PATIENCE_SECONDS = 6.0
"""Without an answer to a request for a connection that are not worth a word, where it is tried for longer."""


@contextmanager
def told_when_slow(place: str, longest: float) -> Iterator[None]:
    """A request for a connection, for the length of a `with` block; who waits is told if it lasts.

    :param place: the server in words.
    :param longest: how long each of its addresses is tried at most, in seconds.
    """
    patience = min(PATIENCE_SECONDS, 0.6 * longest)
    telling = threading.Timer(
        patience,
        lambda: warnings.warn(
            f'the {place} has not answered for {patience:.0f} s; each of its addresses is tried for {longest:.0f} s at '
            'most',
            SlowAnswer,
            stacklevel=1,
        ),
    )
    telling.daemon = True
    telling.start()
    try:
        yield
    finally:
        telling.cancel()
        telling.join()  # who is amid the word when the process ends has the stream, which the interpreter then lacks


class AnswerWatch:
    """Watches the requests to one store; who waits is told once, and again only after a quick answer."""

    def __init__(
        self, place: str, longest: float, patience: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """
        :param place: the bucket in words.
        :param longest: how long one request is tried at most, in seconds.
        :param patience: seconds without an answer that are not worth a word.
        :param clock: tells the time, in seconds.
        """
        self._place = place
        self._longest = longest
        self._patience = patience
        self._clock = clock
        self._lock = threading.Lock()
        self._due: dict[object, tuple[float, float]] = {}
        """When each request was begun, or last went on, and when it is late."""
        self._told = False
        self._thread: threading.Thread | None = None

    @contextmanager
    def waiting(self, carried: int = 0) -> Iterator[Callable[[], None]]:
        """A request, for the length of a `with` block; what comes with it is called when something of it has gone on.

        :param carried: bytes that it sends, or asks for.
        """
        request = object()
        begun = self._clock()

        def goes_on() -> None:
            now = self._clock()
            self._due[request] = now, now + self._patience + carried / SLOWEST

        goes_on()
        self._see_to_thread()
        try:
            yield goes_on
        finally:
            del self._due[request]
            with self._lock:  # nothing is told of it from here on, when the process may end
                if self._clock() - begun < self._patience:
                    self._told = False

    def _see_to_thread(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():  # of a process that was forked it is not there
                self._thread = threading.Thread(target=self._look, name='answers', daemon=True)
                self._thread.start()

    def _look(self) -> None:
        """What the thread does, until there was no request for a while."""
        idle = 0
        while True:
            time.sleep(min(LOOK_SECONDS, self._patience))
            now = self._clock()
            with self._lock:  # whoever has a request by now sees that there is no thread any more, or is seen by it
                idle = 0 if self._due else idle + 1
                if idle == IDLE_LOOKS:
                    self._thread = None
                    return
                self._tell_of_late(now)

    def _tell_of_late(self, now: float) -> None:
        late = [began for began, due in list(self._due.values()) if due <= now]
        if late and not self._told:
            self._told = True
            warnings.warn(
                f'the {self._place} has not answered for {now - min(late):.0f} s; a request is tried for '
                f'{self._longest:.0f} s at most',
                SlowAnswer,
                stacklevel=1,
            )
