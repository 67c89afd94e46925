"""Runs command lines on hostile input and judges how they end. What makes the input is a *door*: one module each.

A door is registered by its name in `DOORS` (see `run.py`); from a seed it makes cases, the same ones each time.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import NoReturn

DOCUMENTED = (0, 1, 2, 3, 4, 5, 6, 7, 130, 141, 143)
"""The exit codes that there are (docs/exit-codes.md), and those of programs that a signal ended."""
BARE_BYTES = 60 << 20
"""What a command takes that does next to nothing."""
NEVER_SAID = ('Traceback (most recent call last)', 'This is a bug', 'Exception ignored')


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may take."""

    cpu_seconds: float = 10
    """Of work: a machine that others use too makes no run fail."""
    wall_seconds: float = 60
    memory_bytes: int = 300 << 20


@dataclass(frozen=True, slots=True)
class Case:
    """One command line.

    :param told: what was done, in words, with the seed: enough to make it again.
    :param codes: the exit codes with which it may end.
    """

    told: str
    arguments: tuple[str, ...]
    codes: tuple[int, ...] = DOCUMENTED
    stdin: bytes = b''


class Door(ABC):
    """One way in for what strangers have made."""

    def __init__(self, folder: Path) -> None:
        """
        :param folder: an empty one, in which the door may keep what it likes; `AIIDA_PATH` lies in it.
        """
        self.folder = folder

    @abstractmethod
    def set_up(self) -> None:
        """Make what all cases share, such as a profile."""

    @abstractmethod
    def cases(self, chance: random.Random, seed: int) -> Iterator[Case]:
        """The cases of one seed. A case is run before the next is asked for, so `self` may look at what it left."""

    def tear_down(self) -> None:  # noqa: B027 - most keep nothing beyond their folder
        """Remove what was made outside the folder."""

    def look(self, case: Case, ended: Ended) -> str | None:
        """What is wrong beyond what is always judged; None if nothing is."""
        return None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    output: str
    cpu_seconds: float
    memory_bytes: int
    timed_out: bool


@dataclass(slots=True)
class Findings:
    """What came of many cases."""

    runs: int = 0
    codes: dict[int, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


class Runner:
    """Runs the cases of a door, each in a process of its own."""

    def __init__(self, door: Door, limits: Limits = Limits()) -> None:
        self.door = door
        self.limits = limits
        self.findings = Findings()
        self._elsewhere = door.folder / 'elsewhere'
        self._elsewhere.mkdir(parents=True)
        (self._elsewhere / 'keep').write_text('what was there before')
        (door.folder / 'tmp').mkdir()
        _load_verbs()
        door.set_up()

    def run(self, seeds: Iterator[int], until: float | None = None, most: int | None = None) -> Findings:
        """Run the cases of some seeds.

        :param until: the time on the monotonic clock at which to stop; :param most: so many cases at most.
        """
        for seed in seeds:
            for case in self.door.cases(random.Random(f'{type(self.door).__name__} {seed}'), seed):
                self.judge(case)
                if (until is not None and time.monotonic() >= until) or self.findings.runs == most:
                    return self.findings
        return self.findings

    def judge(self, case: Case) -> None:
        """Run a case and note what is wrong with how it ended."""
        ended = run_apart(case, self._environment(), self._elsewhere, self.limits)
        findings = self.findings
        findings.runs += 1
        findings.codes[ended.code] = findings.codes.get(ended.code, 0) + 1
        fault = self._fault(case, ended)
        if fault is not None:
            findings.faults.append(
                f'{fault}: {case.told}\n  {" ".join(case.arguments)!r}\n  exit {ended.code}: {ended.output[-1500:]}'
            )

    def _fault(self, case: Case, ended: Ended) -> str | None:
        limits = self.limits
        if ended.timed_out or ended.cpu_seconds > limits.cpu_seconds:
            return f'it took {ended.cpu_seconds:.1f} s of work'
        if ended.memory_bytes > limits.memory_bytes:
            return f'it took {ended.memory_bytes >> 20} MiB of memory'
        for words in NEVER_SAID:
            if words in ended.output:
                return f'it said {words!r}'
        if ended.code not in case.codes:
            return f'it ended with {ended.code}'
        if [path.name for path in self._elsewhere.iterdir()] != ['keep']:
            return 'it changed what lies elsewhere'
        return self.door.look(case, ended)

    def _environment(self) -> Mapping[str, str]:
        return {
            'AIIDA_PATH': str(self.door.folder / '.aiida'),
            'HOME': str(self._elsewhere),
            'TMPDIR': str(self.door.folder / 'tmp'),
            'COLUMNS': '100',
        }


def _load_verbs() -> None:
    """Import what the verbs need once, and not in each fork."""
    from ricordi.cli.main import load_command
    from ricordi.cli.tree import leaves

    for _, _, place in leaves():
        load_command(place)
    for name in ('manager', 'orm', 'services.archive_import', 'storage.sqlite_dos', 'storage.sqlite_zip'):
        import_module(f'ricordi.{name}')


def run_apart(case: Case, environment: Mapping[str, str], folder: Path, limits: Limits) -> Ended:
    """Run a command line in a fork of this process: what is imported need not be imported anew."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as source:
        source.write(case.stdin)
        source.seek(0)
        before = _resident_bytes()
        child = os.fork()
        if not child:
            _become(case.arguments, environment, folder, source.fileno(), output.fileno())
        status, usage, timed_out = _wait(child, limits.wall_seconds)
        output.seek(0)
        told = output.read(1 << 20).decode(errors='replace')
    code = os.waitstatus_to_exitcode(status)
    memory = usage.ru_maxrss * (1 if sys.platform == 'darwin' else 1024) - before + BARE_BYTES
    return Ended(128 - code if code < 0 else code, told, usage.ru_utime + usage.ru_stime, memory, timed_out)


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
        from ricordi.cli.main import run

        code = run(list(arguments))
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException as error:  # what `run` lets out would be a traceback
        os.write(2, f'Traceback (most recent call last): {error!r}'.encode())
    os._exit(code)


def _wait(child: int, seconds: float) -> tuple[int, resource.struct_rusage, bool]:
    deadline, pause = time.monotonic() + seconds, 0.001
    while time.monotonic() < deadline:
        pid, status, usage = os.wait4(child, os.WNOHANG)
        if pid:
            return status, usage, False
        time.sleep(pause)
        pause = min(0.02, pause * 1.5)
    os.killpg(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    return status, usage, True
