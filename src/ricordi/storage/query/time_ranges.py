"""Whether the nodes of a time are fewer than those of a type, a user or an attribute, where a database cannot tell.

SQLite takes a range of times for a fourth of all rows, however short it is, and that of a type for as much. So it takes
the index of types for the processes of the last day, and looks at all that ever were. Here both are counted, by their
indexes alone, as far as it takes to tell them apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ricordi.backend.query import Comparison, Condition
from ricordi.storage.query.first_rows import Looks, fewest_found, is_searched, number_found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ricordi.storage.query.expressions import Expressions
    from ricordi.storage.query.sources import Source

FAR = Looks(first=6000, furthest=600_000)
"""To count a node by an index takes a tenth of the time that it takes to read it."""
NEAR = Looks(furthest=2000)
"""Where any few rows will do."""
_TIMES = ('ctime', 'mtime')
_BOUNDS = ('<', '<=', '>', '>=')


def narrowest_time(conditions: Sequence[Condition], source: Source, sql: Expressions, looks: Looks = FAR) -> str | None:
    """The column of times whose bounds let far fewer nodes through than any other filter does.

    :param conditions: what must hold for each node of `source`.
    :param looks: how far is counted.
    :returns: None where there is none, or too many nodes would have to be counted.
    """
    ranges = {column: found for column in _TIMES if (found := _bounds(conditions, column))}
    others = [one for one in conditions if not _is_bound(one) and is_searched(one, source, sql)]
    if not ranges or not others:
        return None
    for far in looks:
        rest = fewest_found(others, source, sql, far)
        if rest <= looks.few:
            return None
        fewest = rest // 2  # for less the index of times is not worth the counting
        for column, bounds in ranges.items():
            if number_found(bounds, source, sql, fewest + 1) <= fewest:
                return column
        if rest < far:
            return None
    return None


def _bounds(conditions: Sequence[Condition], column: str) -> list[Condition]:
    return [one for one in conditions if _is_bound(one) and one.field.column == column]  # type: ignore[union-attr]


def _is_bound(condition: Condition) -> bool:
    if not isinstance(condition, Comparison):
        return False
    return condition.field.column in _TIMES and condition.operator in _BOUNDS
