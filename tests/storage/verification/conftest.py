"""A small storage that keeps all rules, and the ways to break them behind the back of every program."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from queue import SimpleQueue
from typing import Any

import psycopg
import pytest

from ricordi.backend.rows import EntityKind as K
from ricordi.backend.verification import Finding
from ricordi.storage.verification.apart import answer_checks

CALCULATION = 'process.calculation.calcjob.CalcJobNode.'
WORKFLOW = 'process.workflow.workchain.WorkChainNode.'
DATA = 'data.core.dict.Dict.'
DONE = {'process_state': 'finished', 'sealed': True}


def fill(storage: Any) -> None:
    """Two users, two computers, an authinfo, nodes 1 to 8, links 1 to 8, two groups, comments and logs, pks from 1 on.

    1 data → 2 calculation → 3 data → 4 calculation → 5 data; 6 workflow with 1 calls 2 and 4, returns 5; 7, 8 data.
    """
    with storage.transaction():
        storage.insert(K.USER, [{'email': 'ada@example.org'}, {'email': 'ben@example.org'}])
        storage.insert(
            K.COMPUTER, [{'label': name, 'hostname': name, 'metadata': {'workdir': '/tmp'}} for name in 'ab']
        )
        storage.insert(K.AUTHINFO, [{'user_pk': 1, 'computer_pk': 1}, {'user_pk': 2, 'computer_pk': 1}])
        types = [DATA, CALCULATION, DATA, CALCULATION, DATA, WORKFLOW, DATA, DATA]
        tree = {'o': {'a': {'k': 'a' * 64}, 'd': {'o': {'b': {'k': 'b' * 64}}}}}
        storage.insert(
            K.NODE,
            [
                {
                    'user_pk': 1,
                    'node_type': node_type,
                    'computer_pk': 1 if node_type == CALCULATION else None,
                    'attributes': {'a': 'ü 😀'} if node_type == DATA else DONE,
                    'extras': {'x': 1},
                    'repository_metadata': tree if node_type == DATA else {},
                }
                for node_type in types
            ],
        )
        storage.insert(
            K.LINK,
            [
                {'input_pk': source, 'output_pk': target, 'type': link_type, 'label': label}
                for source, target, link_type, label in (
                    (1, 2, 'input_calc', 'x'),
                    (2, 3, 'create', 'y'),
                    (3, 4, 'input_calc', 'x'),
                    (4, 5, 'create', 'y'),
                    (1, 6, 'input_work', 'x'),
                    (6, 2, 'call_calc', 'one'),
                    (6, 4, 'call_calc', 'two'),
                    (6, 5, 'return', 'y'),
                )
            ],
        )
        storage.insert(K.GROUP, [{'label': name, 'type_string': 'core', 'user_pk': 1} for name in 'gh'])
        storage.add_nodes_to_group(1, [1, 2, 3])
        storage.add_nodes_to_group(2, [3])
        storage.insert(
            K.COMMENT, [{'node_pk': 1, 'user_pk': 1, 'content': 'no'}, {'node_pk': 2, 'user_pk': 2, 'content': ''}]
        )
        storage.insert(K.LOG, [{'node_pk': 2, 'message': 'a', 'loggername': 'l', 'levelname': 'INFO'}] * 2)


@pytest.fixture
def filled(storage: Any) -> Any:
    """The small storage on each database in turn."""
    fill(storage)
    return storage


@pytest.fixture
def filled_sqlite(sqlite_storage: Any) -> Any:
    """The small storage on SQLite."""
    fill(sqlite_storage)
    return sqlite_storage


@pytest.fixture
def filled_psql(psql_storage: Any) -> Any:
    """The small storage on PostgreSQL."""
    fill(psql_storage)
    return psql_storage


@pytest.fixture
def change(request: pytest.FixtureRequest) -> Callable[[Any, Sequence[str]], None]:
    """Runs SQL on a storage's database by a bare connection, with no foreign key looked at."""

    def run(storage: Any, statements: Sequence[str]) -> None:
        if storage.dialect.name == 'sqlite':
            with closing(sqlite3.connect(storage.dialect.path, isolation_level=None)) as raw:
                for statement in statements:
                    raw.execute(statement)
            return
        server = request.getfixturevalue('postgres')
        database = storage.profile.storage_config['database_name']
        with psycopg.connect(server.uri(database), autocommit=True) as connection:
            connection.execute("SET session_replication_role = 'replica'")  # no foreign key is looked at
            for statement in statements:
                connection.execute(statement.encode())

    return run


def verified(storage: Any, thorough: bool = False) -> list[Finding]:
    """All findings; what another process would find by the checks that it may do is the same."""
    found = list(storage.verify_database(thorough))
    with closing(storage.database_checks(thorough)) as checks:
        if checks.apart is not None:
            named = [check.name for check in checks.listed if check.work]
            asked: SimpleQueue[Any] = SimpleQueue()
            for question in (checks.apart.settings, *named, None):
                asked.put(question)
            answers = list[Any]()
            answer_checks(asked, answers.append)
            elsewhere = dict(zip(named, answers[1:], strict=True))
            assert found == [
                finding
                for check in checks.listed
                for finding in (elsewhere[check.name] if check.work else checks.run(check))
            ]
    return found


def places(findings: Sequence[Finding]) -> set[tuple[str, str]]:
    """Kind and place of each finding."""
    return {(finding.kind, finding.where) for finding in findings}


@pytest.fixture
def opened(of: Any) -> Iterator[Callable[[Any], Any]]:
    """Opens the storage of a profile, closed when the test ends."""
    made: list[Any] = []

    def open_one(profile: Any) -> Any:
        made.append(of.open(profile))
        return made[-1]

    yield open_one
    for storage in made:
        storage.close()
        storage.repository.close()
