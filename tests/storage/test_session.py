"""Connections: threads, forks, nested transactions, streams."""

from __future__ import annotations

import gc
import os
import signal
import sqlite3
import threading
from contextlib import closing
from datetime import datetime
from typing import Any

import pytest

from ricordi.backend.rows import EntityKind as K
from ricordi.backend.rows import NodeRow, UserRow
from ricordi.errors import IntegrityError, StorageError


def test_a_forked_child_has_a_connection_of_its_own(storage: Any) -> None:
    storage.insert(K.USER, [{'email': 'parent'}])
    rows = storage.named_keys()
    pid = os.fork()
    if pid == 0:  # what fails here is told by the exit code alone
        code = 1
        try:
            storage.insert(K.USER, [{'email': 'child'}])
            gc.collect()
            storage.close()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    assert list(rows) == []
    assert [row.email for row in storage.find(UserRow)] == ['parent', 'child']


def test_a_transaction_of_the_parent_is_not_the_childs(storage: Any) -> None:
    with storage.transaction():
        storage.insert(K.USER, [{'email': 'parent'}])
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                code = 0 if not storage.in_transaction and list(storage.find(UserRow)) == [] else 2
            finally:
                os._exit(code)
        assert os.waitpid(pid, 0)[1] == 0
    assert [row.email for row in storage.find(UserRow)] == ['parent']


def test_the_connection_of_a_thread_ends_with_it(storage: Any) -> None:
    sessions = []

    def work() -> None:
        sessions.append(storage.session.raw)
        list(storage.find(UserRow))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    gc.collect()
    with pytest.raises(Exception, match='closed'):
        sessions[0].execute('SELECT 1')
    assert list(storage.find(UserRow)) == []


def test_a_failed_commit_leaves_no_transaction_behind(storage: Any) -> None:
    with pytest.raises(IntegrityError), storage.transaction():
        storage.insert(K.NODE, [{'user_pk': 77}])
    with storage.transaction():
        storage.insert(K.USER, [{'email': 'a'}])
    assert [row.email for row in storage.find(UserRow)] == ['a']


def test_a_dangling_reference_is_named(sqlite_storage: Any) -> None:
    with pytest.raises(IntegrityError, match='node with pk 1 would name a user that does not exist'):  # noqa: SIM117
        with sqlite_storage.transaction():
            sqlite_storage.insert(K.NODE, [{'user_pk': 77}])


def test_an_interrupt_undoes_the_transaction(storage: Any) -> None:
    with pytest.raises(KeyboardInterrupt), storage.transaction():  # noqa: PT012
        storage.insert(K.USER, [{'email': 'a'}])
        raise KeyboardInterrupt
    assert list(storage.find(UserRow)) == []


def test_a_stream_gives_the_rows_of_its_beginning_whatever_happens_meanwhile(storage: Any) -> None:
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    pks = storage.insert(K.NODE, [{'user_pk': user}] * 5000)
    seen = []
    for (pk,) in storage.stream('SELECT id FROM db_dbnode ORDER BY id'):
        if pk == pks[10]:
            storage.delete(K.NODE, pks[2000:])
            with pytest.raises(KeyError), storage.transaction():  # noqa: PT012
                storage.insert(K.NODE, [{'user_pk': user}])
                raise KeyError
        seen.append(pk)
    assert seen == pks


def test_a_stream_in_a_transaction_sees_its_changes(storage: Any) -> None:
    with storage.transaction():
        user = storage.insert(K.USER, [{'email': 'a'}])[0]
        pks = storage.insert(K.NODE, [{'user_pk': user}] * 3000)
        assert [pk for (pk,) in storage.stream('SELECT id FROM db_dbnode ORDER BY id')] == pks


def test_a_stream_that_is_left_early_leaves_nothing_behind(storage: Any) -> None:
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    storage.insert(K.NODE, [{'user_pk': user}] * 3000)
    rows = storage.stream('SELECT id FROM db_dbnode')
    next(rows)
    rows.close()
    assert len(list(storage.stream('SELECT id FROM db_dbnode'))) == 3000
    if storage.dialect.name == 'sqlite':
        assert storage.session.execute('SELECT count(*) FROM temp.sqlite_master').fetchone() == (0,)
    unread = storage.stream('SELECT id FROM db_dbnode')
    next(unread)
    storage.close()
    unread.close()


def test_an_error_in_a_stream_is_told(storage: Any) -> None:
    with pytest.raises(StorageError, match='nowhere'):
        list(storage.stream('SELECT id FROM nowhere'))


def test_another_processs_writer_is_not_held_up_by_a_stream(sqlite_storage: Any) -> None:
    user = sqlite_storage.insert(K.USER, [{'email': 'a'}])[0]
    sqlite_storage.insert(K.NODE, [{'user_pk': user, 'repository_metadata': {'o': {'f': {'k': 'a' * 64}}}}] * 3000)
    rows = sqlite_storage.stream('SELECT id FROM db_dbnode')
    keys = sqlite_storage.named_keys()
    found = sqlite_storage.find(NodeRow)
    next(rows), next(keys), next(found)
    other = sqlite3.connect(sqlite_storage.dialect.path, timeout=0)
    with other:
        other.execute("UPDATE db_dbuser SET email = 'b'")
    other.close()
    assert len(list(rows)) == 2999


