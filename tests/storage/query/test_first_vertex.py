"""A chain of links begins with the vertex of which there are fewest; whatever the beginning, the same rows."""

from __future__ import annotations

from typing import Any

import pytest

from ricordi import orm
from ricordi.backend.rows import EntityKind as K

INT, DICT = 'data.core.int.Int.', 'data.core.dict.Dict.'
JOB = 'process.calculation.calcjob.CalcJobNode.'
JOBS, INPUTS = 100, 10


@pytest.fixture
def pks(storage: Any) -> list[int]:
    """100 calculations, each after its ten inputs and before its dictionary."""
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    types = [*[INT] * INPUTS, JOB, DICT] * JOBS
    made: list[int] = storage.insert(K.NODE, [{'user_pk': user, 'node_type': one} for one in types])
    links = []
    for begin in range(0, len(made), INPUTS + 2):
        *inputs, job, result = made[begin : begin + INPUTS + 2]
        links += [{'input_pk': one, 'output_pk': job, 'label': f'i{one}', 'type': 'input_calc'} for one in inputs]
        links.append({'input_pk': job, 'output_pk': result, 'label': 'result', 'type': 'create'})
    storage.insert(K.LINK, links)
    return made


def chain(storage: Any, **filters: Any) -> Any:
    query = orm.QueryBuilder(backend=storage).append(orm.Data, tag='data', project='id', filters=filters)
    query.append(orm.CalcJobNode, tag='job', with_incoming='data', project='id')
    return query.append(orm.Dict, with_incoming='job', project='id')


def test_a_chain_begins_with_the_rarest_type(storage: Any, pks: list[int]) -> None:
    query = chain(storage)
    assert query.count() == JOBS * INPUTS
    assert sorted(query.all()) == [
        [pks[begin + number], pks[begin + INPUTS], pks[begin + INPUTS + 1]]
        for begin in range(0, len(pks), INPUTS + 2)
        for number in range(INPUTS)
    ]
    if storage.dialect.name == 'sqlite':
        plan = query.analyze_query().splitlines()
        assert plan[0].startswith('SEARCH node_1 USING COVERING INDEX ix_db_dbnode_db_dbnode_node_type')


def test_a_chain_with_a_node_by_name_begins_there(storage: Any, pks: list[int]) -> None:
    query = chain(storage, id=pks[3])
    assert query.all() == [[pks[3], pks[INPUTS], pks[INPUTS + 1]]]
    if storage.dialect.name == 'sqlite':
        assert query.analyze_query().splitlines()[0].startswith('SEARCH node_0 USING INTEGER PRIMARY KEY')


def test_of_a_node_that_may_be_missing_nothing_is_counted(storage: Any, pks: list[int]) -> None:
    query = orm.QueryBuilder(backend=storage).append(orm.Int, tag='data', project='id')
    query.append(orm.WorkChainNode, with_incoming='data', outerjoin=True, project='id')
    assert sorted(query.all()) == [[pk, None] for place, pk in enumerate(pks) if place % (INPUTS + 2) < INPUTS]
    if storage.dialect.name == 'sqlite':
        assert 'ix_db_dbnode_db_dbnode_node_type' in query.analyze_query().splitlines()[0]
