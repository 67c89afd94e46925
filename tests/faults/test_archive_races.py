"""Imports beside live maintenance and beside one another lose nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ricordi.backend.rows import EntityKind as K
from ricordi.manager import get_config, initialise_storage, use_storage
from ricordi.repository.container.container import Container
from ricordi.services.archive.create import ArchiveRequest, create_archive
from services.archive.tools import REFERENCE, everything

IMPORTERS = 3


@pytest.fixture
def profile(tmp_path: Path, empty_home: Path) -> str:
    """The name of an empty profile on SQLite."""
    config = get_config(create=True)
    made = config.create_profile('p', 'core.sqlite_dos', {'filepath': str(tmp_path / 'p')})
    initialise_storage(made)
    with use_storage(made) as storage:
        storage.insert(K.USER, [{'email': 'me@example.org'}])
    made.default_user_email = 'me@example.org'
    config.store()
    return 'p'


def archives(tmp_path: Path, number: int) -> list[Path]:
    """Archives of many objects, with some objects in common."""
    made = []
    for first in range(number):
        config = get_config()
        source = config.create_profile(f's{first}', 'core.sqlite_dos', {'filepath': str(tmp_path / f's{first}')})
        initialise_storage(source)
        with use_storage(source) as storage:
            (user,) = storage.insert(K.USER, [{'email': 'me@example.org'}])
            contents = [b'content %d' % count * 50 for count in range(first * 200, first * 200 + 300)]
            trees = [{'o': {'x': {'k': key}}} for key in storage.repository.put_objects(contents)]
            rows = [
                {'node_type': 'data.core.singlefile.SinglefileData.', 'repository_metadata': tree, 'user_pk': user}
                for tree in trees
            ]
            storage.insert(K.NODE, rows)
        path = tmp_path / f'{first}.aiida'
        create_archive(source, path, ArchiveRequest(everything=True))
        made.append(path)
    return made


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, '-m', 'ricordi', '-p', 'p', *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def test_imports_beside_live_maintenance_and_beside_one_another_lose_nothing(profile: str, tmp_path: Path) -> None:
    paths = archives(tmp_path, IMPORTERS)
    importers = [start('archive', 'import', path) for path in (*paths, REFERENCE)]
    all_ended = False
    while not all_ended:
        all_ended = all(process.poll() is not None for process in importers)
        maintainer = start('storage', 'maintain')
        _, told = maintainer.communicate(timeout=240)
        assert maintainer.returncode in (0, 5), told  # 5: an import packs just now
    for process in importers:
        _, told = process.communicate(timeout=240)
        assert process.returncode == 0, told
    found = everything(profile)
    expected = {node['uuid'] for path in (*paths, REFERENCE) for node in everything(path)['node']}
    assert {node['uuid'] for node in found['node']} == expected
    assert len(found['objects']) == 200 * (IMPORTERS - 1) + 300 + 23


@pytest.mark.interop
def test_imports_beside_the_packer_of_aiida_lose_nothing(profile: str, tmp_path: Path, aiida_python: str) -> None:
    paths = archives(tmp_path, IMPORTERS)
    packer = subprocess.Popen(
        [aiida_python, Path(__file__).with_name('pack_by_disk_objectstore.py'), tmp_path / 'p' / 'container'],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert packer.stdout is not None
    assert packer.stdout.readline() == 'begun\n'
    for path in (*paths, REFERENCE):
        importer = start('archive', 'import', path)
        _, told = importer.communicate(timeout=240)
        assert importer.returncode == 0, told
    done = json.loads(packer.communicate('', timeout=240)[0])
    assert packer.returncode == 0
    assert done['runs'], done['errors']  # how often is the machine's affair: its packer gives way to an import's
    found = everything(profile)  # reads all that nodes name
    expected = {node['uuid'] for path in (*paths, REFERENCE) for node in everything(path)['node']}
    assert {node['uuid'] for node in found['node']} == expected
    assert len(found['objects']) == 200 * (IMPORTERS - 1) + 300 + 23
    with Container(tmp_path / 'p' / 'container') as container:
        assert all(container.get_object_hash(key) == key for key in done['keys'])
