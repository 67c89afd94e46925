"""Ports on loopback for the servers of tests: one that nobody takes in between, and one where nobody listens."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager

_claims: list[socket.socket] = []
"""Held until this process ends."""


def free_port() -> int:
    """A port below those that the system gives away itself, one to each connection: it is still free a while later.

    Other processes with tests, whose servers have not begun either, get others: its number is taken for UDP, which none
    of the servers uses.
    """
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        claim = socket.socket(type=socket.SOCK_DGRAM)
        try:
            claim.bind(('127.0.0.1', port))
            with socket.socket() as probe:
                probe.bind(('127.0.0.1', port))
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return port


@contextmanager
def refusing_port() -> Iterator[int]:
    """A port that refuses all connections for the length of a `with` block: its owner does not listen."""
    with socket.socket() as owner:
        owner.bind(('127.0.0.1', 0))
        yield owner.getsockname()[1]
