"""Many processes add and read while live maintenance loops: no read fails, no object is lost."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.errors import PackerBusy
from ricordi.repository.container.container import Container
from ricordi.repository.maintenance.packing import LoosePacker

HERE = Path(__file__).parent
SECONDS = float(os.environ.get('RICORDI_RACE_SECONDS', '12'))
USERS = 8


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    with Container(tmp_path / 'container') as made:
        made.initialise(pack_size_target=2_000_000)
        yield made


def race(*commands: list[Any]) -> list[dict[str, Any]]:
    """Run all these at the same time; each must end well. Returns what they have printed."""
    racers = [
        subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for command in commands
    ]
    output = [racer.communicate(timeout=SECONDS + 400) for racer in racers]
    for racer, (_, said) in zip(racers, output, strict=True):
        assert racer.returncode == 0, said
    return [json.loads(out.splitlines()[-1]) for out, _ in output]


def assert_holds(container: Container, keys: set[str]) -> None:
    assert set(container.list_objects()) >= keys
    for key, stream in container.iter_object_streams(keys):
        assert hashlib.sha256(stream.read()).hexdigest() == key
    report = container.maintain(MaintenanceOptions(full=True, repack='all'), lambda: iter(sorted(keys)))
    assert not report.problems
    assert set(container.list_objects()) == keys
    for key, stream in container.iter_object_streams(keys):
        assert hashlib.sha256(stream.read()).hexdigest() == key


@pytest.mark.slow
def test_eight_processes_add_and_read_while_live_maintenance_loops(
    container: Container, capsys: pytest.CaptureFixture[str]
) -> None:
    script, folder = HERE / 'race.py', container.layout.folder
    maintained, *used = race(
        [sys.executable, script, 'maintain', folder, SECONDS, 0],
        *([sys.executable, script, 'use', folder, SECONDS, seed] for seed in range(USERS)),
    )
    keys = {key for user in used for key in user['keys']}
    with capsys.disabled():
        print(f'\n{len(keys)} objects, {sum(u["reads"] for u in used)} reads, live maintenance: {maintained}')
    assert maintained['packed']
    assert_holds(container, keys)


@pytest.mark.slow
@pytest.mark.interop
def test_processes_of_disk_objectstore_add_and_read_while_live_maintenance_loops(
    container: Container, aiida_python: str
) -> None:
    folder, seconds = container.layout.folder, min(SECONDS, 10)
    theirs = HERE / 'race_by_disk_objectstore.py'
    maintained, *used = race(
        [sys.executable, HERE / 'race.py', 'maintain', folder, seconds + 2, 0],
        [sys.executable, HERE / 'race.py', 'use', folder, seconds, 99],
        *([aiida_python, theirs, folder, seconds, seed] for seed in range(4)),
    )
    assert maintained['packed']
    assert_holds(container, {key for user in used for key in user['keys']})


def test_an_object_that_is_added_while_its_loose_file_goes_is_still_there(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer finds no packed copy and puts a file; the packer, which has packed the same content, removes it."""
    keys = [container.put_object_from_bytes(b'%d' % number) for number in range(5)]
    commit = LoosePacker._commit

    def put_between(packer: LoosePacker) -> None:
        for number in range(5):
            Container(container.layout.folder).put_object_from_bytes(b'%d' % number)
        commit(packer)
        for number in range(5):
            Container(container.layout.folder).put_object_from_bytes(b'%d' % number)

    monkeypatch.setattr(LoosePacker, '_commit', put_between)
    container.maintain(MaintenanceOptions(), lambda: iter(sorted(keys)))
    assert [container.get_object_content(key) for key in keys] == [b'%d' % number for number in range(5)]


def test_threads_of_one_process_share_a_container(container: Container) -> None:
    wrong: list[BaseException] = []

    def use(seed: int) -> None:
        try:
            for number in range(40):
                content = b'%d %d' % (seed, number)
                key = container.put_object_from_bytes(content)
                assert container.get_object_content(key) == content
                if number % 10 == seed:
                    with_packer(container)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=use, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(list(container.list_objects())) == 240


def with_packer(container: Container) -> None:
    try:
        container.maintain(MaintenanceOptions(), lambda: iter(()))
    except PackerBusy:
        pass


@pytest.fixture
def killed_users(container: Container) -> Callable[[], set[str]]:
    """Users and maintainers that are killed in the middle of their work; returns the keys that were there before."""

    def kill() -> set[str]:
        keys = set(container.put_objects_into_pack([os.urandom(1000) for _ in range(50)]))
        container.close()
        script = HERE / 'race.py'
        racers = [
            subprocess.Popen(
                [sys.executable, script, role, container.layout.folder, '600', '1'], stdout=subprocess.PIPE
            )
            for role in ('use', 'use', 'maintain')
        ]
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == b'begun\n'
        time.sleep(2)  # however far they come
        for racer in racers:
            racer.kill()
            racer.communicate()
        return keys

    return kill


def test_processes_that_are_killed_amid_their_work_leave_a_container_that_works(
    container: Container, killed_users: Callable[[], set[str]]
) -> None:
    keys = killed_users() | killed_users()
    everything = set(container.list_objects())
    assert everything > keys
    assert not container.maintain(MaintenanceOptions(), lambda: iter(())).problems
    container.put_objects_into_pack([b'more'])
    assert_holds(container, everything)
