"""The loaded profile: loaded, switched, its storage opened once, after a fork and from threads."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import ricordi
from ricordi.access import ProfileAccessManager
from ricordi.backend.context import default_backend, get_current_backend
from ricordi.backend.rows import NodeRow, UserRow
from ricordi.config import Profile, load_config
from ricordi.errors import (
    ClosedStorage,
    ConfigurationError,
    EntryPointError,
    InvalidOperation,
    LockedProfileError,
    MissingEntryPointError,
    ProfileConfigurationError,
    UnreachableStorage,
)
from ricordi.manager import Manager, get_manager, open_storage, profile_context, storage_class, use_storage


@pytest.fixture
def manager(reference_home: Path) -> Iterator[Manager]:
    """The manager of the process, with nothing loaded."""
    manager = get_manager()
    yield manager
    manager.unload_profile()
    manager.reset_config()


def records(home: Path, profile: str) -> list[str]:
    folder = home / 'access' / profile
    return sorted(path.name for path in folder.glob('*.pid')) if folder.exists() else []


def in_child(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:
            os.write(2, f'{type(error).__name__}: {error}\n'.encode())
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


# loading ---------------------------------------------------------------------------------------------------


def test_the_default_profile_is_loaded_and_its_storage_not_yet_opened(manager: Manager, reference_home: Path) -> None:
    assert ricordi.load_profile().name == 'loose'
    assert ricordi.get_profile() is manager.get_profile()
    assert not manager.profile_storage_loaded
    assert records(reference_home, 'loose') == []


def test_the_storage_is_opened_once_and_access_is_asked_for(manager: Manager, reference_home: Path) -> None:
    manager.load_profile('mixed')
    storage = manager.get_profile_storage()
    assert storage is manager.get_profile_storage() is get_current_backend()
    assert records(reference_home, 'mixed') == [f'{os.getpid()}.pid']
    manager.reset_profile_storage()
    assert storage.is_closed
    assert records(reference_home, 'mixed') == []
    assert manager.get_profile_storage() is not storage


def test_the_storage_goes_by_the_names_of_aiida_too(manager: Manager) -> None:
    manager.load_profile()
    with pytest.deprecated_call(match='get_profile_storage'):
        storage = manager.get_backend()
    assert storage is manager.get_profile_storage()
    assert storage.get_repository() is storage.repository
    assert storage.default_user is not None
    assert storage.default_user.email == 'alice@example.org'
    storage.profile.default_user_email = 'nobody@example.org'
    assert storage.default_user is None
    storage.profile.default_user_email = None
    assert storage.default_user is None


def test_loading_the_loaded_profile_again_changes_nothing(manager: Manager) -> None:
    profile = manager.load_profile('mixed')
    storage = manager.get_profile_storage()
    assert manager.load_profile() is profile
    assert manager.load_profile('mixed') is profile
    assert manager.get_profile_storage() is storage


def test_another_profile_is_loaded_only_on_request_while_a_storage_is_open(manager: Manager) -> None:
    manager.load_profile('mixed')
    assert manager.load_profile('loose').name == 'loose'
    storage = manager.get_profile_storage()
    with pytest.raises(InvalidOperation, match='allow_switch'):
        manager.load_profile('mixed')
    manager.load_profile('mixed', allow_switch=True)
    assert storage.is_closed
    assert get_current_backend().profile.name == 'mixed'


def test_without_a_profile_there_is_no_storage(manager: Manager) -> None:
    manager.load_profile('mixed')
    manager.unload_profile()
    assert manager.get_profile() is None
    assert default_backend == []
    with pytest.raises(ConfigurationError, match='load_profile'):
        get_current_backend()
    with pytest.raises(ConfigurationError, match='load_profile'):
        manager.get_profile_storage()


def test_a_profile_context_restores_what_was_loaded_also_after_an_error(manager: Manager) -> None:
    manager.load_profile('loose')
    manager.get_profile_storage()

    def fail() -> None:
        with profile_context('mixed', allow_switch=True) as profile:
            assert get_current_backend().profile is profile
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert get_current_backend().profile.name == 'loose'
    manager.unload_profile()
    with profile_context('mixed'):
        pass
    assert manager.get_profile() is None


def test_a_profile_made_since_is_found(manager: Manager) -> None:
    manager.get_config()
    load_config().create_profile('new', 'core.sqlite_temp', {}).copy()
    other = load_config()
    other.create_profile('new', 'core.sqlite_temp', {})
    other.store()
    assert manager.load_profile('new').name == 'new'


def test_what_is_no_profile_is_refused(manager: Manager) -> None:
    with pytest.raises(ProfileConfigurationError, match='nix'):
        manager.load_profile('nix')
    with pytest.raises(TypeError):
        manager.load_profile(3)  # type: ignore[arg-type]


def test_options_come_from_the_profile_the_configuration_or_the_defaults(manager: Manager) -> None:
    assert manager.get_option('warnings.showdeprecations') is False
    assert manager.get_option('daemon.timeout') == 2
    manager.load_profile('mixed').set_option('daemon.timeout', 5)
    assert manager.get_option('daemon.timeout') == 5


def test_the_default_user_is_stored(manager: Manager) -> None:
    profile = manager.load_profile('mixed')
    manager.set_default_user_email(profile, 'new@example.org')
    assert load_config().get_profile('mixed').default_user_email == 'new@example.org'


def test_importing_the_package_imports_nothing_else() -> None:
    code = (
        'import sys; before = set(sys.modules); import ricordi; '
        "print(sorted(set(sys.modules) - before)); ricordi.load_profile; print('ricordi.manager' in sys.modules)"
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.split('\n')[:2] == ["['ricordi']", 'True']


# locks -----------------------------------------------------------------------------------------------------


def test_a_locked_profile_is_not_opened_and_leaves_no_record(manager: Manager, reference_home: Path) -> None:
    code = (
        'from ricordi.access import *; from ricordi.config import *\n'
        "with ProfileAccessManager(load_config().get_profile('mixed')).lock(): print('in', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, '-c', code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as locker:
        assert locker.stdout is not None
        assert locker.stdout.readline() == 'in\n'
        manager.load_profile('mixed')
        with pytest.raises(LockedProfileError, match=str(locker.pid)):
            manager.get_profile_storage()
        assert records(reference_home, 'mixed') == []
        locker.communicate('\n')
    assert manager.get_profile_storage().profile.name == 'mixed'


# fork and threads ------------------------------------------------------------------------------------------


def test_a_forked_child_opens_the_storage_anew(manager: Manager, reference_home: Path) -> None:
    manager.load_profile('mixed')
    inherited = manager.get_profile_storage()
    count = len(list(inherited.find(NodeRow)))

    def work() -> None:
        storage = get_current_backend()
        assert storage is not inherited
        assert len(list(storage.find(NodeRow))) == count
        assert f'{os.getpid()}.pid' in records(reference_home, 'mixed')
        manager.unload_profile()

    assert in_child(work) == 0
    assert not inherited.is_closed
    assert len(list(inherited.find(NodeRow))) == count
    assert records(reference_home, 'mixed') == [f'{os.getpid()}.pid']


def test_a_fork_while_a_thread_opens_the_storage_does_not_hang_the_child(manager: Manager) -> None:
    manager.load_profile('mixed')

    def work() -> None:
        thread = threading.Thread(target=manager.get_profile_storage, daemon=True)
        thread.start()
        thread.join(240)
        assert manager.profile_storage_loaded
        manager.unload_profile()

    with manager._mutex:  # as a thread that is opening holds it
        assert in_child(work) == 0


def test_threads_share_one_storage(manager: Manager) -> None:
    manager.load_profile('mixed')
    barrier = threading.Barrier(8)

    def work(_: int) -> tuple[int, int]:
        barrier.wait()
        storage = get_current_backend()
        return id(storage), len(list(storage.find(NodeRow)))

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(work, range(8)))) == 1


# opening ---------------------------------------------------------------------------------------------------


def profile_with(backend: str, config: dict[str, object]) -> Profile:
    return Profile('p', {'storage': {'backend': backend, 'config': config}})


def test_an_unknown_backend_is_named_with_those_there_are() -> None:
    with pytest.raises(MissingEntryPointError, match=r"'other\.one'.*core\.psql_dos, core\.sqlite_dos"):
        storage_class(profile_with('other.one', {}))


def test_a_backend_of_another_package_is_found_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / 'third-1.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: third\nVersion: 1.0\n')
    (info / 'entry_points.txt').write_text(
        '[ricordi.storage]\nthird.memory = third_storage:Storage\nthird.broken = third_storage:Gone\n'
    )
    (tmp_path / 'third_storage.py').write_text('class Storage: pass\n')
    monkeypatch.syspath_prepend(tmp_path)
    assert storage_class(profile_with('third.memory', {})).__name__ == 'Storage'
    with pytest.raises(EntryPointError, match=r'third_storage:Gone'):
        storage_class(profile_with('third.broken', {}))


def test_a_storage_that_cannot_be_opened_leaves_no_record(empty_home: Path, tmp_path: Path) -> None:
    profile = profile_with('core.sqlite_dos', {'filepath': str(tmp_path / 'nothing')})
    with pytest.raises(UnreachableStorage):
        open_storage(profile)
    assert records(empty_home, 'p') == []


def test_a_storage_that_was_forgotten_ends_its_access(reference_home: Path) -> None:
    storage = open_storage(load_config().get_profile('mixed'))
    assert records(reference_home, 'mixed') != []
    storage.close()
    del storage
    assert records(reference_home, 'mixed') == []


def test_a_used_storage_is_closed_in_the_end(reference_home: Path) -> None:
    with use_storage(load_config().get_profile('mixed'), purpose='testing') as storage:
        (holder,) = ProfileAccessManager(storage.profile).holders()
        assert holder.purpose == 'testing'
    assert records(reference_home, 'mixed') == []
    with pytest.raises(ClosedStorage):
        list(storage.find(UserRow))


@pytest.mark.parametrize('backend', ['core.sqlite_temp', 'core.sqlite_zip'])
def test_the_other_storages_open_and_close(reference_home: Path, backend: str) -> None:
    profile = load_config().get_profile('archive') if backend == 'core.sqlite_zip' else profile_with(backend, {})
    with use_storage(profile) as storage:
        assert storage.profile.storage_backend == backend
