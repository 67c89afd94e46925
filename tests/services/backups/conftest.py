"""Backups to restore: of AiiDA's own making, and made here of the storages that AiiDA made."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ricordi.config import load_config
from ricordi.config.profile import Profile
from ricordi.services.backups.backup import back_up
from ricordi.services.profiles.setup import Request, sqlite_config

DATA = Path(__file__).parents[2] / 'data'


def unpacked(name: str, folder: Path) -> Path:
    """A folder of the test data."""
    with tarfile.open(DATA / f'{name}.tar.gz') as archive:
        archive.extractall(folder, filter='data')
    return folder / name


@pytest.fixture
def home(empty_home: Path) -> Path:
    """A configuration folder without a profile."""
    load_config(create=True).store()
    return empty_home


@pytest.fixture(params=['sqlite', 'psql'])
def verdi_backup(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder that `verdi storage backup` made, of each kind of database in turn."""
    return unpacked(f'verdi_backup_{request.param}', tmp_path)


@pytest.fixture
def verdi_sqlite(tmp_path: Path) -> Path:
    """One of a storage on SQLite."""
    return unpacked('verdi_backup_sqlite', tmp_path)


@pytest.fixture
def verdi_psql(tmp_path: Path) -> Path:
    """One of a storage on PostgreSQL."""
    return unpacked('verdi_backup_psql', tmp_path)


@pytest.fixture
def mixed(home: Path, tmp_path: Path) -> Profile:
    """The profile `mixed` over a storage that AiiDA made."""
    config = load_config()
    profile = config.create_profile('mixed', 'core.sqlite_dos', {'filepath': str(unpacked('mixed', tmp_path))})
    profile.default_user_email = 'alice@example.org'
    config.store()
    return profile


@pytest.fixture
def place(mixed: Profile, tmp_path: Path) -> Path:
    """A backup repository with one snapshot of that profile."""
    back_up(mixed, tmp_path / 'place')
    return tmp_path / 'place'


@pytest.fixture
def to_sqlite() -> Callable[..., Request]:
    """What a new profile on SQLite shall be: `to_sqlite('back', folder)`."""
    return lambda name='back', folder=None: Request(name, 'core.sqlite_dos', sqlite_config(folder), None, False)


@pytest.fixture
def to_psql(postgres: Any, new_database: Callable[[], str], tmp_path: Path) -> Callable[..., Request]:
    """What a new profile on PostgreSQL shall be: `to_psql('back')`."""
    config = postgres.storage_config(new_database(), tmp_path / 'on-psql')
    return lambda name='back': Request(name, 'core.psql_dos', config, None, False)


@pytest.fixture
def without_pack() -> Callable[[Path], None]:
    """Takes all objects out of a container: `without_pack(container)`."""

    def remove(container: Path) -> None:
        for pack in (container / 'packs').iterdir():
            pack.unlink()
        shutil.rmtree(container / 'loose')
        (container / 'loose').mkdir()

    return remove


@pytest.fixture(scope='module')
def bucket(object_store: Any) -> str:
    """One bucket for all: each test has a folder of its own in it."""
    return object_store.new_bucket()


@pytest.fixture
def at(object_store: Any, bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The address of a new folder of a bucket; who we are there, and where it is, stands in the environment."""
    monkeypatch.setenv('AWS_ACCESS_KEY_ID', object_store.access_key)
    monkeypatch.setenv('AWS_SECRET_ACCESS_KEY', object_store.secret_key)
    monkeypatch.setenv('AWS_ENDPOINT_URL', object_store.endpoint)
    for name in ('AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE', 'XDG_CACHE_HOME'):
        monkeypatch.setenv(name, str(tmp_path / name))
    return f's3://{bucket}/{tmp_path.name}'
