"""A container whose folder, config.json or index is not as it should be: the error names the thing and the way out."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ricordi.errors import CorruptStorage, UnreachableStorage
from ricordi.repository.container.container import Container

# config.json -----------------------------------------------------------------------------------------------


def test_a_folder_without_config_is_no_container(tmp_path: Path) -> None:
    container = Container(tmp_path / 'nowhere')
    assert not container.is_initialised
    with pytest.raises(UnreachableStorage, match=r'no object container in .*nowhere'):
        container.has_object('0' * 64)
    assert not (tmp_path / 'nowhere').exists()


@pytest.mark.parametrize(
    ('content', 'said'),
    [
        ('{"container_version": 1', 'is not JSON'),
        ('[]', 'lacks what a container needs'),
        ('{}', 'lacks what a container needs'),
        ({'container_version': 2}, 'has version 2'),
        ({'hash_type': 'sha1'}, 'names objects by sha1'),
        ({'pack_size_target': 'large'}, 'holds wrong values'),
        ({'pack_size_target': 0}, 'holds wrong values'),
        ({'pack_size_target': 1e308}, 'holds wrong values'),
        ({'loose_prefix_len': 1.5}, 'holds wrong values'),
        ({'loose_prefix_len': True}, 'holds wrong values'),
        ({'loose_prefix_len': 64}, 'holds wrong values'),
        ({'container_id': None}, 'holds wrong values'),
        ('[' * 100_000, 'is not JSON'),
        ('{"x": ' + '9' * 5000 + '}', 'is not JSON'),
        ({'loose_prefix_len': -1}, 'holds wrong values'),
        ({'compression_algorithm': 'lzma'}, 'holds wrong values'),
    ],
)
def test_a_config_that_is_not_right_is_refused(container: Container, content: Any, said: str) -> None:
    path = container.layout.config
    if isinstance(content, dict):
        content = json.dumps({**json.loads(path.read_text()), **content})
    path.write_text(content)
    with pytest.raises(CorruptStorage, match=said) as caught:
        Container(container.layout.folder).put_object_from_bytes(b'content')
    assert str(container.layout.folder) in str(caught.value)


@pytest.mark.parametrize('make', [os.mkfifo, Path.mkdir])
def test_a_config_that_is_no_file_is_refused_and_not_waited_for(container: Container, make: Any) -> None:
    container.layout.config.unlink()
    make(container.layout.config)
    with pytest.raises(UnreachableStorage, match='cannot read'):
        Container(container.layout.folder).put_object_from_bytes(b'content')


def test_keys_of_the_config_that_nobody_knows_are_no_harm(container: Container) -> None:
    path = container.layout.config
    path.write_text(json.dumps({**json.loads(path.read_text()), 'of_a_later_version': True}))
    assert Container(container.layout.folder).uuid == container.uuid


# the index -------------------------------------------------------------------------------------------------


def remove_index(container: Container) -> None:
    container.close()
    for path in container.layout.folder.glob('packs.idx*'):
        path.unlink()


def test_an_index_that_is_gone_while_packs_are_there_is_not_made_anew(
    container: Container, maintain: Callable[..., Any], snapshot: Callable[..., Any]
) -> None:
    (key,) = container.put_objects_into_pack([b'packed'])
    remove_index(container)
    before = snapshot(container.layout.packs)
    for ask in (
        lambda: container.open(key),
        lambda: container.put_object_from_bytes(b'more'),
        lambda: maintain(container, [key], full=True),
        lambda: maintain(container, [key], dry_run=True),
    ):
        with pytest.raises(CorruptStorage, match=r'packs\.idx is gone, .* restore it from a backup'):
            ask()
    assert snapshot(container.layout.packs) == before
    assert not container.layout.index.exists()


def test_an_index_that_is_gone_with_nothing_packed_is_made_anew(container: Container) -> None:
    key = container.put_object_from_bytes(b'loose')
    remove_index(container)
    assert container.get_object_content(key) == b'loose'
    assert container.has_objects([key, '0' * 64]) == [True, False]


@pytest.mark.parametrize('where', ['header', 'page'])
def test_a_damaged_index_is_named_and_left_as_it_is(
    container: Container, maintain: Callable[..., Any], where: str
) -> None:
    container.put_objects_into_pack([b'%d' % number for number in range(2000)])
    container.close()
    path = container.layout.index
    content = bytearray(path.read_bytes())
    if where == 'header':
        content[:100] = bytes(100)
    else:
        content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(bytes(content))
    for full in (False, True):
        with pytest.raises(CorruptStorage, match=r'packs\.idx is damaged .*restore it from a backup'):
            maintain(container, ['0' * 64], full=full)
    assert path.read_bytes() == content
    assert container.layout.pack_path(0).exists()


def test_a_database_that_is_no_index_is_refused(container: Container) -> None:
    remove_index(container)
    with sqlite3.connect(container.layout.index) as connection:
        connection.execute('CREATE TABLE something (else_ INTEGER)')
    connection.close()
    with pytest.raises(CorruptStorage, match='the table db_object is not in it'):
        container.has_object('0' * 64)


def test_an_index_that_another_program_keeps_locked_is_named(
    container: Container, limited: Callable[..., Container]
) -> None:
    (key,) = container.put_objects_into_pack([b'packed'])
    container.close()
    impatient = limited(busy_seconds=0.2)
    other = sqlite3.connect(container.layout.index, isolation_level=None)
    other.execute('BEGIN IMMEDIATE')
    try:
        assert impatient.get_object_content(key) == b'packed'
        with pytest.raises(UnreachableStorage, match='locked by another program for over 0 s'):
            impatient.put_objects_into_pack([b'more'])
    finally:
        other.close()
    assert container.layout.pack_path(0).read_bytes() == b'packed'
    container.put_objects_into_pack([b'more'])


# permissions -----------------------------------------------------------------------------------------------


def set_writable(folder: Path, writable: bool) -> None:
    for path in [folder, *folder.rglob('*')]:
        mode = 0o755 if path.is_dir() else 0o644
        path.chmod(mode if writable else mode & ~0o222)
    for parent in folder.parents:
        if parent == Path(tempfile.gettempdir()):
            break
        parent.chmod(parent.stat().st_mode | stat.S_IXOTH | stat.S_IROTH | stat.S_IXGRP)


@pytest.fixture
def read_only(container: Container) -> Any:
    """A container with a packed and a loose object in a folder where nothing may be written."""
    container.put_objects_into_pack([b'packed', b'compressed' * 100], 'yes')
    container.put_object_from_bytes(b'loose')
    container.close()
    set_writable(container.layout.folder, False)
    yield Container(container.layout.folder)
    set_writable(container.layout.folder, True)


def test_a_read_only_container_can_be_read(
    read_only: Container, as_ordinary_user: Callable[..., str], key_of: Callable[[bytes], str]
) -> None:
    keys = [key_of(content) for content in (b'packed', b'compressed' * 100, b'loose')]
    assert as_ordinary_user(lambda: [read_only.get_object_size(key) for key in keys]) == '[6, 1000, 5]'
    assert as_ordinary_user(lambda: read_only.get_object_content(keys[0])) == "b'packed'"
    assert as_ordinary_user(lambda: len(list(read_only.list_objects()))) == '3'
    assert as_ordinary_user(lambda: read_only.get_info()['packed']['objects']) == '2'


def test_a_reader_without_permission_sees_what_its_owner_packs_meanwhile(
    read_only: Container, as_ordinary_user: Callable[..., str], key_of: Callable[[bytes], str]
) -> None:
    """Where no file may be made beside it, the index is read as one that nobody changes: so look whether it was."""
    (has_read, go_on), key = (os.pipe(), os.pipe()), key_of(b'later')

    def read_twice() -> list[bool]:
        found = [read_only.has_object(key)]
        os.write(has_read[1], b'.')
        os.read(go_on[0], 1)
        return [*found, read_only.has_object(key)]

    owner = os.fork()
    if not owner:
        os.read(has_read[0], 1)
        if os.geteuid():
            set_writable(read_only.layout.folder, True)
        with Container(read_only.layout.folder) as container:
            container.put_objects_into_pack([b'later'])
        os.write(go_on[1], b'.')
        os._exit(0)
    assert as_ordinary_user(read_twice) == '[False, True]'
    os.waitpid(owner, 0)
    for descriptor in (*has_read, *go_on):
        os.close(descriptor)


def test_a_read_only_container_can_be_planned_for_but_not_maintained(
    read_only: Container, as_ordinary_user: Callable[..., str], maintain: Callable[..., Any], snapshot: Any
) -> None:
    before = snapshot(read_only.layout.folder)
    planned = as_ordinary_user(lambda: [step.name for step in maintain(read_only, dry_run=True).steps])
    assert planned == "['pack']"
    said = as_ordinary_user(lambda: maintain(read_only))
    assert said.startswith('UnreachableStorage: cannot lock')
    assert 'check the permissions' in said
    assert snapshot(read_only.layout.folder) == before


def test_a_container_that_may_not_be_read_is_named(
    container: Container, as_ordinary_user: Callable[..., str], tmp_path: Path
) -> None:
    container.close()
    set_writable(container.layout.folder, True)
    container.layout.folder.chmod(0o700)
    if os.geteuid() == 0:
        os.chown(container.layout.folder, 0, 0)
        said = as_ordinary_user(lambda: Container(container.layout.folder).uuid)
        assert said.startswith('UnreachableStorage: cannot read')
        assert 'check the permissions' in said


def test_adding_to_a_container_without_permission_names_the_folder(
    read_only: Container, as_ordinary_user: Callable[..., str]
) -> None:
    said = as_ordinary_user(lambda: read_only.put_object_from_bytes(b'new'))
    assert 'sandbox' in said
    assert 'permission' in said.lower()
