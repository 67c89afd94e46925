"""What the shell of a computer answers, forged: states, numbers and bytes of any form."""

from __future__ import annotations

import random

import pytest

from ricordi.errors import UnreachableComputer
from ricordi.services import computers_cleaning as cleaning
from ricordi.services import computers_connection as connection
from ricordi.services.computers_access import Access
from ricordi.services.computers_connection import Completed

SEED, CASES = 14, 300
ACCESS = Access('c', 'h', 'core.local', 'core.direct', 'a@b.c', True, {}, '/work')
PATHS = ['/scratch/a', '/scratch/b']
WORDS = [
    'ricordi-work-directory',
    '0',
    '1',
    '2',
    '-1',
    '9' * 5000,
    '²',
    'removed',
    'absent',
    'failed',
    'gone',
    '',
    '\x1b[2J',
    '0.5',
]


class Forged:
    """A connection that answers as it is told."""

    def __init__(self, out: str) -> None:
        self.out = out

    def run(self, command: str, stdin: str = '', login_shell: bool | None = None) -> Completed:
        return Completed(0, self.out, '')


def generate(rng: random.Random) -> str:
    """What comes back."""
    lines = [' '.join(rng.choices(WORDS, k=rng.randint(0, 6))) for _ in range(rng.randint(0, 5))]
    return '\n'.join(f'ricordi-work-directory {line}' if rng.random() < 0.5 else line for line in lines)


def check(answer: str) -> None:
    """Each path that was asked for has an outcome, and no other has."""
    found = cleaning._remove(Forged(answer), ACCESS, PATHS)  # type: ignore[arg-type]
    assert list(found) == PATHS
    assert all(isinstance(outcome, str) and len(outcome) <= 500 for outcome in found.values())


def test_no_answer_is_a_bug() -> None:
    rng = random.Random(SEED)
    for _ in range(CASES):
        check(generate(rng))
    assert cleaning._remove(Forged('ricordi-work-directory 1 removed x'), ACCESS, PATHS) == {  # type: ignore[arg-type]
        '/scratch/a': 'there was no answer',
        '/scratch/b': 'removed',
    }


def test_an_answer_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, 'LONGEST_ANSWER', 100_000)
    with pytest.raises(UnreachableComputer, match='longer than'):
        connection.LocalConnection(ACCESS, 30).run('yes', login_shell=False)
    assert connection.LocalConnection(ACCESS, 30).run(r"printf '\xff\xfe'", login_shell=False).out == '\ufffd\ufffd'


def test_an_answer_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnreachableComputer, match='no answer'):
        connection.LocalConnection(ACCESS, 0.2).run('exec sleep 60', login_shell=False)
