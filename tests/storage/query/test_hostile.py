"""Values that nobody should ask for get a right answer or a `QueryError` on both databases, no error of a driver."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from ricordi.backend.rows import EntityKind, GroupRow, NodeRow
from ricordi.errors import QueryError
from ricordi.orm import QueryBuilder
from storage.query.model import matches

K = EntityKind
NAN, INF = float('nan'), float('inf')
NUMBERS: list[Any] = [
    *[NAN, INF, -INF, 1e308, -1e308, 5e-324, 0.0, -0.0, 2.0**53, 2.0**63, 2.0**64],
    *[2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**20, 10**100, 10**308, 10**309, -(10**400)],
    *[10**4000, 10**4299, 10**5000, -(10**5000), True, False],
]
TEXTS: list[Any] = [
    *[
        '',
        '\0',
        'a\0b',
        '\0%',
        '\ud800',
        'a\udfff%',
        '\\u0000',
        '\\',
        '\\\\',
        "'",
        '"',
        '%',
        '_',
        '%%s',
        '{}',
        '$',
        ':p0',
    ],
    *['5' * 5000, '9' * 20, '-1', '0x10', 'x' * 70_000, 'é' * 30_000, '\U0010ffff', '\ufffe', 'İ', 'ß', '𝒳%', '\u202e'],
]
PATTERNS: list[Any] = [
    *[
        '%' * 60_000,
        '_' * 60_000,
        'a%' * 30_000,
        '%' + 'x' * 60_000 + '%',
        'x' * 60_000,
        '%a' * 2_000 + '%',
        '\\%' * 30_000,
    ],
    *['%\\', '\\_%', '%é%' * 100, 'İ%', '%ß'],
]
NESTED: list[Any] = [
    *[[], {}, [[]], [NAN], [INF, 1], {'a': NAN}, {'a\0': 1}, {'\ud800': 1}, ['\ud800'], [10**5000], {'a': [10**400]}],
    *[[2**64, 1e300], {'': 1}, {'a.b': {'': []}}, ['x' * 200], [[[[[[[[]]]]]]]]],
]
OTHERS: list[Any] = [
    None,
    datetime.min.replace(tzinfo=UTC),
    datetime.max.replace(tzinfo=UTC),
    datetime(2020, 2, 30 - 1),
]
OTHERS += [b'bytes', object(), {1, 2}, 1j, datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)]
LISTS: list[Any] = [
    *[[NAN], [INF, 1], [2**64, 10**400], ['\0', 'a\0b'], ['\ud800'], [10**5000], [], [None], [None, NAN]],
    *[list(range(200)), [str(n) for n in range(200)], [float(n) + 2**60 for n in range(200)]],
    *[[[n] for n in range(200)], [True, False] * 200, [10**20 + n for n in range(200)]],
    *[[f'{n}\0' for n in range(200)], [datetime(2020, 1, 1, tzinfo=UTC)] * 70_000, [None] * 200],
]
OPERATORS = ('==', '<', '<=', '>', '>=', 'in', 'like', 'ilike', 'contains', 'has_key', 'of_length', 'longer', 'of_type')
FIELDS = (
    *('id', 'uuid', 'label', 'ctime', 'process_type', 'user', 'attributes', 'attributes.n', 'attributes.t', 'extras.x'),
    *(
        'attributes.a\0b',
        'attributes.\ud800',
        'attributes.-0',
        'attributes.' + '9' * 5000,
        'attributes.l.0.-1',
        'attributes.',
    ),
    *('attributes.' + 'k' * 70_000, 'attributes.l.' + '9' * 30, 'attributes.' + '.'.join('x' * 300)),
)
ANY = [*NUMBERS, *TEXTS, *PATTERNS, *NESTED, *OTHERS]


def hostile_filters(seed: int = 10) -> list[dict[str, Any]]:
    """Every value and every field at least once, with any operator."""
    chance = random.Random(seed)
    pairs = [(field, value) for field in FIELDS for value in chance.sample(ANY, 2)]
    pairs += [(chance.choice(FIELDS[:10]), value) for value in ANY]
    made = []
    for field, value in pairs:
        fitting = ('like', 'ilike') if value in PATTERNS and chance.random() < 0.8 else OPERATORS
        operator = chance.choice(fitting)
        wanted = chance.choice(LISTS) if operator == 'in' else value
        made.append({field: {chance.choice(('', '!')) + operator: wanted}})
    made += [{field: {'in': values}} for field in ('id', 'label', 'attributes.n', 'attributes.t') for values in LISTS]
    return made


@pytest.fixture
def rows(storage: Any) -> list[dict[str, Any]]:
    user = storage.insert(K.USER, [{'email': 'a@b.c'}])[0]
    documents: list[dict[str, Any]] = [
        *({'n': n, 'l': [n]} for n in (0, 5, 2.5, 2**53 + 1, 2**60, 10**20, 6.02214076e23, True, None)),
        *({'t': t, 'l': [[t], {}]} for t in ('', '5', 'aaa', 'x' * 60_000, 'straße', 'İ')),
        {},
    ]
    given = [
        {
            'attributes': attributes,
            'label': str(number),
            'ctime': datetime(2020, 1, 1 + number, tzinfo=UTC),
            'process_type': (None, 'x:y')[number % 2],
            'user_pk': user,
        }
        for number, attributes in enumerate(documents)
    ]
    pks = storage.insert(K.NODE, given)
    return [
        {'id': pk, 'user_id': user, 'uuid': storage.get(NodeRow, pk).uuid, 'extras': {}, **row}
        for pk, row in zip(pks, given, strict=True)
    ]


def in_short(filters: dict[str, Any]) -> str:
    try:
        return repr(filters)[:150]
    except ValueError:  # of Python's own, for integers of more than 4,300 digits
        return str(list(filters))[:100]


def test_there_is_an_answer_or_an_error_of_the_query(storage: Any, rows: list[dict[str, Any]]) -> None:
    told: list[str] = []
    for filters in hostile_filters():
        shown = in_short(filters)
        try:
            query = QueryBuilder(storage).append(entity_type='node', filters=filters, project='id')
            found = sorted(query.all(flat=True))
            inlined = storage.session.raw.execute(query.as_sql(inline=True)).fetchall()
            if sorted(pk for (pk,) in inlined) != found:
                told.append(f'{shown}: inlined differs')
        except QueryError:
            continue
        except Exception as error:
            told.append(f'{shown}: {type(error).__name__} {str(error)[:100]}')
            continue
        if any(isinstance(value, str) and len(value) > 1000 for value in next(iter(filters.values())).values()):
            continue  # the regular expressions of the model take too long
        if any(isinstance(value, str | list) for value in next(iter(filters.values())).values()) and (
            'id' in filters or 'user' in filters
        ):
            continue  # digits in texts are numbers to a column of numbers, which the model does not know
        try:
            expected = [row['id'] for row in rows if matches(filters, row)]
        except Exception as error:
            told.append(f'{shown}: MODEL {type(error).__name__} {str(error)[:100]}')
            continue
        if found != expected:
            told.append(f'{shown}: {found} instead of {expected}')
    assert not told, told[:5]


def test_lists_may_be_long_whatever_is_in_them(storage: Any) -> None:
    """Longer than the number of parameters that a statement may have."""
    user = storage.insert(K.USER, [{'email': 'a@b.c'}])[0]
    values: list[Any] = [6.02214076e23, 10**20, '2020-01-01', True, [3], 'text']
    pks = storage.insert(K.NODE, [{'user_pk': user, 'attributes': {'x': value}} for value in values])
    asked: list[tuple[list[Any], list[int]]] = [
        ([6.02214076e23, *(2.0**60 * (1 + n) for n in range(70_000))], pks[:1]),
        ([10**20 + n * 10**6 for n in range(70_000)], pks[1:2]),
        ([datetime(2020, 1, 1, tzinfo=UTC)] * 70_000, pks[2:3]),
        ([True] * 70_000, pks[3:4]),
        ([[n] for n in range(70_000)], pks[4:5]),
        (['text', *(f'{n}\0' for n in range(70_000))], pks[5:]),
    ]
    for wanted, expected in asked:
        query = QueryBuilder(storage).append(entity_type='node', filters={'attributes.x': {'in': wanted}}, project='id')
        assert query.all(flat=True) == expected
    odd = QueryBuilder(storage).append(entity_type='node', filters={'label': {'!in': asked[-1][0]}})
    assert odd.count() == len(pks)


def test_a_query_of_too_many_parameters_says_so(psql_storage: Any) -> None:
    parts = [{f'attributes.k{n}': {'>': n}} for n in range(33_000)]
    with pytest.raises(QueryError, match='ask for less at a time'):
        QueryBuilder(psql_storage).append(entity_type='node', filters={'or': parts}).all()


def test_a_query_that_is_too_large_says_so(storage: Any) -> None:
    deep: dict[str, Any] = {'label': 'x'}
    for _ in range(3_000):
        deep = {'and': [deep]}
    with pytest.raises(QueryError, match='nested'):
        QueryBuilder(storage).append(entity_type='node', filters=deep).all()
    with pytest.raises(QueryError, match='too long'):
        QueryBuilder(storage).append(entity_type='node', filters={'label': {'like': '%' + 'x_' * 30_000}}).all()


def test_what_no_pk_can_be_is_no_pk(storage: Any) -> None:
    assert storage.get(NodeRow, 10**30) is None
    assert list(storage.find(NodeRow, {'pk': 10**5000})) == []
    assert list(storage.find(GroupRow, {'label': 'a\0b'})) == []
    assert QueryBuilder(storage).append(entity_type='node', filters={'id': '9' * 5000}).all() == []
    assert QueryBuilder(storage).append(entity_type='node').limit(10**30).offset(10**30).all() == []
