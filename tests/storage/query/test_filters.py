"""Filters give, on both databases, what a model of them in plain Python gives."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ricordi.backend.rows import EntityKind, NodeRow
from ricordi.errors import QueryError
from ricordi.orm import QueryBuilder
from storage.query.model import matches

K = EntityKind
START = datetime(2020, 2, 28, 12, tzinfo=UTC)
ODD_KEYS = (
    'plain',
    'two words',
    'ü',
    '数',
    'quo"te',
    "apo'strophe",
    'back\\slash',
    '%',
    'a_b',
    '$',
    '[0]',
    '0',
    '-1',
    ' ',
    '{}',
    ',',
    'NULL',
)
SCALARS: list[Any] = [
    *[
        None,
        True,
        False,
        0,
        1,
        -1,
        5,
        5.0,
        2.5,
        -0.25,
        1e-300,
        2**53 + 1,
        2**60,
        2**63 - 1,
        2**63,
        10**30,
        0.1 + 0.2,
        3.3,
        1e15,
        2**53 + 2,
        1234567890123456768,
        6.02214076e23,
        602214075999999987023872,
        602214076000000000000000,
        -6.02214076e23,
        1e300,
    ],
    *[
        '',
        '0',
        '1',
        '5',
        '5.0',
        'true',
        'null',
        'text',
        'Text',
        'a_c',
        'abc',
        'a%c',
        'back\\slash',
        'ünï 数',
        "it's",
        '"',
        '[]',
        'x' * 300,
    ],
]
PATTERNS = [
    '%',
    '',
    'a%',
    '%c',
    'a_c',
    'a\\_c',
    'a\\%c',
    't%t',
    '%\\\\%',
    '_',
    '__',
    'TEXT',
    '%T%',
    'x%x',
    'back\\',
    '5',
    "%'%",
]


def documents(count: int) -> list[dict[str, Any]]:
    """Attributes of all shapes; for each scalar at least one that has it at `x`."""
    chance = random.Random(7)

    def value(depth: int) -> Any:
        if depth == 0 or chance.random() < 0.5:
            return chance.choice(SCALARS)
        if chance.random() < 0.5:
            return [value(depth - 1) for _ in range(chance.randint(0, 4))]
        return {chance.choice(('x', 'y', '0', '1', 'ü')): value(depth - 1) for _ in range(chance.randint(0, 3))}

    made = [{'x': scalar} for scalar in SCALARS]
    made += [{'x': value(2), 'y': value(1)} if chance.random() < 0.8 else {'y': value(2)} for _ in range(count)]
    return [*made, {}]


@pytest.fixture
def rows(storage: Any) -> list[dict[str, Any]]:
    """Nodes with documents as attributes, as the model takes them."""
    user = storage.insert(K.USER, [{'email': 'a@b.c'}])[0]
    labels = ('', 'a', 'a_c', 'abc', 'A%', 'ünï', 'back\\slash', 'b', 'B')
    given = [
        {
            'attributes': attributes,
            'label': labels[number % len(labels)],
            'ctime': START + timedelta(hours=number),
            'process_type': (None, 'x:y', '')[number % 3],
            'user_pk': user,
        }
        for number, attributes in enumerate(documents(120))
    ]
    pks = storage.insert(K.NODE, given)
    return [{'id': pk, 'user_id': user, **row} for pk, row in zip(pks, given, strict=True)]


def found(storage: Any, filters: dict[str, Any]) -> list[int]:
    return sorted(QueryBuilder(storage).append(entity_type='node', filters=filters, project='id').all(flat=True))


def check(storage: Any, rows: list[dict[str, Any]], filters: dict[str, Any]) -> None:
    expected = [row['id'] for row in rows if matches(filters, row)]
    assert found(storage, filters) == expected, filters
    assert QueryBuilder(storage).append(entity_type='node', filters=filters).count() == len(expected)


NUMBERS = [value for value in SCALARS if isinstance(value, int | float) and not isinstance(value, bool)]
JSON_VALUES = st.one_of(
    st.sampled_from(SCALARS),
    st.lists(st.sampled_from(SCALARS), max_size=3),
    st.dictionaries(st.sampled_from(['x', 'y', '0']), st.sampled_from(SCALARS), max_size=2),
)
ORDERED = st.sampled_from([value for value in SCALARS if value is not None])


def operation(operator: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda mark, value: {mark + operator: value}, st.sampled_from(['', '!', '~']), values)


JSON_OPERATIONS = st.one_of(
    operation('==', JSON_VALUES),
    *(operation(operator, ORDERED) for operator in ('<', '<=', '>', '>=')),
    operation('in', st.lists(JSON_VALUES, max_size=4)),
    operation('like', st.sampled_from(PATTERNS)),
    operation('ilike', st.sampled_from(PATTERNS)),
    operation('contains', JSON_VALUES.filter(lambda value: value is not None)),
    operation('has_key', st.sampled_from(['x', 'y', '0', 'text', 'ü', 'quo"te'])),
    *(operation(operator, st.integers(0, 4)) for operator in ('of_length', 'longer', 'shorter')),
    operation('of_type', st.sampled_from(['object', 'array', 'string', 'number', 'boolean', 'null'])),
)
JSON_FIELDS = st.sampled_from(
    [
        'attributes',
        'attributes.x',
        'attributes.y',
        'attributes.x.0',
        'attributes.x.-1',
        'attributes.x.x',
        'attributes.x.0.1',
        'attributes.y.ü',
    ]
)
COLUMN_FILTERS = st.one_of(
    st.builds(lambda operations: {'label': operations}, operation('like', st.sampled_from(PATTERNS))),
    st.builds(lambda operations: {'label': operations}, operation('<', st.sampled_from(['', 'a', 'b', 'ü', 'A']))),
    st.builds(
        lambda operations: {'label': operations}, operation('in', st.lists(st.sampled_from(['a', 'b', 'abc', '?'])))
    ),
    st.builds(lambda operations: {'process_type': operations}, operation('==', st.sampled_from([None, 'x:y', '?']))),
    st.builds(
        lambda operations: {'process_type': operations}, operation('like', st.sampled_from(['%', 'x%', '%y', 'x:y']))
    ),
    st.builds(lambda operations: {'ctime': operations}, operation('>', st.just(START + timedelta(hours=40)))),
    st.builds(lambda operations: {'id': operations}, operation('>=', st.integers(0, 200))),
)
LEAVES = st.one_of(
    st.builds(lambda field, operations: {field: operations}, JSON_FIELDS, JSON_OPERATIONS), COLUMN_FILTERS
)
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda junction, parts: {junction: parts},
        st.sampled_from(['and', 'or', '!and', '!or', '~or']),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=5,
)


def test_filters_mean_what_the_model_says(storage: Any, rows: list[dict[str, Any]]) -> None:
    @settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(FILTERS)
    def agree(filters: dict[str, Any]) -> None:
        check(storage, rows, filters)

    agree()


def test_a_value_equals_itself_and_nothing_of_another_type(storage: Any, rows: list[dict[str, Any]]) -> None:
    for value in SCALARS:
        for operator in ('==', '!=='):
            check(storage, rows, {'attributes.x': {operator: value}})
        check(storage, rows, {'attributes.x': {'in': [value]}})
        check(storage, rows, {'attributes.x': {'!in': [value]}})


def test_a_negation_holds_of_what_is_not_there(storage: Any) -> None:
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    given = [{'x': 5}, {'x': [5]}, {'x': {'k': 5}}, {'x': 'five'}, {'x': None}, {}]
    pks = storage.insert(K.NODE, [{'user_pk': user, 'attributes': one} for one in given])
    of_number, of_list, of_dict, of_text = (set(pks) - {pk} for pk in pks[:4])
    expected: list[tuple[str, Any, set[int]]] = [
        ('==', 5, of_number),
        ('in', (5, 6), of_number),
        ('>', 4, of_number),
        ('<', 6, of_number),
        ('like', 'f%', of_text),
        ('ilike', 'F%', of_text),
        ('has_key', 'k', of_dict),
        ('contains', [5], of_list),
        ('of_length', 1, of_list),
        ('longer', 0, of_list),
        ('shorter', 2, of_list),
        ('of_type', 'number', of_number),
        ('of_type', 'null', set(pks[:4])),
        ('==', None, set(pks[:4])),
        ('in', (5, None), set(pks[1:4])),
    ]
    for operator, value, pks_found in expected:
        for filters in (
            {'attributes.x': {f'!{operator}': value}},
            {'attributes.x': {f'~{operator}': value}},
            {'!and': [{'attributes.x': {operator: value}}]},
            {'!or': [{'attributes.x': {operator: value}}, {'attributes.y': 1}]},
        ):
            assert found(storage, filters) == sorted(pks_found), filters
    assert found(storage, {'!and': [{'attributes.x': {'!==': 5}}]}) == [pks[0]]


def test_a_negation_does_not_hold_of_a_column_without_a_value(storage: Any) -> None:
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    made = [{'user_pk': user, 'process_type': kind, 'attributes': {}} for kind in ('x:y', 'z', None)]
    of_x, of_z, of_none = storage.insert(K.NODE, made)
    for operations in ({'!==': 'x:y'}, {'!in': ['x:y']}, {'!like': 'x%'}, {'!<': 'y'}):
        assert found(storage, {'process_type': operations}) == [of_z]
    assert found(storage, {'process_type': {'!==': None}}) == [of_x, of_z]
    both = {'!and': [{'process_type': 'x:y'}, {'attributes.a': 1}]}
    assert found(storage, both) == [of_x, of_z, of_none]


def test_large_numbers_are_found_however_they_were_stored(storage: Any) -> None:
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    spelled: list[Any] = [602214075999999987023872, 602214076000000000000000, 6.02214076e23]
    below, above = [6.0e23, 602214075999999900000000, 1.0, -6.02214076e23], [6.1e23, 602214076000000100000000, 1e300]
    stored = [*below, *spelled, *above]
    pks = storage.insert(K.NODE, [{'user_pk': user, 'attributes': {'n': n, 'l': [n, {'a': n}]}} for n in stored])
    first, last = len(below), len(below) + len(spelled)
    for asked in spelled:
        for filters in (
            {'attributes.n': asked},
            {'attributes.n': {'in': [asked, 7]}},
            {'attributes.n': {'in': [asked, 5e22]}},
            {'attributes.n': {'>=': asked, '<=': asked}},
            {'attributes.l': {'contains': [asked]}},
            {'attributes.l': {'contains': [{'a': asked}]}},
            {'attributes.l': {'==': [asked, {'a': asked}]}},
            {'attributes.l': {'in': [[asked, {'a': asked}]]}},
            {'attributes': {'contains': {'n': asked}}},
        ):
            assert found(storage, filters) == pks[first:last], filters
        assert found(storage, {'attributes.n': {'!==': asked}}) == pks[:first] + pks[last:]
        assert found(storage, {'attributes.n': {'<': asked}}) == pks[:first]
        assert found(storage, {'attributes.n': {'>': asked}}) == pks[last:]


def test_any_key_can_be_looked_up(storage: Any) -> None:
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    for key in ODD_KEYS:
        with_key, inside, _ = storage.insert(
            K.NODE,
            [
                {'user_pk': user, 'label': key, 'attributes': {key: 'here', 'other': 1}},
                {'user_pk': user, 'label': key, 'attributes': {'deep': {key: {'x': 'here'}}}},
                {'user_pk': user, 'label': key, 'attributes': {f'{key}!': 'here'}},
            ],
        )
        assert found(storage, {f'attributes.{key}': 'here'}) == [with_key]
        assert found(storage, {'label': key, f'attributes.deep.{key}.x': {'like': 'h%'}}) == [inside]
        assert found(storage, {'attributes': {'has_key': key}}) == [with_key]
        assert found(storage, {'attributes.deep': {'has_key': key}}) == [inside]
        query = QueryBuilder(storage).append(entity_type='node', filters={'id': with_key}, project=f'attributes.{key}')
        assert query.all() == [['here']]


def test_a_dot_in_a_key_is_written_with_a_backslash(storage: Any) -> None:
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    pk = storage.insert(K.NODE, [{'user_pk': user, 'attributes': {'v1.5': {'x': 3}}}])[0]
    assert found(storage, {'attributes.v1\\.5.x': 3}) == [pk]


def test_no_text_gets_into_the_sql(storage: Any) -> None:
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    for text in ("'", "'; DROP TABLE db_dbnode; --", '%(p0)s', ':p0', '?', '%s', '\\', '") OR 1=1 --'):
        pk = storage.insert(K.NODE, [{'user_pk': user, 'label': text, 'attributes': {text: text}}])[0]
        given = {'label': text, f'attributes.{text}': text, 'attributes': {'contains': {text: text}}}
        assert found(storage, given) == [pk]
        query = QueryBuilder(storage).append(entity_type='node', filters={f'attributes.{text}': text}, project='label')
        assert query.all() == [[text]]
        assert query.count() == 1
        inlined = storage.session.raw.execute(query.as_sql(inline=True)).fetchall()
        assert query.analyze_query()
        assert [tuple(row) for row in inlined] == [(text,)]


def test_a_hundred_thousand_values_can_be_asked_for(storage: Any) -> None:
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    made = [{'user_pk': user, 'label': f'l{n}', 'attributes': {'n': n, 's': f's{n}'}} for n in range(50)]
    pks = storage.insert(K.NODE, made)
    many: dict[str, list[Any]] = {
        'id': list(range(pks[10], 200_000)),
        'uuid': [f'{n:08x}-0000-4000-8000-000000000000' for n in range(100_000)] + [storage.get(NodeRow, pks[3]).uuid],
        'label': [f'l{n}' for n in range(10, 100_010)],
        'attributes.n': list(range(10, 100_010)),
        'attributes.s': [f's{n}' for n in range(10, 100_010)],
    }
    for field, values in many.items():
        expected = [pks[3]] if field == 'uuid' else pks[10:]
        assert found(storage, {field: {'in': values}}) == expected
        assert found(storage, {field: {'!in': values}}) == sorted(set(pks) - set(expected))


def test_thousands_of_filters_are_joined(storage: Any) -> None:
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    pks = storage.insert(K.NODE, [{'user_pk': user, 'attributes': {'n': n}} for n in range(30)])
    equal = [{'attributes.n': n} for n in range(10, 5_000)]
    assert found(storage, {'or': equal}) == pks[10:]
    assert found(storage, {'!or': equal}) == pks[:10]
    assert found(storage, {'and': [{'attributes.n': {'!==': n}} for n in range(10, 5_000)]}) == pks[:10]
    assert found(storage, {'attributes.n': {'or': [{'==': n} for n in range(10, 5_000)]}}) == pks[10:]
    ranges = [{'attributes.n': {'>=': 10 * n, '<': 10 * n + 5}} for n in range(2_000)]
    assert found(storage, {'or': ranges}) == [pk for n, pk in enumerate(pks) if n % 10 < 5]
    assert found(storage, {'!or': ranges}) == [pk for n, pk in enumerate(pks) if n % 10 >= 5]


def test_texts_that_a_database_cannot_hold_equal_nothing(storage: Any, rows: list[dict[str, Any]]) -> None:
    for filters in (
        {'label': 'a\0b'},
        {'label': {'in': ['a\0b']}},
        {'label': {'like': 'a\0%'}},
        {'attributes.x': 'a\0b'},
        {'attributes.x': {'in': ['a\0b', {'a': '\0'}]}},
        {'attributes.x': {'like': 'a\0%'}},
        {'attributes.x': {'contains': ['\0']}},
        {'attributes.x': {'has_key': '\0'}},
    ):
        assert found(storage, filters) == []
    assert len(found(storage, {'label': {'!==': 'a\0b'}})) == len(rows)
    with pytest.raises(QueryError, match='no valid Unicode'):
        found(storage, {'label': '\ud800'})


def test_dates_inside_json_are_compared_as_dates(storage: Any) -> None:
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    texts = [
        '2020-02-29',
        '2020-03-01T00:30:00+01:00',
        '2020-02-29 23:45:00Z',
        '2021-02-29',
        'tomorrow',
        5,
        None,
        '2020-03-01T00:00:00',
    ]
    pks = storage.insert(K.NODE, [{'user_pk': user, 'attributes': {'when': text}} for text in texts])
    midnight = datetime(2020, 3, 1, tzinfo=UTC)
    assert found(storage, {'attributes.when': {'<': midnight}}) == [pks[0], pks[1], pks[2]]
    assert found(storage, {'attributes.when': {'>=': midnight}}) == [pks[7]]
    assert found(storage, {'attributes.when': {'==': midnight}}) == [pks[7]]
    assert found(storage, {'attributes.when': {'!<': midnight}}) == pks[3:]
    query = QueryBuilder(storage).append(entity_type='node', tag='n', project={'attributes.when': {'cast': 'd'}})
    times = [time for (time,) in query.order_by({'n': {'attributes.when': {'cast': 'd'}}}).all() if time]
    assert times == sorted(times)
    assert len(times) == 4


def test_columns_hold_times_and_uuids(storage: Any) -> None:
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    early, late = storage.insert(K.NODE, [{'user_pk': user, 'ctime': START + timedelta(days=n)} for n in (0, 1)])
    uuid = storage.get(NodeRow, late).uuid
    assert found(storage, {'ctime': {'<': START + timedelta(hours=1)}}) == [early]
    assert found(storage, {'ctime': {'<': '2020-02-28T14:00:00+00:00'}}) == [early]
    assert found(storage, {'ctime': {'like': '2020-02-29 12:%'}}) == [late]
    assert found(storage, {'uuid': uuid.upper()}) == [late]
    assert found(storage, {'uuid': uuid.replace('-', '')}) == [late]
    assert found(storage, {'uuid': {'like': f'{uuid[:6]}%'}}) == [late]
    assert found(storage, {'uuid': 'no uuid'}) == []
    assert found(storage, {'uuid': {'!==': 'no uuid'}}) == [early, late]
    assert found(storage, {'uuid': {'in': ['no uuid', uuid]}}) == [late]


def test_infinities_can_be_compared_with(storage: Any, rows: list[dict[str, Any]]) -> None:
    inf = float('inf')
    numbers = found(storage, {'attributes.x': {'of_type': 'number'}})
    assert found(storage, {'attributes.x': {'<': inf}}) == numbers
    assert found(storage, {'attributes.x': {'>': inf}}) == found(storage, {'attributes.x': {'==': float('nan')}}) == []
    assert found(storage, {'id': {'<': inf}}) == [row['id'] for row in rows]


def test_operators_have_other_spellings(storage: Any, rows: list[dict[str, Any]]) -> None:
    first = rows[0]['id']
    assert (
        found(storage, {'id': {'!=': first}})
        == found(storage, {'id': {'~==': first}})
        == [row['id'] for row in rows[1:]]
    )
    assert found(storage, {'id': {'=<': first}}) == found(storage, {'id': {'<=': first}}) == [first]


def test_what_cannot_be_compared_is_refused(storage: Any) -> None:
    refused = {
        'holds texts': {'label': {'>': 5}},
        'holds whole numbers': {'id': 'one'},
        'holds times': {'ctime': {'>': 5}},
        'asks about JSON': {'label': {'has_key': 'x'}},
        r'no order between .* and \[1\]': {'attributes.x': {'<': [1]}},
        'no order between .* and None': {'attributes.x': {'<': None}},
    }
    for said, filters in refused.items():
        with pytest.raises(QueryError, match=said):
            found(storage, filters)
