"""Filters as SQL.

Negations are carried down to the comparisons, so that each is either asserted or denied. Of a column that is NULL
neither holds, as in SQL. In JSON one of them always does: denied is that the comparison holds, and of a key that is
missing it does not. So those that are not paused are found by a key that only paused ones have.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from math import isfinite
from typing import Any

from ricordi.backend.query import Comparison, Condition, Field, Junction, Negation, shown
from ricordi.errors import QueryError, QueryTypeError
from ricordi.model.fields import ValueKind
from ricordi.storage.query.expressions import NO_MATCH, Expressions, Place
from ricordi.storage.query.numbers import LARGEST_INT
from ricordi.storage.query.patterns import Pattern, after_prefix, parse_pattern

Locate = Callable[[Field], Place]

_DENIED = {'<': '>=', '<=': '>', '>': '<=', '>=': '<'}
_LENGTHS = {'of_length': '=', 'longer': '>', 'shorter': '<'}
_WIDTH = 100
_NUL = '\x00'
_ORDERS = ('<', '<=', '>', '>=')
_LONGEST = 2**31


def condition_sql(condition: Condition, locate: Locate, sql: Expressions, negated: bool = False) -> str:
    """The SQL that is true for the rows that a filter lets through.

    :param locate: finds the column behind a field.
    :raises ricordi.errors.QueryError: an operator that this field does not know, or a value it never holds.
    """
    if isinstance(condition, Negation):
        return condition_sql(condition.part, locate, sql, not negated)
    if isinstance(condition, Junction):
        word = ' OR ' if condition.any is not negated else ' AND '
        return _joined([condition_sql(part, locate, sql, negated) for part in condition.parts], word)
    place = locate(condition.field)
    if place.kind is ValueKind.JSON:
        return _json_condition(condition, place, sql, negated)
    return _column_condition(condition, place, sql, negated)


def _joined(parts: list[str], word: str) -> str:
    """Conditions joined as a shallow tree: SQLite refuses expressions that are 1000 deep, and a plain list is that."""
    while len(parts) > _WIDTH:
        parts = [f'({word.join(parts[begin : begin + _WIDTH])})' for begin in range(0, len(parts), _WIDTH)]
    return f'({word.join(parts)})'


# columns ---------------------------------------------------------------------------------------------------


def _column_condition(comparison: Comparison, place: Place, sql: Expressions, negated: bool) -> str:
    operator, value = comparison.operator, comparison.value
    if operator == 'in':
        return _column_one_of(place, value, sql, negated)
    if operator in ('like', 'ilike'):
        return _column_like(place, operator, value, sql, negated)
    if operator == '==' and value is None:
        return f'{place.sql} IS {"NOT " if negated else ""}NULL'
    if operator not in _ORDERS and operator != '==':
        raise QueryError(f'{operator!r} asks about JSON, and {place.name!r} is a plain column ({place.kind})')
    encoded = sql.encode(place, value)
    if operator == '==':
        if not _may_equal(place, encoded):
            return _never(place, sql, negated)
        return f'{sql.bare(place)} {"<>" if negated else "="} {sql.bind(encoded)}'
    return _column_order(place, _DENIED[operator] if negated else operator, encoded, value, sql)


def _column_order(place: Place, operator: str, encoded: Any, value: Any, sql: Expressions) -> str:
    if place.kind is ValueKind.UUID and sql.holds_text(str(value)):
        return sql.compare_text(sql.column_text(place), operator, sql.bind(str(value)))
    if encoded is NO_MATCH:
        raise QueryTypeError(f'there is no order between {place.name!r} and {shown(value)}')
    if place.kind is ValueKind.TEXT:
        return sql.compare_text(sql.bare(place), operator, sql.bind(encoded))
    return f'{sql.bare(place)} {operator} {sql.bind(encoded)}'


def _may_equal(place: Place, encoded: Any) -> bool:
    """Whether a row could have a value: no integer is beyond 64 bits."""
    return encoded is not NO_MATCH and (place.kind is not ValueKind.INT or abs(encoded) <= LARGEST_INT)


def _never(place: Place, sql: Expressions, negated: bool) -> str:
    """What equals nothing: asserted never, denied wherever there is a value."""
    if not negated:
        return sql.false
    return f'{place.sql} IS NOT NULL' if place.nullable else sql.true


def _column_one_of(place: Place, values: tuple[Any, ...], sql: Expressions, negated: bool) -> str:
    encoded = [sql.encode(place, value) for value in values if value is not None]
    encoded = [value for value in encoded if _may_equal(place, value)]
    has_none = any(value is None for value in values)
    if encoded:
        found = sql.one_of(sql.bare(place), place.kind, encoded, negated)
        if not has_none:
            return found
        return f'({found} {"AND" if negated else "OR"} {place.sql} IS {"NOT " if negated else ""}NULL)'
    if has_none:
        return f'{place.sql} IS {"NOT " if negated else ""}NULL'
    return _never(place, sql, negated)


def _column_like(place: Place, operator: str, value: str, sql: Expressions, negated: bool) -> str:
    if place.kind is ValueKind.BOOL:
        raise QueryError(f'{operator!r} asks about texts, and {place.name!r} holds True or False')
    pattern = parse_pattern(value)
    if _NUL in value:  # which ends a pattern of SQLite, and which no text of PostgreSQL has
        return _never(place, sql, negated)
    if pattern.matches_all:
        return _never(place, sql, not negated)
    is_text = place.kind is ValueKind.TEXT
    text = sql.bare(place) if is_text else sql.column_text(place)
    if operator == 'ilike':
        found = sql.ilike(text, pattern.for_like)
    elif pattern.is_literal:
        return f'{text} {"<>" if negated else "="} {sql.bind(pattern.prefix)}'
    elif is_text:
        return _text_like(text, pattern, sql, negated)
    else:
        found = sql.like(text, pattern.for_like)
    return f'NOT ({found})' if negated else found


def _text_like(text: str, pattern: Pattern, sql: Expressions, negated: bool) -> str:
    """`like` on an indexed column: the part before the first wildcard is a range that the index can find."""
    if not pattern.prefix or (negated and not pattern.is_prefix):
        found = sql.like(text, pattern.for_like)
        return f'NOT ({found})' if negated else found
    end = after_prefix(pattern.prefix)
    low, high = ('<', '>=') if negated else ('>=', '<')
    parts = [sql.compare_text(text, low, sql.constant(pattern.prefix))]
    if end is not None:
        parts.append(sql.compare_text(text, high, sql.constant(end)))
    if not pattern.is_prefix:
        parts.append(sql.like(text, pattern.for_like))
    return f'({(" OR " if negated else " AND ").join(parts)})'


# JSON ------------------------------------------------------------------------------------------------------


def _json_condition(comparison: Comparison, place: Place, sql: Expressions, negated: bool) -> str:
    operator, value = comparison.operator, comparison.value
    if (operator, value) in (('==', None), ('of_type', 'null')):
        return sql.json_present(place) if negated else sql.json_absent(place)
    with_none = operator == 'in' and any(item is None for item in value)
    if with_none:
        value = tuple(item for item in value if item is not None)
    found = _json_test(operator, value, place, sql)
    found = f'({found}) IS NOT TRUE' if negated else sql.narrowed(place, operator, value, found)
    if not with_none:
        return found
    return f'({found} AND {sql.json_present(place)})' if negated else f'({found} OR {sql.json_absent(place)})'


def _json_test(operator: str, value: Any, place: Place, sql: Expressions) -> str:
    """SQL that is true or not: false where there is a value, and false or unknown where there is none."""
    if operator == 'of_type':
        return sql.json_has_type(place, value)
    if operator == 'in':
        values = tuple(item for item in value if _has_place(item))
        return sql.json_one_of(place, values) if values else sql.false
    if operator in _ORDERS or operator == '==':
        return _json_comparison(operator, value, place, sql)
    if operator in ('like', 'ilike'):
        if _NUL in value:
            return sql.false
        return _json_like(operator, parse_pattern(value), place, sql)
    if operator in _LENGTHS:
        return sql.json_length(place, _LENGTHS[operator], min(max(value, -1), _LONGEST))
    if operator == 'has_key':
        return sql.json_has_key(place, value)
    if isinstance(value, datetime) or value is None:
        raise QueryTypeError(f"'contains' takes JSON, not {shown(value)}")
    return sql.json_contains(place, value) if _has_place(value) else sql.false


def _json_comparison(operator: str, value: Any, place: Place, sql: Expressions) -> str:
    if operator != '==' and (value is None or isinstance(value, list | dict)):
        raise QueryTypeError(f'there is no order between {place.name!r} and {shown(value)}')
    if _has_place(value):
        return sql.json_compare(place, operator, value)
    # an infinity is beyond all numbers; NaN is beside them
    all_match = value > 0 if operator in ('<', '<=') else value < 0 if operator in ('>', '>=') else False
    return sql.json_has_type(place, 'number') if all_match else sql.false


def _json_like(operator: str, pattern: Pattern, place: Place, sql: Expressions) -> str:
    if pattern.matches_all:
        return sql.json_has_type(place, 'string')
    if pattern.is_literal and operator == 'like':
        return sql.json_compare(place, '==', pattern.prefix)
    return sql.json_like(place, pattern.for_like, operator == 'ilike')


def _has_place(value: Any) -> bool:
    """Whether JSON can hold a value: it has no infinities and no NaN."""
    if isinstance(value, dict):
        return all(map(_has_place, value.values()))
    if isinstance(value, list):
        return all(map(_has_place, value))
    return not isinstance(value, float) or isfinite(value)
