"""Queries as record batches of Arrow: the values that rows have, with the types of tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from ricordi.backend.rows import EntityKind as K
from ricordi.backend.rows import NodeRow
from ricordi.errors import CorruptStorage, InvalidOperation, QueryError
from ricordi.orm import QueryBuilder

MOMENT = datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=UTC)
ROWS: list[dict[str, Any]] = [
    {'i': 1, 'f': 0.1, 'n': 3, 't': 'a', 'b': True, 'any': 1, 'list': [1, 2], 'd': {'x': 1, 'y': 'é'}},
    {'i': -(2**53) - 1, 'f': -0.0, 'n': 2.5, 't': 'ä"\\\n\x1f,', 'b': False, 'any': 'x', 'list': [], 'd': {'x': 2}},
    {'i': None, 'f': 1e300, 'n': None, 't': '', 'b': None, 'any': {'k': 1}, 'list': [3], 'd': {'x': None}},
    {},
    {'i': 0, 'f': 1e-300, 'n': -7, 't': 'null', 'b': True, 'any': True, 'huge': 2**70, 'list': None},
]
LABELS = ['plain', 'with\x1fseparator', '', 'a,"b"\nc', 'ünïcode \N{FAMILY}']


@pytest.fixture
def nodes(storage: Any) -> list[int]:
    """A node for each of `ROWS`."""
    user = storage.insert(K.USER, [{'email': 'a@b'}])[0]
    rows = [
        {
            'user_pk': user,
            'label': label,
            'attributes': attributes,
            'ctime': MOMENT,
            'process_type': 'p' if label else None,
        }
        for label, attributes in zip(LABELS, ROWS, strict=True)
    ]
    return list(storage.insert(K.NODE, rows))


def query(storage: Any, *names: Any) -> QueryBuilder:
    builder = QueryBuilder(storage).append(entity_type='node', tag='n', project=list(names))
    return builder.order_by({'n': 'id'})


def table(builder: QueryBuilder, **options: Any) -> Any:
    return pa.Table.from_batches(builder.arrow(**options))


def columns(builder: QueryBuilder) -> list[list[Any]]:
    return [list(column) for column in zip(*builder.all(), strict=True)]


@pytest.mark.parametrize('size', [2, 10_000])
def test_a_table_holds_the_values_of_the_rows_with_their_types(storage: Any, nodes: list[int], size: int) -> None:
    names = ('id', 'uuid', 'label', 'process_type', 'ctime', 'attributes.i', 'attributes.f', 'attributes.n')
    asked = query(storage, *names, 'attributes.t', 'attributes.b', 'attributes.none')
    found = table(asked, batch_size=size)
    time = pa.timestamp('us', tz='UTC')
    number, text = pa.float64(), pa.string()
    assert found.schema.types == [
        pa.int64(),
        *[text] * 3,
        time,
        pa.int64(),
        number,
        number,
        text,
        pa.bool_(),
        pa.null(),
    ]
    assert [column.to_pylist() for column in found.columns] == columns(asked)
    assert found.column_names == [*names, 'attributes.t', 'attributes.b', 'attributes.none']
    assert repr(found.column('attributes.f').to_pylist()) == repr(columns(asked)[6])  # -0.0 is another than 0.0


def test_what_has_no_type_in_common_or_is_nested_is_json_text(storage: Any, nodes: list[int]) -> None:
    asked = query(storage, 'attributes.any', 'attributes.huge', 'attributes.list', 'attributes.d', 'attributes')
    found = table(asked)
    assert found.schema.types == [pa.string()] * 5
    assert all(field.metadata == {b'ricordi': b'json'} for field in found.schema)
    texts = [column.to_pylist() for column in found.columns]
    assert [[text and json.loads(text) for text in column] for column in texts] == columns(asked)


def test_what_is_nested_is_a_struct_where_that_is_asked_for(storage: Any, nodes: list[int]) -> None:
    asked = query(storage, 'attributes.list', 'attributes.d', 'attributes.any', 'attributes.i')
    found = table(asked, nested='struct', batch_size=2)
    x, y = pa.field('x', pa.int64()), pa.field('y', pa.string())
    assert found.schema.types == [pa.list_(pa.int64()), pa.struct([x, y]), pa.string(), pa.int64()]
    assert found.column(0).to_pylist() == columns(asked)[0]
    assert found.column(1).to_pylist()[:3] == [{'x': 1, 'y': 'é'}, {'x': 2, 'y': None}, {'x': None, 'y': None}]
    assert found.column(3).to_pylist() == columns(asked)[3]


def test_casts_and_functions_have_the_types_they_name(storage: Any, nodes: list[int]) -> None:
    projected = [{'attributes.n': {'cast': cast}} for cast in 'fi']
    found = table(query(storage, *projected, {'attributes.t': {'cast': 't'}}, {'attributes.n': {'cast': 'j'}}))
    assert found.schema.types == [pa.float64(), pa.int64(), pa.string(), pa.float64()]
    functions = [{'id': {'func': 'count'}}, {'id': {'func': 'max'}}, {'ctime': {'func': 'min'}}]
    functions += [{'attributes.f': {'func': 'avg'}}, {'attributes.f': {'func': 'max'}}, {'label': {'func': 'min'}}]
    summed = QueryBuilder(storage).append(entity_type='node', project=functions)
    found = table(summed)
    assert [column.to_pylist() for column in found.columns] == columns(summed)
    assert found.schema.types[2] == pa.timestamp('us', tz='UTC')


def test_a_whole_entity_is_a_struct_and_null_where_an_outer_join_finds_none(storage: Any, nodes: list[int]) -> None:
    asked = QueryBuilder(storage).append(entity_type='node', tag='n', project='id').order_by({'n': 'id'})
    asked.append(entity_type='computer', with_node='n', outerjoin=True, project='*')
    asked.append(entity_type='user', with_node='n', project=['*'])
    found = table(asked)
    assert found.column(1).to_pylist() == [None] * len(nodes)
    assert found.column(2).to_pylist()[0]['email'] == 'a@b'


def test_without_rows_there_is_a_batch_that_tells_the_columns(storage: Any) -> None:
    found = table(query(storage, 'id', 'ctime', 'attributes.x'))
    assert found.num_rows == 0
    assert found.column_names == ['id', 'ctime', 'attributes.x']


def test_rows_are_those_of_the_moment_and_keep_nobody_from_writing(storage: Any, nodes: list[int]) -> None:
    batches = query(storage, 'id', 'attributes.i').arrow(batch_size=2)
    first = next(batches)
    storage.update(K.NODE, nodes[-1], {'attributes': {'i': 'no number any more'}})
    rest = [value for batch in batches for value in batch.column(1).to_pylist()]
    assert [*first.column(1).to_pylist(), *rest] == [row.get('i') for row in ROWS]


def test_inside_a_transaction_its_own_changes_are_seen(storage: Any, nodes: list[int]) -> None:
    def change_and_fail() -> None:
        with storage.transaction():
            storage.update(K.NODE, nodes[0], {'label': 'changed'})
            asked.append(query(storage, 'label').arrow(batch_size=2))
            raise ZeroDivisionError

    asked: list[Iterator[Any]] = []
    with pytest.raises(ZeroDivisionError):
        change_and_fail()
    assert next(asked[0]).column(0)[0].as_py() == 'changed'
    assert storage.get_fields(NodeRow, nodes[0], ['label']) == ('plain',)


def test_many_tables_are_read_beside_each_other(storage: Any, nodes: list[int]) -> None:
    tables = [query(storage, 'id').arrow(batch_size=2) for _ in range(15)]
    rounds = zip(*tables, strict=True)
    assert [[batch.column(0).to_pylist() for batch in some] for some in rounds] == [
        [nodes[first : first + 2]] * 15 for first in (0, 2, 4)
    ]


def test_a_table_may_be_left_within_a_transaction_that_fails(storage: Any, nodes: list[int]) -> None:
    def change_and_fail() -> None:
        with storage.transaction():
            storage.update(K.NODE, nodes[0], {'label': 'changed'})
            left.close()
            raise ZeroDivisionError

    left = query(storage, 'id').arrow(batch_size=2)
    kept = query(storage, 'label').arrow(batch_size=2)
    next(left)
    with pytest.raises(ZeroDivisionError):
        change_and_fail()
    assert [label for batch in kept for label in batch.column(0).to_pylist()] == LABELS
    assert storage.get_fields(NodeRow, nodes[0], ['label']) == ('plain',)


def test_what_is_left_before_its_end_takes_no_place(storage: Any, nodes: list[int]) -> None:
    if storage.session.dialect.name == 'postgresql':
        pytest.skip('rows of PostgreSQL lie in its server')
    with storage.transaction():
        for _ in range(3):
            query(storage, 'id').arrow()
    for _ in range(3):
        query(storage, 'id').arrow(batch_size=2)
    with closing(query(storage, 'id').arrow(batch_size=2)) as left:
        next(left)
        with storage.transaction():
            left.close()
    assert table(query(storage, 'id')).num_rows == len(nodes)
    names = [name for _, name, _ in storage.session.execute('PRAGMA database_list').fetchall()]
    assert set(names) <= {'main', 'temp'}
    assert storage.session.execute('SELECT name FROM temp.sqlite_schema').fetchall() == []


def test_names_that_two_vertices_share_are_told_apart(storage: Any, nodes: list[int]) -> None:
    asked = query(storage, 'id').append(entity_type='user', with_node='n', tag='u', project='id')
    assert table(asked).column_names == ['n.id', 'u.id']


def test_what_cannot_be_read_ends_the_table_with_an_error(storage: Any, nodes: list[int]) -> None:
    if storage.session.dialect.name == 'postgresql':
        pytest.skip('PostgreSQL keeps no JSON that is none')
    storage.session.execute("UPDATE db_dbnode SET attributes = '{broken' WHERE id = ?", (nodes[2],))
    with pytest.raises(CorruptStorage, match=r'attributes\.t cannot be read'):
        list(query(storage, 'attributes.t').arrow())
    assert [row for batch in query(storage, 'id').arrow() for row in batch.column(0).to_pylist()] == nodes


def test_options_that_are_none_are_refused(storage: Any) -> None:
    with pytest.raises(QueryError, match='batch_size'):
        query(storage, 'id').arrow(batch_size=0)
    with pytest.raises(QueryError, match='nested'):
        query(storage, 'id').arrow(nested='columns')


@pytest.fixture
def no_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if pyarrow were not installed."""
    monkeypatch.setitem(sys.modules, 'pyarrow', None)


def test_without_pyarrow_it_says_what_to_install(storage: Any, no_pyarrow: None) -> None:
    with pytest.raises(InvalidOperation, match='install pyarrow'):
        query(storage, 'id').arrow()
