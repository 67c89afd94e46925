"""Who names one object, and to which sums it counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ricordi.backend.usage import OF_FILES, Category, Dimension, ObjectSize, UsageQuestion
from ricordi.model.values import text_or_damaged
from ricordi.storage.usage.kinds import file_kind, size_class
from ricordi.storage.usage.sums import Place, Sums

PLACES = 3
"""So many nodes of a large file are named."""
NODES_AT_ONCE = 1000


class NamedObject(NamedTuple):
    """That a node names an object, once or more often under one name; one for each group that the node is in.

    :param named: the key.
    :param chosen: whether the node is chosen.
    :param name: of the file; empty where nothing of files is asked for.
    :param categories: of the node, in the order of `dimensions_of`.
    """

    named: str
    pk: int
    chosen: bool
    uses: int
    name: str
    categories: tuple[Any, ...]


def dimensions_of(questions: Iterable[UsageQuestion]) -> tuple[Dimension, ...]:
    """Those of nodes that are asked for."""
    return tuple(dict.fromkeys(one.by for one in questions if one.by not in OF_FILES))


class FileSelection:
    """What of questions is asked of files: names and sizes; the rest is answered by the database."""

    def __init__(self, question: UsageQuestion) -> None:
        self._kinds = [value for dimension, value in question.chosen if dimension is Dimension.FILE]
        self._sizes = [value for dimension, value in question.chosen if dimension is Dimension.SIZE]
        self.takes_all = not self._kinds and not self._sizes

    def fits(self, name: str, size: int | None) -> bool:
        """Whether a file is chosen by its name and the class of its size; None: it is not there."""
        return all(kind == file_kind(name) for kind in self._kinds) and all(wanted == size for wanted in self._sizes)


class UsageAnswer:
    """The sums that answer one question, in the making.

    :param dimensions: the categories of a node that are told.
    """

    def __init__(self, question: UsageQuestion, dimensions: Sequence[Dimension], sums: Sums) -> None:
        self.question = question
        self.sums = sums
        self.counts_groups = question.by is Dimension.GROUP
        self.counts_nodes = question.by is Dimension.NODE
        self._column = dimensions.index(question.by) if question.by in dimensions else None

    def places_of(self, categories: Sequence[Any], name: str, size: int | None) -> tuple[Place, ...]:
        """To which sums a file counts: those of its category, and those within."""
        by, within = self.question.by, self.question.within
        category = _kind_of(by, name, size) if self._column is None else as_category(categories[self._column])
        return (category,) if within is None else (category, (category, _kind_of(within, name, size)))


def _kind_of(dimension: Dimension, name: str, size: int | None) -> Category:
    """The category of a file in a dimension of files."""
    if dimension is Dimension.FILE:
        return file_kind(name)
    return size if dimension is Dimension.SIZE else None


def as_category(value: Any) -> Category:
    """A value of the database as a category; one that is no text, as what stands for it."""
    return str(text_or_damaged(value)) if isinstance(value, bytes) else value


class ObjectNames:
    """Who names one object that is named more than once.

    :param size: of the object, if it is there.
    """

    def __init__(self, selection: FileSelection, size: ObjectSize | None, answers: Sequence[UsageAnswer]) -> None:
        self._selection = selection
        self._size = size
        self._class = None if size is None else size_class(size.content)
        self._uses: list[tuple[UsageAnswer, dict[Place, int]]] = [(answer, {}) for answer in answers]
        self.all = self.chosen = self.nodes = 0
        """How often it is named at all; how often by what is chosen; by how many nodes that are."""
        self.first_pks: list[int] = []

    def count(self, rows: Iterable[NamedObject]) -> None:
        """Take in all rows of the object, which ascend by pk, and add to the sums what the categories name."""
        last, last_chosen = None, None
        seen: set[str] = set()
        for _, pk, chosen, uses, name, categories in rows:
            if pk != last:
                last, seen = pk, set()
                self._give_out_nodes()
            fits = chosen and (self._selection.takes_all or self._selection.fits(name, self._class))
            again = name in seen  # it is the same file, in a further group
            if not again:
                seen.add(name)
                self.all += uses
                self.chosen += uses if fits else 0
            if fits:
                self._count_chosen(categories, name, uses, again)
                if pk != last_chosen:
                    last_chosen = pk
                    self.nodes += 1
                    if len(self.first_pks) < PLACES:
                        self.first_pks.append(pk)
        for answer, by_place in self._uses:
            self._give_out(answer, by_place, shared=False)

    def _count_chosen(self, categories: Sequence[Any], name: str, uses: int, again: bool) -> None:
        for answer, by_place in self._uses:
            if again and not answer.counts_groups:
                continue
            for place in answer.places_of(categories, name, self._class):
                by_place[place] = by_place.get(place, 0) + uses

    def _give_out_nodes(self) -> None:
        """Sums by node do not wait for the last of very many: so many cannot but share the object."""
        for answer, by_place in self._uses:
            if answer.counts_nodes and len(by_place) >= NODES_AT_ONCE:
                self._give_out(answer, by_place, shared=True)

    def _give_out(self, answer: UsageAnswer, by_place: dict[Place, int], shared: bool) -> None:
        size = self._size
        if size is not None:
            for place, uses in by_place.items():
                answer.sums.add(place, 1, size.stored, size.content, shared or uses < self.all)
        by_place.clear()
