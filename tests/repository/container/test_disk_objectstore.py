"""Containers go to and fro between Ricordi and disk-objectstore, and either accepts what the other has made of them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.maintenance import MaintenanceReport
from ricordi.repository.container.container import Container
from ricordi.repository.container.packer_lock import packer_lock

pytestmark = pytest.mark.interop
Maintain = Callable[..., MaintenanceReport]
Contents = Callable[..., list[bytes]]


@dataclass
class Peer:
    """disk-objectstore, in a process of its own for each call."""

    python: str

    def __call__(self, container: Container, *actions: str) -> list[str]:
        """Let it act; then it must read all and find nothing invalid. Returns the keys of what it has added."""
        container.close()
        script = Path(__file__).parents[1] / 'act_by_disk_objectstore.py'
        command = [self.python, script, container.layout.folder, *actions]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found['invalid'] is None, found['invalid']
        assert found['content'] == {key: key for key in container.list_objects()}
        assert all(container.get_object_hash(key) == key for key in found['content'])
        return found['keys']  # type: ignore[no-any-return]


@pytest.fixture
def peer(aiida_python: str) -> Peer:
    """Acts on a container by disk-objectstore, and checks that both read the same in it."""
    return Peer(aiida_python)


@pytest.mark.parametrize('target', [5000, 4 * 1024**3])
@pytest.mark.parametrize('prefix_length', [0, 2])
def test_what_ricordi_makes_disk_objectstore_reads_and_works_on(
    new_container: Callable[..., Container],
    contents: Contents,
    maintain: Maintain,
    peer: Peer,
    target: int,
    prefix_length: int,
) -> None:
    container = new_container(pack_size_target=target, loose_prefix_len=prefix_length)
    keys = set(container.put_objects_into_pack(contents(20), 'yes'))
    with packer_lock(container.layout):
        keys |= set(container.put_objects(contents(20, seed=1)))
    keys |= set(peer(container))
    maintain(container, compress='auto')
    keys |= set(peer(container, 'add=1', 'pack=auto', 'clean'))
    keys |= set(container.put_objects_into_pack([*contents(20, seed=2), os.urandom(5 << 20)]))
    keys |= set(peer(container, 'repack=keep', 'add-to-pack=2'))
    maintain(container, keys, full=True, repack='all', compress='yes')
    keys |= set(peer(container, 'add=3', 'add-large=4', 'pack=yes', 'clean', 'repack=no', 'repack=yes'))
    maintain(container, keys, full=True, repack='all', compress='no')
    peer(container)
    assert set(container.list_objects()) == keys
    assert not maintain(container, keys, full=True).problems


@pytest.mark.parametrize('target', [5000, 4 * 1024**3])
def test_what_disk_objectstore_makes_ricordi_reads_and_works_on(
    tmp_path: Path, contents: Contents, maintain: Maintain, peer: Peer, target: int
) -> None:
    with Container(tmp_path / 'theirs') as container:
        keys = set(peer(container, f'init={target}', 'add=1', 'pack=yes', 'add-to-pack=2', 'add=3', 'add-large=1'))
        assert container.is_initialised
        assert container.config.pack_size_target == target
        assert not maintain(container).problems
        keys |= set(peer(container, 'add=4'))
        keys |= set(container.put_objects_into_pack(contents(10)))
        keys.add(container.put_object_from_bytes(b'loose'))
        assert set(container.list_objects()) == keys
        assert not maintain(container, keys, full=True, repack='all', compress='auto').problems
        peer(container, 'delete=3', 'repack=keep', 'clean')
        kept = set(container.list_objects())
        assert len(kept) == len(keys) - len(sorted(keys)[::3])
        assert not maintain(container, kept, full=True).problems
        peer(container)
        assert set(container.list_objects()) == kept


@pytest.mark.parametrize('options', [{}, {'full': True}, {'full': True, 'repack': 'all', 'compress': 'yes'}])
def test_the_wrecks_of_disk_objectstore_are_valid_for_it_after_full_maintenance(
    reference_home: Path, maintain: Maintain, peer: Peer, options: dict[str, Any]
) -> None:
    for profile in ('aborted_before_commit', 'aborted_after_remove', 'mixed', 'loose'):
        (folder,) = {path.parent for path in reference_home.rglob('packs.idx') if profile in str(path)}
        with Container(folder) as container:
            keys = list(container.list_objects())
            assert not maintain(container, **options).problems
            if options or not profile.startswith('aborted'):
                peer(container, 'add=1', 'pack=no', 'clean', 'repack=keep')
            assert set(container.list_objects()) >= set(keys)


def test_a_damaged_object_that_stayed_does_not_keep_disk_objectstore_from_the_others(
    container: Container, contents: Contents, maintain: Maintain, spoil: Callable[..., None], aiida_python: str
) -> None:
    keys = container.put_objects_into_pack(contents(10))
    spoil(container.layout.pack_path(0), 10)
    assert maintain(container, full=True, repack='all').problem_count == 1
    container.close()
    script = Path(__file__).parents[1] / 'act_by_disk_objectstore.py'
    done = subprocess.run([aiida_python, script, container.layout.folder, 'add=1'], capture_output=True, check=True)
    found = json.loads(done.stdout)
    assert sum(found['content'][key] == key for key in keys) == 9
    assert 'invalid_hashes_packed' in found['invalid']
