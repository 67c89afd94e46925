"""Whether every object of a pack is what its key says, and in the form that is asked for.

Digests of small objects keep one processor busy, for threads of one interpreter take turns. So a large pack is shared:
a process of its own, which only reads, takes a part of the rows; what it does not answer for is checked here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import Any, NamedTuple

from ricordi.backend.maintenance import CompressMode
from ricordi.errors import CorruptStorage
from ricordi.progress import Run
from ricordi.repository.container.bulk import would_keep_form
from ricordi.repository.container.compression import wants_compression
from ricordi.repository.container.index import PackedObject, PackSpan
from ricordi.repository.container.loose import chunks_of
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.container.pack_windows import Window, content_of, is_large, read_window, windows_of
from ricordi.repository.limits import Limits
from ricordi.repository.parallel import READERS, in_order
from ricordi.repository.worker_process import can_start, processors, start_worker

MOST_SHARES = 4
ASK_SECONDS = 0.1
WRONG = 'wrong'
"""What a helper prints that has found an object that is damaged or in another form."""

GoOn = Callable[[int], bool]
"""Is told how many bytes more were checked, and says whether to go on."""


class Found(NamedTuple):
    """What a check has found; `objects` and their `length` in bytes count if all of them are right."""

    right: bool
    objects: int = 0
    length: int = 0


def check_pack(container: ObjectStore, pack_id: int, mode: CompressMode, run: Run) -> Found | None:
    """Read all objects of a pack and compare each with its key; what cannot be read is not right.

    :param mode: the form in which they shall lie; one in another form is not right, either.
    :returns: None if told to stop before the end.
    """

    def go_on(length: int) -> bool:
        run.progress.advance(length)
        return not run.stop.reason

    own, *others = _shares(container.index.span_of_pack(pack_id), container.limits)
    with ExitStack() as stack:
        helpers = [stack.enter_context(_Helper(container, share, mode)) for share in others]
        found = check_span(container, own, mode, go_on)
        for helper in helpers:
            if found is None or not found.right:
                break
            one = helper.found(run) or check_span(container, helper.span, mode, go_on)
            found = one and Found(one.right, found.objects + one.objects, found.length + one.length)
    return found


def check_span(container: ObjectStore, span: PackSpan, mode: CompressMode, go_on: GoOn) -> Found | None:
    """The same for those rows of a pack whose ids lie in a range."""
    path, level, looks = container.layout.pack_path(span.pack_id), container.config.compression_level, mode != 'keep'

    def check(window: Window) -> Found:
        if is_large(window[0], container.limits):
            right = _keeps_large_form(container, window[0], mode) and container.packed_copy_is_sound(window[0])
            return Found(right, 1, window[0].length)
        try:
            for row, stored in read_window(path, window):
                content = content_of(row, stored)
                if len(content) != row.size:
                    return Found(False)
                if looks and not would_keep_form(bytes(content), mode, bool(row.compressed), level):
                    return Found(False)
        except (OSError, zlib.error):
            return Found(False)
        return Found(True, len(window), sum(row.length for row in window))

    objects = length = 0
    with closing(container.new_index()) as index:
        windows = windows_of(index.objects_of_span(span), container.limits)
        threads = READERS if mode in ('yes', 'auto') or span.compressed else 1
        with closing(in_order(check, windows, threads=threads)) as found:
            for one in found:
                if not one.right:
                    return one
                objects, length = objects + one.objects, length + one.length
                if not go_on(one.length):
                    return None
    return Found(True, objects, length)


def _keeps_large_form(container: ObjectStore, row: PackedObject, mode: CompressMode) -> bool:
    try:
        with container.open_packed(row) as handle:
            return wants_compression(mode, bool(row.compressed), next(chunks_of(handle), b'')) == bool(row.compressed)
    except (OSError, zlib.error, CorruptStorage):
        return False


def _shares(span: PackSpan, limits: Limits) -> list[PackSpan]:
    """Parts that take about as long each, our own first; one part where sharing would gain nothing."""
    number = min(MOST_SHARES, processors(limits), span.length // limits.share_bytes)
    if number < 2 or not span.in_order or not can_start():
        return [span]
    rows = span.last - span.first + 1
    own = round(rows * min(1.0, (1 + (number - 1) * limits.head_start_bytes / span.length) / number))
    step = -(-(rows - own) // (number - 1))
    firsts = [span.first, *range(span.first + own, span.last + 1, max(1, step))]
    lasts = [*(first - 1 for first in firsts[1:]), span.last]
    return [span._replace(first=first, last=last) for first, last in zip(firsts, lasts, strict=True)]


class _Helper:
    """A process that checks a share; it ends with the block."""

    def __init__(self, container: ObjectStore, span: PackSpan, mode: CompressMode) -> None:
        self.span = span
        words = (span.pack_id, span.first, span.last, int(span.compressed))
        folder = container.layout.folder.absolute()
        self._worker = start_worker(__name__, folder, os.getpid(), mode, *words, limits=container.limits)

    def found(self, run: Run) -> Found | None:
        """What it has found, or None if it could not tell, or not before we were told to stop."""
        if self._worker is None:
            return None
        process, answer = self._worker.process, b''
        patience = self._worker.patience()
        while process.returncode is None and not run.stop.reason:
            try:
                answer, _ = process.communicate(timeout=ASK_SECONDS)
            except subprocess.TimeoutExpired:
                if patience.is_over():
                    self._worker.give_up()
                    return None
        words = answer.decode().split()
        if words == [WRONG]:
            return Found(False)
        if process.returncode or len(words) != 2:
            return None
        objects, length = map(int, words)
        run.progress.advance(length)
        return Found(True, objects, length)

    def __enter__(self) -> _Helper:
        return self

    def __exit__(self, *error: Any) -> None:
        if self._worker is not None:
            self._worker.close()


def main(folder: str, parent: str, mode: CompressMode, *numbers: str) -> None:
    """Check a share on behalf of another process, as long as that lives; print how many objects and bytes it has."""
    pack_id, first, last, compressed = map(int, numbers)
    span = PackSpan(pack_id, first, last, length=0, in_order=True, compressed=bool(compressed))
    with closing(ObjectStore(folder)) as container:
        found = check_span(container, span, mode, lambda length: os.getppid() == int(parent))
    if found is not None:
        print(f'{found.objects} {found.length}' if found.right else WRONG)


if __name__ == '__main__':
    main(*sys.argv[1:])  # type: ignore[arg-type]
