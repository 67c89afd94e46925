"""Files of answers (`--config`) of any types, shapes and bytes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from hostile.door import run_through

SEED, CASES = 12, 150
KEYS = [
    'label',
    'hostname',
    'transport',
    'scheduler',
    'work_dir',
    'shebang',
    'mpirun_command',
    'mpiprocs_per_machine',
    'default_memory_per_machine',
    'use_double_quotes',
    'prepend_text',
    'append_text',
    'description',
    'email',
    '<<',
    '? x',
]
VALUES = [
    'null',
    '~',
    '[]',
    '[[]]',
    '{}',
    '{a: b}',
    '{[a]: b}',
    '? [x]',
    '5',
    '-1',
    '1e400',
    '.inf',
    '.nan',
    '9' * 5000,
    'yes',
    '""',
    "' '",
    '!!python/object/apply:os.system ["true"]',
    '!!binary aGk=',
    '!!set {a, b}',
    '!!timestamp 99999-01-01',
    '!!int x',
    '&a [*a]',
    '*unknown',
    '"\\ud800"',
    '"\\0"',
    '"\\x1b[2J"',
    '2025-99-99',
    '0x' + 'f' * 400,
    '|\n  many\n  lines',
    '"\\U0001F4A5"',
    '[mpirun, [x]]',
    '!!float x',
    '!!bool 7',
    'a: b: c',
    '\t',
    '%',
    '@',
    '`',
]
VERBS = [
    ['-p', 'mixed', 'computer', 'setup', '-n'],
    ['-p', 'mixed', 'computer', 'configure', 'core.ssh', '1', '-n'],
    ['-p', 'mixed', 'user', 'configure', '-n'],
    ['profile', 'setup', 'core.sqlite_dos', '-n'],
]


def generate(rng: random.Random) -> bytes:
    """A file: mostly lines of keys and values, sometimes anything."""
    if rng.random() < 0.1:
        return rng.randbytes(100)
    if rng.random() < 0.05:
        return b'[' * 3000
    lines = [f'{rng.choice(KEYS)}: {rng.choice(VALUES)}\n' for _ in range(rng.randint(1, 8))]
    return ''.join(lines).encode(errors='surrogatepass')


def check(content: bytes, path: Path, verb: list[str]) -> None:
    """Hold it to the bar."""
    path.write_bytes(content)
    run_through([*verb, '--config', str(path)])


@pytest.mark.parametrize('verb', VERBS, ids=lambda verb: ' '.join(verb[-3:]))
def test_no_file_of_answers_is_a_bug(reference_home: Path, tmp_path: Path, verb: list[str]) -> None:
    rng = random.Random(SEED)
    for _ in range(CASES // len(VERBS)):
        check(generate(rng), tmp_path / 'answers.yaml', verb)
