"""Filters as SQL, in SQL's own sense of what is unknown.

Negations are carried down to the comparisons, so that each is either asserted or denied. Neither holds of what is not
there (a NULL column, a missing key, a JSON null); only `== None` and `of_type null` ask for just that.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from math import isfinite
from typing import Any

from ricordi.backend.query import Comparison, Condition, Field, Junction, Negation, ValueKind
from ricordi.errors import QueryError, QueryTypeError
from ricordi.storage.query_expressions import NO_MATCH, Expressions, Place
from ricordi.storage.query_patterns import Pattern, after_prefix, parse_pattern

Locate = Callable[[Field], Place]

_DENIED = {'<': '>=', '<=': '>', '>': '<=', '>=': '<'}
_LENGTHS = {'of_length': '=', 'longer': '>', 'shorter': '<'}
_WIDTH = 100
_NUL = '\x00'
_ORDERS = ('<', '<=', '>', '>=')


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
    if place.column.kind is ValueKind.JSON:
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
        raise QueryError(f'{operator!r} asks about JSON, and {place.name!r} is a plain column ({place.column.kind})')
    encoded = sql.encode(place, value)
    if operator == '==':
        if encoded is NO_MATCH:
            return _never(place, sql, negated)
        return f'{sql.bare(place)} {"<>" if negated else "="} {sql.bind(encoded)}'
    return _column_order(place, _DENIED[operator] if negated else operator, encoded, value, sql)


def _column_order(place: Place, operator: str, encoded: Any, value: Any, sql: Expressions) -> str:
    if place.column.kind is ValueKind.UUID:
        return sql.compare_text(sql.column_text(place), operator, sql.bind(str(value)))
    if encoded is NO_MATCH:
        raise QueryTypeError(f'there is no order between {place.name!r} and {value!r}')
    if place.column.kind is ValueKind.TEXT:
        return sql.compare_text(sql.bare(place), operator, sql.bind(encoded))
    return f'{sql.bare(place)} {operator} {sql.bind(encoded)}'


def _never(place: Place, sql: Expressions, negated: bool) -> str:
    """What equals nothing: asserted never, denied wherever there is a value."""
    if not negated:
        return sql.false
    return f'{place.sql} IS NOT NULL' if place.column.nullable else sql.true


def _column_one_of(place: Place, values: tuple[Any, ...], sql: Expressions, negated: bool) -> str:
    encoded = [sql.encode(place, value) for value in values if value is not None]
    encoded = [value for value in encoded if value is not NO_MATCH]
    has_none = any(value is None for value in values)
    if encoded:
        found = sql.one_of(sql.bare(place), place.column.kind, encoded, negated)
        if not has_none:
            return found
        return f'({found} {"AND" if negated else "OR"} {place.sql} IS {"NOT " if negated else ""}NULL)'
    if has_none:
        return f'{place.sql} IS {"NOT " if negated else ""}NULL'
    return _never(place, sql, negated)


def _column_like(place: Place, operator: str, value: str, sql: Expressions, negated: bool) -> str:
    if place.column.kind is ValueKind.BOOL:
        raise QueryError(f'{operator!r} asks about texts, and {place.name!r} holds True or False')
    pattern = parse_pattern(value)
    if _NUL in value:  # which ends a pattern of SQLite, and which no text of PostgreSQL has
        return _never(place, sql, negated)
    if pattern.matches_all:
        return _never(place, sql, not negated)
    is_text = place.column.kind is ValueKind.TEXT
    text = sql.bare(place) if is_text else sql.column_text(place)
    if operator == 'ilike':
        found = sql.ilike(text, pattern.text)
    elif pattern.is_literal:
        return f'{text} {"<>" if negated else "="} {sql.bind(pattern.prefix)}'
    elif is_text:
        return _text_like(text, pattern, sql, negated)
    else:
        found = sql.like(text, pattern.text)
    return f'NOT ({found})' if negated else found


def _text_like(text: str, pattern: Pattern, sql: Expressions, negated: bool) -> str:
    """`like` on an indexed column: the part before the first wildcard is a range that the index can find."""
    if not pattern.prefix or (negated and not pattern.is_prefix):
        found = sql.like(text, pattern.text)
        return f'NOT ({found})' if negated else found
    end = after_prefix(pattern.prefix)
    low, high = ('<', '>=') if negated else ('>=', '<')
    parts = [sql.compare_text(text, low, sql.constant(pattern.prefix))]
    if end is not None:
        parts.append(sql.compare_text(text, high, sql.constant(end)))
    if not pattern.is_prefix:
        parts.append(sql.like(text, pattern.text))
    return f'({(" OR " if negated else " AND ").join(parts)})'


# JSON ------------------------------------------------------------------------------------------------------


def _json_condition(comparison: Comparison, place: Place, sql: Expressions, negated: bool) -> str:
    operator, value = comparison.operator, comparison.value
    if operator == 'of_type' and value != 'null':
        return sql.json_has_type(place, value, negated)
    if operator == 'of_type' or (operator == '==' and value is None):
        return sql.json_present(place) if negated else sql.json_absent(place)
    if operator == 'in' and any(item is None for item in value):
        found = _json_test('in', tuple(item for item in value if item is not None), place, sql)
        if negated:
            return f'({sql.json_present(place)} AND NOT ({found}))'
        return f'({found} OR {sql.json_absent(place)})'
    found = _json_test(operator, value, place, sql)
    return f'({sql.json_present(place)} AND NOT ({found}))' if negated else found


def _json_test(operator: str, value: Any, place: Place, sql: Expressions) -> str:
    """SQL that is true or false where there is a value, and not true where there is none."""
    if operator == 'in':
        values = tuple(item for item in value if not _is_unbounded(item))
        return sql.json_one_of(place, values) if values else sql.false
    if operator in _ORDERS or operator == '==':
        if operator != '==' and (value is None or isinstance(value, list | dict)):
            raise QueryTypeError(f'there is no order between {place.name!r} and {value!r}')
        if _is_unbounded(value):
            all_match = operator in ('<', '<=') if value > 0 else operator in ('>', '>=')
            return sql.json_has_type(place, 'number', False) if all_match and operator != '==' else sql.false
        return sql.json_compare(place, operator, value)
    if operator in ('like', 'ilike'):
        if _NUL in value:
            return sql.false
        return sql.json_like(place, parse_pattern(value).text, operator == 'ilike')
    if operator in _LENGTHS:
        return sql.json_length(place, _LENGTHS[operator], value)
    if operator == 'has_key':
        return sql.json_has_key(place, value)
    if isinstance(value, datetime) or value is None:
        raise QueryTypeError(f"'contains' takes JSON, not {value!r}")
    return sql.json_contains(place, value)


def _is_unbounded(value: Any) -> bool:
    """Whether this is an infinity or NaN, which JSON cannot hold."""
    return isinstance(value, float) and not isfinite(value)
