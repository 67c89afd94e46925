"""Whether the first rows in some order are found by walking along it, where a database cannot tell.

SQLite keeps of an index how many rows a value has on the average, or nothing at all. So it takes the index of types
for the newest ten calculations, and sorts all of them. Here the walk is tried, over a part of as many rows as an index
of a filter would find, so that it costs little beside what it spares, and further only while there is more to spare.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ricordi.backend.query import Comparison, Condition, Junction
from ricordi.model.fields import TABLES, EntityKind, ValueKind
from ricordi.storage.query.conditions import condition_sql
from ricordi.storage.query.patterns import parse_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ricordi.backend.query import Ordering, Query
    from ricordi.storage.query.expressions import Expressions
    from ricordi.storage.query.sources import Source

_INDEXED = frozenset(('node_type', 'process_type', 'label', 'ctime', 'mtime', 'user_pk', 'computer_pk', 'pk', 'uuid'))
_ORDERED = frozenset(('ctime', 'mtime', 'pk'))
_BY_VALUE = frozenset(('==', 'in', '<', '<=', '>', '>='))


@dataclass(frozen=True, slots=True)
class Looks:
    """How far is looked.

    :param first: rows of the order that the first look goes over.
    :param growth: how many times as many the next one goes over.
    :param furthest: of the last one.
    :param share: rows that an index would find for each one that is looked at.
    :param few: rows that are sorted in no time.
    """

    first: int = 2000
    growth: int = 10
    furthest: int = 200_000
    share: int = 4
    few: int = 1000

    def __iter__(self) -> Iterator[int]:
        """How far each look goes, one after the other."""
        far = self.first
        while far <= self.furthest:
            yield far
            far *= self.growth


class FirstRows:
    """The rows of one vertex that a query with a limit wants first."""

    def __init__(self, query: Query, source: Source, sql: Expressions, looks: Looks | None = None) -> None:
        """
        :param source: of the only vertex.
        :param sql: of the statement.
        """
        self._source, self._sql, self._looks = source, sql, looks or Looks()
        self._wanted = (query.limit or 0) + (query.offset or 0)
        self._ordering = walked_order(query)

    def lie_near(self, conditions: Sequence[Condition]) -> bool:
        """Whether a walk in their order comes to all of them sooner than an index of a filter.

        :param conditions: what must hold for each.
        """
        searched = [condition for condition in conditions if is_searched(condition, self._source, self._sql)]
        if self._ordering is None or not searched:
            return False
        for far in self._looks:
            most = max(far * self._looks.share, self._wanted + 1)
            found = fewest_found(searched, self._source, self._sql, most)
            if found <= max(self._looks.few, self._wanted):
                return False
            if self._passed(conditions, self._ordering, found // self._looks.share):
                return True
            if found < most:
                return False
        return False

    def _passed(self, conditions: Sequence[Condition], ordering: Ordering, rows: int) -> bool:
        """Whether all that are wanted are among the first rows."""
        walked = replace(self._source, searched=False)

        def write(sql: Expressions) -> str:
            return f'{_rows(walked, conditions, sql)} AND {self._bound(ordering, rows)}'

        return self._sql.counted(write, self._wanted) >= self._wanted

    def _bound(self, ordering: Ordering, rows: int) -> str:
        """That a row is among so many in an order: asked of an index alone."""
        column, table = self._source.place(ordering.field).sql, TABLES[EntityKind.NODE]
        name, (compared, direction) = (
            column.rpartition('.')[2],
            ('>=', 'DESC') if ordering.descending else ('<=', 'ASC'),
        )
        if ordering.field.column == 'pk':
            end = f'max({name}) - {rows - 1}' if ordering.descending else f'min({name}) + {rows - 1}'
            return f'{column} {compared} (SELECT {end} FROM {table})'
        return f'{column} {compared} (SELECT {name} FROM {table} ORDER BY {name} {direction} LIMIT 1 OFFSET {rows - 1})'


def walked_order(query: Query) -> Ordering | None:
    """What the rows of the only vertex are sorted by first, where there is an index of it and few are wanted."""
    first = query.order_by[0] if query.order_by else None
    grouped = query.distinct or any(projection.function for projection in query.projections)
    if first is None or not query.limit or grouped or len(query.vertices) > 1:
        return None
    if query.vertices[0].kind is not EntityKind.NODE or first.field.path or first.field.column not in _ORDERED:
        return None
    return first


def is_searched(condition: Condition, source: Source, sql: Expressions) -> bool:
    """Whether an index may be searched for a condition of a node."""
    if isinstance(condition, Junction):
        found = [is_searched(part, source, sql) for part in condition.parts]
        return all(found) if condition.any else any(found)
    if not isinstance(condition, Comparison):
        return False
    place, value = source.place(condition.field), condition.value
    if place.kind is ValueKind.JSON:
        return sql.guesses_at(place, condition.operator, value)
    if condition.field.column not in _INDEXED or value is None:
        return False
    return condition.operator in _BY_VALUE or (
        condition.operator == 'like' and place.kind is ValueKind.TEXT and bool(parse_pattern(value).prefix)
    )


def number_found(conditions: Sequence[Condition], source: Source, sql: Expressions, most: int) -> int:
    """How many nodes fit all of some conditions, up to so many."""
    return sql.counted(lambda fresh: _rows(source, conditions, fresh), most)


def fewest_found(conditions: Sequence[Condition], source: Source, sql: Expressions, most: int) -> int:
    """How many nodes fit the one of some conditions that fewest do, up to so many."""
    return min(number_found((condition,), source, sql, most) for condition in conditions)


def _rows(source: Source, conditions: Sequence[Condition], sql: Expressions) -> str:
    tests = ' AND '.join(condition_sql(condition, source.place, sql) for condition in conditions)
    return f'{TABLES[EntityKind.NODE]} AS {source.alias} WHERE {tests}'
