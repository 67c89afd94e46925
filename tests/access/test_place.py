"""Which profiles of a configuration have the same storage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ricordi.access.place import find_namesakes, place_of
from ricordi.config import Profile
from ricordi.manager import storage_class


def sqlite(folder: Path) -> dict[str, Any]:
    return {'backend': 'core.sqlite_dos', 'config': {'filepath': str(folder)}}


def psql(folder: Path, host: str | None, name: str = 'db', port: int | None = None) -> dict[str, Any]:
    where = {'database_hostname': host, 'database_port': port, 'database_name': name}
    return {'backend': 'core.psql_dos', 'config': {**where, 'repository_uri': folder.as_uri()}}


def write_config(folder: Path, **storages: Any) -> Profile:
    """A configuration with these profiles; returns the first."""
    profiles = {name: {'storage': storage} for name, storage in storages.items()}
    folder.mkdir(exist_ok=True)
    (folder / 'config.json').write_text(json.dumps({'profiles': profiles}))
    name = next(iter(profiles))
    return Profile(name, profiles[name], validate=False)


@pytest.mark.parametrize('make', [sqlite, lambda folder: psql(folder, 'localhost')])
def test_the_container_that_is_locked_is_the_one_that_the_storage_uses(tmp_path: Path, make: Any) -> None:
    profile = Profile('main', {'storage': make(tmp_path / 'a b')}, validate=False)
    assert place_of(profile).container == storage_class(profile).repository_location(profile).path


def test_the_same_folder_is_the_same_storage_by_whatever_path(tmp_path: Path) -> None:
    (tmp_path / 'data' / 'container').mkdir(parents=True)
    (tmp_path / 'link').symlink_to(tmp_path / 'data')
    (tmp_path / 'inner').mkdir()
    (tmp_path / 'inner' / 'container').symlink_to(tmp_path / 'data' / 'container')
    profile = write_config(
        tmp_path / 'home',
        main=sqlite(tmp_path / 'data'),
        same=sqlite(tmp_path / 'data'),
        dots=sqlite(tmp_path / 'x' / '..' / 'data'),
        link=sqlite(tmp_path / 'link'),
        inner=sqlite(tmp_path / 'inner'),
        repository=psql(tmp_path / 'link', 'elsewhere'),
        other=sqlite(tmp_path / 'other'),
    )
    (tmp_path / 'x').mkdir()
    assert find_namesakes(profile, tmp_path / 'home') == ['same', 'dots', 'link', 'inner', 'repository']


def test_the_same_database_is_the_same_storage_by_whatever_name_of_this_host(tmp_path: Path) -> None:
    profile = write_config(
        tmp_path / 'home',
        main=psql(tmp_path / 'a', 'localhost'),
        address=psql(tmp_path / 'b', '127.0.0.1', port=5432),
        unnamed=psql(tmp_path / 'c', None),
        far=psql(tmp_path / 'd', 'far'),
        port=psql(tmp_path / 'e', 'localhost', port=5433),
        database=psql(tmp_path / 'f', 'localhost', name='another'),
    )
    assert find_namesakes(profile, tmp_path / 'home') == ['address', 'unnamed']


@pytest.mark.parametrize('broken', [{}, None, 5, {'storage': 5}, {'storage': {'config': {'filepath': 5}}}])
def test_a_profile_that_cannot_be_read_is_nobodys_namesake(tmp_path: Path, broken: Any) -> None:
    profile = write_config(tmp_path / 'home', main=sqlite(tmp_path / 'data'), same=sqlite(tmp_path / 'data'))
    path = tmp_path / 'home' / 'config.json'
    content = json.loads(path.read_text())
    content['profiles']['broken'] = broken
    path.write_text(json.dumps(content))
    assert find_namesakes(profile, tmp_path / 'home') == ['same']


@pytest.mark.parametrize('content', ['', '[]', '{"profiles": 5}', '{"profiles": ["x"]}', '[' * 100_000])
def test_a_configuration_that_cannot_be_read_names_nobody(tmp_path: Path, content: str) -> None:
    profile = write_config(tmp_path / 'home', main=sqlite(tmp_path / 'data'))
    (tmp_path / 'home' / 'config.json').write_text(content)
    assert find_namesakes(profile, tmp_path / 'home') == []
