"""The tags of a query: names of its vertices and edges, and the classes that stand for them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from ricordi.backend.rows import EntityKind
from ricordi.errors import QueryError, QueryTypeError


class Tags:
    """Tag → kind of vertex (None of an edge), and which tags a class was given to `append` under."""

    def __init__(self) -> None:
        self._kinds: dict[str, EntityKind | None] = {}
        self._of_class: dict[Hashable, list[str]] = {}

    def add(self, tag: str, kind: EntityKind | None, classes: Any = None) -> None:
        """Register a vertex, or an edge (`kind` None).

        :raises ricordi.errors.QueryError: the tag is taken.
        """
        self.check_free(tag)
        self._kinds[tag] = kind
        if classes is not None:
            self._of_class.setdefault(_class_key(classes), []).append(tag)

    def remove(self, tag: str) -> None:
        """Forget a tag, if it is there."""
        self._kinds.pop(tag, None)
        for tags in self._of_class.values():
            if tag in tags:
                tags.remove(tag)

    def check_free(self, tag: str) -> None:
        """Refuse a tag that is in use.

        :raises ricordi.errors.QueryError: it is.
        """
        if tag in self._kinds:
            raise QueryError(f'the tag {tag!r} is in use already')

    def kind(self, tag: str) -> EntityKind | None:
        """The kind of entity behind the tag of a vertex."""
        return self._kinds[tag]

    def find(self, tag_or_class: Any) -> str:
        """The tag that is meant by a tag, or by a class that was appended once.

        :raises ricordi.errors.QueryError: there is none, or the class was appended more than once.
        """
        if isinstance(tag_or_class, str):
            if tag_or_class in self._kinds:
                return tag_or_class
            raise QueryError(f'no tag {tag_or_class!r} in this query; there are {list(self._kinds)}')
        try:
            tags = self._of_class.get(_class_key(tag_or_class), [])
        except TypeError:
            raise QueryTypeError(f'{tag_or_class!r} is neither a tag nor a class') from None
        if len(tags) > 1:
            raise QueryError(f'{tag_or_class!r} stands for several vertices, {tags}: name one by its tag')
        if not tags:
            raise QueryError(f'{tag_or_class!r} is not in this query; its tags are {list(self._kinds)}')
        return tags[0]

    def make(self, stem: str) -> str:
        """A tag that is free: the stem and a number."""
        number = 1
        while f'{stem}_{number}' in self._kinds:
            number += 1
        return f'{stem}_{number}'

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)


def _class_key(classes: Any) -> Hashable:
    return tuple(classes) if isinstance(classes, list | set | frozenset) else classes
