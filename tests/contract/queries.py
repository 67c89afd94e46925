"""The part of the contract that is about queries: the description in, rows out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ricordi.backend.query import (
    Comparison,
    Edge,
    EdgeKind,
    Field,
    Junction,
    Negation,
    Ordering,
    Projection,
    Query,
    Vertex,
)
from ricordi.backend.rows import ROW_TYPES, EntityKind, NodeRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import ClosedStorage
from ricordi.model.fields import FIELDS

K = EntityKind
PK, LABEL, X = Field('pk'), Field('label'), Field('attributes', ('x',))
NODES = (Vertex('n', K.NODE),)


def values(storage: StorageBackend, query: Query, batch_size: int | None = None) -> list[Any]:
    """The rows of a query, which must be as many as are counted; bare values where a row is of one."""
    rows = list(storage.query_rows(query, batch_size))
    assert storage.count_rows(query) == len(rows)
    return [row[0] if len(row) == 1 else row for row in rows]


def ask(condition: Any = None, *fields: Field, **more: Any) -> Query:
    """A query for nodes, ordered by pk."""
    filters = (('n', condition),) if condition else ()
    projections = tuple(Projection('n', field) for field in fields or (PK,))
    return Query(NODES, filters=filters, projections=projections, order_by=(Ordering('n', PK),), **more)


class QueryContract:
    """What every storage must answer."""

    def test_rows_are_filtered_and_counted(self, storage: StorageBackend, add: Callable[..., Any]) -> None:
        one, two, three = (add(label=label, attributes={'x': label}) for label in ('one', 'two', 'three'))
        is_two, is_long = Comparison(LABEL, '==', 'two'), Comparison(X, 'like', '%e%')
        assert values(storage, ask()) == [one, two, three]
        assert values(storage, ask(is_two)) == [two]
        assert values(storage, ask(Negation(is_two))) == [one, three]
        assert values(storage, ask(Junction((is_two, is_long), any=True))) == [one, two, three]
        assert values(storage, ask(Junction((Negation(is_two), Comparison(X, '>', 'p'))))) == [three]
        assert values(storage, ask(Comparison(X, 'in', tuple(map(str, range(100_000)))))) == []
        assert values(storage, ask(None, limit=2, offset=1)) == [two, three]

    def test_a_negation_holds_of_what_is_not_there(self, storage: StorageBackend, add: Callable[..., Any]) -> None:
        number, text, null, missing = (add(attributes=a) for a in ({'x': 5}, {'x': '5'}, {'x': None}, {}))
        equal, absent = Comparison(X, '==', 5), Comparison(X, '==', None)
        assert values(storage, ask(equal)) == [number]
        assert values(storage, ask(Negation(equal))) == [text, null, missing]
        assert values(storage, ask(absent)) == [null, missing]
        assert values(storage, ask(Negation(absent))) == [number, text]

    def test_values_are_projected(self, storage: StorageBackend, add: Callable[..., Any]) -> None:
        pk = add(label='ü', attributes={'x': {'y': [1, 2.5, None, 2**70]}}, extras={})
        row = storage.get(NodeRow, pk)
        deep = Field('attributes', ('x', 'y', '1'))
        (found,) = values(storage, ask(None, *(Field(name) for name in FIELDS[K.NODE]), deep, Field('extras', ('no',))))
        assert found == (*(getattr(row, name) for name in FIELDS[K.NODE]), 2.5, None)
        whole = Query(NODES, projections=(Projection('n', None),))
        assert values(storage, whole) == [row]
        function = Query(
            NODES, projections=(Projection('n', PK, function='max'), Projection('n', None, function='count'))
        )
        assert values(storage, function) == [(pk, 1)]

    def test_every_kind_of_row_can_be_asked_for(self, storage: StorageBackend, add: Callable[..., Any]) -> None:
        add()
        for kind in (K.USER, K.COMPUTER, K.AUTHINFO, K.NODE, K.GROUP, K.COMMENT, K.LOG, K.LINK):
            rows = values(storage, Query((Vertex('v', kind),), projections=(Projection('v', None),)))
            assert rows == list(storage.find(ROW_TYPES[kind]))
            assert all(isinstance(row, ROW_TYPES[kind]) for row in rows)

    def test_vertices_are_joined(self, storage: StorageBackend, user: int, add: Callable[..., Any]) -> None:
        a, b, c = (add(label=label) for label in 'abc')
        storage.insert(
            K.LINK, [{'input_pk': s, 'output_pk': t, 'label': 'l', 'type': 'create'} for s, t in ((a, b), (b, c))]
        )
        group = storage.insert(K.GROUP, [{'label': 'g', 'type_string': 'core', 'user_pk': user}])[0]
        storage.add_nodes_to_group(group, [a])

        def joined(kind: EntityKind, edge_kind: EdgeKind, *edge_fields: str, **edge: Any) -> list[Any]:
            vertices = (Vertex('n', K.NODE), Vertex('m', kind))
            shown = (
                Projection('n', LABEL),
                Projection('m', PK),
                *(Projection('e', Field(name)) for name in edge_fields),
            )
            query = Query(vertices, (Edge('e', 'n', 'm', edge_kind, **edge),), projections=shown)
            return sorted(values(storage, query), key=str)

        assert joined(K.NODE, EdgeKind.LINK, 'label') == [('a', b, 'l'), ('b', c, 'l')]
        assert joined(K.NODE, EdgeKind.LINK, forward=False) == [('b', a), ('c', b)]
        assert joined(K.NODE, EdgeKind.WALK, 'depth', 'path') == [
            ('a', b, 0, [a, b]),
            ('a', c, 1, [a, b, c]),
            ('b', c, 0, [b, c]),
        ]
        assert joined(K.GROUP, EdgeKind.MEMBER, forward=False) == [('a', group)]
        assert joined(K.GROUP, EdgeKind.MEMBER, forward=False, outer=True) == [('a', group), ('b', None), ('c', None)]
        assert joined(K.USER, EdgeKind.REFERENCE, columns=('user_pk', 'pk')) == [(label, user) for label in 'abc']

    def test_rows_come_while_others_are_changed(self, storage: StorageBackend, add: Callable[..., Any]) -> None:
        pks = add(number=250)
        seen = []
        for (pk,) in storage.query_rows(ask(), 20):
            storage.update(K.NODE, pk, {'label': 'seen'})
            seen.append(pk)
        assert seen == pks
        assert storage.count_rows(ask(Comparison(LABEL, '==', 'seen'))) == 250

    def test_a_query_can_be_looked_at(self, storage: StorageBackend, add: Callable[..., Any]) -> None:
        add()
        query = ask(Comparison(LABEL, '==', "o'ne"))
        assert "o'ne" in storage.query_sql(query)
        assert "'o''ne'" in storage.query_sql(query, inline=True)
        assert storage.explain_query(query)

    def test_a_closed_storage_answers_nothing(self, storage: StorageBackend) -> None:
        storage.close()
        with pytest.raises(ClosedStorage):
            list(storage.query_rows(ask()))
        with pytest.raises(ClosedStorage):
            storage.count_rows(ask())


class ReferenceQueryContract:
    """What every storage must answer about the reference data, those that can only be read too."""

    def test_the_reference_data_is_queried(self, storage: StorageBackend, dump: Any) -> None:
        nodes = dump['nodes']
        assert len(values(storage, ask())) == len(nodes)
        finished = Comparison(Field('attributes', ('process_state',)), '==', 'finished')
        expected = [node['uuid'] for node in nodes if node['attributes'].get('process_state') == 'finished']
        assert sorted(values(storage, ask(finished, Field('uuid')), 5)) == sorted(expected)
        vertices = (Vertex('n', K.NODE), Vertex('m', K.NODE))
        shown = (Projection('n', Field('uuid')), Projection('m', Field('uuid')))
        joined = Query(vertices, (Edge('e', 'n', 'm', EdgeKind.LINK),), projections=shown)
        assert sorted(values(storage, joined)) == sorted((source, target) for source, target, *_ in dump['links'])
