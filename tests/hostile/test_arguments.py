"""Every verb with values that nobody means: huge, infinite, torn, of another kind."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from hostile.door import run_through
from verb_table import VERBS

SEED, CASES = 20261127, 120
VALUES = [
    '',
    ' ',
    '-',
    '--',
    '0',
    '-1',
    '9' * 5000,
    '1e10',
    '1e400',
    'inf',
    '-inf',
    'nan',
    'Infinity',
    '99999-01-01',
    '0000-00-00',
    'x' * 100_000,
    '\udcff\udce9',
    '\ud800',
    '\x1b[2J',
    '\u202e',
    '*',
    '%',
    '_',
    "'",
    '"; DROP TABLE',
    '{}',
    '[]',
    'null',
    '{"a":' * 500,
    '../../etc',
    '/dev/zero',
    '/proc/self/mem',
    '💥' * 100,
    '\t\n',
    'a=b=c',
    '@',
    '1,2',
    'http://[',
    'https://x:y/z',
    'file:///etc/passwd',
    '!' * 50,
    '10m' * 100,
    '1e999d',
]
SKIPPED = {'tour', 'presto', 'computer goto', 'profile setup core.psql_dos', 'archive create', 'profile delete'}
"""Verbs that would make much, ask a terminal or a server, or take away what the next case needs."""


def generate(rng: random.Random) -> tuple[list[str], bytes]:
    """A command line on the profile `mixed`, and what comes on standard input."""
    verb = rng.choice(sorted(set(VERBS) - SKIPPED))
    words = [rng.choice(VALUES) for _ in range(rng.randint(0, 3))]
    if rng.random() < 0.5:
        options = [
            '--format',
            '-p',
            '-n',
            '--limit',
            '--where',
            '--past-days',
            '--label',
            '--wait',
            '-G',
            '-u',
            '--config',
        ]
        words.insert(rng.randint(0, len(words)), rng.choice(options))
    return [*rng.choice([['-p', 'mixed'], ['-p', rng.choice(VALUES)], []]), *verb.split(), *words], rng.randbytes(20)


def check(case: tuple[list[str], bytes], folder: Path) -> None:
    """Hold it to the bar, in an empty folder."""
    words, stdin = case
    run_through(words, stdin)


def test_no_argument_is_a_bug(reference_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng = random.Random(SEED)
    for _ in range(CASES):
        check(generate(rng), tmp_path)


@pytest.mark.parametrize('value', ['inf', 'nan', '-inf', '1e10', '1e400'])
def test_days_that_nobody_has_are_wrong_usage(reference_home: Path, value: str) -> None:
    assert run_through(['-p', 'mixed', 'node', 'list', '-p', value])[0] in (0, 2)


def test_standard_input_that_is_no_text_is_wrong_usage(reference_home: Path) -> None:
    assert run_through(['-p', 'mixed', 'node', 'show', '-'], b'\xff\xfe')[0] == 2


@pytest.mark.parametrize(
    'uri',
    ['postgresql://u:secret@h:port/x', 'postgresql://[', 'secret', 'mysql://u:secret@h/x', 'postgresql://\x00', ''],
)
def test_an_address_of_an_administrator_of_wrong_form_is_wrong_usage_and_stays_secret(
    empty_home: Path, uri: str
) -> None:
    words = ['profile', 'setup', 'core.psql_dos', '-p', 'x', '--email', 'a@b.c', '-n', '--admin-uri', uri]
    code, told = run_through(words)
    assert (code, 'secret' in told) == (2, False)
