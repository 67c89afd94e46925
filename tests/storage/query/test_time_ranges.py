"""The nodes of a short time are found by that time, however many there are of their type; always the same rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ricordi import orm
from ricordi.backend.rows import EntityKind as K
from ricordi.model.attribute_paths import AttributePath

INT, DICT = 'data.core.int.Int.', 'data.core.dict.Dict.'
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
NODES = 6000
BY_TIME = 'SEARCH node_0 USING INDEX ix_db_dbnode_db_dbnode_ctime'


@pytest.fixture
def pks(storage: Any) -> list[int]:
    """Numbers and dictionaries in turn, a second apart; they were changed in the other order."""
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    rows = [
        {
            'user_pk': user,
            'node_type': (INT, DICT)[number % 2],
            'ctime': BEGAN + timedelta(seconds=number),
            'mtime': BEGAN + timedelta(seconds=2 * NODES - number),
            'attributes': {'state': 'done'},
        }
        for number in range(NODES)
    ]
    made: list[int] = storage.insert(K.NODE, rows)
    return made


def ask(storage: Any, project: str = 'id', **filters: Any) -> Any:
    return orm.QueryBuilder(backend=storage).append(orm.Int, tag='n', project=project, filters=filters)


def after(number: int) -> dict[str, Any]:
    return {'>=': BEGAN + timedelta(seconds=number)}


def test_the_last_of_a_frequent_type_are_found_by_their_time(storage: Any, pks: list[int]) -> None:
    query = ask(storage, ctime=after(5900))
    assert query.count() == 50
    assert sorted(query.all(flat=True)) == pks[5900::2]
    if storage.dialect.name == 'sqlite':
        assert BY_TIME in query.analyze_query()


def test_they_come_in_the_order_of_their_time_without_being_sorted(storage: Any, pks: list[int]) -> None:
    query = ask(storage, ctime=after(5900)).order_by({'n': 'ctime'})
    assert query.all(flat=True) == pks[5900::2]
    if storage.dialect.name == 'sqlite':
        plan = query.analyze_query()
        assert BY_TIME in plan
        assert 'TEMP B-TREE' not in plan


@pytest.mark.parametrize('order', ['id', 'mtime'])
def test_in_another_order_they_are_found_by_their_time_all_the_same(storage: Any, pks: list[int], order: str) -> None:
    query = ask(storage, ctime=after(5900)).order_by([{'n': {order: 'desc'}}])
    assert query.all(flat=True) == pks[5900::2][:: 1 if order == 'mtime' else -1]
    if storage.dialect.name == 'sqlite':
        assert BY_TIME in query.analyze_query()


def test_of_two_times_the_shorter_one_is_taken(storage: Any, pks: list[int]) -> None:
    query = ask(storage, ctime=after(0), mtime={'<': BEGAN + timedelta(seconds=NODES + 100)})
    assert sorted(query.all(flat=True)) == pks[5902::2]
    if storage.dialect.name == 'sqlite':
        assert 'ix_db_dbnode_db_dbnode_mtime' in query.analyze_query()


def test_most_nodes_are_not_sought_by_their_time(storage: Any, pks: list[int]) -> None:
    query = ask(storage, ctime=after(100))
    assert sorted(query.all(flat=True)) == pks[100::2]
    if storage.dialect.name == 'sqlite':
        assert 'ix_db_dbnode_db_dbnode_node_type' in query.analyze_query()


def test_an_index_of_a_frequent_attribute_is_not_searched_for_the_few_of_a_time(storage: Any, pks: list[int]) -> None:
    storage.add_attribute_index(AttributePath('attributes', ('state',)))
    query = ask(storage, ctime=after(5900), **{'attributes.state': 'done'})
    assert sorted(query.all(flat=True)) == pks[5900::2]
    if storage.dialect.name == 'sqlite':
        assert BY_TIME in query.analyze_query()


def test_a_node_that_is_found_from_another_is_not_sought_by_its_time(storage: Any, pks: list[int]) -> None:
    storage.insert(K.LINK, [{'input_pk': pks[0], 'output_pk': pks[-2], 'label': 'x', 'type': 'create'}])
    query = orm.QueryBuilder(backend=storage).append(orm.Node, tag='a', filters={'id': pks[0]})
    query.append(orm.Int, with_incoming='a', project='id', filters={'ctime': after(5900)})
    assert query.all(flat=True) == [pks[-2]]
    if storage.dialect.name == 'sqlite':
        assert 'ix_db_dbnode_db_dbnode_ctime' not in query.analyze_query()
