"""Indexes of attributes and extras: the same answers as without, found by them, and no value refused for them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from ricordi.backend.rows import EntityKind, NodeRow
from ricordi.errors import InvalidOperation, NotExistent, WrongValue
from ricordi.model.attribute_paths import read_attribute_path
from ricordi.orm import QueryBuilder
from ricordi.services.attribute_indexes import suggest_indexes
from storage.query.test_filters import FILTERS, SCALARS, check, found, rows

__all__ = ('rows',)
K = EntityKind
PATHS = ('attributes.x', 'attributes.y', 'attributes.x.x')


@pytest.fixture
def indexed(storage: Any, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of the filters' own tests, with indexes of what the filters ask for."""
    for path in PATHS:
        storage.add_attribute_index(read_attribute_path(path))
    return rows


def test_filters_mean_the_same_with_indexes(storage: Any, indexed: list[dict[str, Any]]) -> None:
    @settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(FILTERS)
    def agree(filters: dict[str, Any]) -> None:
        check(storage, indexed, filters)

    agree()


def test_each_value_is_found_by_an_index_as_without(storage: Any, indexed: list[dict[str, Any]]) -> None:
    for value in SCALARS:
        for operations in ({'==': value}, {'in': [value]}, {'!in': [value]}, *({o: value} for o in _orders(value))):
            check(storage, indexed, {'attributes.x': operations, 'label': {'like': 'a%'}})
    check(storage, indexed, {'attributes': {'has_key': 'x'}})
    check(storage, indexed, {'attributes.y': {'has_key': 'x'}})
    check(storage, indexed, {'attributes.x': {'like': 'x' * 150 + '%'}})


def _orders(value: Any) -> tuple[str, ...]:
    return () if value is None else ('<', '<=', '>', '>=')


def test_an_index_is_searched(storage: Any, make_nodes: Any) -> None:
    make_nodes(3000)
    filters = {'attributes.state': 'rare', 'node_type': {'like': 'data.core.%'}}
    query = QueryBuilder(storage).append(entity_type='node', filters=filters, project='id')
    before = sorted(query.all(flat=True))
    assert 'ricordi_json_attributes' not in query.analyze_query(execute=False)
    storage.add_attribute_index(read_attribute_path('attributes.state'))
    assert sorted(query.all(flat=True)) == before
    assert _is_by_index(query)
    for operations in ({'in': ['rare', 'none']}, {'like': 'rar%'}, {'>': 's'}):
        assert _is_by_index(QueryBuilder(storage).append(entity_type='node', filters={'attributes.state': operations}))
    storage.add_attribute_index(read_attribute_path('attributes.count'))
    for operations, count in (({'>': 2990}, 9), ({'==': 2990}, 1), ({'in': [1, 2.0, 'x']}, 2), ({'<=': 0.5}, 1)):
        by_number = QueryBuilder(storage).append(entity_type='node', filters={'attributes.count': operations})
        assert _is_by_index(by_number), operations
        assert by_number.count() == count, operations


def _is_by_index(query: QueryBuilder) -> bool:
    plan = query.analyze_query(execute=False)
    return 'ricordi_json_attributes' in plan or '<expr>' in plan


def test_what_a_value_that_all_have_says_of_the_type_is_not_asked_of_the_index(storage: Any, make_nodes: Any) -> None:
    made = make_nodes(6000)
    storage.add_attribute_index(read_attribute_path('attributes.kind'))
    filters = {'attributes.kind': 'all', 'node_type': {'like': 'data.core.odd.%'}}
    assert found(storage, filters) == made[::1000]


def test_the_few_that_differ_from_most_are_found_by_the_index(storage: Any) -> None:
    (user,) = storage.insert(K.USER, [{'email': 'of@most'}])
    pks = storage.insert(
        K.NODE,
        [{'user_pk': user, 'node_type': 'data.core.', 'attributes': {'x': 410 * (n % 4000 == 7)}} for n in range(8000)],
    )
    storage.add_attribute_index(read_attribute_path('attributes.x'))
    filters: dict[str, Any] = {'attributes.x': 410, 'node_type': {'like': 'data.%'}}
    query = QueryBuilder(storage).append(entity_type='node', filters=filters, project='id')
    assert _is_by_index(query)
    if storage.session.dialect.name == 'sqlite':  # which chooses so by itself while there are few rows
        assert 'INDEXED BY ricordi_json_attributes' in query.as_sql()
    assert sorted(query.all(flat=True)) == [pks[7], pks[4007]]
    assert found(storage, {**filters, 'attributes.x': {'in': [410, 'x']}}) == [pks[7], pks[4007]]


