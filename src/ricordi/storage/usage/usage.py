"""What takes the space: names of objects and sizes of objects come as streams that ascend by key, and are merged.

Memory grows with neither: both are sorted by who has them, and sums by category leave it where they are many.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from ricordi.backend.maintenance import Amount
from ricordi.backend.rows import JsonDict, NodeRow
from ricordi.backend.usage import (
    OF_FILES,
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
from ricordi.model.values import DamagedJson
from ricordi.storage.usage.database import database_usage
from ricordi.storage.usage.kinds import size_class
from ricordi.storage.usage.names import FileSelection, NamedObject, ObjectNames, UsageAnswer, as_category, dimensions_of
from ricordi.storage.usage.sql import UsageSql
from ricordi.storage.usage.sums import MOST_IN_MEMORY, open_sums

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.progress import Progress
    from ricordi.storage.rows import Rows
    from ricordi.storage.session import Session

PROGRESS_EVERY = 1000


class UsageLimits(NamedTuple):
    """How much of a count is kept in memory.

    :param most_sums: of how many categories, of all questions together.
    :param most_kinds: so many kinds of objects that a single node names are told apart before they are counted.
    """

    most_sums: int = MOST_IN_MEMORY
    most_kinds: int = 10_000


USUAL = UsageLimits()


def usage_sql(session: Session) -> UsageSql:
    """The statements for the database of a session."""
    if session.dialect.name == 'postgresql':
        from ricordi.storage.usage.psql import PsqlUsageSql

        return PsqlUsageSql(session.dialect)
    from ricordi.storage.usage.sqlite import SqliteUsageSql

    return SqliteUsageSql(session.dialect)


def usage(
    session: Session, rows: Rows, repository: RepositoryBackend, question: UsageQuestion, progress: Progress
) -> Usage:
    """Sum up what the nodes of a storage take; see `UsageQuestion`."""
    (answer,) = usages(session, rows, repository, (question,), progress)
    return answer


def usages(
    session: Session,
    rows: Rows,
    repository: RepositoryBackend,
    questions: Sequence[UsageQuestion],
    progress: Progress,
    limits: UsageLimits = USUAL,
) -> tuple[Usage, ...]:
    """The answers to several questions that choose the same: names and sizes are gone through once for all.

    :raises ValueError: they choose different nodes or files.
    """
    if any(question.chosen != questions[0].chosen for question in questions):
        raise ValueError('questions that choose different nodes or files are asked one by one')
    sql = usage_sql(session)
    try:
        return _Count(session, rows, repository, questions, sql, limits).carry_out(progress)
    except NotEnoughSpace:
        raise
    except session.dialect.unclear_errors:
        guarded = sql.guarded()
        if guarded is sql:
            raise
        return _Count(session, rows, repository, questions, guarded, limits).carry_out(progress)


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


class _Count:
    """The answers to questions, in the making."""

    def __init__(
        self,
        session: Session,
        rows: Rows,
        repository: RepositoryBackend,
        questions: Sequence[UsageQuestion],
        sql: UsageSql,
        limits: UsageLimits,
    ) -> None:
        self._session = session
        self._rows = rows
        self._repository = repository
        self._questions = questions
        self._chosen = questions[0].chosen
        self._dimensions = dimensions_of(questions)
        self._selection = FileSelection(questions[0])
        self._sql = sql
        self._limits = limits
        self._answers: list[UsageAnswer] = []
        self._named_once: dict[tuple[Any, ...], list[int]] = {}
        self._total = [0, 0, 0, 0, 0]
        self._missing = 0
        self._most_files = max(question.most_files for question in questions)
        self._largest: list[tuple[int, str, LargeFile, list[int]]] = []

    def carry_out(self, progress: Progress) -> tuple[Usage, ...]:
        with ExitStack() as stack:
            most = self._limits.most_sums // len(self._questions)
            for question in self._questions:
                sums = stack.enter_context(open_sums(most))
                self._answers.append(UsageAnswer(question, self._dimensions, sums))
            unnamed = self._merge(progress)
            (_, nodes), *_ = self._counts(None)
            only_files = any(dimension in OF_FILES for dimension, _ in self._chosen)
            total = Share._make((None, *self._total, None if only_files else nodes, None))
            files = self._files()
            return tuple(self._usage(answer, total, files, unnamed) for answer in self._answers)

    def _usage(self, answer: UsageAnswer, total: Share, files: tuple[LargeFile, ...], unnamed: Amount) -> Usage:
        question, sums = answer.question, answer.sums
        asked = {question.by, *(dimension for dimension, _ in question.chosen)}
        tells_nodes = not asked.intersection(OF_FILES)  # else some nodes have some of their files in it
        if tells_nodes:
            for category, number in self._counts(question.by):
                sums.add_nodes(as_category(category), number)
        chosen = sums.last if question.by is Dimension.MONTH else sums.largest
        count, shares = sums.count(), chosen(question.top, tells_nodes)
        database = database_usage(self._session, self._sql) if question.with_database else None
        return Usage(question, total, shares, count, files[: question.most_files], unnamed, self._missing, database)

    def _counts(self, by: Dimension | None) -> Iterator[tuple[Any, ...]]:
        return self._session.dialect.stream(self._session, *self._sql.counts(by, self._chosen))

    def _uses(self) -> Iterator[NamedObject]:
        told = [dimension for one in self._questions for dimension in (one.by, one.within)]
        with_names = Dimension.FILE in (*told, *(dimension for dimension, _ in self._chosen))
        statement, parameters = self._sql.uses(self._dimensions, self._chosen, with_names)
        for key, pk, chosen, uses, name, *categories in self._session.dialect.stream(
            self._session, statement, parameters
        ):
            # latin-1 keeps the order, whatever the bytes
            named = key.decode('latin-1') if isinstance(key, bytes) else key
            file = name.decode(errors='replace') if isinstance(name, bytes) else name
            yield NamedObject(named, pk, chosen, uses, file, tuple(categories))

    def _merge(self, progress: Progress) -> Amount:
        """Go through all objects; returns those that no node names."""
        progress.begin('sum up what objects take', None, 'objects')
        sizes: _SizesByKey | None = None
        for number, (key, rows) in enumerate(groupby(self._uses(), itemgetter(0)), 1):
            # Not before the names were read: an object is there before the node that names it, not the other way round.
            sizes = sizes or _SizesByKey(self._repository.object_sizes())
            size = sizes.of(key)
            first, second = next(rows), next(rows, None)
            if second is None and size is not None:
                self._count_only(first, size)
            else:
                self._count_several(key, chain((first,), () if second is None else (second,), rows), size)
            if number % PROGRESS_EVERY == 0:
                progress.advance(PROGRESS_EVERY)
        self._give_out()
        progress.end()
        return (sizes or _SizesByKey(self._repository.object_sizes())).unnamed()

    def _count_only(self, row: NamedObject, size: ObjectSize) -> None:
        """Count an object that is named once: with all of the same kind, of which nothing is told apart."""
        key, pk, chosen, _, name, categories = row
        stored, content = size.stored, size.content
        kind = (chosen, name, size_class(content), categories)
        sums = self._named_once.get(kind)
        if sums is None:
            if len(self._named_once) >= self._limits.most_kinds:
                self._give_out()
            sums = self._named_once[kind] = [0, 0, 0]
        sums[0] += 1
        sums[1] += stored
        sums[2] += content
        if chosen and self._is_large(stored) and self._selection.fits(name, kind[2]):
            self._note_large(LargeFile(key, stored, content, 1, ()), [pk])

    def _give_out(self) -> None:
        """Add what is named once to the sums."""
        total = self._total
        for (chosen, name, size, categories), (objects, stored, content) in self._named_once.items():
            if not chosen or not self._selection.fits(name, size):
                continue
            total[0] += objects
            total[1] += stored
            total[2] += content
            for answer in self._answers:
                for place in answer.places_of(categories, name, size):
                    answer.sums.add(place, objects, stored, content, shared=False)
        self._named_once.clear()

    def _count_several(self, key: str, rows: Iterable[NamedObject], size: ObjectSize | None) -> None:
        """Count an object that is named more often, or is not there."""
        names = ObjectNames(self._selection, size, self._answers)
        names.count(rows)
        if not names.chosen:
            return
        if size is None:
            self._missing += 1
            return
        total = self._total
        total[0] += 1
        total[1] += size.stored
        total[2] += size.content
        if names.chosen < names.all:
            total[3] += 1
            total[4] += size.stored
        if self._is_large(size.stored):
            self._note_large(LargeFile(key, size.stored, size.content, names.nodes, ()), names.first_pks)

    def _is_large(self, stored: int) -> bool:
        most = self._most_files
        return most > 0 and (len(self._largest) < most or stored > self._largest[0][0])

    def _note_large(self, file: LargeFile, pks: list[int]) -> None:
        entry = (file.stored_bytes, file.key, file, pks)
        (heapq.heappush if len(self._largest) < self._most_files else heapq.heapreplace)(self._largest, entry)

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
