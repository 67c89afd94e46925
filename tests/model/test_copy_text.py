"""A row is one line, whatever its values, and comes back from it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ricordi.model.copy_text import StoredText, count_odd, decode_field, encode_field, encode_row, fields_of, pk_of
from ricordi.model.fields import ValueKind

TEXTS = st.text().map(lambda text: StoredText(text.encode()))
NUMBERS = st.integers(-(1 << 63), (1 << 63) - 1) | st.floats(allow_nan=False)
VALUES = st.none() | NUMBERS | TEXTS | st.binary() | st.binary().map(StoredText)
KINDS = st.sampled_from(ValueKind)


def read(field: bytes, kind: ValueKind) -> Any:
    """What SQLite holds once it was given a field's value for a column of that kind."""
    value = decode_field(field.decode())
    if not isinstance(value, str):
        return value
    if kind is ValueKind.BOOL:
        return {'t': 1, 'f': 0}[value]
    return int(value) if kind is ValueKind.INT else StoredText(value.encode())


@given(VALUES, KINDS.filter(lambda kind: kind is not ValueKind.JSON))
def test_every_value_comes_back_as_it_was_with_its_type(value: Any, kind: ValueKind) -> None:
    again = read(encode_field(value, kind), kind)
    assert (again, type(again)) == (value, type(value))


@given(NUMBERS)
def test_a_bare_number_as_json_comes_back(value: Any) -> None:
    again = decode_field(encode_field(value, ValueKind.JSON).decode())
    assert type(value)(again) == value


@given(st.lists(st.tuples(VALUES, KINDS)))
def test_a_row_is_one_line_with_a_field_for_each_value(values: list[Any]) -> None:
    line = encode_row([7, *(value for value, _ in values)], [ValueKind.INT, *(kind for _, kind in values)])
    assert line.count(b'\n') == 1
    assert line.endswith(b'\n')
    assert pk_of(line) == 7
    assert len(fields_of(line)) == len(values) + 1
    odd = any(encode_field(value, kind).startswith(b'\\.') for value, kind in values)
    assert count_odd(line + line) == 2 * odd


@pytest.mark.parametrize(
    ('value', 'kind', 'field'),
    [
        (None, ValueKind.TEXT, rb'\N'),
        (StoredText(b'\\N'), ValueKind.TEXT, rb'\\N'),
        (StoredText(b'\b\t\n\v\f\r\\'), ValueKind.TEXT, rb'\b\t\n\v\f\r\\'),
        (StoredText('Ä\x01'.encode()), ValueKind.TEXT, 'Ä\x01'.encode()),
        (StoredText(b'{"a": "\\u00e9"}'), ValueKind.JSON, rb'{"a": "\\u00e9"}'),
        (1, ValueKind.BOOL, b't'),
        (0, ValueKind.BOOL, b'f'),
        (-12, ValueKind.INT, b'-12'),
        (5, ValueKind.JSON, b'5'),
        (1.5, ValueKind.JSON, b'1.5'),
        (2, ValueKind.BOOL, rb'\.i2'),
        (1.5, ValueKind.INT, rb'\.r3ff8000000000000'),
        (0.1 + 0.2, ValueKind.JSON, rb'\.r3fd3333333333334'),
        (math.inf, ValueKind.JSON, rb'\.r7ff0000000000000'),
        (b'ab', ValueKind.TEXT, rb'\.b6162'),
        (StoredText(b'\xff'), ValueKind.TEXT, rb'\.tff'),
        (StoredText(b'x'), ValueKind.INT, rb'\.t78'),
        (StoredText(b'2020-01-02 03:04:05.678901'), ValueKind.TIME, b'2020-01-02 03:04:05.678901'),
        (StoredText(b'now'), ValueKind.TIME, rb'\.t6e6f77'),
        (7, ValueKind.TIME, rb'\.i7'),
    ],
)
def test_the_grammar_is_the_documented_one(value: Any, kind: ValueKind, field: bytes) -> None:
    assert encode_field(value, kind) == field


@pytest.mark.parametrize('field', ['\\q', 'a\\', '\\.', '\\.x00', '\\.t0', '\\.r00', '\\.ix', '\\x41'])
def test_what_breaks_the_grammar_is_no_value(field: str) -> None:
    with pytest.raises(ValueError):
        decode_field(field)
