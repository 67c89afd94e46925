"""Attributes and extras hold what JSON can carry; errors name the path of what it cannot."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ricordi.errors import ValidationError
from ricordi.orm.values import check_key, clean_dict, clean_value, copy_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


class Colour(str, Enum):  # noqa: UP042 - this very form is what users write
    RED = 'red'


class Level(IntEnum):
    HIGH = 3


@given(JSON)
def test_json_comes_back_as_it_went_in(value: Any) -> None:
    assert json.dumps(clean_value(value)) == json.dumps(value)


@given(JSON)
def test_a_clean_value_shares_nothing_with_its_source(value: Any) -> None:
    before = json.dumps(value)
    for copy in (clean_value({'x': value}), copy_json({'x': value})):
        _spoil(copy)
    assert json.dumps(value) == before


def _spoil(value: Any) -> None:
    if isinstance(value, dict):
        for item in value.values():
            _spoil(item)
        value.clear()
    elif isinstance(value, list):
        for item in value:
            _spoil(item)
        value.clear()


@pytest.mark.parametrize(
    ('value', 'clean'),
    [
        ((1, (2, 3)), [1, [2, 3]]),
        (range(3), [0, 1, 2]),
        (numpy.int64(-1), -1),
        (numpy.float64(0.1), 0.1),
        (numpy.bool_(True), True),
        (numpy.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
        (Decimal('0.5'), 0.5),
        (Colour.RED, 'red'),
        (Level.HIGH, 3),
        (0.1 + 0.2, 0.30000000000000004),
        (2**80, 2**80),
    ],
)
def test_what_is_like_json_becomes_json(value: Any, clean: Any) -> None:
    cleaned = clean_value(value)
    assert cleaned == clean
    assert type(cleaned) is type(clean)


def test_minus_zero_keeps_its_sign() -> None:
    assert math.copysign(1, clean_value(-0.0)) == -1


@pytest.mark.parametrize(
    ('value', 'message'),
    [
        ({'a': [0, 1, 2, math.nan]}, r'attributes\["a"\]\[3\]: nan cannot be kept'),
        ({'a': {'b': {'c': -math.inf}}}, r'attributes\["a"\]\["b"\]\["c"\]: -inf'),
        ({'a': {1: 2}}, r'attributes\["a"\]: the key 1 is of type int'),
        ({'a': [object()]}, r'attributes\["a"\]\[0\]: a value of type builtins.object'),
        ({'a': b'raw'}, r'attributes\["a"\]: bytes'),
        ({'a': '\ud800'}, r'attributes\["a"\]: .* is not valid text'),
        ({'a': numpy.float64('nan')}, r'attributes\["a"\]: nan'),
    ],
)
def test_an_error_names_the_path_of_the_bad_value(value: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        clean_dict(value, 'attributes')


def test_a_value_that_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ValidationError, match='contains itself'):
        clean_value(endless)


@pytest.mark.parametrize(('key', 'message'), [('a.b', 'period'), ('', 'empty'), (3, 'not a string')])
def test_a_key_that_queries_could_not_name_is_refused(key: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        check_key(key, 'extras')
