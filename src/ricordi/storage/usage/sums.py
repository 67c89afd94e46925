"""Sums by category, as many as there may be: in memory while they are few, else in a temporary database."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from ricordi.backend.usage import Category, Share
from ricordi.errors import NotEnoughSpace

Place = Category | tuple[Category, Category]
"""A category, or a category and what of it is told apart."""

MOST_IN_MEMORY = 100_000
_ADD = (
    'INSERT INTO sums VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (category) DO UPDATE SET objects = objects + '
    'excluded.objects, stored = stored + excluded.stored, content = content + excluded.content, '
    'shared_objects = shared_objects + excluded.shared_objects, shared = shared + excluded.shared, '
    'nodes = nodes + excluded.nodes'
)
_OBJECTS, _STORED, _CONTENT, _SHARED_OBJECTS, _SHARED, _NODES = range(6)


class Sums:
    """What each category takes; to be had from `open_sums`."""

    def __init__(self, database: sqlite3.Connection, most_in_memory: int) -> None:
        self._database = database
        self._most = most_in_memory
        self._sums: dict[Place, list[int]] = {}
        database.execute(
            'CREATE TABLE sums (category TEXT PRIMARY KEY, objects INTEGER, stored INTEGER, content INTEGER, '
            'shared_objects INTEGER, shared INTEGER, nodes INTEGER) WITHOUT ROWID'
        )

    def add(self, category: Place, objects: int, stored: int, content: int, shared: bool) -> None:
        """Count some objects.

        :param shared: whether what is not of this category names them as well.
        """
        sums = self._of(category)
        sums[_OBJECTS] += objects
        sums[_STORED] += stored
        sums[_CONTENT] += content
        if shared:
            sums[_SHARED_OBJECTS] += objects
            sums[_SHARED] += stored

    def add_nodes(self, category: Category, nodes: int) -> None:
        """Count nodes, with or without files."""
        self._of(category)[_NODES] += nodes

    def count(self) -> int:
        """How many categories there are."""
        self._spill()
        return int(self._database.execute('SELECT count(*) FROM sums').fetchone()[0])

    def largest(self, number: int, with_nodes: bool) -> tuple[Share, ...]:
        """The categories that take most, the largest first.

        :param with_nodes: whether nodes were counted.
        """
        return self._chosen(
            'SELECT * FROM sums ORDER BY stored DESC, objects DESC, nodes DESC, category LIMIT ?', number, with_nodes
        )

    def last(self, number: int, with_nodes: bool) -> tuple[Share, ...]:
        """The last categories in the order of their names, which is that of time for months, the earliest first.

        :param with_nodes: whether nodes were counted.
        """
        last = 'SELECT * FROM sums ORDER BY category DESC LIMIT ?'
        return self._chosen(f'SELECT * FROM ({last}) ORDER BY category', number, with_nodes)

    def _chosen(self, statement: str, number: int, with_nodes: bool) -> tuple[Share, ...]:
        self._spill()
        with _with_room():
            rows = self._database.execute(statement, (number,)).fetchall()
        return tuple(_share(json.loads(place), sums, nodes if with_nodes else None) for place, *sums, nodes in rows)

    def _of(self, category: Place) -> list[int]:
        sums = self._sums.get(category)
        if sums is None:
            if len(self._sums) >= self._most:
                self._spill()
            sums = self._sums[category] = [0, 0, 0, 0, 0, 0]
        return sums

    def _spill(self) -> None:
        # sorted, so that they go in side by side
        rows = sorted((json.dumps(category), *sums) for category, sums in self._sums.items())
        with _with_room():
            self._database.execute('BEGIN')
            self._database.executemany(_ADD, rows)
            self._database.execute('COMMIT')
        self._sums.clear()


def _share(place: Any, sums: list[int], nodes: int | None) -> Share:
    """The sums of a category, or of what of it is told apart, of which no nodes were counted."""
    if isinstance(place, list):
        return Share._make((place[0], *sums, None, place[1]))
    return Share._make((place, *sums, nodes, None))


@contextmanager
def open_sums(most_in_memory: int = MOST_IN_MEMORY) -> Iterator[Sums]:
    """Empty sums, gone when left.

    :param most_in_memory: of how many categories the sums are kept in memory.
    :raises ricordi.errors.NotEnoughSpace: here or while they grow: there is no room for them.
    """
    # A database without a name lies in a file of SQLite's own as soon as it is large, and goes with the connection.
    with closing(sqlite3.connect('', isolation_level=None)) as database:
        yield Sums(database, most_in_memory)


@contextmanager
def _with_room() -> Iterator[None]:
    """Around what may have to write into that file."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise NotEnoughSpace(
            f'no room for sums in the folder of temporary files, {tempfile.gettempdir()} ({error}): free some, or set '
            'TMPDIR'
        ) from error
