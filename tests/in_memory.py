"""Folders in memory, for what takes many fsyncs: a process, killed or not, cannot tell them from those on a disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MEMORY = Path('/dev/shm')
ENOUGH_BYTES = 4 << 30
"""The tests of one run, with the servers of PostgreSQL that they start, take a part of it."""


def has_room_in_memory() -> bool:
    """Whether there is room for all that tests lay down, and programs among it may be run there."""
    if not os.access(MEMORY, os.W_OK) or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return False
    return shutil.disk_usage(MEMORY).free >= ENOUGH_BYTES
