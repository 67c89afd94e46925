"""Other databases of a server that name the same container: one that gives no answer may be one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from deadlines import wait_until
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.storage.psql.dialect import PsqlDialect
from ricordi.storage.session import Session

SHORT = 2
"""Seconds after which one that does not answer is given up."""


def database_of(storage: Any) -> str:
    return str(storage.profile.storage_config['database_name'])


@pytest.fixture
def twin(psql_storage: Any, new_database: Callable[..., str], postgres: Any) -> str:
    """A copy of the database, which says what the original says."""
    name = database_of(psql_storage)
    psql_storage.close()
    wait_until(lambda: postgres.is_left(name), f'nobody is connected to {name}')
    return new_database(name)


@pytest.fixture
def reopened(psql_storage: Any, twin: str, of: SimpleNamespace) -> Iterator[Any]:
    """The storage, of which nothing is recorded and which waits for a short time alone."""
    psql_storage.repository.layout.folder.joinpath('ricordi-database.json').unlink()
    storage = of.open(psql_storage.profile)
    storage.dialect._arguments['connect_timeout'] = SHORT
    yield storage
    storage.close()
    storage.repository.close()


@contextmanager
def silent(postgres: Any, database: str) -> Iterator[None]:
    """A database that answers nobody for the length of a `with` block: its name is about to change."""
    with psycopg.connect(postgres.uri()) as raw:
        raw.execute(f'ALTER DATABASE {database} RENAME TO {database}_later'.encode())
        yield
        raw.rollback()


def test_a_copy_says_that_the_container_is_its_own(reopened: Any, twin: str) -> None:
    assert f'the database {twin} of the same server says' in reopened.repository_doubt()


def test_one_that_gives_no_answer_may_say_so_and_nothing_is_recorded(reopened: Any, twin: str, postgres: Any) -> None:
    garbage = reopened.repository.put_object_from_bytes(b'of a node of the other one')
    with silent(postgres, twin):
        assert f'the database {twin} of the same server gives no answer' in reopened.repository_doubt()
        reopened.maintain(MaintenanceOptions())
    assert reopened.repository.owner is None
    assert reopened.repository.get_object_content(garbage) == b'of a node of the other one'


def test_where_the_server_takes_nobody_more_in_no_database_has_answered(
    psql_storage: Any, twin: str, postgres: Any
) -> None:
    role, uuid = f'{twin}_role', psql_storage.repository.uuid
    with psycopg.connect(postgres.uri(), autocommit=True) as raw:
        raw.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'secret' CONNECTION LIMIT 1 IN ROLE pg_read_all_data".encode())
        try:
            config = psql_storage.profile.storage_config
            config = {**config, 'database_username': role, 'database_password': 'secret'}
            session = Session(PsqlDialect(config))
            assert session.dialect.databases_tied_to(session, uuid)[twin] is False
            raw.execute(f'ALTER ROLE {role} CONNECTION LIMIT -1'.encode())
            assert session.dialect.databases_tied_to(session, uuid) == {twin: True}
            session.close()
        finally:
            raw.execute(f'DROP ROLE {role}'.encode())


def test_one_that_lets_this_user_not_in_is_not_asked(
    psql_storage: Any, twin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = psycopg.connect

    def turned_away(*words: Any, **options: Any) -> Any:
        if options.get('dbname') == twin:
            raise psycopg.OperationalError('no pg_hba.conf entry')
        return connect(*words, **options)

    session = Session(PsqlDialect(psql_storage.profile.storage_config))
    monkeypatch.setattr(psycopg, 'connect', turned_away)
    assert session.dialect.databases_tied_to(session, psql_storage.repository.uuid) == {}
    session.close()
