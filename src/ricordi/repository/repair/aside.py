"""What a repair puts out of use is kept: in `set-aside/` of the container, which AiiDA ignores."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from ricordi.backend.repair import SetAside
from ricordi.folders import OpenFolder
from ricordi.repository.container.layout import Layout


class Aside:
    """Where one repair keeps what it puts out of use: files whose names begin with its time."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._stamp = f'{time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())}-{uuid.uuid4().hex[:6]}'
        self._kept: list[str] = []

    def taken(self) -> Iterator[SetAside]:
        """What was kept since this was last asked."""
        kept, self._kept = self._kept, []
        return map(SetAside, kept)

    def keep_file(self, path: Path, name: str) -> None:
        """Give a file a further name among what is kept, so that its own can be given to another, or be removed.

        Where the file system has no hard links, its own is free after that.

        :param name: what it is called there, after the time.
        """
        into, called = self._layout.opened.set_aside, f'{self._stamp}-{name}'
        with OpenFolder(path.parent) as folder:
            folder.link_or_move(path.name, called, into)
        # Kept durably before anything happens to the other name.
        into.sync()
        self._kept.append(f'{self._layout.set_aside.name}/{called}')

    def keep_bytes(self, pieces: Iterable[bytes], name: str) -> None:
        """Keep bytes that lie among others; what cannot be read of them is left out."""
        self._kept.append(self.keep(name, _readable(pieces)))

    def keep(self, name: str, pieces: Iterable[bytes]) -> str:
        """Write a file among what is kept, durably; returns its path in the container."""
        into, called = self._layout.opened.set_aside, f'{self._stamp}-{name}'
        with os.fdopen(into.create(called, 0o600), 'wb') as handle:
            for piece in pieces:
                handle.write(piece)
            handle.flush()
            os.fsync(handle.fileno())
        into.sync()
        return f'{self._layout.set_aside.name}/{called}'


def _readable(pieces: Iterable[bytes]) -> Iterator[bytes]:
    with suppress(OSError, EOFError):
        yield from pieces
