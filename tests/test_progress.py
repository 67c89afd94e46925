"""What is handed on with long work: who hears of it, who may end it, whether the lock still holds."""

from __future__ import annotations

import pytest

from ricordi.errors import LockingProfileError
from ricordi.progress import Progress, Run, Stop, Unit


class Heard(Progress):
    """Notes what it hears."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def begin(self, step: str, total: int | None, unit: Unit = 'bytes') -> None:
        self.events.append(f'begin {step} of {total} {unit}')

    def end(self) -> None:
        self.events.append('end')


def test_a_step_ends_also_where_its_work_fails() -> None:
    heard = Heard()
    with pytest.raises(ValueError, match='torn'), Run(heard).step('pack', 3, 'objects'):
        raise ValueError('torn')
    assert heard.events == ['begin pack of 3 objects', 'end']


def test_a_stop_that_is_asked_of_one_run_ends_no_other() -> None:
    one, other = Run(), Run()
    one.stop.request('SIGTERM')
    assert (one.stop.reason, other.stop.reason, Run().stop.reason) == ('SIGTERM', None, None)


def test_a_run_asks_the_check_it_was_handed_and_goes_on_without() -> None:
    def lost() -> None:
        raise LockingProfileError('others have come in')

    Run().check_lock()
    with pytest.raises(LockingProfileError, match='others have come in'):
        Run(lock_check=lost).check_lock()


def test_a_time_that_is_over_is_told_in_the_words_of_who_gave_it() -> None:
    assert Stop(max_seconds=0).reason == 'the time that was given is over'
    assert Stop(max_seconds=0, out_of_time='two hours are over').reason == 'two hours are over'
