"""Filters as a person writes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ricordi.errors import UsageError
from ricordi.services.nodes.types import type_filters
from ricordi.services.nodes.where import parse_all, parse_where


@pytest.mark.parametrize(
    ('text', 'filters'),
    [
        ('attributes.exit_status != 0', {'attributes.exit_status': {'!==': 0}}),
        ('pk=3', {'pk': {'==': 3}}),
        ('pk >= 3.5e1', {'pk': {'>=': 35.0}}),
        ("label like 'run%'", {'label': {'like': 'run%'}}),
        ('label NOT LIKE "a\\"b"', {'label': {'!like': 'a"b'}}),
        ('attributes.paused == true', {'attributes.paused': {'==': True}}),
        ('process_type == null', {'process_type': {'==': None}}),
        ('label == a-b.c', {'label': {'==': 'a-b.c'}}),
        ('pk in [1, 2,3]', {'pk': {'in': [1, 2, 3]}}),
        ('pk not in []', {'pk': {'!in': []}}),
        ('extras has_key tag', {'extras': {'has_key': 'tag'}}),
        ('attributes.cell of_length 3', {'attributes.cell': {'of_length': 3}}),
        ("attributes.tags contains ['a']", {'attributes.tags': {'contains': ['a']}}),
        ("'extras.my key' == 1", {'extras.my key': {'==': 1}}),
        ('pk > 1 and pk < 5', {'and': [{'pk': {'>': 1}}, {'pk': {'<': 5}}]}),
        (
            'pk == 1 or pk == 2 and label == x',
            {'or': [{'pk': {'==': 1}}, {'and': [{'pk': {'==': 2}}, {'label': {'==': 'x'}}]}]},
        ),
        (
            'not (pk == 1 or pk == 2)',
            {'!and': [{'or': [{'pk': {'==': 1}}, {'pk': {'==': 2}}]}]},
        ),
        ('not not pk == 1', {'pk': {'==': 1}}),
    ],
)
def test_a_filter_is_read_as_it_is_meant(text: str, filters: dict[str, Any]) -> None:
    assert parse_where(text) == filters


def test_times_are_local_unless_they_say_otherwise() -> None:
    assert parse_where('ctime > 2025-01-31')['ctime']['>'] == datetime(2025, 1, 31).astimezone()
    moment = parse_where("mtime <= '2025-01-31T10:00:00+02:00'")['mtime']['<=']
    assert moment == datetime.fromisoformat('2025-01-31T08:00:00+00:00')


def test_several_filters_have_to_hold_together() -> None:
    assert parse_all([]) == {}
    assert parse_all(['pk == 1', 'label == x']) == {'and': [{'pk': {'==': 1}}, {'label': {'==': 'x'}}]}


@pytest.mark.parametrize(
    ('text', 'told'),
    [
        ('', 'the name of a field was expected at its end'),
        ('label', 'an operator was expected, one of'),
        ('label ==', 'a value was expected at its end'),
        ('label ~ x', 'one of == = != <>'),
        ('== 3', 'the name of a field was expected at `== 3`'),
        ('(pk == 1', '`)` was expected at its end'),
        ('pk == 1)', '`and`, `or` or the end was expected at `)`'),
        ('pk == 1 label == 2', 'was expected at `label == 2`'),
        ('pk in 3', '`in` takes a list'),
        ('pk in [1 2]', '`,` or `]` was expected at `2]`'),
        ("label == 'open", "cannot read the filter `label == 'open` from `'open` on"),
        ('ctime > yesterday', '`yesterday` is no time'),
        ('(' * 60 + 'pk == 1', 'nested more than 50 levels'),
        ('pk == ' + '9' * 5000, 'a number of 5,000 digits'),
        ('pk in [-' + '9' * 5000, 'a number of 5,001 digits'),
        ("and == 'x'", '`and` joins comparisons, and is no field'),
        ("not ('!or' shorter 3)", '`!or` joins comparisons, and is no field'),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_where(text)
    assert told in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_where(text)
    except UsageError:
        pass


@given(st.text(min_size=1, max_size=30))
def test_any_text_can_be_compared_with_in_quotes(value: str) -> None:
    quoted = value.replace('\\', '\\\\').replace("'", "\\'")
    assert parse_where(f"label == '{quoted}'") == {'label': {'==': value}}


@pytest.mark.parametrize(
    ('text', 'filters', 'exact'),
    [
        ('core.int', {'node_type': {'like': 'data.core.int.%'}}, {'node_type': 'data.core.int.Int.'}),
        ('aiida.data:core.int', {'node_type': {'like': 'data.core.int.%'}}, {'node_type': 'data.core.int.Int.'}),
        ('data.core.int.Int.', {'node_type': {'like': 'data.core.int.%'}}, {'node_type': 'data.core.int.Int.'}),
        ('Int', {'node_type': {'like': 'data.core.int.%'}}, {'node_type': 'data.core.int.Int.'}),
        (
            'my_plugin.thing',
            {'node_type': {'like': 'data.my\\_plugin.thing.%'}},
            {'node_type': {'like': 'data.my\\_plugin.thing.%', '!like': 'data.my\\_plugin.thing.%.%.'}},
        ),
        ('ThingData', {'node_type': {'like': '%.ThingData.'}}, {'node_type': {'like': '%.ThingData.'}}),
        (
            'aiida.workflows:my.work',
            {'process_type': 'aiida.workflows:my.work'},
            {'process_type': 'aiida.workflows:my.work'},
        ),
        ('Node', {}, {}),
    ],
)
def test_a_type_is_meant_in_many_ways(text: str, filters: dict[str, Any], exact: dict[str, Any]) -> None:
    assert type_filters(text) == filters
    assert type_filters(text, subclassing=False) == exact


def test_what_cannot_be_a_type_is_refused() -> None:
    with pytest.raises(UsageError, match='is no type'):
        type_filters('core int')
