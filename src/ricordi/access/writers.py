"""Whether some process, in whatever PID namespace, has a database file open for writing: the kernel knows."""

from __future__ import annotations

import fcntl
import os
import signal
from contextlib import suppress
from pathlib import Path

_SET_SIGNAL = getattr(fcntl, 'F_SETSIG', 10)
"""`F_SETSIG` of Linux, which older versions of Python do not name."""


def has_writer(path: Path) -> bool | None:
    """Whether the file is open for writing, here or elsewhere under this kernel; None where that cannot be told.

    A lease for reading is granted only where it is not. It is given back at once, before anybody could wait for it.
    """
    take = getattr(fcntl, 'F_SETLEASE', None)
    if take is None:
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        # Who opens the file in this instant makes the kernel send a signal: by itself one that ends the process.
        fcntl.fcntl(descriptor, _SET_SIGNAL, signal.SIGURG)
        fcntl.fcntl(descriptor, take, fcntl.F_RDLCK)
    except BlockingIOError:
        return True
    except OSError:  # a file of another user, or a file system without leases
        return None
    finally:
        with suppress(OSError):
            fcntl.fcntl(descriptor, take, fcntl.F_UNLCK)
        os.close(descriptor)
    return False
