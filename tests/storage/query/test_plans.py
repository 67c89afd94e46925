"""The twelve queries of the benchmark find their rows by indexes, on both databases."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ricordi import orm
from ricordi.backend.rows import EntityKind, NodeRow

K = EntityKind
STEPS = Path(__file__).parents[3] / 'benchmarks' / 'query_steps.py'

SQLITE_PLANS = {
    'columns': ['SCAN node_0'],
    'attributes': ['SCAN node_0'],
    'by type': ['SEARCH node_0 USING', 'ix_db_dbnode_db_dbnode_node_type (node_type>? AND node_type<?)'],
    'by uuid': ['SEARCH node_0 USING INDEX', '(uuid=?)'],
    'by label': ['SEARCH group_0 USING INDEX', '(label=?'],
    'by start of label': ['SEARCH group_0 USING', '(label>? AND label<?)'],
    'by state': ['SEARCH node_0 USING INDEX ix_db_dbnode_db_dbnode_node_type (node_type>? AND node_type<?)'],
    'two hops': [
        'SEARCH node_1 USING',
        'SEARCH link_1 USING INDEX ix_db_dblink_db_dblink_output_id (output_id=?)',
        'SEARCH node_0 USING INTEGER PRIMARY KEY (rowid=?)',
        'SEARCH link_2 USING INDEX ix_db_dblink_db_dblink_input_id (input_id=?)',
        'SEARCH node_2 USING INTEGER PRIMARY KEY (rowid=?)',
    ],
    'ancestors': ['SEARCH link USING INDEX ix_db_dblink_db_dblink_output_id (output_id=?)'],
    'descendants': ['SEARCH link USING INDEX ix_db_dblink_db_dblink_input_id (input_id=?)'],
    'members': ['SEARCH group_0 USING', '(label=?)', 'SEARCH member_1 USING', '(dbgroup_id=?'],
    'latest': ['SCAN node_0 USING', 'ix_db_dbnode_db_dbnode_ctime'],
}
"""What must stand in the plan."""

PSQL_PLANS = {
    'columns': ['db_dbnode'],
    'attributes': ['db_dbnode'],
    'by type': ['ix_pat_db_dbnode_node_type', "~>=~ 'process.calculation.calcjob.'"],
    'by uuid': ['uq_db_dbnode_uuid', 'Index Cond: (uuid ='],
    'by label': ['Index Cond: ((label)::text ='],
    'by start of label': ['ix_pat_db_dbgroup_label', '~>=~'],
    'by state': ['ix_pat_db_dbnode_node_type', "~>=~ 'process.'"],
    'two hops': ['ix_db_dblink_db_dblink_'],
    'ancestors': ['ix_db_dblink_db_dblink_output_id', 'Recursive Union'],
    'descendants': ['ix_db_dblink_db_dblink_input_id', 'Recursive Union'],
    'members': ['db_dbgroup_dbnodes', 'Index Cond'],
    'latest': ['ix_db_dbnode_db_dbnode_ctime', 'Backward'],
}


@pytest.fixture
def steps() -> ModuleType:
    spec = importlib.util.spec_from_file_location('query_steps', STEPS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def twelve(storage: Any, steps: ModuleType) -> Any:
    """The queries, on a small profile of the shape of the benchmark's."""
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    types = ('data.core.int.Int.', 'process.calculation.calcjob.CalcJobNode.', 'data.core.dict.Dict.')
    made = [
        {'user_pk': user, 'node_type': types[n % 3], 'label': f'node {n}', 'attributes': {'process_state': 'finished'}}
        for n in range(3000)
    ]
    pks = storage.insert(K.NODE, made)
    links = [
        {'input_pk': pks[n], 'output_pk': pks[n + 1], 'label': 'x', 'type': ('input_calc', 'create')[n % 3]}
        for n in range(2999)
        if n % 3 < 2
    ]
    storage.insert(K.LINK, links)
    group = storage.insert(K.GROUP, [{'label': 'group-000', 'type_string': 'core', 'user_pk': user}])[0]
    storage.add_nodes_to_group(group, pks[:500])
    known = {'node': pks[301], 'uuid': storage.get(NodeRow, pks[301]).uuid, 'group': 'group-000'}
    return steps.Twelve(orm, known, backend=storage)


def test_there_are_twelve_queries_and_they_find_something(twelve: Any) -> None:
    assert len(twelve.makers) == 12
    counts = {name: len(make().all()) for name, make in twelve.makers.items()}
    assert counts == {
        'columns': 3000,
        'attributes': 3000,
        'by type': 1000,
        'by uuid': 1,
        'by label': 1,
        'by start of label': 1,
        'by state': 1000,
        'two hops': 1000,
        'ancestors': 1,
        'descendants': 1,
        'members': 500,
        'latest': 20,
    }


def test_queries_use_indexes(storage: Any, twelve: Any) -> None:
    is_sqlite = storage.dialect.name == 'sqlite'
    if not is_sqlite:
        # On few rows a scan is cheaper than any index; that it could be used is what must hold.
        storage.session.execute('ANALYZE')
        storage.session.execute('SET enable_seqscan = off')
        storage.session.execute('SET enable_bitmapscan = off')
    for name, expected in (SQLITE_PLANS if is_sqlite else PSQL_PLANS).items():
        plan = twelve.makers[name]().analyze_query(execute=not is_sqlite)
        for part in expected:
            assert part in plan, f'{name}:\n{plan}'
        if is_sqlite and name not in ('columns', 'attributes', 'latest', 'ancestors', 'descendants'):
            assert 'SCAN' not in plan, f'{name}:\n{plan}'
        if is_sqlite:
            assert 'SCAN link' not in plan, f'{name}:\n{plan}'
