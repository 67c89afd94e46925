"""A value in a row that the storage cannot have written is told by table, pk and column, and hides no other row."""

from __future__ import annotations

from typing import Any

import pytest

from ricordi.backend.query import Comparison, Field, Projection, Query, Vertex
from ricordi.backend.rows import EntityKind as K
from ricordi.backend.rows import GroupRow, NodeRow
from ricordi.errors import CorruptStorage

BROKEN = ['{"a": ', '', 'text', '[1, 2]', '"a"', '5', 'true', '{"a": NaNa}', '[' * 3000 + ']' * 3000]


@pytest.fixture
def pks(sqlite_storage: Any) -> list[int]:
    user = sqlite_storage.insert(K.USER, [{'email': 'a'}])[0]
    sqlite_storage.insert(K.GROUP, [{'user_pk': user, 'label': name} for name in 'abc'])
    return sqlite_storage.insert(K.NODE, [{'user_pk': user, 'attributes': {'a': 1}}] * 3)  # type: ignore[no-any-return]


def spoil(storage: Any, table: str, column: str, pk: int, value: str) -> None:
    with storage.transaction():
        storage.session.execute(f'UPDATE {table} SET {column} = ? WHERE id = ?', (value, pk))


@pytest.mark.parametrize('value', BROKEN, ids=[value[:10] for value in BROKEN])
@pytest.mark.parametrize('column', ['attributes', 'extras', 'repository_metadata'])
def test_a_node_is_read_but_for_the_value_that_is_none(
    sqlite_storage: Any, pks: list[int], column: str, value: str
) -> None:
    spoil(sqlite_storage, 'db_dbnode', column, pks[1], value)
    whole = Query((Vertex('n', K.NODE),), projections=(Projection('n', None),))
    for rows in ([row for (row,) in sqlite_storage.query_rows(whole)],):
        assert [(row.pk, row.label) for row in rows] == [(pk, '') for pk in pks]
        assert rows[0].attributes == rows[2].attributes == {'a': 1}
        with pytest.raises(CorruptStorage, match=rf'{column} of the node with pk {pks[1]} \(table db_dbnode\)'):
            len(getattr(rows[1], column))
    with pytest.raises(CorruptStorage, match=rf'{column} of the node with pk {pks[1]} \(table db_dbnode\)'):
        len(getattr(sqlite_storage.get(NodeRow, pks[1]), column))
    assert sqlite_storage.get(NodeRow, pks[2]).attributes == {'a': 1}


@pytest.mark.parametrize('value', BROKEN, ids=[value[:10] for value in BROKEN])
def test_a_group_whose_extras_are_none_is_named(sqlite_storage: Any, pks: list[int], value: str) -> None:
    spoil(sqlite_storage, 'db_dbgroup', 'extras', 2, value)
    whole = Query((Vertex('g', K.GROUP),), projections=(Projection('g', None),))
    named = r'extras of the group with pk 2 \(table db_dbgroup\)'
    rows = [row for (row,) in sqlite_storage.query_rows(whole)]
    assert [row.label for row in rows] == ['a', 'b', 'c']
    for row in (rows[1], sqlite_storage.get(GroupRow, 2)):
        with pytest.raises(CorruptStorage, match=named):
            len(row.extras)
    assert sqlite_storage.get(GroupRow, 3).label == 'c'


@pytest.mark.parametrize(('operator', 'expected'), [('==', 1), ('<', 2), ('in', [1])])
def test_a_query_that_looks_into_what_is_no_json_finds_the_others(
    sqlite_storage: Any, pks: list[int], operator: str, expected: object
) -> None:
    spoil(sqlite_storage, 'db_dbnode', 'attributes', pks[1], '{"a": ')
    condition = ('n', Comparison(Field('attributes', ('a',)), operator, expected))
    query = Query((Vertex('n', K.NODE),), filters=(condition,), projections=(Projection('n', Field('pk')),))
    assert sorted(sqlite_storage.query_rows(query)) == [(pks[0],), (pks[2],)]
