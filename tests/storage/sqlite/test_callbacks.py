"""What a function of ours raises amid a statement of SQLite is told from what a signal raises there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from ricordi.storage.sqlite.callbacks import define, was_interrupted
from ricordi.storage.sqlite.failures import failure


def fault(number: int) -> int:
    return number // 0


def interrupted(number: int) -> int:
    raise KeyboardInterrupt  # as a signal does there


def error_of(register: Callable[[sqlite3.Connection], None]) -> sqlite3.Error:
    """What a statement raises that calls a function `ours`."""
    with closing(sqlite3.connect(':memory:')) as raw:
        register(raw)
        with pytest.raises(sqlite3.Error) as raised:
            raw.execute('SELECT ours(1)').fetchall()
    return raised.value


def test_what_a_function_raises_is_no_interruption() -> None:
    error = error_of(lambda raw: define(raw, 'ours', 1, fault))
    assert not was_interrupted(error)
    assert 'too large' in str(failure(error, 'database', 0.0))


def test_a_signal_amid_a_function_is_one() -> None:
    error = error_of(lambda raw: define(raw, 'ours', 1, interrupted))
    assert was_interrupted(error)
    with pytest.raises(KeyboardInterrupt):
        failure(error, 'database', 0.0)


def test_a_signal_before_the_first_step_of_a_function_is_one() -> None:
    """Where nothing of ours can catch what it raises."""
    assert was_interrupted(error_of(lambda raw: raw.create_function('ours', 1, interrupted)))
