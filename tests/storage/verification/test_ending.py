"""A verification ends when it is asked to, also in the middle of a statement, and not for a check that fails."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.storage.verification.conftest import places, verified

from deadlines import DEADLINE, wait_until
from ricordi.errors import CorruptStorage, Interrupted, RicordiError, UnreachableStorage
from ricordi.storage.psql.dialect import PsqlDialect
from ricordi.storage.verification import cycles, on_sqlite
from ricordi.storage.verification.database import verify
from ricordi.storage.verification.reader import DatabaseReader

Change = Callable[[Any, list[str]], None]
ENDLESS = {
    'sqlite': 'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n',
    'postgresql': 'SELECT pg_sleep(100000)',
}


class Asked:
    """Raises `Interrupted` from the given call on."""

    def __init__(self, number: int) -> None:
        self.calls = 0
        self._number = number

    def __call__(self) -> None:
        self.calls += 1
        if self.calls >= self._number:
            raise Interrupted('asked to end')


@pytest.fixture
def reader(storage: Any) -> Iterator[DatabaseReader]:
    """A reader that is asked to end at the third look."""
    with closing(storage.dialect.verification_reader(Asked(3))) as made:
        yield made


def test_a_statement_that_would_never_end_is_ended(reader: DatabaseReader) -> None:
    with pytest.raises(Interrupted, match='asked to end') as caught:
        reader.rows(ENDLESS[reader.dialect.name])
    assert reader.must_end(caught.value)


def test_one_that_is_on_its_way_to_the_server_when_it_is_to_end_is_ended_too(
    filled_psql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told_once = threading.Event()
    with closing(filled_psql.dialect.verification_reader(Asked(3))) as reader:
        execute, cancel = reader._raw.execute, reader._raw.cancel_safe

        def late(statement: bytes) -> Any:
            assert told_once.wait(DEADLINE)
            return execute(statement)

        def noted(**options: Any) -> None:
            cancel(**options)
            told_once.set()

        monkeypatch.setattr(reader._raw, 'execute', late)
        monkeypatch.setattr(reader._raw, 'cancel_safe', noted)
        with pytest.raises(Interrupted, match='asked to end'):
            reader.rows(ENDLESS['postgresql'])


def test_rows_that_would_never_end_are_ended(reader: DatabaseReader) -> None:
    numbers = 'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n'
    with pytest.raises(Interrupted, match='asked to end'):
        for _ in reader.stream(numbers):
            pass


def test_at_whatever_look_it_is_asked_to_end_it_ends_with_that(filled: Any, change: Change) -> None:
    change(filled, ['UPDATE db_dbcomment SET user_id = 99 WHERE id = 2'])
    looks = Asked(10**9)
    assert len(list(filled.verify_database(True, looks))) == 1
    assert looks.calls > 50
    ended = 0
    for number in random.Random(3).sample(range(1, looks.calls // 2), 12):
        asked = Asked(number)
        try:
            list(filled.verify_database(True, asked))
        except Interrupted:
            ended += 1
        else:  # who waits looks now and then: how often, depends on the machine
            assert asked.calls < number
    assert ended
    assert len(verified(filled)) == 1


def never_read(path: Path, check: Callable[[], None]) -> bool:
    """A file that takes for ever, as long as nobody ends that."""
    while True:
        check()
        time.sleep(0.001)


def test_it_ends_while_sqlite_looks_at_the_whole_file(filled_sqlite: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_sqlite, 'read_ahead', never_read)
    with pytest.raises(Interrupted):
        list(filled_sqlite.verify_database(False, Asked(1000)))


def test_a_verification_that_nobody_reads_to_its_end_ends_sqlites_look_at_the_whole_file(
    filled_sqlite: Any, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(filled_sqlite, ['UPDATE db_dbcomment SET user_id = 99 WHERE id = 2'])
    monkeypatch.setattr(on_sqlite, 'read_ahead', never_read)
    findings = filled_sqlite.verify_database()
    assert next(findings).kind == 'dangling reference'
    findings.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith('integrity')]


def test_sqlites_look_that_is_about_to_begin_when_it_is_to_end_is_ended_too(
    filled_sqlite: Any, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(filled_sqlite, ['UPDATE db_dbcomment SET user_id = 99 WHERE id = 2'])
    told_once, interrupt = threading.Event(), on_sqlite.SqliteReader.interrupt

    def noted(reader: Any) -> None:
        interrupt(reader)
        told_once.set()

    def late(reader: Any, sql: str) -> None:
        reader._raw.set_progress_handler(None, 0)  # nobody is asked during a look at the whole file
        assert told_once.wait(DEADLINE)
        reader._raw.execute(ENDLESS['sqlite']).fetchall()

    monkeypatch.setattr(on_sqlite.SqliteReader, 'interrupt', noted)
    monkeypatch.setattr(on_sqlite.SqliteReader, 'lines', late)
    findings = filled_sqlite.verify_database()
    assert next(findings).kind == 'dangling reference'
    findings.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith('integrity')]


def test_a_verification_that_is_not_read_to_its_end_lets_go_of_its_connection(filled_psql: Any, change: Change) -> None:
    change(filled_psql, ['UPDATE db_dbcomment SET user_id = 99 WHERE id = 2'])
    count = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
    )

    def connections() -> int:
        return int(filled_psql.session.execute(count).fetchone()[0])

    wait_until(lambda: connections() == 1, 'the server has ended the connection that made the change')
    findings = filled_psql.verify_database()
    next(findings)
    assert connections() == 2
    findings.close()
    wait_until(lambda: connections() == 1, 'the server has ended the connection')


def test_of_a_storage_that_was_closed_nothing_is_verified(filled_sqlite: Any) -> None:
    filled_sqlite.close()
    with pytest.raises(RicordiError, match='was closed'):
        filled_sqlite.verify_database()


@pytest.mark.parametrize('error', [CorruptStorage('the disk hums'), ZeroDivisionError('a fault of the program')])
def test_a_check_that_fails_is_a_finding_and_the_next_goes_on(
    filled: Any, change: Change, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(look: object) -> None:
        raise error

    monkeypatch.setattr(cycles, 'check_cycles', fail)
    change(filled, ["UPDATE db_dblink SET label = 'a b' WHERE id = 3"])
    failed, label = verified(filled)
    assert (failed.kind, failed.detail) == ('failed check', f'circles of links could not be looked at: {error}')
    assert label.kind == 'odd label'


def test_when_the_server_goes_the_verification_says_so(filled_psql: Any, postgres: Any) -> None:
    def end_all() -> None:
        name = filled_psql.profile.storage_config['database_name']
        with psycopg.connect(postgres.uri(), autocommit=True) as connection:
            connection.execute('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s', (name,))

    looks = Asked(10**9)

    def at_the_thirtieth() -> None:
        looks()
        if looks.calls == 30:
            end_all()

    with pytest.raises(UnreachableStorage):
        list(filled_psql.verify_database(False, at_the_thirtieth))


# damaged files -----------------------------------------------------------------------------------------------


def grow(storage: Any, nodes: int) -> None:
    """So many nodes more, with links of the first two hundred, in some hundred pages."""
    with closing(sqlite3.connect(storage.dialect.path)) as raw:
        raw.execute(
            'WITH RECURSIVE n(x) AS (SELECT 100 UNION ALL SELECT x + 1 FROM n WHERE x < ?) INSERT INTO db_dbnode '
            "SELECT x, substr(uuid, 1, 28) || printf('%08x', x), node_type, NULL, 'label ' || x, '', ctime, mtime, "
            "json_object('text', hex(randomblob(40))), extras, repository_metadata, NULL, 1 FROM n, db_dbnode "
            'WHERE id = 1',
            (99 + nodes,),
        )
        raw.commit()


def test_whatever_pages_of_sqlite_are_empty_it_is_found_and_all_else_is_looked_at(
    filled_sqlite: Any, change: Change
) -> None:
    grow(filled_sqlite, 2000)
    change(filled_sqlite, ['UPDATE db_dbnode SET user_id = 99 WHERE id = 1100'])
    path = filled_sqlite.dialect.path
    sound = path.read_bytes()
    size = int.from_bytes(sound[16:18])
    chance = random.Random(11)
    for _ in range(40):
        damaged = bytearray(sound)
        for page in chance.sample(range(1, len(sound) // size), chance.choice((1, 1, 5))):
            damaged[page * size : (page + 1) * size] = bytes(size)
        path.write_bytes(damaged)
        findings = verified(filled_sqlite, thorough=chance.random() < 0.3)
        assert {one.kind for one in findings} & {'damaged database', 'unreadable rows', 'failed check'}
    path.write_bytes(sound)
    assert places(verified(filled_sqlite, thorough=True)) == {('dangling reference', 'db_dbnode 1100')}


def test_rows_of_a_page_that_is_empty_are_told_and_those_around_it_are_looked_at(
    filled_sqlite: Any, change: Change
) -> None:
    grow(filled_sqlite, 2000)
    wrong = (500, 1100, 2000)
    change(filled_sqlite, [f'UPDATE db_dbnode SET user_id = 99 WHERE id IN {wrong}'])
    path = filled_sqlite.dialect.path
    content = bytearray(path.read_bytes())
    size = int.from_bytes(content[16:18])
    page = content.index(b'label 700') // size
    content[page * size : (page + 1) * size] = bytes(size)
    path.write_bytes(content)
    found = places(verified(filled_sqlite))
    assert {('dangling reference', f'db_dbnode {pk}') for pk in wrong} <= found
    assert ('unreadable rows', 'db_dbnode 700') in found
    unreadable = {int(where.split()[1]) for kind, where in found if kind == 'unreadable rows'}
    assert unreadable < set(range(680, 720))


def test_a_page_of_postgresql_that_cannot_be_read_is_told_and_those_around_it_are_looked_at(
    filled_psql: Any, change: Change, postgres: Any
) -> None:
    statement = (
        "INSERT INTO db_dbnode SELECT x, gen_random_uuid(), node_type, NULL, 'label ' || x, repeat('x', 500), ctime, "
        'mtime, attributes, extras, repository_metadata, NULL, 1 FROM db_dbnode, generate_series(100, 1099) AS x '
        'WHERE id = 1'
    )
    change(filled_psql, [statement, "SELECT setval('db_dbnode_id_seq', 1099)"])
    change(filled_psql, ['UPDATE db_dbnode SET user_id = 99 WHERE id IN (300, 900)'])
    session = filled_psql.session
    (file,) = session.execute("SELECT pg_relation_filepath('db_dbnode')").fetchone()
    (folder,) = session.execute('SHOW data_directory').fetchone()
    (page,) = session.execute("SELECT (ctid::text::point)[0]::int FROM db_dbnode WHERE label = 'label 600'").fetchone()
    config = dict(filled_psql.profile.storage_config)
    filled_psql.close()
    name, copied = config['database_name'], f'{config["database_name"]}_copy'
    with psycopg.connect(postgres.uri(), autocommit=True) as connection:
        connection.execute('CHECKPOINT')
        with Path(folder, file).open('r+b') as opened:
            opened.seek(page * 8192)
            opened.write(b'\xff' * 8192)
        # the server still has the page in its memory; of a copy of the file it has not
        connection.execute(f'CREATE DATABASE {copied} TEMPLATE {name} STRATEGY file_copy'.encode())
        try:
            dialect = PsqlDialect({**config, 'database_name': copied})
            found = places(list(verify(dialect, filled_psql.repository.uuid, False, lambda: None)))
        finally:
            connection.execute(f'DROP DATABASE {copied} WITH (FORCE)'.encode())
    assert {('dangling reference', f'db_dbnode {pk}') for pk in (300, 900)} <= found
    assert ('unreadable rows', 'db_dbnode 600') in found
