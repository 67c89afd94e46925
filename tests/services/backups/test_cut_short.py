"""A restore that is killed at any step leaves no profile, and the next one ends well."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ricordi.access.kernel import KernelLock
from ricordi.config import load_config
from ricordi.config.config import Config
from ricordi.errors import StorageExists
from ricordi.repository.container.container import Container
from ricordi.services.backups.restore import restore
from ricordi.services.profiles.setup import Request, delete_profile
from ricordi.storage.sql_storage import SqlStorage

Ask = Callable[..., Request]
KILLED = 86


def kill_at(owner: type, name: str, *, after: bool) -> Callable[[], None]:
    """Prepares a process to end on the spot before or after a method does its work."""

    def prepare() -> None:
        real = getattr(owner, name)

        def ending(*arguments: object, **named: object) -> object:
            if after:
                real(*arguments, **named)
            os._exit(KILLED)

        setattr(owner, name, ending)

    return prepare


STEPS = {
    'before the objects': kill_at(Container, 'put_known_objects', after=False),
    'after the objects': kill_at(SqlStorage, 'fill', after=False),
    'after the rows': kill_at(SqlStorage, 'fill', after=True),
    'before the profile': kill_at(Config, 'store', after=False),
}


def killed(prepare: Callable[[], None], work: Callable[[], object]) -> None:
    """Do some work in a child process that ends in the middle of it."""
    child = os.fork()
    if not child:
        try:
            prepare()
            work()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == KILLED


@pytest.mark.parametrize('step', STEPS)
def test_what_a_killed_restore_has_left_in_the_configuration_folder_goes_with_the_next(
    home: Path, verdi_sqlite: Path, to_sqlite: Ask, step: str
) -> None:
    killed(STEPS[step], lambda: restore(str(verdi_sqlite), to_sqlite()))
    assert load_config().profile_names == []
    assert len(list((home / 'repository').iterdir())) == 1
    assert restore(str(verdi_sqlite), to_sqlite()).rows['db_dbnode'] == 74
    (folder,) = (home / 'repository').iterdir()
    assert str(folder) == load_config().get_profile('back').storage_config['filepath']


@pytest.mark.parametrize('step', STEPS)
def test_what_a_killed_restore_has_left_elsewhere_is_gone_on_with_or_named(
    home: Path, verdi_sqlite: Path, to_sqlite: Ask, tmp_path: Path, step: str
) -> None:
    folder = tmp_path / 'elsewhere'
    killed(STEPS[step], lambda: restore(str(verdi_sqlite), to_sqlite(folder=folder)))
    assert load_config().profile_names == []
    if step in ('before the objects', 'after the objects'):
        assert restore(str(verdi_sqlite), to_sqlite(folder=folder)).objects.objects == 23
        return
    with pytest.raises(StorageExists) as refused:
        restore(str(verdi_sqlite), to_sqlite(folder=folder))
    assert refused.value.remedy is not None
    assert refused.value.remedy.deed == 'adopt storage'
    assert (folder / 'database.sqlite').exists()


def test_on_postgresql_a_killed_restore_is_gone_on_with(home: Path, verdi_sqlite: Path, to_psql: Ask) -> None:
    killed(STEPS['after the objects'], lambda: restore(str(verdi_sqlite), to_psql()))
    assert load_config().profile_names == []
    assert restore(str(verdi_sqlite), to_psql()).rows['db_dbnode'] == 74


def test_a_configuration_without_a_folder_for_storages_has_nothing_left_over(
    home: Path, verdi_sqlite: Path, to_psql: Ask
) -> None:
    (home / 'repository').rmdir()
    assert restore(str(verdi_sqlite), to_psql()).rows['db_dbnode'] == 74


def test_a_storage_that_is_kept_when_its_profile_goes_is_not_taken_for_a_leftover(
    home: Path, verdi_sqlite: Path, to_sqlite: Ask
) -> None:
    def kill_after_the_profile() -> None:
        import ricordi.services.profiles.leftovers as module

        module.remove_file = lambda path: os._exit(KILLED)  # type: ignore[attr-defined]

    killed(kill_after_the_profile, lambda: restore(str(verdi_sqlite), to_sqlite('first')))
    (folder,) = (home / 'repository').iterdir()
    assert load_config().profile_names == ['first']
    delete_profile('first', delete_data=False)
    restore(str(verdi_sqlite), to_sqlite('second'))
    assert (folder / 'database.sqlite').exists()


def test_locks_of_the_place_end_with_the_process(home: Path, place: Path, to_sqlite: Ask) -> None:
    killed(STEPS['after the objects'], lambda: restore(str(place), to_sqlite()))
    lock = KernelLock(place / 'ricordi.lock', create=False)
    assert lock.acquire('exclusive')
    lock.release()
