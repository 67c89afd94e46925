"""What takes the space: names of objects and sizes of objects come as streams that ascend by key, and are merged.

Memory grows with neither: both are sorted by who has them, and sums by category leave it where they are many.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from ricordi.backend.maintenance import Amount
from ricordi.backend.rows import JsonDict, NodeRow
from ricordi.backend.usage import (
    OF_FILES,
    Category,
    Dimension,
    FilePlace,
    LargeFile,
    ObjectSize,
    Share,
    Usage,
    UsageQuestion,
)
from ricordi.errors import NotEnoughSpace
from ricordi.model.file_trees import named_in
from ricordi.model.values import DamagedJson, text_or_damaged
from ricordi.storage.usage.database import database_usage
from ricordi.storage.usage.kinds import file_kind, size_class
from ricordi.storage.usage.sql import UsageSql
from ricordi.storage.usage.sums import MOST_IN_MEMORY, Place, Sums, open_sums

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.progress import Progress
    from ricordi.storage.rows import Rows
    from ricordi.storage.session import Session

PLACES = 3
"""So many nodes of a large file are named."""
NODES_AT_ONCE = 1000
PROGRESS_EVERY = 1000


def usage_sql(session: Session) -> UsageSql:
    """The statements for the database of a session."""
    if session.dialect.name == 'postgresql':
        from ricordi.storage.usage.psql import PsqlUsageSql

        return PsqlUsageSql(session.dialect)
    from ricordi.storage.usage.sqlite import SqliteUsageSql

    return SqliteUsageSql(session.dialect)


def usage(
    session: Session,
    rows: Rows,
    repository: RepositoryBackend,
    question: UsageQuestion,
    progress: Progress,
    most_in_memory: int = MOST_IN_MEMORY,
) -> Usage:
    """Sum up what the nodes of a storage take; see `UsageQuestion`."""
    sql = usage_sql(session)
    try:
        return _Count(session, rows, repository, question, sql).carry_out(progress, most_in_memory)
    except NotEnoughSpace:
        raise
    except session.dialect.unclear_errors:
        guarded = sql.guarded()
        if guarded is sql:
            raise
        return _Count(session, rows, repository, question, guarded).carry_out(progress, most_in_memory)


class _SizesByKey:
    """The sizes of objects, asked for by keys that ascend."""

    def __init__(self, sizes: Iterator[ObjectSize]) -> None:
        self._sizes = sizes
        self._next = next(sizes, None)
        self.unnamed_objects = self.unnamed_bytes = 0

    def of(self, key: str) -> ObjectSize | None:
        """That of an object, if it is there; what was passed over, nobody has asked for."""
        self._pass_over(key)
        found = self._next
        if found is None or found.key != key:
            return None
        self._next = next(self._sizes, None)
        return found

    def unnamed(self) -> Amount:
        """All that nobody has asked for, when all keys were."""
        self._pass_over(None)
        return Amount(self.unnamed_objects, self.unnamed_bytes)

    def _pass_over(self, key: str | None) -> None:
        while self._next is not None and (key is None or self._next.key < key):
            self.unnamed_objects += 1
            self.unnamed_bytes += self._next.stored
            self._next = next(self._sizes, None)


class _Names:
    """Who names one object.

    :param size: of the object, if it is there.
    """

    def __init__(self, question: _Filter, size: ObjectSize | None, sums: Sums) -> None:
        self._filter = question
        self._size = size
        self._sums = sums
        self.all = self.chosen = self.nodes = 0
        """How often it is named at all; how often by what is chosen; by how many nodes that are."""
        self.by_category: dict[Place, int] = {}
        self.first_pks: list[int] = []

    def count(self, rows: Iterator[tuple[Any, ...]]) -> None:
        """Take in all rows of the object, which ascend by pk."""
        first, second = next(rows), next(rows, None)
        if second is None:
            self._count_only(*first)
        else:
            self._count_several(chain((first, second), rows))

    def _count_only(self, key: str, pk: int, category: Category, chosen: int, name: str, uses: int) -> None:
        self.all = uses
        if chosen and self._filter.fits(name, self._size):
            self.chosen, self.nodes = uses, 1
            self.by_category = dict.fromkeys(self._filter.places_of(category, name, self._size), uses)
            self.first_pks = [pk]

    def _count_several(self, rows: Iterable[tuple[Any, ...]]) -> None:
        last, last_chosen = None, None
        seen: set[str] = set()
        for _, pk, category, chosen, name, uses in rows:
            if pk != last:
                last, seen = pk, set()
                if len(self.by_category) >= NODES_AT_ONCE and self._filter.by is Dimension.NODE:
                    self._give_out(shared=True)
            is_chosen = chosen and self._filter.fits(name, self._size)
            if name not in seen:  # else it is the same file, in a further group
                seen.add(name)
                self.all += uses
                self.chosen += uses if is_chosen else 0
            if is_chosen:
                for place in self._filter.places_of(category, name, self._size):
                    self.by_category[place] = self.by_category.get(place, 0) + uses
                if pk != last_chosen:
                    last_chosen = pk
                    self.nodes += 1
                    if len(self.first_pks) < PLACES:
                        self.first_pks.append(pk)

    def give_out(self) -> None:
        """Add to the sums what the categories name."""
        self._give_out(shared=False)

    def _give_out(self, shared: bool) -> None:
        size = self._size
        if size is not None:
            for category, uses in self.by_category.items():
                self._sums.add(category, size.stored, size.content, shared or uses < self.all)
        self.by_category.clear()


class _Filter:
    """What of a question is asked of files: names and sizes; the rest is answered by the database."""

    def __init__(self, question: UsageQuestion) -> None:
        self.by = question.by
        self._within = question.within
        self._kinds = [value for dimension, value in question.chosen if dimension is Dimension.FILE]
        self._sizes = [value for dimension, value in question.chosen if dimension is Dimension.SIZE]
        self._takes_all = not self._kinds and not self._sizes

    def fits(self, name: str, size: ObjectSize | None) -> bool:
        """Whether a file is chosen by its name and size."""
        if self._takes_all:
            return True
        return all(kind == file_kind(name) for kind in self._kinds) and all(
            size is not None and wanted == size_class(size.content) for wanted in self._sizes
        )

    def places_of(self, category: Category, name: str, size: ObjectSize | None) -> tuple[Place, ...]:
        """To which sums a file counts: those of its category, and those within."""
        if self.by in OF_FILES:
            category = _kind_of(self.by, name, size)
        else:
            category = as_category(category)
        if self._within is None:
            return (category,)
        return category, (category, _kind_of(self._within, name, size))


def _kind_of(dimension: Dimension, name: str, size: ObjectSize | None) -> Category:
    """The category of a file in a dimension of files."""
    if dimension is Dimension.FILE:
        return file_kind(name)
    return None if size is None else size_class(size.content)


def as_category(value: Any) -> Category:
    """A value of the database as a category; one that is no text, as what stands for it."""
    return str(text_or_damaged(value)) if isinstance(value, bytes) else value


class _Count:
    """The answer to one question, in the making."""

    def __init__(
        self, session: Session, rows: Rows, repository: RepositoryBackend, question: UsageQuestion, sql: UsageSql
    ) -> None:
        self._session = session
        self._rows = rows
        self._repository = repository
        self._question = question
        self._sql = sql
        self._total = [0, 0, 0, 0, 0]
        self._missing = 0
        self._largest: list[tuple[int, str, LargeFile, list[int]]] = []

    def carry_out(self, progress: Progress, most_in_memory: int) -> Usage:
        by, top = self._question.by, self._question.top
        asked = {by, *(dimension for dimension, _ in self._question.chosen)}
        tells_nodes = not asked.intersection(OF_FILES)  # else some nodes have some of their files in it
        with open_sums(most_in_memory) as sums:
            unnamed = self._merge(sums, progress)
            if tells_nodes:
                for category, number in self._counts(by):
                    sums.add_nodes(as_category(category), number)
            share_count, shares = sums.count(), sums.largest(top, tells_nodes)
        (_, nodes), *_ = self._counts(None)
        only_files = any(dimension in OF_FILES for dimension, _ in self._question.chosen)
        return Usage(
            self._question,
            Share._make((None, *self._total, None if only_files else nodes, None)),
            shares,
            share_count,
            self._files(),
            unnamed,
            self._missing,
            database_usage(self._session, self._sql) if self._question.with_database else None,
        )

    def _counts(self, by: Dimension | None) -> Iterator[tuple[Any, ...]]:
        return self._session.dialect.stream(self._session, *self._sql.counts(by, self._question.chosen))

    def _uses(self) -> Iterator[tuple[Any, ...]]:
        question = self._question
        statement, parameters = self._sql.uses(question.by, question.chosen, question.within)
        for key, pk, category, chosen, name, uses in self._session.dialect.stream(self._session, statement, parameters):
            # latin-1 keeps the order, whatever the bytes
            named = key.decode('latin-1') if isinstance(key, bytes) else key
            file = name.decode(errors='replace') if isinstance(name, bytes) else name
            yield named, pk, category, chosen, file, uses

    def _merge(self, sums: Sums, progress: Progress) -> Amount:
        """Go through all objects; returns those that no node names."""
        question = _Filter(self._question)
        progress.begin('sum up what objects take', None, 'objects')
        sizes: _SizesByKey | None = None
        for number, (key, rows) in enumerate(groupby(self._uses(), itemgetter(0)), 1):
            # Not before the names were read: an object is there before the node that names it, not the other way round.
            sizes = sizes or _SizesByKey(self._repository.object_sizes())
            size = sizes.of(key)
            names = _Names(question, size, sums)
            names.count(rows)
            names.give_out()
            if names.chosen:
                self._note(key, size, names)
            if number % PROGRESS_EVERY == 0:
                progress.advance(PROGRESS_EVERY)
        progress.end()
        return (sizes or _SizesByKey(self._repository.object_sizes())).unnamed()

    def _note(self, key: str, size: ObjectSize | None, names: _Names) -> None:
        """Count an object that is chosen."""
        if size is None:
            self._missing += 1
            return
        total, top = self._total, self._question.top
        total[0] += 1
        total[1] += size.stored
        total[2] += size.content
        if names.chosen < names.all:
            total[3] += 1
            total[4] += size.stored
        if len(self._largest) < top or (top and size.stored > self._largest[0][0]):
            entry = LargeFile(key, size.stored, size.content, names.nodes, ())
            heapq.heappush(self._largest, (size.stored, key, entry, names.first_pks))
            if len(self._largest) > top:
                heapq.heappop(self._largest)

    def _files(self) -> tuple[LargeFile, ...]:
        """The largest files, with the nodes that name them."""
        found = sorted(self._largest, key=lambda one: (-one[0], one[1]))
        keys: dict[int, set[str]] = {}
        for _, key, _, pks in found:
            for pk in pks:
                keys.setdefault(pk, set()).add(key)
        places: dict[str, list[FilePlace]] = {}
        for row in self._rows.find(self._session, NodeRow, {'pk': sorted(keys)}, ('pk',), None):
            if row.pk is not None:
                for key, path in _paths(keys[row.pk], row.repository_metadata):
                    places.setdefault(key, []).append(FilePlace(row.pk, row.uuid, path))
        return tuple(entry._replace(places=tuple(places.get(key, ()))) for _, key, entry, _ in found)


def _paths(keys: set[str], tree: JsonDict) -> Iterator[tuple[str, str]]:
    """Key and first path of some objects in a file tree; no path where it cannot be read."""
    if isinstance(tree, DamagedJson):
        yield from ((key, '') for key in keys)
        return
    for path, key in named_in(tree):
        if key in keys:
            keys.discard(key)
            yield key, path
