"""Ancestors and descendants: each node once, the shortest depth, all simple paths, and an end at cycles."""

from __future__ import annotations

from typing import Any

import pytest

from ricordi.backend.rows import EntityKind, NodeRow
from ricordi.orm import QueryBuilder

K = EntityKind


def walk(storage: Any, start: Any, keyword: str, edge_project: Any = (), **options: Any) -> list[list[Any]]:
    query = QueryBuilder(storage).append(entity_type='node', tag='a', filters={'id': start})
    query.append(
        entity_type='node', tag='b', project='label', edge_project=list(edge_project), **{keyword: 'a'}, **options
    )
    assert query.count() == len(query.all())
    return sorted(query.all())


def test_a_node_that_is_reached_on_many_ways_comes_once(storage: Any, graph: Any) -> None:
    pks = graph(6, '0>1 0>2 1>3 2>3 3>4 0>4 4>5!')
    assert walk(storage, pks[0], 'with_ancestors') == [['1'], ['2'], ['3'], ['4']]
    assert walk(storage, pks[4], 'with_descendants') == [['0'], ['1'], ['2'], ['3']]
    assert walk(storage, pks[5], 'with_descendants') == []


def test_the_depth_is_that_of_the_shortest_way(storage: Any, graph: Any) -> None:
    pks = graph(5, '0>1 0>2 1>3 2>3 3>4 0>4')
    assert walk(storage, pks[0], 'with_ancestors', ['depth']) == [['1', 0], ['2', 0], ['3', 1], ['4', 0]]
    bounded = {'edge_filters': {'depth': {'<': 1}}}
    assert walk(storage, pks[0], 'with_ancestors', ['depth'], **bounded) == [['1', 0], ['2', 0], ['4', 0]]
    deep = {'edge_filters': {'depth': {'>=': 1}}}
    assert walk(storage, pks[0], 'with_ancestors', **deep) == [['3']]
    assert walk(storage, pks[0], 'with_ancestors', edge_filters={'depth': {'and': [{'>': 0}, {'<=': 500}]}}) == [['3']]


def test_a_path_is_given_for_each_way(storage: Any, graph: Any) -> None:
    zero, one, two, three, *_ = pks = graph(4, '0>1 0>2 1>3 2>3')
    down = walk(storage, zero, 'with_ancestors', ['path', 'depth'])
    assert down == [
        ['1', [zero, one], 0],
        ['2', [zero, two], 0],
        ['3', [zero, one, three], 1],
        ['3', [zero, two, three], 1],
    ]
    up = walk(storage, three, 'with_descendants', ['path'])
    assert ['0', [three, one, zero]] in up
    through = {'edge_filters': {'path': {'contains': [one]}}}
    assert walk(storage, pks[0], 'with_ancestors', **through) == [['1'], ['3']]
    assert walk(storage, pks[0], 'with_ancestors', edge_filters={'path': {'longer': 2}}, edge_project=['depth']) == [
        ['3', 1],
        ['3', 1],
    ]
    ends = walk(storage, three, 'with_descendants', ['ancestor_id', 'descendant_id'])
    assert ends == [['0', zero, three], ['1', one, three], ['2', two, three]]


@pytest.mark.parametrize('edge_project', [[], ['depth'], ['path']])
def test_a_walk_ends_at_cycles(storage: Any, graph: Any, edge_project: list[str]) -> None:
    pks = graph(4, '0>1 1>2 2>0 2>3 3>3')
    labels = [row[0] for row in walk(storage, pks[0], 'with_ancestors', edge_project)]
    assert labels == ['1', '2', '3']
    assert [row[0] for row in walk(storage, pks[1], 'with_descendants', edge_project)] == ['0', '2']


def test_a_filter_at_the_far_end_starts_the_walk_there(storage: Any, graph: Any) -> None:
    pks = graph(5, '0>1 1>2 3>2 2>4')
    query = QueryBuilder(storage).append(entity_type='node', tag='a', project='label')
    query.append(entity_type='node', with_ancestors='a', filters={'id': pks[2]}, project='label', edge_project='depth')
    assert sorted(query.all()) == [['0', '2', 1], ['1', '2', 0], ['3', '2', 0]]
    assert 'node_1' not in query.as_sql().split('AS origin')[0]


def test_many_starts_and_an_outer_join(storage: Any, graph: Any) -> None:
    graph(5, '0>1 1>2 3>2')
    query = QueryBuilder(storage).append(entity_type='node', tag='a', project='label')
    query.append(entity_type='node', with_ancestors='a', project='label', outerjoin=True)
    pairs = [['0', '1'], ['0', '2'], ['1', '2'], ['2', None], ['3', '2'], ['4', None]]
    assert sorted(query.all(), key=str) == pairs
    query = QueryBuilder(storage).append(entity_type='node', tag='a', project='label')
    query.append(entity_type='node', with_ancestors='a', project='label', outerjoin=True, filters={'label': '2'})
    assert sorted(query.all(), key=str) == [['0', '2'], ['1', '2'], ['2', None], ['3', '2'], ['4', None]]


def test_a_walk_from_the_members_of_a_group(storage: Any, graph: Any) -> None:
    pks = graph(5, '0>1 1>2 3>4')
    group = storage.insert(
        K.GROUP, [{'label': 'g', 'type_string': 'core', 'user_pk': storage.get(NodeRow, pks[0]).user_pk}]
    )[0]
    storage.add_nodes_to_group(group, [pks[1], pks[4]])
    query = QueryBuilder(storage).append(entity_type='group', filters={'label': 'g'}, tag='g')
    query.append(entity_type='node', with_group='g', tag='m', project='label')
    query.append(entity_type='node', with_descendants='m', project='label')
    assert sorted(query.all()) == [['1', '0'], ['4', '3']]


@pytest.mark.parametrize('edge_project', [[], ['depth']])
def test_a_deep_and_broad_graph_is_walked_fast(storage: Any, graph: Any, edge_project: list[str]) -> None:
    layers, width = 60, 6
    links = [
        f'{layer * width + a}>{(layer + 1) * width + b}'
        for layer in range(layers - 1)
        for a in range(width)
        for b in range(width)
    ]
    pks = graph(layers * width, ' '.join(links))
    found = walk(storage, pks[0], 'with_ancestors', edge_project)
    assert len(found) == (layers - 1) * width  # by 6 ** 59 ways


def test_a_chain_of_thousands_is_walked(storage: Any, graph: Any) -> None:
    pks = graph(3000, ' '.join(f'{number}>{number + 1}' for number in range(2999)))
    found = walk(storage, pks[0], 'with_ancestors', ['depth'])
    assert max(depth for _, depth in found) == 2998
    assert len(walk(storage, pks[-1], 'with_descendants')) == 2999