def test_a_closed_sqlite_storage_leaves_its_database_alone_in_the_folder(sqlite_storage: Any) -> None:
    sqlite_storage.insert(K.USER, [{'email': 'a'}])
    sqlite_storage.close()
    assert [path.name for path in sqlite_storage.dialect.path.parent.iterdir() if path.is_file()] == ['database.sqlite']


def test_a_database_in_wal_mode_stays_in_it(sqlite_storage: Any, of: Any) -> None:
    sqlite_storage.close()
    with sqlite3.connect(sqlite_storage.dialect.path) as other:
        other.execute('PRAGMA journal_mode = WAL')
    other.close()
    storage = of.open(sqlite_storage.profile)
    storage.insert(K.USER, [{'email': 'a'}])
    assert storage.session.execute('PRAGMA journal_mode').fetchone() == ('wal',)
    storage.close()


def test_a_crashed_writer_is_undone_at_the_next_opening(sqlite_storage: Any, of: Any) -> None:
    user = sqlite_storage.insert(K.USER, [{'email': 'a'}])[0]
    sqlite_storage.close()
    pid = os.fork()
    if pid == 0:
        storage = of.open(sqlite_storage.profile)
        storage.session.execute('PRAGMA cache_size = 5')  # so that pages of the open transaction reach the file
        storage.session.execute('BEGIN IMMEDIATE')
        for number in range(2000):
            storage.session.execute("INSERT INTO db_dbuser VALUES (?, ?, '', '', '')", (number + 10, f'{number}' * 50))
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    storage = of.open(sqlite_storage.profile)
    assert [row.pk for row in storage.find(UserRow)] == [user]
    assert storage.session.execute('PRAGMA integrity_check').fetchall() == [('ok',)]
    storage.close()


def test_writers_of_several_processes_wait_for_each_other(storage: Any, of: Any) -> None:
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    pk = storage.insert(K.NODE, [{'user_pk': user, 'extras': {'count': 0}}])[0]
    children = []
    for _ in range(4):
        children.append(os.fork())
        if children[-1] == 0:
            code = 1
            try:
                with closing(of.open(storage.profile)) as own:
                    for _ in range(25):
                        with own.transaction():
                            count = own.get(NodeRow, pk, lock=True).extras['count']
                            own.update(K.NODE, pk, {'extras': {'count': count + 1}})
                code = 0
            finally:
                os._exit(code)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    assert storage.get(NodeRow, pk).extras == {'count': 100}


def test_a_deferred_transaction_begins_with_the_first_change(storage: Any) -> None:
    with storage.deferred_transaction():
        assert list(storage.find(UserRow)) == []
        assert not storage.in_transaction
        storage.insert(K.USER, [{'email': 'first'}])
        assert storage.in_transaction
        with storage.deferred_transaction(), storage.transaction():
            storage.insert(K.USER, [{'email': 'second'}])
        assert storage.in_transaction
    assert not storage.in_transaction
    assert [row.email for row in storage.find(UserRow)] == ['first', 'second']


def test_a_deferred_transaction_is_rolled_back_as_a_whole(storage: Any) -> None:
    undone: list[str] = []
    with pytest.raises(KeyError), storage.deferred_transaction():  # noqa: PT012
        with storage.transaction():
            storage.insert(K.USER, [{'email': 'first'}])
        storage.on_rollback(lambda: undone.append('first'))
        raise KeyError
    assert (undone, list(storage.find(UserRow))) == (['first'], [])
    storage.insert(K.USER, [{'email': 'later'}])
    assert not storage.in_transaction


def test_a_deferred_transaction_inside_another_is_part_of_it(storage: Any) -> None:
    with pytest.raises(KeyError), storage.transaction():  # noqa: PT012
        with storage.deferred_transaction():
            storage.insert(K.USER, [{'email': 'first'}])
        assert storage.in_transaction
        raise KeyError
    assert list(storage.find(UserRow)) == []


def test_nodes_are_counted_by_day(storage: Any) -> None:
    alice, bob = (storage.insert(K.USER, [{'email': name}])[0] for name in ('alice', 'bob'))
    for user, day in ((alice, 3), (alice, 4), (bob, 4)):
        created = datetime(2026, 5, day, 12).astimezone()
        storage.insert(K.NODE, [{'node_type': 'data.core.int.Int.', 'user_pk': user, 'ctime': created}])
    assert storage.nodes_by_day() == {'2026-05-03': 1, '2026-05-04': 2}
    assert storage.nodes_by_day(bob) == {'2026-05-04': 1}
