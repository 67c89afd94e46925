"""The newest few of a type are found along the order, where that is shorter; whatever the way, the same rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ricordi import orm
from ricordi.backend.rows import EntityKind
from ricordi.model.attribute_paths import AttributePath

K = EntityKind
INT, DICT, BOOL = 'data.core.int.Int.', 'data.core.dict.Dict.', 'data.core.bool.Bool.'
WALKS = {'ctime': 'ix_db_dbnode_db_dbnode_ctime', 'mtime': 'ix_db_dbnode_db_dbnode_mtime', 'pk': 'SCAN node_0'}


@pytest.fixture
def pks(storage: Any) -> list[int]:
    """6,000 nodes, a second apart: booleans, which are the oldest, then numbers and dictionaries in turn."""
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    began = datetime(2026, 1, 1, tzinfo=UTC)
    types = [BOOL] * 2000 + [INT, DICT] * 2000
    rows = [
        {
            'user_pk': user,
            'node_type': node_type,
            'ctime': began + timedelta(seconds=number),
            'mtime': began + timedelta(seconds=number),
            'attributes': {'state': 'done' if number % 4 else 'new'},
        }
        for number, node_type in enumerate(types)
    ]
    made: list[int] = storage.insert(K.NODE, rows)
    if storage.dialect.name == 'postgresql':
        storage.session.execute('ANALYZE db_dbnode')
    return made


def ordered(storage: Any, cls: Any, order: str, direction: str, **filters: Any) -> Any:
    query = orm.QueryBuilder(backend=storage)
    query.append(cls, tag='n', project='id', filters=filters).order_by({'n': {order: direction}})
    return query.limit(3).offset(2)


@pytest.mark.parametrize('order', ['ctime', 'mtime', 'pk'])
def test_the_newest_and_oldest_of_a_frequent_type_are_found_along_the_order(
    storage: Any, pks: list[int], order: str
) -> None:
    numbers = pks[2000::2]
    for direction, expected in (('desc', numbers[-3:-6:-1]), ('asc', numbers[2:5])):
        query = ordered(storage, orm.Int, order, direction)
        assert query.all(flat=True) == expected
        if storage.dialect.name == 'sqlite' and direction == 'desc':
            plan = query.analyze_query()
            assert WALKS[order] in plan
            assert 'TEMP B-TREE' not in plan


def test_where_the_newest_are_of_other_types_the_index_of_types_is_taken(storage: Any, pks: list[int]) -> None:
    query = ordered(storage, orm.Bool, 'ctime', 'desc')
    assert query.all(flat=True) == pks[1997:1994:-1]
    if storage.dialect.name == 'sqlite':
        assert 'ix_db_dbnode_db_dbnode_node_type' in query.analyze_query()


def test_the_newest_of_several_types_or_of_a_user_are_found_along_the_order(storage: Any, pks: list[int]) -> None:
    user = storage.session.execute('SELECT user_id FROM db_dbnode LIMIT 1').fetchone()[0]
    both = ordered(storage, (orm.Int, orm.Dict), 'ctime', 'desc')
    mine = ordered(storage, orm.Node, 'ctime', 'desc', user_id=user)
    for query in (both, mine):
        assert query.all(flat=True) == pks[-3:-6:-1]
        if storage.dialect.name == 'sqlite':
            assert 'SCAN node_0 USING INDEX ix_db_dbnode_db_dbnode_ctime' in query.analyze_query()


def test_an_index_of_a_frequent_attribute_does_not_lead_away_from_the_order(storage: Any, pks: list[int]) -> None:
    storage.add_attribute_index(AttributePath('attributes', ('state',)))
    query = ordered(storage, orm.Int, 'ctime', 'desc', **{'attributes.state': 'done'})
    done = [pk for place, pk in enumerate(pks) if place >= 2000 and place % 2 == 0 and place % 4]
    assert query.all(flat=True) == done[-3:-6:-1]
    if storage.dialect.name == 'sqlite':
        assert 'SCAN node_0 USING INDEX ix_db_dbnode_db_dbnode_ctime' in query.analyze_query()


def test_few_that_an_index_of_an_attribute_finds_are_sorted_without_a_walk_over_all(
    storage: Any, pks: list[int]
) -> None:
    storage.add_attribute_index(AttributePath('attributes', ('state',)))
    for pk in (pks[2002], pks[2006]):
        storage.update(K.NODE, pk, {'attributes': {'state': 'rare'}})
    query = orm.QueryBuilder(backend=storage)
    query.append(orm.Data, tag='n', project='id', filters={'attributes.state': {'in': ['rare', 'odd', 'lost']}})
    query.order_by({'n': ['ctime', 'id']})
    assert query.all(flat=True) == [pks[2002], pks[2006]]
    if storage.dialect.name == 'sqlite':
        plan = query.analyze_query()
        assert 'ricordi_json_attributes' in plan
        assert 'ix_db_dbnode_db_dbnode_ctime' not in plan


def test_a_row_whose_json_is_none_hides_no_other(storage: Any, pks: list[int]) -> None:
    if storage.dialect.name == 'postgresql':
        pytest.skip('PostgreSQL takes no JSON that is none')
    with storage.transaction():
        storage.session.execute(f"UPDATE db_dbnode SET attributes = '{{' WHERE id = {pks[-2]}")
    query = ordered(storage, orm.Int, 'ctime', 'desc', **{'attributes.state': {'in': ['done', 'new']}})
    assert query.all(flat=True) == pks[-8:-14:-2]


def test_a_query_that_is_grouped_or_counted_is_left_as_it_is(storage: Any, pks: list[int]) -> None:
    query = ordered(storage, orm.Int, 'ctime', 'desc')
    assert query.count() == 3
    assert query.distinct().all(flat=True) == pks[-6:-12:-2]


@pytest.mark.parametrize('direction', ['asc', 'desc'])
def test_pages_of_rows_of_the_same_time_have_each_row_once(storage: Any, pks: list[int], direction: str) -> None:
    if storage.dialect.name == 'postgresql':
        pytest.skip('PostgreSQL plans by itself')
    with storage.transaction():
        storage.session.execute("UPDATE db_dbnode SET ctime = '2026-02-01 00:00:00'")
    found, walked = list[int](), set[bool]()
    for offset in range(0, 2000, 250):
        query = ordered(storage, orm.Int, 'ctime', direction).limit(250).offset(offset)
        walked.add('USING INDEX ix_db_dbnode_db_dbnode_ctime' in query.analyze_query())
        found += query.all(flat=True)
    assert walked == {True, False}
    assert found == pks[2000::2][:: -1 if direction == 'desc' else 1]