def test_values_of_any_size_are_stored_beside_an_index(storage: Any, make_nodes: Any) -> None:
    for path in ('attributes.x', 'extras.x'):
        storage.add_attribute_index(read_attribute_path(path))
    (user,) = storage.insert(K.USER, [{'email': 'of@values'}])
    large: list[Any] = [
        'ü' * 100_000,
        list(range(20_000)),
        {'a': 'b' * 50_000},
        10**400,
        -(10**400),
        1e-308,
        10**30,
        'ü' * 99,
    ]
    pks = storage.insert(K.NODE, [{'user_pk': user, 'attributes': {'x': one}, 'extras': {'x': one}} for one in large])
    assert [found(storage, {'attributes.x': large[0]}), found(storage, {'extras.x': {'like': 'ü' * 120 + '%'}})] == [
        pks[:1],
        pks[:1],
    ]
    assert found(storage, {'attributes.x': {'like': 'ü' * 99 + '%'}}) == [pks[0], pks[7]]
    assert found(storage, {'attributes.x': {'>': 1e20}}) == [pks[3], pks[6]]
    assert found(storage, {'attributes.x': {'<': 0}}) == [pks[4]]
    assert found(storage, {'attributes.x': {'>': 0, '<': 1}}) == [pks[5]]


def test_an_index_is_listed_and_dropped(storage: Any, make_nodes: Any) -> None:
    make_nodes(10)
    path = read_attribute_path('extras.of what/kind')
    storage.add_attribute_index(path)
    (index,) = storage.attribute_indexes()
    assert index.path == path
    assert index.is_whole
    assert index.size is None or index.size > 0
    with pytest.raises(InvalidOperation, match='already'):
        storage.add_attribute_index(path)
    storage.drop_attribute_index(path)
    assert storage.attribute_indexes() == []
    with pytest.raises(NotExistent):
        storage.drop_attribute_index(path)


def test_an_index_is_made_outside_of_transactions(storage: Any) -> None:
    with storage.transaction(), pytest.raises(InvalidOperation, match='transaction is open'):
        storage.add_attribute_index(read_attribute_path('attributes.x'))


def test_the_database_verifies_with_indexes(storage: Any, make_nodes: Any) -> None:
    make_nodes(10)
    storage.add_attribute_index(read_attribute_path('attributes.state'))
    assert list(storage.verify_database(thorough=True)) == []


@pytest.mark.parametrize('text', ['attributes', 'label.x', 'attributes.', 'attributes.0', "extras.a'b", 'extras.a..b'])
def test_a_path_that_no_index_can_be_made_of_is_refused(text: str) -> None:
    with pytest.raises(WrongValue):
        read_attribute_path(text)


def test_what_filters_would_gain_by_is_suggested(storage: Any, make_nodes: Any) -> None:
    make_nodes(300)
    suggested = [str(one.path) for one in suggest_indexes(storage)]
    assert suggested[0] == 'attributes.process_state'
    assert 'attributes.count' in suggested
    assert 'attributes.kind' not in suggested, 'which all have alike'
    storage.add_attribute_index(read_attribute_path('attributes.count'))
    assert 'attributes.count' not in [str(one.path) for one in suggest_indexes(storage)]


@pytest.fixture
def make_nodes(storage: Any) -> Any:
    """Makes nodes with a state, a kind and a count."""

    def make(count: int) -> list[int]:
        (user,) = storage.insert(K.USER, [{'email': 'a@b.c'}])
        return storage.insert(  # type: ignore[no-any-return]
            K.NODE,
            [
                {
                    'user_pk': user,
                    'node_type': 'data.core.odd.Odd.' if number % 1000 == 0 else 'data.core.int.Int.',
                    'attributes': {
                        'state': 'rare' if number % 500 == 7 else 'common',
                        'kind': 'all',
                        'count': number,
                        'process_state': 'finished',
                    },
                }
                for number in range(count)
            ],
        )

    return make


def test_a_row_is_changed_and_deleted_beside_an_index(storage: Any, make_nodes: Any) -> None:
    first, second, *_ = make_nodes(10)
    storage.add_attribute_index(read_attribute_path('attributes.state'))
    storage.update(K.NODE, first, {'attributes': {'state': 'changed'}})
    storage.delete(K.NODE, [second])
    assert found(storage, {'attributes.state': 'changed'}) == [first]
    assert storage.get(NodeRow, second) is None
