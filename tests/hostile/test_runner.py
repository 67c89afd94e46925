"""The runner of hostile cases finds what it looks for."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from deadlines import DEADLINE
from hostile.forks import Limits
from hostile.profiles import SECRET
from hostile.runner import Case, Door, Runner
from ricordi.cli import main


class OneDoor(Door):
    name = 'one'

    def set_up(self) -> None:
        pass

    def cases(self, chance: Random, seed: int) -> Iterator[Case]:
        yield Case(f'seed {seed}', ('x',))


def deaf(arguments: list[str]) -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        pass


def busy(arguments: list[str]) -> int:
    try:
        while True:
            pass
    except KeyboardInterrupt:
        return 130


def tells_a_password(arguments: list[str]) -> int:
    print(f'postgresql://me:{SECRET}@host')
    return 0


def writes_a_password(arguments: list[str]) -> int:
    (Path(os.environ['TMPDIR']) / 'log').write_text(SECRET)
    return 0


def writes_where_it_may(arguments: list[str]) -> int:
    (Path(os.environ['TMPDIR']) / 'x').write_text('x')
    return 0


def tells_a_bug(arguments: list[str]) -> int:
    print('This is a bug.', file=sys.stderr)
    return 0


def raises(arguments: list[str]) -> int:
    raise ValueError


def fills_memory(arguments: list[str]) -> int:
    return len(b'x' * (400 << 20)) * 0


def changes_what_was_there(arguments: list[str]) -> int:
    Path('keep').write_text('other')
    return 0


def writes_elsewhere(arguments: list[str]) -> int:
    Path('here').write_text('x')
    return 0


@pytest.mark.parametrize(
    ('command', 'fault'),
    [
        (deaf, 'deaf to Ctrl-C'),
        (tells_a_password, 'told a password'),
        (writes_a_password, "wrote a password to ['tmp/log']"),
        (changes_what_was_there, 'elsewhere'),
        (writes_where_it_may, None),
        (tells_a_bug, 'This is a bug'),
        (raises, 'Traceback'),
        (fills_memory, 'of memory'),
        (writes_elsewhere, 'elsewhere'),
        (lambda arguments: 9, 'ended with 9'),
        (lambda arguments: 0, None),
    ],
)
def test_what_must_not_be_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: object, fault: str | None
) -> None:
    limits = Limits(cpu_seconds=1, wall_seconds=DEADLINE, grace_seconds=1, memory_bytes=350 << 20)
    runner = Runner(OneDoor(tmp_path / 'door'), limits)
    monkeypatch.setattr(main, 'run', command)
    faults = runner.run(iter([1])).faults
    assert [fault is not None and fault in found for found in faults] == ([] if fault is None else [True])


def test_what_takes_long_and_hears_ctrl_c_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = Runner(OneDoor(tmp_path / 'door'), Limits(cpu_seconds=1, wall_seconds=DEADLINE))
    monkeypatch.setattr(main, 'run', busy)
    findings = runner.run(iter([1]))
    assert (findings.faults, len(findings.interrupted), findings.codes) == ([], 1, {130: 1})
