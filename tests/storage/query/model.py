"""What filters mean, in plain Python over plain rows: the oracle for the SQL that the compiler makes.

Three values, as in SQL: True, False, and None for unknown, which only a column that is NULL gives. See the table in
docs/guide-querying.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

Truth = bool | None

MISSING = object()
JSON_COLUMNS = ('attributes', 'extras', 'repository_metadata', 'metadata', 'auth_params')


def matches(spec: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether a filter in the language of `QueryBuilder` lets a row (column → value) through."""
    return all_of(spec, row) is True


def all_of(spec: Mapping[str, Any], row: Mapping[str, Any]) -> Truth:
    truths: list[Truth] = []
    for name, operations in spec.items():
        junction = name.lstrip('!~')
        if junction in ('and', 'or'):
            parts = [all_of(part, row) for part in operations]
            truth = conjunction(parts) if junction == 'and' else disjunction(parts)
            truths.append(negation(truth) if junction != name else truth)
        else:
            truths.append(of_field(name, operations, row))
    return conjunction(truths)


def of_field(name: str, operations: Any, row: Mapping[str, Any]) -> Truth:
    if not isinstance(operations, Mapping):
        operations = {'==': operations}
    truths: list[Truth] = []
    for spelled, operand in operations.items():
        operator = spelled.lstrip('!~')
        if operator in ('and', 'or'):
            parts = [of_field(name, part, row) for part in operand]
            truth = conjunction(parts) if operator == 'and' else disjunction(parts)
        else:
            truth = compare(operator, operand, *look_up(name, row))
        truths.append(negation(truth) if operator != spelled else truth)
    return conjunction(truths)


def conjunction(truths: list[Truth]) -> Truth:
    if False in truths:
        return False
    return None if None in truths else True


def disjunction(truths: list[Truth]) -> Truth:
    if True in truths:
        return True
    return None if None in truths else False


def negation(truth: Truth) -> Truth:
    return None if truth is None else not truth


def look_up(name: str, row: Mapping[str, Any]) -> tuple[Any, bool]:
    """The value of a field, and whether it is JSON."""
    first, *path = name.split('.')
    column = {'pk': 'id', 'user': 'user_id', 'computer': 'dbcomputer_id'}.get(first, first)
    value = row[column]
    for key in path:
        if isinstance(value, dict):
            value = value.get(key, MISSING)
        elif isinstance(value, list) and re.fullmatch(r'-?\d+', key) and -len(value) <= int(key) < len(value):
            value = value[int(key)]
        else:
            value = MISSING
    return value, column in JSON_COLUMNS


def compare(operator: str, operand: Any, value: Any, is_json: bool) -> Truth:
    absent = value is MISSING or value is None
    if operator == 'of_type':
        if operand == 'null':
            return absent
        return value is not MISSING and json_type(value) == operand
    if operator == '==' and operand is None:
        return absent
    if operator == 'in':
        return disjunction(
            [compare('==', item, value, is_json) for item in operand] or [None if absent and not is_json else False]
        )
    if absent:
        return False if is_json else None
    return _TESTS[operator](value, operand)


def json_type(value: Any) -> str:
    if value is None:
        return 'null'
    names = {bool: 'boolean', int: 'number', float: 'number', str: 'string', list: 'array', dict: 'object'}
    return names.get(type(value), type(value).__name__)


def equal(value: Any, operand: Any) -> bool:
    if json_type(value) != json_type(operand):
        return False
    if isinstance(value, dict):
        return value.keys() == operand.keys() and all(equal(item, operand[key]) for key, item in value.items())
    if isinstance(value, list):
        return len(value) == len(operand) and all(map(equal, value, operand))
    return compared(lambda left, right: bool(left == right))(value, operand)


def compared(test: Any) -> Any:
    """A test of two values of one type; numbers as floats where a large float, or more than 64 bits, are asked for."""

    def tested(value: Any, operand: Any) -> bool:
        if json_type(operand) == 'number' and abs(operand) >= (2**63 if type(operand) is int else 2**53):
            try:
                value, operand = float(value), float(operand)
            except OverflowError:
                pass  # beyond all floats
        return bool(test(value, operand))

    return tested


def like(value: Any, pattern: str, flags: int = 0) -> bool:
    if isinstance(value, datetime):
        value = value.strftime('%Y-%m-%d %H:%M:%S.%f')
    if not isinstance(value, str):
        return False
    tokens = re.findall(r'\\.|.', pattern, re.DOTALL)
    wild = {'%': '.*', '_': '.'}
    regex = ''.join(wild.get(token) or re.escape(token[-1]) for token in tokens)
    return re.fullmatch(regex, value, flags | re.DOTALL) is not None


def contains(value: Any, operand: Any, top: bool = True) -> bool:
    if isinstance(value, dict) and isinstance(operand, dict):
        return all(key in value and contains(value[key], item, False) for key, item in operand.items())
    if isinstance(value, list) and isinstance(operand, list):
        return all(any(contains(item, wanted, False) for item in value) for wanted in operand)
    if top and isinstance(value, list) and not isinstance(operand, dict):
        return any(equal(item, operand) for item in value)
    return not isinstance(value, dict | list) and equal(value, operand)


def has_key(value: Any, key: str) -> bool:
    return isinstance(value, dict | list) and any(isinstance(item, str) and item == key for item in value)


def _ordered(test: Any) -> Any:
    return lambda value, operand: json_type(value) == json_type(operand) and compared(test)(value, operand)


def _length(test: Any) -> Any:
    return lambda value, operand: isinstance(value, list) and test(len(value), operand)


_TESTS: dict[str, Any] = {
    '==': equal,
    '<': _ordered(lambda value, operand: value < operand),
    '<=': _ordered(lambda value, operand: value <= operand),
    '>': _ordered(lambda value, operand: value > operand),
    '>=': _ordered(lambda value, operand: value >= operand),
    'like': like,
    'ilike': lambda value, operand: like(value, operand, re.IGNORECASE),
    'contains': contains,
    'has_key': has_key,
    'of_length': _length(lambda length, operand: length == operand),
    'longer': _length(lambda length, operand: length > operand),
    'shorter': _length(lambda length, operand: length < operand),
}
