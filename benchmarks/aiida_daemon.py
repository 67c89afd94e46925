"""Work chains run by AiiDA's daemon on one storage: how long, and whether all finish when a worker is killed.

    python benchmarks/aiida_daemon.py ricordi.sqlite_dos FOLDER [--chains 20] [--workers 2] [--kill]

Run it by a Python that has aiida-core (2.9 or newer, for its broker without a server) and ricordi, with the `verdi` of
it on the PATH. FOLDER must not be there. Prints the seconds of the submission, and from then until the last chain has
finished, and the CPU seconds of both (of this process, and of the workers). Exit code 1: one has not.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

DEADLINE = 900.0
"""Seconds until chains that have not finished count as lost."""
PATIENCE = 120
"""Seconds until the daemon and its broker must have answered."""


def main() -> int:
    """Make the profile, start the daemon, submit, wait."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('backend')
    parser.add_argument('folder', type=Path)
    parser.add_argument('--chains', type=int, default=20)
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument('--kill', action='store_true', help='kill a worker by SIGKILL once a chain has finished')
    chosen = parser.parse_args()
    folder = chosen.folder.absolute()
    folder.mkdir(parents=True)
    os.environ['AIIDA_PATH'] = str(folder)
    make_profile(chosen.backend, folder)

    from aiida.engine.daemon.client import get_daemon_client

    code = make_code(folder)
    client = get_daemon_client()
    client.start_daemon(number_workers=chosen.workers, timeout=PATIENCE)
    try:
        wait_for_broker()
        began, cpu_began = time.perf_counter(), time.process_time()
        pks = [submit(code, number) for number in range(chosen.chains)]
        submitted, cpu = time.perf_counter(), time.process_time() - cpu_began
        killed = wait(pks, client if chosen.kill else None)
        finished, cpu_workers = time.perf_counter(), cpu_of_workers(client)
    finally:
        client.stop_daemon(wait=True, timeout=PATIENCE)
    print(f'submission {submitted - began:.2f} s, finished after {finished - submitted:.2f} s, killed {killed}')
    print(f'CPU: submission {cpu:.2f} s, workers {cpu_workers:.2f} s')
    return report(pks)


def make_profile(backend: str, folder: Path) -> None:
    """A profile with a broker that needs no server."""
    from aiida import load_profile
    from aiida.manage.configuration import create_profile, get_config

    config = get_config(create=True)
    create_profile(
        config,
        name='daemon',
        email='a@b',
        storage_backend=backend,
        storage_config={'filepath': str(folder / 'storage')},
        broker_backend='core.zeromq',
        broker_config={},
    )
    config.set_default_profile('daemon', overwrite=True)
    config.store()
    load_profile('daemon')


def wait_for_broker() -> None:
    """Wait until the broker, which the daemon starts, answers.

    :raises ConnectionError: it does not.
    """
    from aiida.manage import get_manager

    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            get_manager().get_communicator()
            return
        except ConnectionError:
            if time.monotonic() > deadline:
                raise


def make_code(folder: Path) -> Any:
    """A code on this machine that is asked for news without delay."""
    from aiida import orm

    computer = orm.Computer('here', 'localhost', '', 'core.local', 'core.direct', str(folder / 'work')).store()
    computer.set_minimum_job_poll_interval(0)
    computer.set_default_mpiprocs_per_machine(1)
    computer.configure(safe_interval=0)
    return orm.InstalledCode(label='add', computer=computer, filepath_executable='/bin/bash').store()


def submit(code: Any, number: int) -> int:
    """Submit one chain; returns its pk."""
    from aiida import engine, orm
    from aiida.workflows.arithmetic.multiply_add import MultiplyAddWorkChain

    inputs = {'x': orm.Int(number), 'y': orm.Int(2), 'z': orm.Int(3), 'code': code}
    return int(engine.submit(MultiplyAddWorkChain, **inputs).pk)


def wait(pks: list[int], client: Any) -> int | None:
    """Wait until all chains have ended; returns the pid of the worker that was killed meanwhile.

    :param client: of the daemon whose worker shall be killed; None: none shall.
    """
    from aiida import orm

    killed = None
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        ended = {'id': {'in': pks}, 'attributes.sealed': True}
        count = orm.QueryBuilder().append(orm.WorkChainNode, filters=ended).count()
        if count == len(pks):
            break
        if client is not None and killed is None and count:
            killed = worker(client)
            os.kill(killed, signal.SIGKILL)
        time.sleep(0.2)
    return killed


def cpu_of_workers(client: Any) -> float:
    """The CPU seconds that the workers that are alive have taken, with those of their children that have ended."""
    import psutil

    return sum(sum(psutil.Process(int(pid)).cpu_times()[:4]) for pid in client.get_worker_info()['info'])


def worker(client: Any) -> int:
    """The pid of a worker."""
    return int(min(client.get_worker_info()['info']))


def report(pks: list[int]) -> int:
    """Say which chains have not finished as they should; 1 where there are some."""
    from aiida import orm

    nodes = [orm.load_node(pk) for pk in pks]
    bad = [(node.pk, str(node.process_state), node.exit_status) for node in nodes if not node.is_finished_ok]
    print(f'{len(pks) - len(bad)} of {len(pks)} finished', bad)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
