"""AiiDA and Ricordi keep each other out, both ways."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.access.conftest import Child

from deadlines import wait_until
from ricordi.access import ProfileAccessManager
from ricordi.config import load_config
from ricordi.errors import LockedProfileError, LockingProfileError

pytestmark = pytest.mark.interop

USES = """
import sys
from aiida import load_profile
from aiida.manage import get_manager
from aiida.common.exceptions import LockedProfileError
load_profile(sys.argv[1] if len(sys.argv) > 1 else 'mixed')
try:
    get_manager().get_profile_storage()
except LockedProfileError as error:
    print('locked', flush=True); sys.exit(5)
print('in', flush=True)
input()
"""

LOCKS = """
import sys
from aiida.manage.configuration import get_config
from aiida.manage.profile_access import ProfileAccessManager
from aiida.common.exceptions import LockedProfileError, LockingProfileError
try:
    with ProfileAccessManager(get_config().get_profile(sys.argv[1] if len(sys.argv) > 1 else 'mixed')).lock():
        print('in', flush=True)
        input()
except (LockedProfileError, LockingProfileError) as error:
    print('refused', flush=True); sys.exit(5)
"""


@pytest.fixture
def access(reference_home: Path) -> Iterator[ProfileAccessManager]:
    manager = ProfileAccessManager(load_config().get_profile('mixed'))
    yield manager
    manager.release()


@pytest.fixture
def aiida(aiida_python: str, reference_home: Path) -> Iterator[Callable[..., Child]]:
    """Runs code with aiida-core: `aiida(USES)`, `aiida(USES, 'alias')`."""
    children: list[Child] = []

    def start(code: str, *names: str) -> Child:
        process = subprocess.Popen(
            [aiida_python, '-c', code, *names],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, 'AIIDA_PATH': str(reference_home)},
        )
        children.append(Child(process))
        return children[-1]

    yield start
    for child in children:
        child.kill()


def test_a_process_of_aiidas_in_the_profile_keeps_the_lock_out_and_is_named(
    access: ProfileAccessManager, aiida: Callable[..., Child]
) -> None:
    user = aiida(USES)
    user.hears('in')
    access.request_access()
    with pytest.raises(LockingProfileError, match=f'process {user.pid} .*load_profile') as caught, access.lock():
        pass
    assert caught.value.exit_code == 5
    user.tell()
    user.ends()
    with access.lock(wait=240):  # AiiDA leaves its record behind
        assert not list(access.folder.glob(f'{user.pid}.*'))


def test_a_lock_of_aiidas_keeps_us_out(access: ProfileAccessManager, aiida: Callable[..., Child]) -> None:
    locker = aiida(LOCKS)
    locker.hears('in')
    with pytest.raises(LockedProfileError, match=f'process {locker.pid} '):
        access.request_access()
    with pytest.raises(LockedProfileError, match=f'process {locker.pid} '), access.lock():
        pass
    locker.kill()
    access.request_access()
    assert not list(access.folder.glob('*.lock'))


def test_our_access_keeps_aiidas_lock_out(access: ProfileAccessManager, aiida: Callable[..., Child]) -> None:
    access.request_access()
    aiida(LOCKS).hears('refused')
    access.release()
    aiida(LOCKS).hears('in')


def test_our_lock_keeps_aiida_out(access: ProfileAccessManager, aiida: Callable[..., Child]) -> None:
    with access.lock():
        refused: list[Any] = [aiida(USES), aiida(LOCKS)]
        refused[0].hears('locked')
        refused[1].hears('refused')
    aiida(USES).hears('in')


def test_aiida_and_we_use_the_profile_together(access: ProfileAccessManager, aiida: Callable[..., Child]) -> None:
    access.request_access()
    aiida(USES).hears('in')
    assert len([holder for holder in access.holders() if holder.state == 'live']) == 2


def test_a_lock_of_ours_that_was_killed_does_not_keep_aiida_out(
    reference_home: Path, aiida: Callable[..., Child]
) -> None:
    code = (
        'from ricordi.access import *; from ricordi.config import *\n'
        "with ProfileAccessManager(load_config().get_profile('mixed')).lock(): print('in', flush=True); input()"
    )
    locker = Child(
        subprocess.Popen([sys.executable, '-c', code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    )
    locker.hears('in')
    locker.kill()
    wait_until(lambda: not list((reference_home / 'access').rglob('*.lock')), 'the record of the lock goes by itself')
    aiida(USES).hears('in')


# another profile on the same storage ------------------------------------------------------------------------


@pytest.fixture
def alias(reference_home: Path) -> str:
    """A second profile on the storage of `mixed`."""
    path = reference_home / 'config.json'
    config = json.loads(path.read_text())
    config['profiles']['alias'] = {**config['profiles']['mixed'], 'PROFILE_UUID': '0' * 32}
    path.write_text(json.dumps(config))
    return 'alias'


def test_aiida_at_work_by_another_name_keeps_the_lock_out(
    alias: str, access: ProfileAccessManager, aiida: Callable[..., Child]
) -> None:
    user = aiida(USES, alias)
    user.hears('in')
    with pytest.raises(LockingProfileError, match=f'process {user.pid} '), access.lock():
        pass


def test_a_lock_of_aiidas_by_another_name_keeps_us_out(
    alias: str, access: ProfileAccessManager, aiida: Callable[..., Child]
) -> None:
    locker = aiida(LOCKS, alias)
    locker.hears('in')
    with pytest.raises(LockedProfileError, match=f'process {locker.pid} '):
        access.request_access()


def test_our_access_and_our_lock_keep_aiida_out_by_every_name(
    alias: str, access: ProfileAccessManager, aiida: Callable[..., Child]
) -> None:
    access.request_access()
    aiida(LOCKS, alias).hears('refused')
    access.release()
    with access.lock():
        refused = [aiida(USES, alias), aiida(LOCKS, alias)]
        refused[0].hears('locked')
        refused[1].hears('refused')
    assert not list(access.folder.with_name(alias).glob('*.lock'))
    aiida(LOCKS, alias).hears('in')


def test_the_record_of_a_killed_lock_goes_under_every_name(
    alias: str, reference_home: Path, access: ProfileAccessManager, aiida: Callable[..., Child]
) -> None:
    code = (
        'from ricordi.access import *; from ricordi.config import *\n'
        "with ProfileAccessManager(load_config().get_profile('mixed')).lock(): print('in', flush=True); input()"
    )
    locker = Child(
        subprocess.Popen([sys.executable, '-c', code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    )
    locker.hears('in')
    assert list(access.folder.with_name(alias).glob('*.lock'))
    locker.kill()
    wait_until(
        lambda: not list((reference_home / 'access').rglob('*.lock')), 'the records of the lock go by themselves'
    )
    aiida(USES, alias).hears('in')
