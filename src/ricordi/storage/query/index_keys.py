"""What an index of an attribute answers on PostgreSQL: a condition on its keys that holds wherever a test does.

Each test stays beside it, for a key is of bounded length, and stands for all values that begin like it.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from ricordi.storage.attribute_indexes.psql import LONGEST_KEY, key_of_number, number_key, text_key, value_at
from ricordi.storage.query.numbers import is_number
from ricordi.storage.query.patterns import after_prefix, parse_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ricordi.storage.query.expressions import Expressions, Place

_NUL = '\x00'


class IndexKeys:
    """The keys of the values at one place."""

    def __init__(self, sql: Expressions, place: Place) -> None:
        self._sql = sql
        self._place = place

    def condition(self, operator: str, value: Any) -> str:
        """What the index answers of `place operator value`; empty where it can answer nothing."""
        if operator == 'has_key':
            return f'{self._value(value)} IS NOT NULL'
        if operator == '==':
            return self._one_of((value,))
        if operator == 'in':
            return self._one_of(value)
        if operator == 'like':
            return self._starting(parse_pattern(value).prefix)
        if operator in ('<', '<=', '>', '>='):
            return self._ordered('<=' if operator.startswith('<') else '>=', value)
        return ''

    def _one_of(self, values: Iterable[Any]) -> str:
        texts, truths, numbers = [], [], []
        for value in values:
            if isinstance(value, bool):
                truths.append('true' if value else 'false')
            elif is_number(value) and (isinstance(value, int) or isfinite(value)):
                numbers.append(key_of_number(value))
            elif isinstance(value, str) and _NUL not in value:
                texts.append(value[:LONGEST_KEY])
            else:
                return ''
        tests = [self._equal(name, keys) for name, keys in (('string', texts), ('boolean', truths)) if keys]
        if numbers:
            tests.append(self._number(f'= ANY({self._sql.bind(numbers)}::float8[])'))
        return f'({" OR ".join(tests)})' if tests else ''

    def _equal(self, name: str, keys: list[str]) -> str:
        return f'({self._is(name)} AND {text_key(self._value())} = ANY({self._sql.bind(keys)}::text[]))'

    def _number(self, test: str) -> str:
        # The index is one of numbers alone; that a key of theirs says so, PostgreSQL does not see.
        return f'({self._is("number")} AND {number_key(self._value())} {test})'

    def _ordered(self, operator: str, value: Any) -> str:
        if isinstance(value, str) and _NUL not in value:
            test = self._sql.compare_text(text_key(self._value()), operator, self._sql.bind(value[:LONGEST_KEY]))
            return f'{self._is("string")} AND {test}'
        if is_number(value) and (isinstance(value, int) or isfinite(value)):
            return self._number(f'{operator} {self._sql.bind(key_of_number(value))}::float8')
        return ''

    def _starting(self, prefix: str) -> str:
        prefix = prefix[:LONGEST_KEY]
        if not prefix or _NUL in prefix:
            return ''
        key, end = text_key(self._value()), after_prefix(prefix)
        tests = [self._is('string'), self._sql.compare_text(key, '>=', self._sql.bind(prefix))]
        if end is not None:
            tests.append(self._sql.compare_text(key, '<', self._sql.bind(end)))
        return ' AND '.join(tests)

    def _is(self, name: str) -> str:
        return f"jsonb_typeof({self._value()}) = '{name}'"

    def _value(self, *more: str) -> str:
        return value_at(self._place.sql, (*self._place.path, *more))
