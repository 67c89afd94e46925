"""A topic of a verification while it is looked at."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import Topic, Unit
from ricordi.errors import CorruptStorage


def in_words(error: Exception) -> str:
    """What an error says is wrong, without the way out, which is for whoever tells of the finding."""
    return str(error).partition('; ')[0]


class Watch:
    """How much was looked at, and how long it took.

    `fault` is why it could not be looked at to its end.
    """

    def __init__(self, name: str, unit: Unit) -> None:
        self.name = name
        self.unit = unit
        self.checked = 0
        self.bytes = 0
        self.seconds = 0.0
        self.complete = True
        self.fault = ''

    def told(self) -> Iterator[Finding | Topic]:
        """What was looked at; before it, a finding if something made that impossible."""
        if self.fault:
            yield Finding('failed check', f'of the {self.name} not all could be looked at: {self.fault}')
        yield Topic(self.name, self.checked, self.unit, self.bytes, self.seconds, self.complete)


@contextmanager
def watching(name: str, unit: Unit) -> Iterator[Watch]:
    """Look at a topic inside the block; what is too corrupt for that ends the block, not the verification."""
    watch = Watch(name, unit)
    begin = time.perf_counter()
    try:
        yield watch
    except CorruptStorage as error:
        watch.fault, watch.complete = in_words(error), False
    watch.seconds = time.perf_counter() - begin
