"""A server that takes connections and says nothing, until it hangs up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class SilentServer:
    """See `silent_server`."""

    port: int
    _taken: list[socket.socket] = field(default_factory=list)
    _hung_up: bool = False
    _mutex: threading.Lock = field(default_factory=threading.Lock)

    def take(self, connection: socket.socket) -> None:
        with self._mutex:
            self._taken.append(connection)
        if self._hung_up:
            self.hang_up()

    def hang_up(self) -> None:
        """End all connections, now and later."""
        self._hung_up = True
        with self._mutex:
            for one in self._taken:
                with suppress(OSError):  # the client was faster
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
            self._taken.clear()


@contextmanager
def silent_server() -> Iterator[SilentServer]:
    """A server on loopback, for the length of a `with` block."""
    with closing(socket.create_server(('127.0.0.1', 0))) as listening:
        server = SilentServer(listening.getsockname()[1])

        def take_all() -> None:
            with suppress(OSError):
                while True:
                    server.take(listening.accept()[0])

        thread = threading.Thread(target=take_all)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
            server.hang_up()
