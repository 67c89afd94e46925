"""The runner of hostile cases finds what it looks for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from hostile.runner import Case, Door, Limits, Runner
from ricordi.cli import main


class OneDoor(Door):
    def set_up(self) -> None:
        pass

    def cases(self, chance: Random, seed: int) -> Iterator[Case]:
        yield Case(f'seed {seed}', ('x',))


def busy(arguments: list[str]) -> int:
    while True:
        pass


def tells_a_bug(arguments: list[str]) -> int:
    print('This is a bug.', file=sys.stderr)
    return 0


def raises(arguments: list[str]) -> int:
    raise ValueError


def fills_memory(arguments: list[str]) -> int:
    return len(b'x' * (400 << 20)) * 0


def writes_elsewhere(arguments: list[str]) -> int:
    Path('here').write_text('x')
    return 0


@pytest.mark.parametrize(
    ('command', 'fault'),
    [
        (busy, 's of work'),
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
    runner = Runner(OneDoor(tmp_path / 'door'), Limits(cpu_seconds=1, wall_seconds=3, memory_bytes=350 << 20))
    monkeypatch.setattr(main, 'run', command)
    faults = runner.run(iter([1])).faults
    assert [fault is not None and fault in found for found in faults] == ([] if fault is None else [True])
