"""A server of PostgreSQL that takes connections and says nothing: who waits is told, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from deadlines import DEADLINE, wait_until
from ricordi.backend.bucket import BucketLocation
from ricordi.errors import SlowAnswer, UnreachableStorage
from ricordi.repository.bucket.bucket import BucketRepository
from ricordi.storage.psql.administrator import Administrator
from ricordi.storage.psql.dialect import PsqlDialect, connection_arguments
from ricordi.storage.psql.provision import connect_as
from silent_server import SilentServer, silent_server

SECONDS = 2
"""The least that libpq takes for a limit."""
PATIENT = int(DEADLINE)
WAYS = 3


@pytest.fixture
def server() -> Iterator[SilentServer]:
    with silent_server() as server:
        yield server


@pytest.fixture
def connect(server: SilentServer) -> Iterator[Callable[[int], list[Future[Any]]]]:
    """Begins to connect to it in each way that there is, by three threads; each tries for so many seconds."""
    config = {'database_hostname': '127.0.0.1', 'database_port': server.port, 'database_username': 'ada'}
    config['database_name'] = 'd'

    def begin(seconds: int) -> list[Future[Any]]:
        location = BucketLocation(connection_arguments(config, seconds), bucket='b', endpoint='http://127.0.0.1:1')
        administrator = Administrator('127.0.0.1', server.port, 'postgres')
        return [
            threads.submit(PsqlDialect(config, seconds).connect),
            threads.submit(lambda: BucketRepository(location).is_initialised),
            threads.submit(lambda: connect_as(administrator, seconds)),
        ]

    with ThreadPoolExecutor(WAYS) as threads:
        yield begin


def begun_and_told(connect: Any, told: pytest.WarningsRecorder) -> list[Future[Any]]:
    begun: list[Future[Any]] = connect(PATIENT)
    wait_until(lambda: len(told) >= WAYS, 'each is told')
    return begun


def test_who_waits_for_a_connection_is_told_once_in_each_way(server: SilentServer, connect: Any) -> None:
    says = rf'127\.0\.0\.1:.* has not answered for .* s; each of its addresses is tried for {PATIENT} s at most'
    with pytest.warns(SlowAnswer, match=says) as told:
        begun = begun_and_told(connect, told)
    server.hang_up()
    assert [type(one.exception()) for one in begun] == [UnreachableStorage] * WAYS
    assert len(told) == WAYS


@pytest.mark.filterwarnings('ignore::ricordi.errors.SlowAnswer')
def test_who_waits_for_a_connection_does_not_do_so_for_ever(connect: Any) -> None:
    for one in connect(SECONDS):
        with pytest.raises(UnreachableStorage, match='timeout'):
            one.result()
