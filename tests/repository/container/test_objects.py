"""Adding, reading, asking for and deleting objects of a container."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ricordi.errors import CorruptStorage, InvalidOperation, NotExistent, PackerBusy
from ricordi.repository.container.container import Container
from ricordi.repository.container.packer_lock import packer_lock

MIB = 1 << 20


# creating --------------------------------------------------------------------------------------------------


def test_a_new_container_has_the_folders_and_the_config_of_disk_objectstore(container: Container) -> None:
    folder = container.layout.folder
    assert {path.name for path in folder.iterdir()} >= {'config.json', 'loose', 'packs', 'sandbox', 'duplicates'}
    assert json.loads((folder / 'config.json').read_text()) == {
        'container_version': 1,
        'loose_prefix_len': 2,
        'pack_size_target': 4 * 1024**3,
        'hash_type': 'sha256',
        'container_id': container.uuid,
        'compression_algorithm': 'zlib+1',
    }
    assert len(container.uuid or '') == 32
    assert container.is_initialised


def test_a_container_is_not_created_twice(container: Container) -> None:
    with pytest.raises(InvalidOperation, match='already'):
        container.initialise()


def test_a_container_is_not_created_where_other_files_lie(tmp_path: Path) -> None:
    (tmp_path / 'notes.txt').write_text('mine')
    with pytest.raises(InvalidOperation, match='not empty'):
        Container(tmp_path).initialise()
    assert [path.name for path in tmp_path.iterdir()] == ['notes.txt']


def test_erase_removes_the_folder(container: Container) -> None:
    container.put_object_from_bytes(b'content')
    container.erase()
    assert not container.layout.folder.exists()
    assert not container.is_initialised


# adding ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('content', [b'', b'content', os.urandom(3 * MIB)], ids=['empty', 'small', 'large'])
def test_content_is_the_same_however_it_is_added(container: Container, tmp_path: Path, content: bytes) -> None:
    (tmp_path / 'file').write_bytes(content)
    key = hashlib.sha256(content).hexdigest()
    assert container.put_object_from_bytes(content) == key
    assert container.put_object_from_filelike(io.BytesIO(content)) == key
    assert container.put_object_from_file(tmp_path / 'file') == key
    assert container.put_objects([content, io.BytesIO(content)]) == [key, key]
    assert container.get_object_content(key) == content
    assert container.get_object_size(key) == len(content)
    assert container.get_object_hash(key) == key
    assert list(container.list_objects()) == [key]


class Trickle(io.RawIOBase):
    """A stream like a pipe: it yields fewer bytes than it is asked for, long before its end."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._content.read(10_000)


@pytest.mark.parametrize('size', [50_000, 9 * MIB])
def test_a_stream_that_yields_little_at_a_time_is_stored_to_its_end(container: Container, size: int) -> None:
    content = random.Random(size).randbytes(size)
    key = hashlib.sha256(content).hexdigest()
    assert container.put_object_from_filelike(Trickle(content)) == key  # type: ignore[arg-type]
    container.delete_objects([key])
    assert container.put_objects([Trickle(content)]) == [key]  # type: ignore[list-item]
    assert container.get_object_content(key) == content


def test_many_added_at_once_lie_in_a_pack_and_keep_their_order(
    container: Container, contents: Callable[..., list[bytes]], assert_holds: Callable[..., None]
) -> None:
    wanted = contents(50)
    keys = container.put_objects([*wanted, wanted[3]])
    assert keys == [hashlib.sha256(content).hexdigest() for content in [*wanted, wanted[3]]]
    assert container.get_info()['loose']['objects'] == 0
    assert container.get_info()['packed']['objects'] == 50
    assert_holds(container, wanted)


def test_many_added_while_another_process_packs_become_loose_objects(container: Container) -> None:
    with packer_lock(container.layout):
        keys = container.put_objects([b'one', io.BytesIO(b'two')])
        with pytest.raises(PackerBusy, match='another maintenance packs this container'):
            container.put_objects_into_pack([b'three'])
    assert container.get_info()['loose']['objects'] == 2
    assert [container.get_object_content(key) for key in keys] == [b'one', b'two']


