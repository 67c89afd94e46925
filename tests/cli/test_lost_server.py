"""A PostgreSQL server that goes while a verb is at work: told as such, with exit code 3, wherever the verb is."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from both_programs import add_psql_profile, make_home
from deadlines import wait_until
from ports import refusing_port
from ricordi.backend.rows import EntityKind, NodeRow, UserRow
from ricordi.config import load_config
from ricordi.errors import UnreachableStorage
from ricordi.manager import use_storage
from ricordi.storage.psql.provision import Administrator, connect_as, provided_database

if TYPE_CHECKING:
    from conftest import PostgresServer

Run = Callable[..., subprocess.CompletedProcess[str]]
DATA = Path(__file__).parents[1] / 'data'
MOMENTS = 4
"""So many moments, evenly over all that a verb sends, are tried of each."""

VERBS = {
    'a listing in JSON': ('node', 'list', '--format', 'jsonl'),
    'a query': ('query', '{query}'),
    'a change': ('node', 'extras', 'set', '{uuid}', 'x=1'),
    'the locks': ('storage', 'locks'),
    'full maintenance': ('storage', 'maintain', '--full', '--yes'),
    'a dump': ('profile', 'dump', '--all', '--path', '{home}/dump', '--overwrite'),
    'an export': ('archive', 'create', '--all', '--force', '{home}/made.aiida'),
    'an import': ('archive', 'import', '{archive}'),
}


class Wire:
    """Stands between a program and its server, and is cut after so many packets of the program; then none gets in."""

    def __init__(self, server: PostgresServer) -> None:
        self.sent = 0
        self.left: int | None = None
        self._server = server
        self._turn = 0
        self._open: list[socket.socket] = []
        self._mutex = threading.Lock()
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def mend(self, packets: int | None = None) -> None:
        """Let programs in again, for a number of packets."""
        self.cut()
        with self._mutex:
            self._turn += 1  # what a connection of an earlier turn still carries is not counted
            self.sent, self.left = 0, packets

    def cut(self, turn: int | None = None) -> None:
        """End all connections; :param turn: only if it is still that one."""
        with self._mutex:
            if turn not in (None, self._turn):
                return
            self.left = 0
            for end in self._open:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
            self._open.clear()

    def close(self) -> None:
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, turn = self._listener.accept()[0], self._turn
                if self.left == 0:
                    near.close()
                    continue
                far = socket.create_connection((self._server.host, self._server.port))
                with self._mutex:
                    self._open += [near, far]
                threading.Thread(target=self._carry, args=(near, far, turn), daemon=True).start()
                threading.Thread(target=self._carry, args=(far, near, None), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, turn: int | None) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if turn == self._turn:
                    self.sent += 1
                    if self.left is not None and self.sent > self.left:
                        self.cut(turn)
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope='module')
def wire(postgres: PostgresServer) -> Iterator[Wire]:
    with closing(Wire(postgres)) as wire:
        yield wire


@pytest.fixture(scope='module')
def home(
    tmp_path_factory: pytest.TempPathFactory,
    postgres: PostgresServer,
    new_database_of_module: Callable[[], str],
    wire: Wire,
) -> Path:
    """A configuration folder whose profile `psql` goes through the wire."""
    home = make_home(tmp_path_factory.mktemp('lost'))
    add_psql_profile(home, postgres, new_database_of_module())
    path = home / 'config.json'
    config = json.loads(path.read_text())
    config['profiles']['psql']['storage']['config']['database_port'] = wire.port
    path.write_text(json.dumps(config))
    everything = {
        'path': [{'entity_type': 'node', 'orm_base': 'node', 'tag': 'n', 'joining_keyword': None,
                  'joining_value': None, 'edge_tag': None, 'outerjoin': False}],
        'project': {'n': [{'*': {}}]},
    }  # fmt: skip
    (home / 'query.json').write_text(json.dumps(everything))
    return home


def run_alone(run_here: Run, postgres: PostgresServer, database: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a verb when the server has heard that whoever was connected to the database is gone."""
    wait_until(lambda: postgres.is_left(database), 'the sessions of those before end')
    return run_here(*words)


