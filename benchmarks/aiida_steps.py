"""What AiiDA's users do, timed on one storage; run by aiida_storage.py, once for each storage.

    AIIDA_PATH=/abs/new/folder python benchmarks/aiida_steps.py ricordi.sqlite_dos [TEXT] [--postgres URL]

Makes a profile of 6,000 nodes in the folder and prints a JSON object: seconds and CPU seconds of each step, or of one
repetition of it. With TEXT, only of those steps whose name contains it. Of PostgreSQL, the URL names an empty database.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiida import engine, load_profile, orm
from aiida.calculations.arithmetic.add import ArithmeticAddCalculation
from aiida.manage import get_manager
from aiida.manage.configuration import create_profile, get_config
from aiida.orm.entities import EntityTypes
from aiida.tools.archive import create_archive, import_archive

NODES = 6000
LOOSE = 5000
WRITERS = 3
STORES = 150


@engine.calcfunction
def plus(x: Any, y: Any) -> Any:
    """A calcfunction that costs nothing itself."""
    return x + y


class Steps:
    """The steps, by the name of their method; what each adds to `times` is in seconds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.times: dict[str, float] = {}
        self.random = random.Random(1)

    @contextmanager
    def timed(self, name: str, repetitions: int = 1) -> Iterator[None]:
        """Time the block."""
        began, cpu = time.perf_counter(), sum(os.times()[:4])
        yield
        self.times[name] = (time.perf_counter() - began) / repetitions
        self.times[f'{name} cpu'] = (sum(os.times()[:4]) - cpu) / repetitions

    def queries(self) -> None:
        """All nodes as objects, with fields read, and columns."""

        def every(*project: str) -> Iterator[list[Any]]:
            return orm.QueryBuilder().append(orm.Dict, project=list(project) or ['*']).iterall()

        next(every())  # what is imported at the first query is no part of it
        with self.timed('iterall_objects'):
            assert sum(1 for _ in every()) >= NODES
        with self.timed('iterall_read'):
            for (node,) in every():
                assert node.uuid is not node.label
        with self.timed('iterall_columns'):
            assert sum(1 for _ in every('id', 'uuid', 'ctime')) >= NODES
        with self.timed('iterall_attributes'):
            assert sum(1 for _ in every('attributes')) >= NODES

    def loading(self) -> None:
        """Single nodes by pk, and single attributes of one."""
        pks = self.random.sample(orm.QueryBuilder().append(orm.Dict, project='id').all(flat=True), 200)
        with self.timed('load_node', len(pks)):
            for pk in pks:
                assert orm.load_node(pk).base.attributes.all
        node = orm.load_node(pks[0])
        with self.timed('attributes_get', 20):  # a hundred takes less than the clock of processors can tell
            for _ in range(20 * 100):
                node.base.attributes.get('number')

    def storing(self) -> None:
        """Nodes one by one, and many in one transaction."""
        with self.timed('store_dict', 200):
            for number in range(200):
                orm.Dict({'number': number, 'text': 'x' * 100}).store()
        with self.timed('store_file', 100):
            for _ in range(100):
                orm.SinglefileData(io.BytesIO(self.random.randbytes(5000)), filename='data').store()
        with self.timed('one_transaction'), get_manager().get_profile_storage().transaction():
            for number in range(200):
                orm.Dict({'number': number}).store()

    def processes(self) -> None:
        """A calcfunction, and a CalcJob on this machine."""
        inputs = [(orm.Int(number).store(), orm.Int(1).store()) for number in range(11)]
        plus(*inputs.pop())
        with self.timed('calcfunction', len(inputs)):
            for pair in inputs:
                plus(*pair)
        code = self._code()
        self._add(code)
        with self.timed('calcjob', 3):
            for _ in range(3):
                self._add(code)

    def _code(self) -> Any:
        computer = orm.Computer('here', 'localhost', '', 'core.local', 'core.direct', str(self.folder / 'work')).store()
        computer.set_minimum_job_poll_interval(0)
        computer.set_default_mpiprocs_per_machine(1)
        computer.configure(safe_interval=0)
        return orm.InstalledCode(label='add', computer=computer, filepath_executable='/bin/bash').store()

    @staticmethod
    def _add(code: Any) -> None:
        _, node = engine.run_get_node(ArithmeticAddCalculation, x=orm.Int(1), y=orm.Int(2), code=code)
        assert node.is_finished_ok

    def archives(self) -> None:
        """All nodes out; of half of them that are deleted, in again."""
        path = self.folder / 'all.aiida'
        with self.timed('archive_create'):
            create_archive(None, filename=path)
        pks = orm.QueryBuilder().append(orm.Dict, project='id').all(flat=True)
        storage = get_manager().get_profile_storage()
        with storage.transaction():
            storage.delete_nodes_and_connections(pks[: len(pks) // 2])
        with self.timed('archive_import'):
            import_archive(path, create_group=False)

    def maintenance(self) -> None:
        """Loose objects packed, beside others."""
        storage = get_manager().get_profile_storage()
        repository = storage.get_repository()
        for _ in range(LOOSE):
            repository.put_object_from_filelike(io.BytesIO(self.random.randbytes(3000)))
        with self.timed('maintain_live'):
            storage.maintain(full=False)

    def writers(self) -> None:
        """Some processes that store at the same time."""
        context = multiprocessing.get_context('fork')
        get_manager().reset_profile_storage()
        with self.timed('writers'):
            processes = [context.Process(target=_store_many) for _ in range(WRITERS)]
            for process in processes:
                process.start()
            for process in processes:
                process.join()
        assert [process.exitcode for process in processes] == [0] * WRITERS, 'a store has failed'


STEPS: tuple[Callable[[Steps], None], ...] = (
    Steps.queries,
    Steps.loading,
    Steps.storing,
    Steps.processes,
    Steps.writers,
    Steps.maintenance,
    Steps.archives,
)


def _store_many() -> None:
    for number in range(STORES):
        orm.Dict({'number': number}).store()


def _storage_config(backend: str, folder: Path, url: str | None) -> dict[str, Any]:
    if url is None:
        return {'filepath': str(folder / 'storage')}
    parts = urlsplit(url)
    return {
        'database_engine': 'postgresql_psycopg',
        'database_hostname': parts.hostname,
        'database_port': parts.port or 5432,
        'database_username': parts.username,
        'database_password': parts.password or '',
        'database_name': parts.path.lstrip('/'),
        'repository_uri': (folder / 'repository').as_uri(),
    }


def main() -> None:
    """Make the profile, run the steps, print the times."""
    parser = argparse.ArgumentParser()
    parser.add_argument('backend')
    parser.add_argument('only', nargs='?', default='')
    parser.add_argument('--postgres')
    chosen = parser.parse_args()
    folder = Path(os.environ['AIIDA_PATH'])
    config = _storage_config(chosen.backend, folder, chosen.postgres)
    create_profile(
        get_config(create=True), name='bench', email='a@b', storage_backend=chosen.backend, storage_config=config
    )
    load_profile('bench')
    storage = get_manager().get_profile_storage()
    user = orm.User.collection.get_default().pk
    rows = [
        {
            'node_type': orm.Dict.class_node_type,
            'user_id': user,
            'attributes': {f'key_{i}': i for i in range(40)} | {'number': n},
        }
        for n in range(NODES)
    ]
    storage.bulk_insert(EntityTypes.NODE, rows, allow_defaults=True)
    steps = Steps(folder)
    for step in STEPS:
        if chosen.only in step.__name__:
            step(steps)
    print('TIMES', json.dumps(steps.times))


main()
