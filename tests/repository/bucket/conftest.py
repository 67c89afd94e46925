"""Fixtures of the bucket's tests: stores in a bucket and a database of their own, small in all that is counted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

from object_stores import ObjectStoreServer
from ricordi.backend.bucket import SCHEMA, BucketLocation
from ricordi.backend.maintenance import MaintenanceOptions, MaintenanceReport
from ricordi.repository.bucket.bucket import BucketRepository
from ricordi.repository.bucket.limits import BucketLimits

if TYPE_CHECKING:
    from conftest import PostgresServer

SMALL: dict[str, Any] = {
    'inline_bytes': 1000,
    'pack_bytes': 50_000,
    'large_bytes': 20_000,
    'read_bytes': 15_000,
    'window_bytes': 10_000,
    'rows': 20,
    'listed': 30,
    'pause_seconds': 0.01,
    'tries': 3,
    'grace_seconds': 0.0,
    'retries': 2,
    'retry_seconds': 5.0,
}
NODES = 'CREATE TABLE public.db_dbnode (id serial PRIMARY KEY, repository_metadata jsonb NOT NULL)'


@pytest.fixture(scope='session')
def bucket_of_session(object_store: ObjectStoreServer) -> str:
    """One bucket for all: two stores in it never meet."""
    return object_store.new_bucket()


@pytest.fixture(scope='module')
def shared_database(new_database_of_module: Callable[[], str]) -> str:
    """A database for all tests that do not look into it: each has a schema of its own there."""
    return new_database_of_module()


@pytest.fixture
def location(
    request: pytest.FixtureRequest,
    postgres: PostgresServer,
    object_store: ObjectStoreServer,
    bucket_of_session: str,
    shared_database: str,
) -> BucketLocation:
    """A place for a store; with a database of its own, in which there are nodes, for those who look into it."""
    database, schema = shared_database, f'schema "{uuid4().hex[:8]}"'
    if 'raw' in request.fixturenames:
        database, schema = request.getfixturevalue('new_database')(), SCHEMA
        with psycopg.connect(postgres.uri(database), autocommit=True) as raw:
            raw.execute(NODES)
    return BucketLocation(
        {'host': postgres.host, 'port': postgres.port, 'user': 'postgres', 'dbname': database},
        bucket_of_session,
        endpoint=object_store.endpoint,
        region=object_store.region,
        access_key_id=object_store.access_key,
        secret_access_key=object_store.secret_key,
        schema=schema,
    )


@pytest.fixture
def opened(location: BucketLocation, tmp_path: Path) -> Iterator[Callable[..., BucketRepository]]:
    """Opens the store as another host would: `opened(cached=True, pack_bytes=100)`."""
    with ExitStack() as stack:

        def open_store(client: Any = None, cached: bool = False, **limits: Any) -> BucketRepository:
            from dataclasses import replace

            here = replace(location, cache_folder=tmp_path / 'cache') if cached else location
            return stack.enter_context(BucketRepository(here, BucketLimits(**{**SMALL, **limits}), client))

        yield open_store


@pytest.fixture
def bucket(opened: Callable[..., BucketRepository]) -> BucketRepository:
    """An empty store without a cache; the database does not know yet what nodes name."""
    made = opened()
    made.initialise()
    return made


@pytest.fixture
def raw(location: BucketLocation) -> Iterator[psycopg.Connection[Any]]:
    """A connection to the database, as of somebody else."""
    with psycopg.connect(**location.database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def add_node(raw: psycopg.Connection[Any]) -> Callable[..., int]:
    """Inserts a node that names objects: `add_node(key, other)`; its pk."""

    def insert(*keys: str) -> int:
        files = ', '.join(f'"f{number}": {{"k": "{key}"}}' for number, key in enumerate(keys))
        tree = f'{{"o": {{"folder": {{"o": {{{files}}}}}}}}}' if keys else '{}'
        row = raw.execute('INSERT INTO db_dbnode (repository_metadata) VALUES (%s) RETURNING id', (tree,)).fetchone()
        assert row is not None
        return int(row[0])

    return insert


@pytest.fixture
def maintain() -> Callable[..., MaintenanceReport]:
    """Maintains a store: `maintain(bucket, full=True)`; no `named` stands for: all are named."""

    def run(bucket: BucketRepository, named: Any = None, **options: Any) -> MaintenanceReport:
        keys = sorted(set(bucket.list_objects() if named is None else named))
        return bucket.maintain(MaintenanceOptions(**options), lambda: iter(keys))

    return run


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def new_store(location: BucketLocation) -> Iterator[Callable[[], BucketRepository]]:
    """Makes further stores beside the first, in the same bucket and the same database."""
    from dataclasses import replace

    with ExitStack() as stack:

        def make() -> BucketRepository:
            there = replace(location, schema=uuid4().hex)
            made = stack.enter_context(BucketRepository(there, BucketLimits(**SMALL)))
            made.initialise()
            return made

        yield make
