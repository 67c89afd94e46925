"""What can be found out about a process: whether it runs, since when, with what command line, on which machine."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

Existence = Literal['gone', 'running', 'unreadable']


class Machine(NamedTuple):
    """Where a process ID has its meaning.

    :param host: host name.
    :param machine: identifier of the installation, or empty where there is none.
    :param boot: identifier of the running kernel, new with every boot; empty where the system gives none.
    :param namespace: identifier of the PID namespace; empty where the system has none.
    """

    host: str
    machine: str
    boot: str
    namespace: str

    @classmethod
    def here(cls) -> Machine:
        """Where this process runs. Read anew each time, for a process can change its namespace."""
        namespace = ''
        with suppress(OSError):
            namespace = os.readlink('/proc/self/ns/pid')  # noqa: PTH115
        return cls(
            host=os.uname().nodename,
            machine=_read_line('/etc/machine-id'),
            boot=_read_line('/proc/sys/kernel/random/boot_id'),
            namespace=namespace,
        )

    @property
    def tag(self) -> str:
        """A short text that differs between machines, boots and namespaces; fit for a file name."""
        return hashlib.sha256('\0'.join(self._asdict().values()).encode()).hexdigest()[:10]

    def shares_kernel(self, other: Machine) -> bool:
        """Whether both are surely under the same running kernel, whose locks are seen from everywhere on it."""
        return bool(self.boot) and self.boot == other.boot

    def relation(self, other: Machine) -> Literal['same', 'earlier boot', 'foreign']:
        """What a process ID of `other` means here: the same, nothing any more, or nothing that can be checked."""
        booted_together = self.boot == other.boot if self.boot and other.boot else self.host == other.host
        if booted_together:
            return 'same' if self.namespace == other.namespace else 'foreign'
        same_host = self.host == other.host and self.machine == other.machine
        return 'earlier boot' if same_host else 'foreign'


@lru_cache
def user_name(uid: int) -> str:
    """The name of a user, or the number where the system knows no name."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def own_command_line() -> list[str]:
    """The argument list of this process as the system tells it to others, which AiiDA compares records with."""
    with suppress(OSError):
        return _split_command_line(os.fsdecode(Path('/proc/self/cmdline').read_bytes()))
    import psutil

    return psutil.Process().cmdline()


def _split_command_line(text: str) -> list[str]:
    # A process that rewrote its title leaves one string with blanks instead of NUL-terminated arguments.
    if text.endswith('\0'):
        arguments = text[:-1].split('\0')
        return text[:-1].split(' ') if len(arguments) == 1 and ' ' in text else arguments
    return text.removesuffix(' ').split(' ') if text else []


def command_line(pid: int) -> list[str] | None:
    """The argument list of a process, or None where it may not be read or the process is gone."""
    if not proc_is_ours():
        return None
    import psutil

    try:
        return psutil.Process(pid).cmdline()
    except (psutil.Error, OSError):
        return None


def existence(pid: int) -> Existence:
    """Whether there is a process of this ID. One that ended and was not waited for (a zombie) is gone."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return 'gone'
    except OSError:  # of another user: there, but what /proc shows of it may be nothing
        pass
    if not proc_is_ours():
        return 'running'
    status = read_status(pid)
    if not status:
        return _existence_without_proc(pid)
    # A thread answers to signals by its own number, but is no process.
    if status.get('Tgid', str(pid)) != str(pid) or status.get('State', '')[:1] in ('Z', 'X'):
        return 'gone'
    return 'running'


def proc_is_ours() -> bool:
    """Whether `/proc`, where there is one, shows the processes of our PID namespace, and not those of an outer one."""
    try:
        return os.readlink('/proc/self') == str(os.getpid())  # noqa: PTH115
    except OSError:
        return True


def read_status(pid: int) -> dict[str, str]:
    """What the kernel tells of a process in `/proc/<pid>/status`; empty where it may not be read."""
    try:
        text = Path(f'/proc/{pid}/status').read_text(errors='replace')
    except OSError:
        return {}
    return {key: value.strip() for key, _, value in (line.partition(':') for line in text.splitlines())}


def _existence_without_proc(pid: int) -> Existence:
    import psutil

    try:
        return 'gone' if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE else 'running'
    except psutil.ZombieProcess:
        return 'gone'
    except (psutil.Error, OSError):
        pass
    try:  # it may have ended since the first look, or be hidden from us
        os.kill(pid, 0)
    except ProcessLookupError:
        return 'gone'
    except OSError:
        pass
    return 'unreadable'


def start_token(pid: int) -> str:
    """What tells a process from a later one of the same ID on the same boot; empty where it may not be read.

    On Linux the clock ticks from boot to its start, which no change of the wall clock touches.
    """
    ticks = _start_ticks(pid)
    if ticks:
        return ticks
    started = start_time(pid)
    return '' if started is None else f'{started:.2f}'


def start_time(pid: int) -> float | None:
    """When a process started, in seconds since the epoch; None where it may not be read.

    On Linux to a tick of 0.01 s, reckoned back from now, else to about a second.
    """
    ticks = _start_ticks(pid)
    if ticks:
        return boot_time() + int(ticks) / os.sysconf('SC_CLK_TCK')
    if not proc_is_ours():
        return None
    import psutil

    try:
        return psutil.Process(pid).create_time()
    except (psutil.Error, OSError):
        return None


def boot_time() -> float:
    """When this machine was booted, in seconds since the epoch as the wall clock has it now."""
    # A process that has to wait between the looks at both clocks finds it too early, by that long: not three times
    return max(time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) for _ in range(3))


def _start_ticks(pid: int) -> str:
    if not proc_is_ours():
        return ''
    try:
        return Path(f'/proc/{pid}/stat').read_text(errors='replace').rpartition(')')[2].split()[19]
    except (OSError, IndexError):
        return ''


def owner(pid: int) -> str:
    """The name of the user a process belongs to, or an empty text where it may not be read."""
    if not proc_is_ours():
        return ''
    try:
        return user_name(Path(f'/proc/{pid}').stat().st_uid)
    except OSError:
        pass
    import psutil

    try:
        return psutil.Process(pid).username()
    except (psutil.Error, OSError, KeyError):
        return ''


@lru_cache
def _read_line(path: str) -> str:
    """What a file tells that stays the same as long as the system runs."""
    try:
        return Path(path).read_text(errors='replace').strip()
    except OSError:
        return ''
