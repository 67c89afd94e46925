"""Filters of outer joins that leave rows out, as in AiiDA: `Query.filters_rows`."""

from __future__ import annotations

from typing import Any

import pytest

from ricordi.backend.query import Comparison, Edge, EdgeKind, Field, Negation, Ordering, Projection, Query, Vertex
from ricordi.backend.rows import EntityKind as K

LABEL, PK = Field('label'), Field('pk')


@pytest.fixture
def asked(storage: Any, graph: Any) -> Any:
    """Labels of nodes and of those that links lead to from them, where a condition holds for the latter."""
    graph(4, '0>1 0>2')

    def ask(*conditions: Any, kind: EdgeKind = EdgeKind.LINK, tag: str = 'end', **options: Any) -> list[Any]:
        query = Query(
            (Vertex('start', K.NODE), Vertex('end', K.NODE)),
            (Edge('between', 'start', 'end', kind, outer=True),),
            tuple((tag, condition) for condition in conditions),
            (Projection('start', LABEL), Projection('end', LABEL)),
            (Ordering('start', PK), Ordering('end', PK)),
            **options,
        )
        rows = sorted(storage.query_rows(query), key=str)
        assert storage.count_rows(query) == len(rows)
        return rows

    return ask


ALL = [('0', '1'), ('0', '2'), ('1', None), ('2', None), ('3', None)]


@pytest.mark.parametrize('kind', [EdgeKind.LINK, EdgeKind.WALK])
def test_a_filter_refuses_rows_without_partner(asked: Any, kind: EdgeKind) -> None:
    is_two = Comparison(LABEL, '==', '2')
    assert asked(kind=kind, filters_rows=True) == ALL
    assert asked(is_two, kind=kind, filters_rows=True) == [('0', '2')]
    assert asked(is_two, kind=kind) == [('0', '2'), ('1', None), ('2', None), ('3', None)]
    assert asked(Negation(is_two), kind=kind, filters_rows=True) == [('0', '1')]


def test_a_filter_that_every_node_meets_is_not_met_by_none(asked: Any) -> None:
    any_type = Comparison(Field('node_type'), 'like', '%')
    assert asked(any_type, filters_rows=True) == [('0', '1'), ('0', '2')]
    assert asked(any_type) == ALL


def test_rows_without_partner_can_be_asked_for(asked: Any) -> None:
    assert asked(Comparison(PK, '==', None), filters_rows=True) == [('1', None), ('2', None), ('3', None)]


def test_a_filter_of_the_edge_refuses_rows_too(asked: Any, storage: Any) -> None:
    label = next(storage.query_rows(Query((Vertex('link', K.LINK),), projections=(Projection('link', LABEL),))))[0]
    found = asked(Comparison(LABEL, '==', label), tag='between', filters_rows=True)
    assert found
    assert all(end is not None for _, end in found)


def test_a_reference_is_filtered_so_too(storage: Any, graph: Any) -> None:
    graph(1, '')
    query = Query(
        (Vertex('node', K.NODE), Vertex('computer', K.COMPUTER)),
        (Edge('on', 'node', 'computer', EdgeKind.REFERENCE, columns=('computer_pk', 'pk'), outer=True),),
        (('computer', Comparison(LABEL, '==', 'any')),),
        (Projection('node', LABEL),),
        filters_rows=True,
    )
    assert list(storage.query_rows(query)) == []
