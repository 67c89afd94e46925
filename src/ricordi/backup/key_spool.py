"""Keys of objects, however many, in order and without doubles: kept in a file without a name, in constant memory."""

from __future__ import annotations

import hashlib
import os
import tempfile
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Self

KEY_BYTES = 32
AT_ONCE = 25_000
_FIRST_BYTES = [bytes([first]) for first in range(256)]


class KeySpool:
    """Takes keys in any order, gives them ascending and distinct. Its file goes with it, or with the process."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        """
        :param at_once: so many keys are sorted in memory.
        """
        self._file = tempfile.TemporaryFile(prefix='ricordi-keys-')  # noqa: SIM115 - closed by `close`
        self._at_once = at_once
        self._runs: list[list[int]] = []
        """Of each sorted portion where in the file its keys begin, by their first byte, and where it ends."""

    def add(self, keys: Iterable[str]) -> Self:
        """Take keys."""
        source = iter(keys)
        while portion := list(islice(source, self._at_once)):
            self._sort(bytes.fromhex(''.join(portion)))
        self._file.flush()
        return self

    def add_digests(self, portions: Iterable[bytes]) -> Self:
        """Take keys as the bytes that they stand for, one after the other; any number of them at once."""
        gathered, most = bytearray(), KEY_BYTES * self._at_once
        for digests in portions:
            gathered += digests
            while len(gathered) >= most:
                self._sort(bytes(gathered[:most]))
                del gathered[:most]
        self._sort(bytes(gathered))
        self._file.flush()
        return self

    def _sort(self, portion: bytes) -> None:
        digests = _apart(portion)
        digests.sort()
        start = self._runs[-1][-1] if self._runs else 0
        places = [start + KEY_BYTES * bisect_left(digests, first) for first in _FIRST_BYTES]
        self._runs.append([*places, start + KEY_BYTES * len(digests)])
        self._file.write(b''.join(digests))

    def ascending(self) -> Iterator[str]:
        """All keys, distinct and ascending. May be asked anew, also while an earlier answer is being read."""
        for digests in self._by_first_byte():
            text = digests.hex()
            yield from [text[place : place + 2 * KEY_BYTES] for place in range(0, len(text), 2 * KEY_BYTES)]

    def count_and_digest(self) -> tuple[int, str]:
        """How many keys there are, and the SHA-256 of them all: 32 bytes of each, ascending."""
        length, digest = 0, hashlib.sha256()
        for digests in self._by_first_byte():
            digest.update(digests)
            length += len(digests)
        return length // KEY_BYTES, digest.hexdigest()

    def _by_first_byte(self) -> Iterator[bytes]:
        """The keys that begin with the same byte, one after the other, distinct and ascending; then the next."""
        for first in range(256):
            found: set[bytes] = set()
            for run in self._runs:
                found.update(_apart(os.pread(self._file.fileno(), run[first + 1] - run[first], run[first])))
            yield b''.join(sorted(found))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _apart(digests: bytes) -> list[bytes]:
    return [digests[place : place + KEY_BYTES] for place in range(0, len(digests), KEY_BYTES)]


def lacking(wanted: Iterable[str], there: Iterable[str]) -> Iterator[str]:
    """The keys of the first that are not among the second; both ascending."""
    keys, others = iter(wanted), iter(there)
    other = next(others, None)
    for key in keys:
        while other is not None and other < key:
            other = next(others, None)
        if other != key:
            yield key
        if other is None:  # the others are at their end, or there are none: nothing is left to be compared
            yield from keys


def common(wanted: Iterable[str], there: Iterable[str]) -> Iterator[str]:
    """The keys of the first that are among the second too; both ascending."""
    others = iter(there)
    other = next(others, None)
    for key in wanted:
        while other is not None and other < key:
            other = next(others, None)
        if other == key:
            yield key
