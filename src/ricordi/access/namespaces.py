"""Processes of other PID namespaces (containers) on this machine, whose IDs mean nothing here.

A record of AiiDA's tells a process ID and a command line, not where they have their meaning. In the initial PID
namespace every process of the machine can be seen, with the ID that it has in its own namespace. From inside a
container only what runs within can.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import NamedTuple

from ricordi.access.process import boot_time, command_line, proc_is_ours, read_status

INITIAL_NAMESPACE = 'pid:[4026531836]'
"""The PID namespace that the kernel starts with; the number is fixed in its sources."""
CLOCK_TOLERANCE = 60.0


class Sought(NamedTuple):
    """A process that is not here.

    :param pid: the ID it has in its own namespace.
    :param command: the text of its argument list; None where it is not known.
    :param uid: the user who wrote the record.
    :param written: when, in seconds since the epoch.
    """

    pid: int
    command: str | None
    uid: int
    written: float


class OtherNamespaces:
    """What runs on this machine under process IDs of another namespace; looked for once, at the first question."""

    def __init__(self, own: str) -> None:
        """
        :param own: the PID namespace of this process; empty where the system has none.
        """
        self._own = own

    def find(self, sought: Sought) -> int | None:
        """The ID that the process has here, if it runs in a namespace that can be seen from here."""
        for pid in self._inhabitants.get(sought.pid, ()):
            arguments = command_line(pid)
            is_meant = sought.command in (None, str(arguments)) if arguments else _has_memory(pid)
            if is_meant:
                return pid
        return None

    def may_hide(self, sought: Sought) -> bool:
        """Whether the process may run on this machine where `find` cannot see it."""
        if not self._own or sought.written < boot_time() - CLOCK_TOLERANCE:
            return False
        return self._own != INITIAL_NAMESPACE or not _sees_all(sought.uid)

    @cached_property
    def _inhabitants(self) -> dict[int, list[int]]:
        """The processes of inner namespaces: the ID in any of them → the IDs here."""
        found: dict[int, list[int]] = {}
        if not self._own or not proc_is_ours():
            return found
        for name in os.listdir('/proc'):  # noqa: PTH208
            if not name.isdecimal():
                continue
            status = read_status(int(name))
            if status.get('State', '')[:1] in ('Z', 'X'):
                continue
            for inner in status.get('NSpid', '').split()[1:]:
                found.setdefault(int(inner), []).append(int(name))
        return found


def _has_memory(pid: int) -> bool:
    """Whether a process that tells no command line may be at work: one that ends lets go of its memory first."""
    return 'VmSize' in read_status(pid)


def _sees_all(uid: int) -> bool:
    """Whether `/proc` hides no process of this user: one may show each user their own alone (`hidepid`)."""
    if not proc_is_ours():
        return False
    return os.geteuid() in (0, uid) or bool(read_status(1))
