"""Storages that are made once in a process, and copied for the tests: a copy takes a small part of the time.

Each test may do with its copy what it likes. What is copied is laid down by the program itself, or by AiiDA.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conftest import PostgresServer

DATA = Path(__file__).parent / 'data'
INITIALISED = 'initialised'
REFERENCE = 'reference_data'
PLACE = tempfile.gettempdir()
"""Of before any test: one may put temporary files where they go with it."""


@cache
def originals() -> Path:
    """Where the originals lie while the process lasts."""
    folder, owner = Path(tempfile.mkdtemp(prefix='ricordi-originals-', dir=PLACE)), os.getpid()

    def remove() -> None:
        if os.getpid() == owner:  # and no fork of it, which ends before
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder


# what AiiDA made -------------------------------------------------------------------------------------------


@cache
def _unpacking() -> Any:
    spec = importlib.util.spec_from_file_location('unpack', DATA / 'unpack.py')
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _unpacked() -> Path:
    folder = originals() / 'reference'
    _unpacking().lay_out(folder)
    return Path(folder)


def make_home(folder: Path) -> Path:
    """A configuration folder with the profiles that AiiDA made: `folder/.aiida`, as `data/unpack.py` lays it out."""
    home = folder.resolve() / '.aiida'
    shutil.copytree(_unpacked() / '.aiida', home, symlinks=True, dirs_exist_ok=True)
    _unpacking().write_config(home)
    return home


@cache
def _repository_of_reference_database() -> Path:
    import tarfile

    with tarfile.open(DATA / 'psql_dos.tar.gz') as tar:
        tar.extractall(originals(), filter='data')
    return originals() / 'psql_dos'


def unpack_psql_repository(folder: Path) -> Path:
    """The repository folder that belongs to the reference data on PostgreSQL, as `folder/psql_dos`."""
    return Path(shutil.copytree(_repository_of_reference_database(), folder / 'psql_dos'))


def reference_database(postgres: PostgresServer) -> str:
    """The database with the reference data that AiiDA made, to be copied: `new_database(reference_database(…))`."""

    def fill(uri: str) -> None:
        import psycopg

        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute((DATA / 'psql_dos.sql').read_bytes())

    return postgres.original(REFERENCE, fill)


# new storages ----------------------------------------------------------------------------------------------


def initialised_database(postgres: PostgresServer) -> str:
    """The database of a new storage, to be copied: `new_database(initialised_database(…))`, for `lay_repository`."""

    def fill(_: str) -> None:
        from ricordi.config.profile import Profile
        from ricordi.manager.backends import repository_at, storage_class

        config = postgres.storage_config(INITIALISED, _new_repository())
        process_control = {'backend': None, 'config': None}
        storage = {'backend': 'core.psql_dos', 'config': config}
        profile = Profile(INITIALISED, {'storage': storage, 'process_control': process_control})
        kind = storage_class(profile)
        with repository_at(kind.repository_location(profile)) as repository:
            kind.initialise(profile, repository)

    return postgres.original(INITIALISED, fill)


def _new_repository() -> Path:
    return originals() / INITIALISED


def lay_repository(folder: Path) -> None:
    """The repository of a new storage, whose database is a copy of the one above.

    It is not recorded as that of the copy: `storage.claim_repository()` does.
    """
    shutil.copytree(_new_repository(), folder, dirs_exist_ok=True)
    (folder / 'container' / 'ricordi-database.json').unlink()
