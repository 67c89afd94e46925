"""Runs command lines on hostile input and judges how they end. What makes the input is a *door*: one module each.

A door is registered by its name in `doors.py`; from a seed it makes cases, the same ones each time. Each case runs in a
fork of this process, so that it cannot spoil the next, and what it took can be told.
"""

from __future__ import annotations

import gc
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import ClassVar

from hostile.folder import changed_between, holds_secret, look_over
from hostile.forks import USUAL, Ended, Limits, run_apart
from hostile.profiles import SECRET, Profile

DOCUMENTED = (0, 1, 2, 3, 4, 5, 6, 7, 130, 141, 143)
"""The exit codes that there are (docs/exit-codes.md), and those of programs that a signal ended."""
NEVER_SAID = ('Traceback (most recent call last)', 'This is a bug', 'Exception ignored')


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

    name: ClassVar[str]
    cases_in_ci: ClassVar[int] = 200
    on_postgres: ClassVar[bool] = False
    """Whether what it tries depends on the database, so that it is also tried on PostgreSQL."""
    may_change: ClassVar[tuple[str, ...]] = ('.aiida', 'tmp')
    """What commands may change in the folder of the door; all else stays as it is."""
    works_in: ClassVar[str] = 'elsewhere'
    """The folder in which commands are started. They leave it alone, unless `may_change` names it."""

    def __init__(self, folder: Path, server: str | None = None) -> None:
        """
        :param folder: an empty one, in which the door may keep what it likes; `AIIDA_PATH` lies in it.
        :param server: the URI of a PostgreSQL server as its administrator, to have profiles there; None: on SQLite.
        """
        self.folder = folder
        self.profile = Profile(folder, server)

    @abstractmethod
    def set_up(self) -> None:
        """Make what all cases share, such as a profile."""

    @abstractmethod
    def cases(self, chance: random.Random, seed: int) -> Iterator[Case]:
        """The cases of one seed. A case is run before the next is asked for, so `self` may look at what it left."""

    def tear_down(self) -> None:
        """Remove what was made outside the folder."""
        self.profile.tear_down()

    def environment(self) -> Mapping[str, str]:
        """What commands find in their environment, besides what all do."""
        return {}

    def look(self, case: Case, ended: Ended) -> str | None:
        """What is wrong beyond what is always judged; None if nothing is."""
        return None


@dataclass(slots=True)
class Findings:
    """What came of many cases.

    :param interrupted: cases that went on for too long, and ended when they were told to.
    """

    runs: int = 0
    codes: dict[int, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    interrupted: list[str] = field(default_factory=list)
    most_memory_bytes: int = 0
    most_cpu_seconds: float = 0


def fault_of(ended: Ended, limits: Limits, codes: tuple[int, ...] = DOCUMENTED) -> str | None:
    """What is wrong with how a command ended, whatever it was given; None if nothing is."""
    if ended.deaf:
        return f'it went on after {ended.cpu_seconds:.1f} s of work, deaf to Ctrl-C'
    if ended.memory_bytes > limits.memory_bytes:
        return f'it took {ended.memory_bytes >> 20} MiB of memory'
    for words in NEVER_SAID:
        if words in ended.output:
            return f'it said {words!r}'
    if ended.code not in (*codes, *((130,) if ended.interrupted else ())):
        return f'it ended with {ended.code}'
    return None


class Runner:
    """Runs the cases of a door, each in a process of its own."""

    def __init__(self, door: Door, limits: Limits = USUAL) -> None:
        self.door = door
        self.limits = limits
        self.findings = Findings()
        for name in ('elsewhere', door.works_in, 'tmp'):
            (door.folder / name).mkdir(parents=True, exist_ok=True)
        (door.folder / 'elsewhere' / 'keep').write_text('what was there before')
        _load_everything()
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

    def judge(self, case: Case) -> Ended:
        """Run a case and note what is wrong with how it ended."""
        before = look_over(self.door.folder)
        ended = run_apart(
            case.arguments, case.stdin, self._environment(), self.door.folder / self.door.works_in, self.limits
        )
        changed = changed_between(before, look_over(self.door.folder))
        findings = self.findings
        findings.runs += 1
        findings.codes[ended.code] = findings.codes.get(ended.code, 0) + 1
        findings.most_memory_bytes = max(findings.most_memory_bytes, ended.memory_bytes)
        findings.most_cpu_seconds = max(findings.most_cpu_seconds, ended.cpu_seconds)
        told = f'{case.told}\n  {" ".join(case.arguments)[:2000]!r}\n  exit {ended.code}: {ended.output[-1500:]}'
        fault = self._fault(case, ended, changed)
        if fault is not None:
            findings.faults.append(f'{fault}: {told}')
        elif ended.interrupted:
            findings.interrupted.append(f'it took {ended.cpu_seconds:.1f} s of work: {told}')
        return ended

    def _fault(self, case: Case, ended: Ended, changed: list[str]) -> str | None:
        fault = fault_of(ended, self.limits, case.codes)
        if fault is not None:
            return fault
        strange = [name for name in changed if name.split('/')[0] not in self.door.may_change]
        if strange:
            return f'it changed what lies elsewhere: {strange[:5]}'
        if SECRET in ended.output:
            return 'it told a password'
        spilt = [name for name in changed if holds_secret(self.door.folder / name, SECRET)]
        if spilt:
            return f'it wrote a password to {spilt[:5]}'
        return self.door.look(case, ended)

    def _environment(self) -> Mapping[str, str]:
        return {
            'AIIDA_PATH': str(self.door.folder / '.aiida'),
            'HOME': str(self.door.folder / 'elsewhere'),
            'TMPDIR': str(self.door.folder / 'tmp'),
            'COLUMNS': '100',
            **self.door.environment(),
        }


def _load_everything() -> None:
    """Import the program, and what it uses, once and not in each fork."""
    import ricordi

    for module in walk_packages(ricordi.__path__, 'ricordi.'):
        if not module.name.startswith('ricordi.plugin.') and not module.name.endswith('__main__'):
            import_module(module.name)
    for name in ('yaml', 'difflib', 'encodings.idna', 'psycopg', 'pydoc'):
        import_module(name)
    gc.freeze()  # a fork does not copy what it does not touch
