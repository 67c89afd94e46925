"""Times a step inside its process: wall-clock, and CPU seconds of the process and of the database server it works with.

The server is a PostgreSQL on this host whose main process is named by the environment variable `BENCH_SERVER`.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

SERVER = 'BENCH_SERVER'
_PARENT, _OWN, _OF_CHILDREN = 1, slice(11, 13), slice(13, 15)


class Clock:
    """Starts when it is made."""

    def __init__(self) -> None:
        self._server = os.environ.get(SERVER)
        self._cpu = self._cpu_seconds()
        self._began = time.perf_counter()

    def stop(self, repetitions: int = 1) -> str:
        """Wall-clock and CPU seconds of one repetition, as `read_times` reads them."""
        seconds = time.perf_counter() - self._began
        cpu = self._cpu_seconds() - self._cpu
        return f'{seconds / repetitions:.6f} {cpu / repetitions:.6f}'

    def _cpu_seconds(self) -> float:
        return time.process_time() + (server_seconds(int(self._server)) if self._server else 0.0)


def server_seconds(pid: int) -> float:
    """CPU seconds that a server and its children have used, those that have ended included."""
    fields = _stat(pid)
    ticks = sum(map(int, fields[_OWN] + fields[_OF_CHILDREN]))
    for folder in Path('/proc').iterdir():
        if folder.name.isdigit():
            try:
                fields = _stat(int(folder.name))
            except OSError:  # it has just ended
                continue
            if fields[_PARENT] == str(pid):
                ticks += sum(map(int, fields[_OWN]))
    return ticks / os.sysconf('SC_CLK_TCK')


def read_times(output: str) -> tuple[float, float, int]:
    """What a step has printed last: seconds, CPU seconds, rows."""
    seconds, cpu, rows = output.split()[-3:]
    return float(seconds), float(cpu), int(rows)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name of the program."""
    return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
