"""Every byte of chosen parts against its SHA-256, on all processors, in pieces that can be stopped and remembered."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from itertools import islice
from typing import Any, NamedTuple

from ricordi.errors import UnreachableStorage
from ricordi.progress import Run
from ricordi.repository.container.objects import ObjectStore
from ricordi.repository.parallel import in_order
from ricordi.repository.verification import reader
from ricordi.repository.verification.places import ObjectPlaces
from ricordi.repository.verification.reader import Answer, Told
from ricordi.repository.verification.selection import Part
from ricordi.repository.worker_process import WorkerPool, WorkerProcess

LOOSE_AT_ONCE = 128
AHEAD = 2
"""Questions that wait for each process, so that none is idle."""


LOOK_SECONDS = 0.2


class ReadRequest(NamedTuple):
    """Something to be read by one process.

    :param words: what the process is asked.
    :param is_last: whether nothing of the part is left after it.
    """

    part: Part
    words: list[Any]
    is_last: bool


class Read(NamedTuple):
    """What became of a question; `answer` is None where the work was told to end."""

    question: ReadRequest
    answer: Answer | None


def read_parts(
    store: ObjectStore, places: ObjectPlaces | None, parts: Iterable[Part], total: int, run: Run
) -> Iterator[Read]:
    """Read parts in their order; ends early if `stop` asks for it.

    :param total: bytes of all parts: for little no process is started.
    """
    with ExitStack() as stack:
        readers = _Readers(store, total, run)
        stack.callback(readers.close)
        threads = max(1, readers.pool.number)
        questions = _questions(store, places, parts, run)
        answers = stack.enter_context(closing(in_order(readers.read, questions, threads * (1 + AHEAD), threads)))
        stack.callback(readers.end)  # before the threads are waited for
        for one in answers:
            if one.answer is None:
                return
            yield one


def _questions(
    store: ObjectStore, places: ObjectPlaces | None, parts: Iterable[Part], run: Run
) -> Iterator[ReadRequest]:
    for part in parts:
        if run.stop.reason:
            return
        asked = _of_pack(store, places, part) if part.cell is not None else _of_loose(store, part.digit)
        for words, is_last in _with_last(asked, part):
            yield ReadRequest(part, words, is_last)


def _with_last(asked: Iterator[list[Any]], part: Part) -> Iterator[tuple[list[Any], bool]]:
    """Each of what is asked of a part, and whether it is the last; none is, where not all of it can be listed."""
    before: list[Any] | None = None
    try:
        for words in asked:
            if before is not None:
                yield before, False
            before = words
    except UnreachableStorage:
        if part.cell is not None:
            raise
        if before is not None:
            yield before, False
        return  # a folder of loose objects that cannot be listed was told of
    yield before or ['loose', []], True  # all of them may be packed by now


def _of_pack(store: ObjectStore, places: ObjectPlaces | None, part: Part) -> Iterator[list[Any]]:
    assert part.cell is not None
    assert places is not None
    for rows in places.questions(part.cell, store.limits.question_objects):
        yield ['pack', part.cell.pack_id, rows]


def _of_loose(store: ObjectStore, digit: str) -> Iterator[list[Any]]:
    keys = store.layout.loose_keys(store.config.loose_prefix_len, digit)
    while some := list(islice(keys, LOOSE_AT_ONCE)):
        yield ['loose', some]


class _Readers:
    """The processes that read, and this one for what they do not answer. `read` is for several threads at once."""

    def __init__(self, store: ObjectStore, total: int, run: Run) -> None:
        limits = store.limits._replace(few_questions=1)
        if total < limits.share_bytes:
            limits = limits._replace(processors=0)
        folder = store.layout.folder.absolute()
        self.pool = WorkerPool(reader.__name__, folder, os.getpid(), limits=limits)
        self._store = store
        self._run = run
        self._mutex = threading.Lock()
        self._ended = threading.Event()
        if self.pool.number:
            threading.Thread(target=self._watch, daemon=True).start()

    def read(self, question: ReadRequest) -> Read:
        """Have a question answered."""
        if not self._goes_on(0):
            return Read(question, None)
        answer = self.pool.ask(lambda worker: self._ask(worker, question.words))
        if answer is None:
            try:
                answer = reader.answer(self._store, question.words, self._goes_on)
            except Told:
                return Read(question, None)
        with self._mutex:
            self._run.progress.advance(answer.length)
        return Read(question, answer)

    def _ask(self, worker: WorkerProcess, words: list[Any]) -> Answer | None:
        if self._ended.is_set():  # it may have been started after `end` has looked for those to be killed
            return None
        objects, length, wrong = worker.ask(words)
        return Answer(objects, length, tuple((key, fault) for key, fault in wrong))

    def end(self) -> None:
        """Have all that is under way end now."""
        self._ended.set()
        for worker in self.pool.started:
            worker.process.kill()  # its pipes are still listened to by the thread that has asked it

    def close(self) -> None:
        """Let go of the processes."""
        self.pool.close()

    def _goes_on(self, length: int) -> bool:
        return not self._ended.is_set() and not self._run.stop.reason

    def _watch(self) -> None:
        """End the processes where the work is told to stop: one may be at an object that takes hours."""
        while not self._ended.wait(LOOK_SECONDS):
            if self._run.stop.reason:
                self.end()