@pytest.mark.parametrize('what', VERBS)
def test_a_server_that_goes_at_any_moment_of_a_verb_is_told_as_such(
    what: str, home: Path, wire: Wire, run_here: Run, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('AIIDA_PATH', str(home))
    wire.mend()
    profile = load_config().get_profile('psql')
    database = str(profile.storage_config['database_name'])
    with use_storage(profile) as storage:
        uuid = next(storage.find(NodeRow)).uuid
    places = {'home': home, 'uuid': uuid, 'archive': DATA / 'reference.aiida', 'query': home / 'query.json'}
    words = ['-p', 'psql', *(word.format(**places) for word in VERBS[what])]
    run = partial(run_alone, run_here, postgres, database)
    wire.mend()
    whole = run(*words)
    assert whole.returncode == 0, whole.stderr
    sent = wire.sent
    codes = []
    for moment in sorted({sent * number // MOMENTS for number in range(MOMENTS)}):
        wire.mend(moment)
        ended = run(*words)
        codes.append(ended.returncode)
        assert ended.returncode in (0, 3), f'after {moment} of {sent} packets: {ended.stderr}'
        assert 'This is a bug' not in ended.stderr, f'after {moment} of {sent} packets: {ended.stderr}'
        assert 'Traceback' not in ended.stderr
        if ended.returncode:
            assert 'database' in ended.stderr
    if what != 'the locks':  # which tells of a database that is not there, and of the rest
        assert 3 in codes


def test_where_no_server_is_the_reason_is_told_and_what_to_look_at() -> None:
    with (
        refusing_port() as port,
        pytest.raises(UnreachableStorage) as raised,
        connect_as(Administrator('127.0.0.1', port, 'postgres')),
    ):
        pass
    assert ': Connection refused; check that the server runs, and hostname and port in the admin' in str(raised.value)


def test_an_open_storage_whose_connection_was_ended_says_so_and_works_at_its_next_use(
    home: Path, wire: Wire, monkeypatch: pytest.MonkeyPatch, postgres: PostgresServer
) -> None:
    monkeypatch.setenv('AIIDA_PATH', str(home))
    wire.mend()
    profile = load_config().get_profile('psql')
    database = profile.storage_config['database_name']

    def end_all() -> None:
        with psycopg.connect(postgres.uri(), autocommit=True) as raw:
            raw.execute(
                'SELECT pg_terminate_backend(pid, 240000) FROM pg_stat_activity WHERE datname = %s', (database,)
            )

    with use_storage(profile) as storage:
        number = len(list(storage.find(NodeRow)))
        end_all()
        assert len(list(storage.find(NodeRow))) == number  # no transaction was open: nothing is lost by asking anew

        def change() -> None:
            with storage.transaction():
                storage.insert(EntityKind.USER, [{'email': 'a@b.c'}])
                end_all()
                storage.insert(EntityKind.USER, [{'email': 'd@e.f'}])

        with pytest.raises(UnreachableStorage, match='lost'):
            change()
        assert [row.email for row in storage.find(UserRow) if row.email in ('a@b.c', 'd@e.f')] == []
        rows = storage.find(NodeRow)
        next(rows)
        end_all()
        assert len(list(storage.find(NodeRow))) == number


def test_a_server_that_goes_while_an_administrator_makes_a_database_is_told_as_such(
    wire: Wire, postgres: PostgresServer
) -> None:
    administrator = Administrator('127.0.0.1', wire.port, 'postgres')

    def make(number: int) -> None:
        with provided_database(administrator, f'made_{number}', f'role_{number}', 'secret') as ready:
            ready()

    wire.mend()
    make(0)
    sent = wire.sent
    try:
        for moment in range(sent - 1):
            wire.mend(moment)
            with suppress(UnreachableStorage):  # any other error fails the test; the last packets only say goodbye
                make(moment + 1)
    finally:
        with psycopg.connect(postgres.uri(), autocommit=True) as raw:
            for number in range(sent):
                raw.execute(f'DROP DATABASE IF EXISTS made_{number} WITH (FORCE)'.encode())
                raw.execute(f'DROP ROLE IF EXISTS role_{number}'.encode())
