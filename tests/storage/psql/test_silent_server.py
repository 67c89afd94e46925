"""A server of PostgreSQL that takes connections and says nothing: who waits is told, and for how long."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from ricordi.backend.bucket import BucketLocation
from ricordi.errors import SlowAnswer, UnreachableStorage
from ricordi.repository.bucket.bucket import BucketRepository
from ricordi.storage.psql.administrator import Administrator
from ricordi.storage.psql.dialect import PsqlDialect, connection_arguments
from ricordi.storage.psql.provision import connect_as

SECONDS = 2
"""The least that libpq takes for a limit."""
Connect = Callable[[], Any]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Of a server that the kernel answers for, up to as many connections as wait to be taken."""
    with closing(socket.create_server(('127.0.0.1', 0), backlog=10)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def ways(silent_port: int) -> dict[str, Connect]:
    """Each way in which a server is reached, by what is told of it."""
    config = {'database_hostname': '127.0.0.1', 'database_port': silent_port, 'database_username': 'ada'}
    config['database_name'] = 'd'
    location = BucketLocation(connection_arguments(config, SECONDS), bucket='b', endpoint='http://127.0.0.1:1')
    return {
        'storage': PsqlDialect(config, SECONDS).connect,
        'index': lambda: BucketRepository(location).is_initialised,
        'administrator': lambda: connect_as(Administrator('127.0.0.1', silent_port, 'postgres'), SECONDS),
    }


@pytest.mark.parametrize('way', ['storage', 'index', 'administrator'])
def test_who_waits_for_a_connection_is_told_once_and_ends(ways: dict[str, Connect], way: str) -> None:
    says = rf'127\.0\.0\.1:.* has not answered for .* s; each of its addresses is tried for {SECONDS} s at most'
    with pytest.warns(SlowAnswer, match=says) as told, pytest.raises(UnreachableStorage, match='timeout'):
        ways[way]()
    assert len(told) == 1
