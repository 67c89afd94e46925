"""SQL of the user's own: the engine and the tables of a storage."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError

from deadlines import wait_until
from ricordi.backend.rows import EntityKind as K
from ricordi.backend.rows import NodeRow, UserRow
from ricordi.config.profile import Profile
from ricordi.errors import ClosedStorage, ReadOnlyStorage, UsageError

ARCHIVE = Path(__file__).parents[1] / 'data' / 'reference.aiida'


def addresses(storage: Any) -> list[str]:
    return sorted(row.email for row in storage.find(UserRow))


def test_rows_come_with_values_of_python(reference: Any) -> None:
    nodes = reference.table('node')
    wanted = select(nodes.c.uuid, nodes.c.ctime, nodes.c.attributes).order_by(nodes.c.id)
    with reference.engine().connect() as connection:
        found = connection.execute(wanted).all()
    assert [(row.uuid, row.ctime, row.attributes or {}) for row in found] == [
        (row.uuid, row.ctime, row.attributes) for row in reference.find(NodeRow)
    ]
    assert found
    assert {row.ctime.tzinfo for row in found} == {UTC}


def test_keys_inside_json_are_asked_alike_on_both_databases(reference: Any) -> None:
    nodes = reference.table('node')
    number = nodes.c.attributes['value'].as_float()
    with reference.engine().connect() as connection:
        sum_by_database = connection.scalar(select(func.sum(number)).where(nodes.c.node_type == 'data.core.int.Int.'))
    stored = [row.attributes['value'] for row in reference.find(NodeRow, {'node_type': 'data.core.int.Int.'})]
    assert stored
    assert sum_by_database == sum(stored)


def test_tables_are_joined_by_their_references(reference: Any) -> None:
    nodes, users = reference.table('node'), reference.table(K.USER)
    per_user = select(users.c.email, func.count()).select_from(nodes.join(users)).group_by(users.c.email)
    with reference.engine().connect() as connection:
        found = {email: number for email, number in connection.execute(per_user)}  # noqa: C416 - rows, no tuples
    assert sum(found.values()) == len(list(reference.find(NodeRow)))


@pytest.mark.parametrize('isolation', ['', 'AUTOCOMMIT'])
def test_nothing_can_be_changed_unless_that_was_asked_for(storage: Any, isolation: str) -> None:
    storage.insert(K.USER, [{'email': 'kept'}])
    options = {'isolation_level': isolation} if isolation and storage.dialect.name == 'postgresql' else {}
    with storage.engine().connect().execution_options(**options) as connection, pytest.raises(DBAPIError):
        connection.execute(storage.table('user').delete())
    assert addresses(storage) == ['kept']


def test_what_a_block_changes_is_kept_as_a_whole_or_not_at_all(storage: Any) -> None:
    def add(*emails: str) -> None:
        empty = dict.fromkeys(('first_name', 'last_name', 'institution'), '')
        with storage.engine(writable=True).begin() as connection:
            for email in emails:
                connection.execute(insert(storage.table('user')), {**empty, 'email': email})

    add('a')
    with pytest.raises(DBAPIError):
        add('b', 'a')
    assert addresses(storage) == ['a']


def test_a_connection_left_open_keeps_nobody_from_writing(storage: Any) -> None:
    with storage.engine().connect() as connection:
        before = connection.scalar(select(func.count()).select_from(storage.table('user')))
        storage.insert(K.USER, [{'email': 'meanwhile'}])
    assert before == 0
    assert addresses(storage) == ['meanwhile']


def test_nothing_stays_connected_between_two_questions(psql_storage: Any) -> None:
    sessions = 'SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()'

    def is_alone() -> bool:
        return psql_storage.session.execute(sessions).fetchone() == (1,)

    wait_until(is_alone, 'the server has forgotten the sessions that opened the storage')
    with psql_storage.engine().connect() as connection:
        assert connection.scalar(text(sessions)) == 2
    wait_until(is_alone, 'the connection is closed')


def test_a_closed_storage_ends_its_connections_and_makes_no_new_ones(storage: Any) -> None:
    engine = storage.engine()
    connection = engine.connect()
    assert connection.scalar(text('SELECT 1')) == 1
    storage.close()
    with pytest.raises(Exception, match='closed'):
        connection.scalar(text('SELECT 1'))
    for use in (engine.connect, storage.engine):
        with pytest.raises(ClosedStorage):
            use()


def test_a_forked_child_leaves_the_connections_of_its_parent_alone(storage: Any) -> None:
    engine = storage.engine()
    with engine.connect() as connection:
        pid = os.fork()
        if pid == 0:  # what fails here is told by the exit code alone
            code = 1
            try:
                with engine.connect() as own:
                    own.scalar(text('SELECT 1'))
                storage.close()
                code = 0
            finally:
                os._exit(code)
        assert os.waitpid(pid, 0)[1] == 0
        assert connection.scalar(text('SELECT 1')) == 1


def test_an_archive_can_be_asked_and_not_changed(tmp_path: Path) -> None:
    from ricordi.manager import use_storage

    process_control = {'backend': None, 'config': None}
    config = {'backend': 'core.sqlite_zip', 'config': {'filepath': str(ARCHIVE)}}
    with use_storage(Profile('archive', {'storage': config, 'process_control': process_control})) as storage:
        with storage.engine().connect() as connection:
            number = connection.scalar(select(func.count()).select_from(storage.table('node')))
        assert number == len(list(storage.find(NodeRow)))
        with pytest.raises(ReadOnlyStorage):
            storage.engine(writable=True)


def test_a_storage_that_may_not_be_written_to_has_no_engine_to_write(storage: Any) -> None:
    storage.unwritable = 'it belongs to somebody else'
    with pytest.raises(ReadOnlyStorage, match='somebody else'):
        storage.engine(writable=True)
    assert storage.engine() is storage.engine()


def test_a_kind_that_is_none_is_told_with_those_there_are(storage: Any) -> None:
    with pytest.raises(UsageError, match=r"'nodes'.*user, computer"):
        storage.table('nodes')


def test_sqlalchemy_is_loaded_when_it_is_asked_for_and_not_before(reference_sqlite_profile: Profile) -> None:
    program = f"""
import sys
from ricordi.config.profile import Profile
from ricordi.repository.container.container import Container
from ricordi.storage.sqlite.dos import SqliteDosStorage as Kind
profile = Profile('mixed', {reference_sqlite_profile.dictionary!r})
storage = Kind.open(profile, Container(Kind.repository_location(profile).path))
before = 'sqlalchemy' in sys.modules
storage.engine()
print(before, 'sqlalchemy' in sys.modules)
"""
    run = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, check=True, timeout=120)
    assert run.stdout.split() == ['False', 'True']
