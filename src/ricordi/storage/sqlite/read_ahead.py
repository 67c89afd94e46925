"""The file of a large database, read once in the order of its bytes, before it is read in another order.

SQLite reads a page at a time, and a check of the whole file meets them in the order of its trees: on a disk that
answers a few thousand questions a second, five gigabytes take minutes so. Read in order, they take seconds, and the
system remembers them where it has the memory.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

LOOK_SECONDS = 0.1
_READ = """
import os, sys
piece = bytearray(1 << 22)
with open(sys.argv[1], 'rb', buffering=0) as file:
    while file.readinto(piece) and os.getppid() == int(sys.argv[2]):
        continue
"""
MEMINFO = Path('/proc/meminfo')
"""Where Linux tells what memory there is."""


class AheadSizes(NamedTuple):
    """When a file is read ahead.

    :param least: bytes of the smallest file for which it is worth a process.
    :param share: of the memory that programs could have, how much the file may take.
    """

    least: int = 128 << 20
    share: float = 0.7


USUAL_AHEAD = AheadSizes()


def read_ahead(path: Path, check: Callable[[], None], sizes: AheadSizes = USUAL_AHEAD, meminfo: Path = MEMINFO) -> bool:
    """Read a file that is large, and not too large to be remembered; return when that is done, or cannot be.

    It is read by a process of its own: if this one opened and closed the file, all locks of SQLite's on it would end.

    :param check: asked now and then; what it raises ends the reading.
    :param meminfo: see `available_memory`.
    :returns: whether it was read to its end.
    """
    try:
        size = path.stat().st_size
        if not sys.executable or not sizes.least <= size <= sizes.share * available_memory(meminfo):
            return False
        process = _start(path)
    except OSError:
        return False
    try:
        while True:
            check()
            try:
                return process.wait(LOOK_SECONDS) == 0
            except subprocess.TimeoutExpired:
                continue
    finally:
        process.kill()
        process.wait()


def _start(path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, '-I', '-S', '-c', _READ, str(path.absolute()), str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is heard by this process, which ends it
    )


def available_memory(meminfo: Path) -> int:
    """Bytes that programs could have, with those that only remember files; 0 where the system does not tell.

    :param meminfo: the file in which it does.
    """
    try:
        words = next(line.split() for line in meminfo.read_text().splitlines() if line.startswith('MemAvailable:'))
        return int(words[1]) * 1024
    except (OSError, StopIteration, ValueError, IndexError):
        return 0
