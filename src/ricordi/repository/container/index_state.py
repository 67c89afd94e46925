"""What tells that nobody has written to the index since a look at it, at the cost of a look at its file."""

from __future__ import annotations

import time
from pathlib import Path


def index_state(path: Path, settled_seconds: float) -> str | None:
    """A text that is another one after any change; None where that cannot be told.

    The kernel notes with each write when the file has changed, and lets no program set that. Two writes in one tick of
    its clock have one time: so the file must have been at rest for a while. And all that was committed must lie in the
    file itself: while others have it open, it lies in the log beside it.

    :param settled_seconds: for how long.
    """
    try:
        status = path.stat()
    except OSError:
        return None
    for suffix in ('-wal', '-journal'):
        try:
            if path.with_name(path.name + suffix).stat().st_size:
                return None
        except FileNotFoundError:
            continue
        except OSError:
            return None
    if not 0 <= settled_seconds * 1e9 <= time.time_ns() - max(status.st_ctime_ns, status.st_mtime_ns):
        return None
    words = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return ' '.join(map(str, words))
