"""Rows of a query come in constant memory; meanwhile the storage can be used and changed, by others too."""

from __future__ import annotations

import gc
import sqlite3
import threading
import tracemalloc
from typing import Any

import pytest

from ricordi.backend.rows import EntityKind, NodeRow
from ricordi.errors import NotEnoughSpace, RicordiError
from ricordi.orm import QueryBuilder
from ricordi.storage.query import streams as query_streams

K = EntityKind


@pytest.fixture
def user(storage: Any) -> int:
    return int(storage.insert(K.USER, [{'email': 'a'}])[0])


def insert(storage: Any, user: int, count: int, **fields: Any) -> list[int]:
    return list(storage.insert(K.NODE, [{'user_pk': user, 'attributes': {'n': n}, **fields} for n in range(count)]))


def nodes(storage: Any, *project: str) -> QueryBuilder:
    return QueryBuilder(storage).append(entity_type='node', tag='n', project=list(project)).order_by({'n': 'id'})


def test_all_rows_come_in_batches_of_any_size(storage: Any, user: int) -> None:
    pks = insert(storage, user, 257)
    for size in (1, 100, 256, 257, 258, None):
        assert [row for (row,) in nodes(storage, 'id').iterall(size)] == pks
        assert [row['n']['id'] for row in nodes(storage, 'id').iterdict(size)] == pks


def test_rows_are_changed_inside_the_loop(storage: Any, user: int) -> None:
    pks = insert(storage, user, 500)
    seen = []
    query = QueryBuilder(storage).append(entity_type='node', tag='n', project=['id', 'label']).order_by({'n': 'mtime'})
    for pk, label in query.iterall(batch_size=10):
        assert label == ''
        storage.update(K.NODE, pk, {'label': f'changed {pk}'})  # moves it to the end of the index that is read
        seen.append(pk)
    assert sorted(seen) == pks
    assert QueryBuilder(storage).append(entity_type='node', filters={'label': {'like': 'changed %'}}).count() == 500


def test_rows_are_deleted_and_inserted_inside_the_loop(storage: Any, user: int) -> None:
    pks = insert(storage, user, 300)
    seen = []
    for (pk,) in nodes(storage, 'id').iterall(batch_size=7):
        storage.delete_nodes_and_connections([pk])
        insert(storage, user, 1)
        seen.append(pk)
    assert seen == pks


def test_a_loop_inside_a_transaction_sees_it_and_outlives_it(storage: Any, user: int) -> None:
    with storage.transaction():
        pks = insert(storage, user, 120)
        rows = nodes(storage, 'id').iterall(batch_size=10)
        first = next(rows)
        with storage.transaction():
            storage.update(K.NODE, pks[0], {'label': 'x'})
    assert [first, *rows] == [[pk] for pk in pks]


def test_a_loop_that_fails_inside_a_transaction_rolls_it_back(storage: Any, user: int) -> None:
    pks = insert(storage, user, 50)

    def change_some() -> None:
        with storage.transaction():
            for (pk,) in nodes(storage, 'id').iterall(batch_size=10):
                storage.update(K.NODE, pk, {'label': 'lost'})
                assert pk != pks[25]

    with pytest.raises(AssertionError):
        change_some()
    assert QueryBuilder(storage).append(entity_type='node', filters={'label': 'lost'}).count() == 0


def test_queries_are_nested(storage: Any, user: int) -> None:
    pks = insert(storage, user, 40)
    pairs = [
        (outer, inner)
        for (outer,) in nodes(storage, 'id').iterall(batch_size=3)
        for (inner,) in nodes(storage, 'id').iterall(batch_size=4)
    ]
    assert pairs == [(outer, inner) for outer in pks for inner in pks]


def test_a_loop_that_is_left_leaves_nothing_behind(storage: Any, user: int) -> None:
    insert(storage, user, 300)
    for _ in range(20):
        rows = nodes(storage, 'id').iterall(batch_size=5)
        next(rows)
        del rows
    gc.collect()
    with storage.transaction():
        insert(storage, user, 1)
    assert nodes(storage, 'id').count() == 301


def test_threads_read_at_the_same_time(storage: Any, user: int) -> None:
    pks = insert(storage, user, 200)
    found: list[list[int]] = []

    def read() -> None:
        found.append([pk for (pk,) in nodes(storage, 'id').iterall(batch_size=11)])

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [pks] * 4


def test_a_writer_of_another_program_is_not_held_up(sqlite_storage: Any) -> None:
    user = sqlite_storage.insert(K.USER, [{'email': 'a'}])[0]
    insert(sqlite_storage, user, 5000, description='x' * 500)
    path = sqlite_storage.dialect.path
    rows = nodes(sqlite_storage, 'id', 'description').iterall()
    next(rows)
    other = sqlite3.connect(path, timeout=0)
    other.execute("UPDATE db_dbnode SET description = ''")
    other.commit()
    other.close()
    assert sum(len(text) for _, text in rows) == 4999 * 500


@pytest.mark.parametrize('project', [['id', 'attributes'], ['*'], ['id', 'uuid', 'label', 'description', 'ctime']])
def test_memory_does_not_grow_with_the_rows(storage: Any, user: int, project: list[str]) -> None:
    def peak() -> int:
        query = QueryBuilder(storage).append(entity_type='node', project=project)
        gc.collect()
        tracemalloc.start()
        for row in query.iterall():
            if project == ['*']:
                assert row[0].base.attributes.all
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    insert(storage, user, 1000, description='d' * 300)
    peak()
    small = peak()
    for _ in range(15):
        insert(storage, user, 1000, description='d' * 300)
    large = peak()
    assert large < small + query_streams.BYTES_IN_MEMORY + 2_000_000
    assert large < 16_000 * 600


def test_a_full_disk_is_told(sqlite_storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    user = sqlite_storage.insert(K.USER, [{'email': 'a'}])[0]
    insert(sqlite_storage, user, 2000, description='x' * 5000)
    real = query_streams.tempfile.SpooledTemporaryFile

    def on_full_disk(**options: Any) -> Any:
        file = real(**options)
        file._rolled = True
        file._file.close()
        file._file = open('/dev/full', 'r+b', buffering=0)  # noqa: PTH123, SIM115
        return file

    monkeypatch.setattr(query_streams.tempfile, 'SpooledTemporaryFile', on_full_disk)
    with pytest.raises(NotEnoughSpace, match='TMPDIR'):
        list(nodes(sqlite_storage, 'description').iterall())
    monkeypatch.undo()
    assert len(list(nodes(sqlite_storage, 'description').iterall())) == 2000


def test_an_error_of_the_database_is_told(storage: Any, user: int) -> None:
    insert(storage, user, 10)
    query = QueryBuilder(storage).append(entity_type='node', project='id')
    storage.close()
    with pytest.raises(RicordiError, match='closed'):
        list(query.iterall())


def test_entities_come_as_rows(storage: Any, user: int) -> None:
    pk = insert(storage, user, 1, extras={'big': 10**30, 'small': 1e-300})[0]
    description = QueryBuilder(storage).append(entity_type='node')._describe()
    ((row,),) = storage.query_rows(description.query)
    assert isinstance(row, NodeRow)
    assert row == storage.get(NodeRow, pk)
    assert row.extras == {'big': 10**30, 'small': 1e-300}
    row.extras = {'other': 1}
    assert row.extras == {'other': 1}
    assert row != storage.get(NodeRow, pk)