def test_adding_again_writes_nothing_new(container: Container) -> None:
    container.put_objects_into_pack([b'packed'])
    size = container.layout.pack_path(0).stat().st_size
    container.put_object_from_bytes(b'packed')
    container.put_objects_into_pack([b'packed'])
    assert container.get_info()['loose']['objects'] == 0
    assert container.layout.pack_path(0).stat().st_size == size


def test_adding_an_object_whose_packed_copy_is_damaged_heals_it(
    container: Container, spoil: Callable[..., None]
) -> None:
    keys = container.put_objects_into_pack([b'first' * 10, b'second' * 10])
    spoil(container.layout.pack_path(0), 0, 4)
    with pytest.raises(CorruptStorage, match='damaged'):
        container.get_object_content(keys[0])
    assert container.put_object_from_bytes(b'first' * 10) == keys[0]
    assert container.get_object_content(keys[0]) == b'first' * 10
    spoil(container.layout.pack_path(0), 60, 4)
    assert container.put_objects_into_pack([b'second' * 10]) == [keys[1]]
    assert container.get_object_content(keys[1]) == b'second' * 10


def test_a_source_that_fails_leaves_nothing_behind(container: Container) -> None:
    container.put_objects_into_pack([b'before'])
    size = container.layout.pack_path(0).stat().st_size

    def failing() -> Iterator[bytes]:
        yield from (b'%d' % number for number in range(100))
        raise ValueError('the source failed')

    with pytest.raises(ValueError, match='the source failed'):
        container.put_objects_into_pack(failing())
    assert container.layout.pack_path(0).stat().st_size == size
    assert sorted(path.name for path in container.layout.packs.iterdir()) == ['0']
    assert container.get_info()['packed']['objects'] == 1


def test_a_full_pack_is_followed_by_the_next(new_container: Callable[..., Container]) -> None:
    container = new_container(pack_size_target=1000)
    keys = container.put_objects_into_pack([os.urandom(400) for _ in range(10)])
    assert container.layout.pack_sizes() == {0: 1200, 1: 1200, 2: 1200, 3: 400}
    container.put_objects_into_pack([os.urandom(10)])
    assert container.layout.pack_sizes()[3] == 410
    assert all(container.has_objects(keys))


@pytest.mark.parametrize('prefix_length', [0, 1, 2, 3])
def test_the_prefix_length_of_the_config_is_kept(new_container: Callable[..., Container], prefix_length: int) -> None:
    container = new_container(loose_prefix_len=prefix_length)
    key = container.put_object_from_bytes(b'content')
    expected = container.layout.loose / key[:prefix_length] / key[prefix_length:]
    assert expected.is_file()
    assert container.get_object_content(key) == b'content'
    assert list(container.list_objects()) == [key]


# reading ---------------------------------------------------------------------------------------------------


@pytest.fixture(params=['loose', 'packed', 'compressed'])
def stored(request: pytest.FixtureRequest, container: Container) -> Callable[[bytes], str]:
    """Stores a content in one of the three forms."""

    def store(content: bytes) -> str:
        if request.param == 'loose':
            return container.put_object_from_bytes(content)
        compress = 'yes' if request.param == 'compressed' else 'no'
        before, key, _ = container.put_objects_into_pack([b'a' * 5000, content, b'b' * 5000], compress)
        assert before != key
        return key

    return store


