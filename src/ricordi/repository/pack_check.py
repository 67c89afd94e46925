"""Whether every object of a pack has the SHA-256 that its key says. A large pack is shared among processes.

Digests of small objects keep one processor busy, for threads of one interpreter take turns. So a process of its own,
which only reads, takes a share of the rows; what it does not answer for is checked here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from contextlib import ExitStack, closing
from typing import Any, NamedTuple

from ricordi.repository.objects import ObjectStore
from ricordi.repository.pack_windows import Window, content_of, is_large, read_window, windows_of
from ricordi.repository.parallel import READERS, in_order

SHARE_BYTES = 128 << 20
"""Bytes of objects that are worth a process of their own."""
MOST_SHARES = 4
UNSOUND = 1
"""Exit code of a helper that has found a damaged object."""

Ids = tuple[int, int]


class Found(NamedTuple):
    """What a check has found; `objects` and their `length` in bytes count if all of them are sound."""

    sound: bool
    objects: int = 0
    length: int = 0


def check_pack(container: ObjectStore, pack_id: int) -> Found:
    """Read all objects of a pack and compare each with its key; what cannot be read is not sound."""
    own, *others = _shares(container, pack_id)
    with ExitStack() as stack:
        helpers = [stack.enter_context(_Helper(container, pack_id, ids)) for ids in others]
        found = check_share(container, pack_id, own)
        for helper in helpers:
            if not found.sound:
                break
            one = helper.found() or check_share(container, pack_id, helper.ids)
            found = Found(one.sound, found.objects + one.objects, found.length + one.length)
    return found


def check_share(container: ObjectStore, pack_id: int, ids: Ids | None, parent: int | None = None) -> Found:
    """The same for those rows of a pack whose ids lie in a range; None for all of them.

    :param parent: process without which there is nobody to tell.
    """
    path = container.layout.pack_path(pack_id)

    def check(window: Window) -> Found:
        if is_large(window[0]):
            return Found(container.packed_copy_is_sound(window[0]), 1, window[0].length)
        try:
            for row, stored in read_window(path, window):
                content_of(row, stored)
        except (OSError, zlib.error):
            return Found(False)
        return Found(True, len(window), sum(row.length for row in window))

    objects = length = 0
    with closing(container.new_index()) as index:
        windows = windows_of(index.objects_of_pack(pack_id, ids))
        threads = READERS if index.any_compressed(pack_id) else 1
        with closing(in_order(check, windows, threads=threads)) as found:
            for one in found:
                if not one.sound or (parent is not None and os.getppid() != parent):
                    return Found(False)
                objects, length = objects + one.objects, length + one.length
    return Found(True, objects, length)


def _shares(container: ObjectStore, pack_id: int) -> list[Ids | None]:
    """Ranges of row ids, of about as many bytes each; one range of all where sharing would gain nothing."""
    span = container.index.span_of_pack(pack_id)
    number = min(MOST_SHARES, _processors(), span.length // SHARE_BYTES)
    if number < 2 or not span.in_order or not sys.executable:
        return [None]
    step = (span.last - span.first) // number + 1
    return [(first, min(first + step - 1, span.last)) for first in range(span.first, span.last + 1, step)]


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


class _Helper:
    """A process that checks a share; it ends with the block."""

    def __init__(self, container: ObjectStore, pack_id: int, ids: Ids | None) -> None:
        self.ids = ids
        words = (container.layout.folder.absolute(), os.getpid(), pack_id, *(ids or ()))
        self._process = subprocess.Popen(
            [sys.executable, '-P', '-m', __name__, *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is heard by the caller, who ends in order
        )

    def found(self) -> Found | None:
        """What it has found, or None if it could not tell."""
        text, _ = self._process.communicate()
        if self._process.returncode == UNSOUND:
            return Found(False)
        words = text.split()
        if self._process.returncode or len(words) != 2:
            return None
        return Found(True, int(words[0]), int(words[1]))

    def __enter__(self) -> _Helper:
        return self

    def __exit__(self, *error: Any) -> None:
        self._process.kill()
        self._process.__exit__(*error)


def main(folder: str, parent: str, pack_id: str, first: str, last: str) -> int:
    """Check a share on behalf of another process; print how many objects and bytes it has."""
    with closing(ObjectStore(folder)) as container:
        found = check_share(container, int(pack_id), (int(first), int(last)), int(parent))
    if not found.sound:
        return UNSOUND
    print(found.objects, found.length)
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main(*sys.argv[1:]))
    except Exception:
        sys.exit(2)  # not for us to tell: the other process looks for itself
