"""Ports on loopback for the servers of tests: one that nobody takes in between, and one where nobody listens."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager


def free_port() -> int:
    """A port below those that the system gives away itself, one to each connection: it is still free a while later."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(('127.0.0.1', port))
            except OSError:
                continue
        return port


@contextmanager
def refusing_port() -> Iterator[int]:
    """A port that refuses all connections for the length of a `with` block: its owner does not listen."""
    with socket.socket() as owner:
        owner.bind(('127.0.0.1', 0))
        yield owner.getsockname()[1]
