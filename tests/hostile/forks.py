"""A command line in a fork of this process: how it ended, what it took, and whether it listens to Ctrl-C."""

from __future__ import annotations

import gc
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

BARE_BYTES = 60 << 20
"""What a command takes that does next to nothing."""
LARGEST_ADDRESS_SPACE = 8 << 30
LARGEST_FILE = 1 << 30
"""Bounds far beyond what is judged, for the sake of the machine."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may take.

    :param cpu_seconds: of work, after which Ctrl-C is sent; a machine that others use too makes no run fail.
    :param wall_seconds: after which it is sent too. :param grace_seconds: within which it has to work.
    """

    cpu_seconds: float = 10
    wall_seconds: float = 240
    grace_seconds: float = 60
    memory_bytes: int = 300 << 20


USUAL = Limits()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended.

    :param interrupted: it went on for too long, and Ctrl-C was sent. :param deaf: that did not end it.
    """

    code: int
    output: str
    cpu_seconds: float
    memory_bytes: int
    interrupted: bool
    deaf: bool


def run_apart(
    arguments: Sequence[str], stdin: bytes, environment: Mapping[str, str], folder: Path, limits: Limits
) -> Ended:
    """Run a command line in a fork of this process: what is imported need not be imported anew."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as source:
        source.write(stdin)
        source.seek(0)
        before = _resident_bytes()
        child = os.fork()
        if not child:
            _become(arguments, environment, folder, source.fileno(), output.fileno())
        status, usage, interrupted, deaf = _wait(child, limits)
        output.seek(0)
        told = output.read(1 << 20).decode(errors='replace')
    code = os.waitstatus_to_exitcode(status)
    memory = usage.ru_maxrss * (1 if sys.platform == 'darwin' else 1024) - before + BARE_BYTES
    return Ended(128 - code if code < 0 else code, told, usage.ru_utime + usage.ru_stime, memory, interrupted, deaf)


def _resident_bytes() -> int:
    """What this process has in memory, and a fork of it from the beginning."""
    try:
        return int(Path('/proc/self/statm').read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return BARE_BYTES


def _become(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path, source: int, output: int
) -> NoReturn:
    """In the child: be the command line."""
    code = 70
    try:
        os.setsid()
        os.chdir(folder)
        os.environ.update(environment)
        tempfile.tempdir = None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        os.dup2(source, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0, 'r'), os.fdopen(1, 'w'), os.fdopen(2, 'w')
        keep = (sys.stdout, sys.stderr)  # which else would close their numbers when others come in their place
        _bound(resource.RLIMIT_AS, LARGEST_ADDRESS_SPACE)
        _bound(resource.RLIMIT_FSIZE, LARGEST_FILE)
        from ricordi.cli.main import SELDOM, run
        from ricordi.cli.terminal.streams import watch_streams

        gc.set_threshold(*SELDOM)  # as `main` has it
        watch_streams()
        assert all(not stream.closed for stream in keep)
        code = run(list(arguments))
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException as error:  # what `run` lets out would be a traceback
        os.write(2, f'Traceback (most recent call last): {error!r}'.encode(errors='replace'))
    os._exit(code)


def _bound(what: int, most: int) -> None:
    with suppress(OSError, ValueError):  # where the system has no such bound, or a smaller one
        resource.setrlimit(what, (most, most))


def _wait(child: int, limits: Limits) -> tuple[int, resource.struct_rusage, bool, bool]:
    """Wait for a process, and send it Ctrl-C when it takes too long; kills it if it does not listen."""
    started, pause, told = time.monotonic(), 0.001, 0.0
    while True:
        pid, status, usage = os.wait4(child, os.WNOHANG)
        if pid:
            _end_group(child)  # what it may have started
            return status, usage, bool(told), False
        now = time.monotonic()
        if told and now > told + limits.grace_seconds:
            os.killpg(child, signal.SIGKILL)
            _, status, usage = os.wait4(child, 0)
            return status, usage, True, True
        if not told and now > started + limits.cpu_seconds and _is_too_long(child, now - started, limits):
            os.kill(child, signal.SIGINT)
            told = now
        time.sleep(pause)
        pause = min(0.02, pause * 1.5)


def _end_group(child: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)


def _is_too_long(child: int, elapsed: float, limits: Limits) -> bool:
    return elapsed > limits.wall_seconds or _cpu_seconds(child) > limits.cpu_seconds


def _cpu_seconds(child: int) -> float:
    """What a process has worked so far; 0 where the system does not tell."""
    try:
        fields = Path(f'/proc/{child}/stat').read_text().rpartition(')')[2].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')
