"""Patterns of `like`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ricordi.model.patterns import as_regular_expression, literal


@given(text=st.text(), other=st.text())
def test_a_literal_matches_its_text_and_no_other(text: str, other: str) -> None:
    pattern = as_regular_expression(literal(text))
    assert pattern.fullmatch(text)
    assert (pattern.fullmatch(other) is not None) == (other == text)


@pytest.mark.parametrize(
    ('pattern', 'fitting', 'others'),
    [
        ('a%', ('a', 'ab', 'a\nb'), ('ba',)),
        ('a_', ('ab', 'a\n'), ('a', 'abc')),
        (r'100\%', ('100%',), ('1000',)),
        ('a.c', ('a.c',), ('abc',)),
        ('a\\', ('a\\',), ('a',)),
    ],
)
def test_wildcards_stand_for_other_characters(pattern: str, fitting: tuple[str, ...], others: tuple[str, ...]) -> None:
    matches = as_regular_expression(pattern).fullmatch
    assert all(map(matches, fitting))
    assert not any(map(matches, others))
