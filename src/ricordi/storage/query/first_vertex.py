"""With which vertex of a chain of links to begin, where a database cannot tell.

SQLite takes a range of types for a fourth of all nodes, whichever it is. So it begins a chain with the data, of which
there are most, and looks from each whether it went into a calculation. Here they are counted, by their indexes alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ricordi.backend.query import Comparison, Condition, EdgeKind, Junction
from ricordi.model.fields import EntityKind
from ricordi.storage.query.first_rows import Looks, fewest_found, is_searched

if TYPE_CHECKING:
    from ricordi.storage.query.expressions import Expressions
    from ricordi.storage.query.sources import Sources

LOOKS = Looks()
_SHARED = frozenset(('node_type', 'process_type', 'user_pk', 'computer_pk', 'ctime', 'mtime'))
"""Columns whose values many nodes have; of another one SQLite guesses right that it finds few."""


def first_vertex(sources: Sources, sql: Expressions, looks: Looks = LOOKS) -> str | None:
    """The tag of the vertex of which there are fewest, if others might be taken for fewer.

    :param looks: how far is counted.
    :returns: None where one is found by what is its own, or all are too many to be counted.
    """
    if not _is_chain(sources):
        return None
    searched: dict[str, list[Condition]] = {}
    for vertex in sources.query.vertices:
        tests = sources.filters.get(vertex.tag, ())
        found = [test for test in tests if is_searched(test, sources[vertex.tag], sql)]
        if not all(map(_is_shared, found)):
            return None
        if found:
            searched[vertex.tag] = found
    for far in looks if len(searched) > 1 else ():
        numbers = {tag: fewest_found(tests, sources[tag], sql, far) for tag, tests in searched.items()}
        fewest = min(numbers, key=numbers.__getitem__)
        if numbers[fewest] < far:
            return fewest
    return None


def _is_chain(sources: Sources) -> bool:
    """Whether a query is about nodes that are linked to one another, and no node may be missing."""
    query = sources.query
    return all(edge.kind is EdgeKind.LINK and not edge.outer for edge in query.edges) and all(
        vertex.kind is EntityKind.NODE for vertex in query.vertices
    )


def _is_shared(condition: Condition) -> bool:
    if isinstance(condition, Junction):
        return all(map(_is_shared, condition.parts))
    return isinstance(condition, Comparison) and condition.field.column in _SHARED
