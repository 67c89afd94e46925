"""Work beside other work: all it finds comes in its order, and it ends when nobody hears it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from deadlines import DEADLINE
from ricordi.progress import Progress, Run, Stop
from ricordi.services.beside import WorkBeside


class Heard(Progress):
    def __init__(self) -> None:
        self.told: list[object] = []

    def begin(self, step: str, total: int | None, unit: object = 'bytes') -> None:
        self.told.append((step, total))

    def advance(self, amount: int) -> None:
        self.told.append(amount)

    def end(self) -> None:
        self.told.append('end')


def test_all_is_heard_in_its_order_though_little_is_kept() -> None:
    beside = WorkBeside(lambda run: iter(range(100)), Run(), ahead=2)
    assert list(beside.results()) == list(range(100))
    beside.close()


def test_what_it_raises_is_raised_where_it_is_heard() -> None:
    def work(run: Run) -> Iterator[int]:
        yield 1
        raise ValueError('broken')

    results = (beside := WorkBeside(work, Run())).results()
    assert next(results) == 1
    with pytest.raises(ValueError, match='broken'):
        next(results)
    beside.close()


def test_work_that_cannot_be_begun_or_ended_is_no_wait_for_ever() -> None:
    def none(run: Run) -> Iterator[int]:
        raise ValueError('not begun')

    def unending(run: Run) -> Iterator[int]:
        try:
            yield 1
        finally:
            raise ValueError('not ended')

    for work, message in ((none, 'not begun'), (unending, 'not ended')):
        beside = WorkBeside(work, Run())
        with pytest.raises(ValueError, match=message):
            list(beside.results())
        beside.close()


def test_its_progress_is_told_from_when_it_is_heard() -> None:
    heard, begun, on = Heard(), threading.Event(), threading.Event()

    def work(run: Run) -> Iterator[int]:
        run.progress.begin('count', 10)
        run.progress.advance(3)
        begun.set()
        assert on.wait(DEADLINE)
        run.progress.advance(4)
        run.progress.end()
        yield 1

    beside = WorkBeside(work, Run(heard))
    assert begun.wait(DEADLINE)
    assert heard.told == []
    results = beside.results()
    on.set()
    assert list(results) == [1]
    assert heard.told[:2] == [('count', 10), heard.told[1]]
    assert sum(amount for amount in heard.told if isinstance(amount, int) and amount) == 7
    assert heard.told[-1] == 'end'
    beside.close()


def test_it_ends_when_it_is_closed_though_nobody_has_heard_it() -> None:
    ended = threading.Event()

    def work(run: Run) -> Iterator[int]:
        try:
            while not run.stop.reason:
                yield 1
        finally:
            ended.set()

    WorkBeside(work, Run(), ahead=1).close()
    assert ended.is_set()


def test_it_hears_that_all_shall_end() -> None:
    stop = Stop()

    def work(run: Run) -> Iterator[str | None]:
        stop.request('SIGTERM')
        yield run.stop.reason

    beside = WorkBeside(work, Run(stop=stop))
    assert list(beside.results()) == ['SIGTERM']
    beside.close()
