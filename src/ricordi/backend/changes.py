"""Which rows this process has changed, and when: so a second handle of an entity learns that what it holds is old.

Time is a count that every change raises. A handle remembers the count at which its row was read; while the count stands
where it stood, reading from the handle costs one comparison. Once it has moved, the handle looks up its own row here,
and only if that one was changed is it read anew.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import NamedTuple

from ricordi.backend.rows import EntityKind

MOST_ROWS = 100_000
"""So many changed rows are remembered; beyond that all rows that were read before count as changed."""

_Key = tuple[EntityKind, int]


class Clock:
    """The count of changes in this process, of all storages."""

    __slots__ = ('lock', 'now')

    def __init__(self) -> None:
        self.now = 0
        self.lock = threading.Lock()


clock = Clock()


class _Change(NamedTuple):
    """The last change of a row.

    :param before: when a change by another thread was there for all to see; 0 for none.
    :param thread: who made the last change.
    :param changed: when; that thread sees it since then.
    :param settled: when its transaction had ended, and others could see it; 0 while it is open.
    """

    before: int
    thread: int
    changed: int
    settled: int


class Changes:
    """The rows of one open storage that were changed through it."""

    def __init__(self, most_rows: int = MOST_ROWS) -> None:
        """
        :param most_rows: how many to remember.
        """
        self._most_rows = most_rows
        self._rows: dict[_Key, _Change] = {}
        self._open: dict[int, set[_Key] | None] = {}
        self._all_before = 0

    def note(self, kind: EntityKind, pks: Iterable[int], in_transaction: bool) -> None:
        """Rows were changed by this thread.

        :param in_transaction: others see it only once `settle` is called.
        """
        thread = threading.get_ident()
        with clock.lock:
            clock.now += 1
            for pk in pks:
                self._put((kind, pk), thread, in_transaction)
            if len(self._rows) > self._most_rows:
                self._rows.clear()
                self._all_before = clock.now

    def _put(self, key: _Key, thread: int, in_transaction: bool) -> None:
        last = self._rows.get(key)
        before = 0
        if last is not None:
            seen_by_all = last.settled if last.thread == thread else last.settled or last.changed
            before = max(last.before, seen_by_all)
        self._rows[key] = _Change(before, thread, clock.now, 0 if in_transaction else clock.now)
        if in_transaction:
            waiting = self._open.setdefault(thread, set())
            if waiting is not None:
                waiting.add(key)
                if len(waiting) > self._most_rows:
                    self._open[thread] = None

    def settle(self, committed: bool, over: bool) -> None:
        """A transaction of this thread has ended, or a part of it was rolled back.

        :param committed: else this thread, too, has to look anew.
        :param over: others see now what it has changed, or that it has not.
        """
        thread = threading.get_ident()
        if thread not in self._open:
            return
        with clock.lock:
            clock.now += 1
            waiting = self._open[thread]
            if over:
                del self._open[thread]
            if waiting is None:
                self._rows.clear()
                self._all_before = clock.now
            for key in waiting or ():
                last = self._rows.get(key)
                changed = last.changed if committed and last and last.thread == thread else clock.now
                self._rows[key] = _Change(last.before if last else 0, thread, changed, clock.now if over else 0)

    def forget(self) -> None:
        """Count all rows as changed: what was changed is not known one by one."""
        with clock.lock:
            clock.now += 1
            self._rows.clear()
            self._all_before = clock.now

    def is_old(self, kind: EntityKind, pk: int, seen: int) -> bool | None:
        """Whether a row that was read at `seen` was changed since, as far as this thread can see it.

        :return: None: another thread is changing it; ask again.
        """
        if seen < self._all_before:
            return True
        last = self._rows.get((kind, pk))
        if last is None:
            return False
        if last.thread == threading.get_ident():
            return last.changed > seen
        if last.before > seen or last.settled > seen:
            return True
        return False if last.settled else None
