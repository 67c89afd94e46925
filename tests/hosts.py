"""Hosts of their own on this machine: a host name and process IDs that mean nothing elsewhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache

UNSHARE = ('unshare', '--uts', '--pid', '--fork', '--mount-proc', '--kill-child')
_TAKE_NAME = 'import os, socket, sys; socket.sethostname(sys.argv[1]); os.execvp(sys.argv[2], sys.argv[2:])'


@cache
def can_be_had() -> bool:
    """Whether namespaces can be made here, which takes the rights of root."""
    if not shutil.which('unshare'):
        return False
    return subprocess.run([*UNSHARE, *_named('a-host'), 'true'], capture_output=True).returncode == 0


def words_on(name: str) -> list[str]:
    """What to put before a command so that it runs on a host of that name; nothing where none can be had.

    Who kills the process kills the host, with all that runs there.
    """
    return [*UNSHARE, *_named(name)] if can_be_had() else []


def _named(name: str) -> list[str]:
    return [sys.executable, '-c', _TAKE_NAME, name]
