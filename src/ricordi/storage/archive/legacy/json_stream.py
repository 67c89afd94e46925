"""Large JSON piece by piece: the walk along keys is done here, each value is read by the parser of Python."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

LONGEST_VALUE = 32 << 20
"""Characters of one value that is read as a whole: no row of a database is larger (docs/archive.md)."""

_decode = json.JSONDecoder().raw_decode
_blank = re.compile(r'[ \t\r\n]*').match


class JsonStream:
    """A position in JSON text that comes in chunks.

    Whoever takes a key from `members`, or a turn from `elements`, reads the value that follows, by `value` or by
    walking into it, before going on.
    """

    def __init__(self, chunks: Iterable[bytes], longest: int = LONGEST_VALUE) -> None:
        """
        :param chunks: UTF-8, cut anywhere.
        :param longest: characters of the longest value that `value` reads.
        """
        self._chunks = codecs.iterdecode(iter(chunks), 'utf-8')
        self._longest = longest
        self._text = ''
        self._at = 0
        self._ended = False

    def members(self) -> Iterator[str]:
        """The keys of an object."""
        for _ in self._parts('{', '}'):
            key = self.value()
            if not isinstance(key, str):
                raise ValueError(f'{str(key)[:50]!r} stands where a key is expected')
            self._expect(':')
            yield key

    def elements(self) -> Iterator[None]:
        """One turn for each element of a list."""
        yield from self._parts('[', ']')

    def value(self) -> Any:
        """The value that follows, read as a whole.

        :raises ValueError: it is no JSON, or too long.
        :raises RecursionError: it is nested too deeply.
        """
        self._next()
        while True:
            try:
                found, end = _decode(self._text, self._at)
                if end < len(self._text) or not self._more():  # the next chunk may go on with a number
                    self._at = end
                    return found
            except ValueError:
                if len(self._text) - self._at > self._longest or not self._more():
                    raise
        raise AssertionError('the loop returns or raises')

    def end(self) -> None:
        """See that nothing follows.

        :raises ValueError: something does.
        """
        if self._next():
            raise ValueError('something follows its end')

    def _parts(self, begin: str, end: str) -> Iterator[None]:
        self._expect(begin)
        if self._next() == end:
            self._at += 1
            return
        while True:
            yield
            sign = self._next()
            self._at += 1
            if sign == end:
                return
            if sign != ',':
                raise ValueError(f'{sign!r} stands where a comma or {end} is expected')

    def _expect(self, sign: str) -> None:
        if (found := self._next()) != sign:
            raise ValueError(f'{found!r} stands where {sign} is expected')
        self._at += 1

    def _next(self) -> str:
        """The next sign that is not blank, where the position then is; nothing at the end."""
        while True:
            blank = _blank(self._text, self._at)
            self._at = blank.end() if blank else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ''

    def _more(self) -> bool:
        """Read on: as much again as was not enough, so that a long value is not begun anew for every chunk."""
        rest = self._text[self._at :]
        wanted, pieces = len(rest), []
        while not self._ended and wanted >= 0:
            piece = next(self._chunks, '')
            self._ended = not piece
            pieces.append(piece)
            wanted -= max(len(piece), 1)
        self._text, self._at = rest + ''.join(pieces), 0
        return any(pieces)