@pytest.mark.parametrize('size', [0, 1, 5000, MIB, 5 * MIB])
def test_a_stream_can_be_read_sought_and_told_in_every_form(
    container: Container, stored: Callable[[bytes], str], size: int
) -> None:
    content = b''.join(hashlib.sha256(b'%d' % i).digest()[:8] * 4 for i in range(size // 32 + 1))[:size]
    key = stored(content)
    model = io.BytesIO(content)
    source = random.Random(size)
    with container.open(key) as handle:
        assert handle.readable()
        assert handle.seekable()
        for _ in range(200):
            action = source.randrange(5)
            if action == 0:
                number = source.choice([0, 1, 100, 70_000, -1])
                assert handle.read(number) == model.read(number)
            elif action == 1:
                place = source.randrange(size + 100)
                assert handle.seek(place) == model.seek(place)
            elif action == 2:
                place = -source.randrange(size + 1)
                assert handle.seek(place, io.SEEK_END) == model.seek(place, io.SEEK_END)
            elif action == 3:
                mine, theirs = bytearray(333), bytearray(333)
                assert handle.readinto(mine) == model.readinto(theirs)  # type: ignore[attr-defined]
                assert mine == theirs
            assert handle.tell() == model.tell()
        with pytest.raises((OSError, ValueError)):
            handle.seek(-1)
    with pytest.raises(ValueError, match='closed'):
        handle.read()


def test_lines_and_text_can_be_read(container: Container, stored: Callable[[bytes], str]) -> None:
    key = stored('grüße\nund mehr\n'.encode() * 200_000)
    with container.open(key) as handle:
        assert handle.readline() == 'grüße\n'.encode()
        assert io.TextIOWrapper(handle, encoding='utf-8').readline() == 'und mehr\n'


def test_two_streams_of_one_pack_do_not_disturb_each_other(container: Container) -> None:
    contents = [os.urandom(2 * MIB), os.urandom(2 * MIB)]
    keys = container.put_objects_into_pack(contents)
    with container.open(keys[0]) as first, container.open(keys[1]) as second:
        for start in range(0, 2 * MIB, 300_000):
            assert first.read(300_000) == contents[0][start : start + 300_000]
            assert second.read(300_000) == contents[1][start : start + 300_000]


@pytest.mark.parametrize('compress', ['no', 'yes'])
def test_a_large_object_is_written_and_sought_in_constant_memory(container: Container, compress: str) -> None:
    size = 96 * MIB

    class Large(io.RawIOBase):
        position = 0

        def read(self, number: int = -1) -> bytes:
            number = min(number, size - self.position)
            self.position += number
            return b'0123456789abcdef' * (number // 16)

    tracemalloc.start()
    try:
        (key,) = container.put_objects_into_pack([Large()], compress)  # type: ignore[list-item, arg-type]
        assert container.get_object_size(key) == size
        with container.open(key) as handle:
            for place in (80 * MIB, 16, 50 * MIB, 0, size - 16):
                handle.seek(place)
                assert handle.read(16) == b'0123456789abcdef'
        assert container.get_object_hash(key) == key
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 48 * MIB
    assert list(container.layout.sandbox.iterdir()) == []


def test_an_object_that_is_not_there_is_told_by_its_key(container: Container) -> None:
    key = '0' * 64
    for ask in (container.open, container.get_object_content, container.get_object_size):
        with pytest.raises(NotExistent, match=key):
            ask(key)
    with pytest.raises(NotExistent, match=key):
        list(container.iter_object_streams([key]))
    assert not container.has_object(key)


@pytest.mark.parametrize('key', ['', 'ab', '../../../etc/passwd', '..' + '/' * 50 + 'etc/hostname', 'A' * 64, '0' * 65])
def test_what_is_no_key_names_no_file(container: Container, key: str) -> None:
    for ask in (container.open, container.get_object_content, container.get_object_size):
        with pytest.raises(NotExistent):
            ask(key)
    assert container.has_objects([key]) == [False]
    container.delete_objects([key])


def test_many_are_read_from_loose_files_and_packs(
    new_container: Callable[..., Container], contents: Callable[..., list[bytes]], assert_holds: Callable[..., None]
) -> None:
    container = new_container(pack_size_target=20_000)
    packed, loose = contents(60, seed=1), contents(20, seed=2)
    container.put_objects_into_pack(packed[:30], 'yes')
    container.put_objects_into_pack(packed[30:])
    for content in loose:
        container.put_object_from_bytes(content)
    assert_holds(container, packed + loose)


def test_keys_are_listed_sorted_and_once(
    new_container: Callable[..., Container], contents: Callable[..., list[bytes]]
) -> None:
    for prefix_length in (0, 1, 2, 3):
        container = new_container(loose_prefix_len=prefix_length)
        wanted = contents(40)
        keys = set(container.put_objects_into_pack(wanted[:25]))
        with packer_lock(container.layout):
            keys |= set(container.put_objects(wanted[20:]))
        (container.layout.loose / 'zz').mkdir()
        (container.layout.loose / 'zz' / 'README').write_text('no object')
        assert list(container.list_objects()) == sorted(keys)


def test_readers_in_threads_and_in_forked_children_get_what_they_ask_for(
    container: Container, contents: Callable[..., list[bytes]]
) -> None:
    wanted = contents(40)
    keys = container.put_objects_into_pack(wanted[:20]) + [container.put_object_from_bytes(c) for c in wanted[20:]]
    wrong: list[str] = []

    def read_all() -> None:
        wrong.extend(k for k, c in zip(keys, wanted, strict=True) if container.get_object_content(k) != c)

    threads = [threading.Thread(target=read_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    child = os.fork()
    if not child:
        read_all()
        os._exit(len(wrong))
    assert os.waitpid(child, 0)[1] == 0
    read_all()
    assert not wrong


def test_what_a_forked_child_commits_stays_when_the_parent_closes(container: Container) -> None:
    container.put_objects_into_pack([b'of the parent'])
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        container.has_object('0' * 64)
        os.write(ready[1], b'.')
        os.read(go[0], 1)
        container.put_objects_into_pack([b'of the child'])
        os._exit(0)
    os.read(ready[0], 1)
    container.close()
    os.write(go[1], b'.')
    os.waitpid(child, 0)
    for descriptor in (*ready, *go):
        os.close(descriptor)
    with Container(container.layout.folder) as anew:
        assert anew.get_object_content(hashlib.sha256(b'of the child').hexdigest()) == b'of the child'


def test_more_packs_are_read_than_files_may_be_open(new_container: Callable[..., Container]) -> None:
    import resource

    container = new_container(pack_size_target=1)
    wanted = [b'%d' % number for number in range(100)]
    keys = container.put_objects_into_pack(wanted)
    assert len(container.layout.pack_sizes()) == 100
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path('/proc/self/fd').iterdir())) + 60, limits[1]))
    try:
        assert [container.get_object_content(key) for key in keys] == wanted
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


# deleting, counting ----------------------------------------------------------------------------------------


def test_deleted_objects_are_gone_loose_and_packed(container: Container) -> None:
    packed = container.put_objects_into_pack([b'one', b'two'])
    loose = container.put_object_from_bytes(b'three')
    container.delete_objects([packed[0], loose, '0' * 64])
    assert container.has_objects([*packed, loose]) == [False, True, False]
    assert list(container.list_objects()) == [packed[1]]
    with pytest.raises(NotExistent):
        container.open(loose)


def test_the_info_counts_objects_bytes_files_and_waste(container: Container) -> None:
    keys = container.put_objects_into_pack([b'a' * 1000, b'b' * 2000], 'yes')
    container.put_object_from_bytes(b'c' * 500)
    container.delete_objects([keys[0]])
    info = container.get_info(detailed=True)
    assert info['loose'] == {'objects': 1, 'bytes': 500}
    assert info['packed']['objects'] == 1
    assert info['packed']['content_bytes'] == 2000
    assert info['packed']['bytes'] < 100
    assert info['waste_bytes'] == container.layout.pack_path(0).stat().st_size - info['packed']['bytes'] > 0
    assert info['packs'] == 1
    (pack,) = info['pack_list']
    assert pack['pack'] == 0
    assert pack['objects'] == 1
    assert pack['waste_bytes'] == info['waste_bytes']


def test_an_object_is_found_in_a_pack_that_took_the_name_of_one_that_is_open(container: Container) -> None:
    keys = container.put_objects_into_pack([b'first', b'second'])
    assert [container.get_object_content(key) for key in keys] == [b'first', b'second']
    pack = container.layout.pack_path(0)
    new = pack.with_name('-1')
    new.write_bytes(b'secondfirst')
    rows = {row.key: row for row in container.index.objects_of_pack(0)}
    with container.index.transaction():
        container.index.move([rows[keys[0]]._replace(offset=6), rows[keys[1]]._replace(offset=0)])
    new.rename(pack)
    assert [container.get_object_content(key) for key in keys] == [b'first', b'second']
