"""No way of reading gives out a damaged object as good, however it is damaged and in whatever form it lies."""

from __future__ import annotations

import io
import os
import random
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.repository import RepositoryBackend
from ricordi.errors import CorruptStorage, MissingObject, NotExistent
from ricordi.repository.archive.zip import ZipRepository
from ricordi.repository.container.container import Container
from ricordi.repository.container.streams import CHUNK_BYTES
from ricordi.repository.sandbox import SandboxRepository

SMALL, LARGE = 40_000, (3 << 20) + 12_345
KeyOf = Callable[[bytes], str]


@cache
def content_of(size: int, seed: int = 0) -> bytes:
    """Lines of text that can be compressed."""
    source = random.Random(seed)
    lines = b''.join(b'%d %s\n' % (number, source.randbytes(40).hex().encode()) for number in range(size // 80 + 2))
    return lines[:size]


# damage: what it makes of a file of which the object takes `length` bytes from `begin` ------------------------


def flipped(path: Path, begin: int, length: int, _other: bytes) -> None:
    with path.open('r+b') as handle:
        handle.seek(begin + length // 2)
        (byte,) = handle.read(1)
        handle.seek(-1, io.SEEK_CUR)
        handle.write(bytes([byte ^ 1]))


def flipped_at_the_end(path: Path, begin: int, length: int, other: bytes) -> None:
    flipped(path, begin + length - 1, 1, other)


def zeroed(path: Path, begin: int, length: int, _other: bytes) -> None:
    with path.open('r+b') as handle:
        handle.seek(begin + length // 3)
        handle.write(bytes(min(4096, length // 2)))


def truncated(path: Path, begin: int, length: int, _other: bytes) -> None:
    os.truncate(path, begin + length - 1)


def cut_in_half(path: Path, begin: int, length: int, _other: bytes) -> None:
    os.truncate(path, begin + length // 2)


def swapped(path: Path, begin: int, length: int, other: bytes) -> None:
    with path.open('r+b') as handle:
        handle.seek(begin)
        handle.write(other[:length])


DAMAGES = [flipped, flipped_at_the_end, zeroed, truncated, cut_in_half, swapped]


# ways of reading ---------------------------------------------------------------------------------------------


def whole(store: RepositoryBackend, key: str) -> bytes:
    return store.get_object_content(key)


def opened(store: RepositoryBackend, key: str) -> bytes:
    with store.open(key) as handle:
        return handle.read()


def in_chunks(store: RepositoryBackend, key: str) -> bytes:
    with store.open(key) as handle:
        return b''.join(iter(lambda: handle.read(CHUNK_BYTES), b''))


def in_small_chunks(store: RepositoryBackend, key: str) -> bytes:
    with store.open(key) as handle:
        return b''.join(iter(lambda: handle.read(7777), b''))


def into_a_buffer(store: RepositoryBackend, key: str) -> bytes:
    buffer = bytearray(store.get_object_size(key))
    with store.open(key) as handle:
        number = handle.readinto(buffer)  # type: ignore[attr-defined]
    return bytes(buffer[:number])


def by_lines(store: RepositoryBackend, key: str) -> bytes:
    with store.open(key) as handle:
        return b''.join(handle)


def as_text(store: RepositoryBackend, key: str) -> bytes:
    with io.TextIOWrapper(store.open(key), encoding='latin-1', newline='') as handle:
        return handle.read().encode('latin-1')


def after_a_look_at_both_ends(store: RepositoryBackend, key: str) -> bytes:
    with store.open(key) as handle:
        begin = handle.read(10)
        size = handle.seek(0, io.SEEK_END)
        assert size >= len(begin)
        assert handle.seek(0) == 0
        return handle.read()


def copied(store: RepositoryBackend, key: str) -> bytes:
    target = io.BytesIO()
    with store.open(key) as handle:
        shutil.copyfileobj(handle, target)
    return target.getvalue()


def among_many(store: RepositoryBackend, key: str) -> bytes:
    return {found: handle.read() for found, handle in store.iter_object_streams([key])}[key]


def put_anew(store: RepositoryBackend, key: str) -> bytes:
    """Stored in another repository: nothing may be there then."""
    other = SandboxRepository()
    other.initialise()
    try:
        with store.open(key) as handle:
            copy = other.put_object_from_filelike(handle)
        return other.get_object_content(copy)
    finally:
        assert [*other.list_objects()] in ([], [key])
        other.erase()


def hashed(store: RepositoryBackend, key: str) -> bytes:
    return b'' if store.get_object_hash(key) == key else b'?'


READINGS = [
    whole,
    opened,
    in_chunks,
    in_small_chunks,
    into_a_buffer,
    by_lines,
    as_text,
    after_a_look_at_both_ends,
    copied,
    among_many,
    put_anew,
    hashed,
]


# forms: a store that holds one content, and where its bytes lie ----------------------------------------------


def loose(folder: Path, content: bytes) -> tuple[RepositoryBackend, Path, int, int]:
    store = Container(folder)
    store.initialise()
    path = Path(store.loose_path(store.put_object_from_bytes(content)))
    return store, path, 0, len(content)


def packed(folder: Path, content: bytes, compress: Any = 'no') -> tuple[RepositoryBackend, Path, int, int]:
    store = Container(folder)
    store.initialise()
    key = store.put_objects_into_pack([b'before', content], compress)[1]
    row = store.index.find(key)
    assert row is not None
    return store, store.layout.pack_path(row.pack_id), row.offset, row.length


def packed_and_compressed(folder: Path, content: bytes) -> tuple[RepositoryBackend, Path, int, int]:
    return packed(folder, content, 'yes')


def temporary(_folder: Path, content: bytes) -> tuple[RepositoryBackend, Path, int, int]:
    store = SandboxRepository()
    store.initialise()
    key = store.put_object_from_bytes(content)
    return store, store.folder / key[:2] / key[2:], 0, len(content)


def zipped(folder: Path, content: bytes, key: str, method: int) -> RepositoryBackend:
    """An archive in which this content has the name `key`, with the checksum that belongs to the content."""
    folder.mkdir(exist_ok=True)
    path = folder / 'archive.aiida'
    with zipfile.ZipFile(path, 'w', method) as archive:
        archive.writestr(f'repo/{key}', content)
    return ZipRepository(path)


@pytest.mark.parametrize('damage', DAMAGES)
@pytest.mark.parametrize('size', [SMALL, LARGE])
@pytest.mark.parametrize('form', [loose, packed, packed_and_compressed, temporary])
def test_a_damaged_object_is_an_error_however_it_is_read(
    tmp_path: Path, key_of: KeyOf, form: Any, size: int, damage: Any
) -> None:
    content = content_of(size)
    store, path, begin, length = form(tmp_path / 'store', content)
    path.chmod(0o644)
    damage(path, begin, length, content_of(size, seed=1))
    with store:
        for reading in READINGS:
            with pytest.raises(CorruptStorage, match=r'damaged|ends before'):
                reading(store, key_of(content))


@pytest.mark.parametrize('size', [SMALL, LARGE])
@pytest.mark.parametrize('method', [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_of_an_archive_that_is_not_what_its_name_says_is_an_error_however_it_is_read(
    tmp_path: Path, key_of: KeyOf, method: int, size: int
) -> None:
    key = key_of(content_of(size))
    with zipped(tmp_path, content_of(size, seed=1), key, method) as store:
        for reading in READINGS:
            with pytest.raises(CorruptStorage, match='is damaged'):
                reading(store, key)


@pytest.mark.parametrize('size', [0, SMALL, CHUNK_BYTES, CHUNK_BYTES + 1, LARGE])
def test_a_sound_object_is_read_as_it_is_in_every_way(tmp_path: Path, key_of: KeyOf, size: int) -> None:
    content = content_of(size)
    stores = [form(tmp_path / form.__name__, content)[0] for form in (loose, packed, packed_and_compressed, temporary)]
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        stores.append(zipped(tmp_path / f'zip{method}', content, key_of(content), method))
    for store in stores:
        with store:
            for reading in READINGS:
                assert reading(store, key_of(content)) == (b'' if reading is hashed else content)


@pytest.mark.parametrize('form', [loose, packed, packed_and_compressed, temporary])
def test_the_end_of_a_damaged_object_is_never_given_and_the_error_comes_again(
    tmp_path: Path, key_of: KeyOf, form: Any
) -> None:
    content = content_of(LARGE)
    store, path, begin, length = form(tmp_path / 'store', content)
    path.chmod(0o644)
    flipped(path, begin, length, b'')
    with store, store.open(key_of(content)) as handle:
        given: list[bytes] = []
        with pytest.raises(CorruptStorage):
            given.extend(iter(lambda: handle.read(100_000), b''))
        assert sum(map(len, given)) < LARGE
        for _ in range(2):
            with pytest.raises(CorruptStorage):
                handle.read()


@pytest.mark.parametrize('form', [loose, packed, packed_and_compressed, temporary])
def test_jumping_about_in_a_large_object_gives_what_is_there(tmp_path: Path, key_of: KeyOf, form: Any) -> None:
    content = content_of(LARGE)
    store, *_ = form(tmp_path / 'store', content)
    source = random.Random(7)
    with store, store.open(key_of(content)) as handle:
        for _ in range(60):
            place, length = source.randrange(LARGE), source.choice([1, 100, 70_000, LARGE])
            assert handle.seek(place) == place
            assert handle.read(length) == content[place : place + length]
        with pytest.raises(OSError):
            handle.fileno()  # by which the bytes could be had without the check


@pytest.mark.parametrize('size', [SMALL, LARGE])
@pytest.mark.parametrize('whose', ['loose', 'packed'])
def test_of_two_copies_the_sound_one_is_the_content(
    container: Container, key_of: KeyOf, spoil: Callable[..., None], size: int, whose: str
) -> None:
    content = content_of(size)
    (key,) = container.put_objects_into_pack([content])
    path = Path(container.loose_path(key))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    spoil(path if whose == 'loose' else container.layout.pack_path(0), size // 2)
    for _ in range(2):
        assert container.get_object_content(key) == content


# what is no object --------------------------------------------------------------------------------------------


@pytest.fixture(params=['container', 'sandbox'])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RepositoryBackend]:
    made = Container(tmp_path / 'made') if request.param == 'container' else SandboxRepository()
    made.initialise()
    yield made
    made.erase()


@pytest.mark.parametrize('text', ['', 'Va, pensiero', 'x' * (2 * CHUNK_BYTES)])
def test_a_stream_of_text_is_refused_and_nothing_is_stored(store: RepositoryBackend, tmp_path: Path, text: str) -> None:
    (tmp_path / 'text').write_text(text)
    with (tmp_path / 'text').open() as file, tempfile.TemporaryFile('w+') as temporary:
        for handle in (io.StringIO(text), file, temporary):
            with pytest.raises(TypeError, match='a stream of bytes is needed'):
                store.put_object_from_filelike(handle)  # type: ignore[arg-type]
            with pytest.raises(TypeError, match='a stream of bytes is needed'):
                store.put_objects([handle] * 5)  # type: ignore[list-item]
    assert [*store.list_objects()] == []


def test_an_object_that_is_not_there_is_an_error_of_files_and_of_the_graph(
    store: RepositoryBackend, tmp_path: Path
) -> None:
    archive = zipped(tmp_path, b'', '0' * 64, zipfile.ZIP_STORED)
    for one in (store, archive):
        for key in ('f' * 64, 'no key', '../../etc/passwd'):
            for ask in (one.open, one.get_object_content, one.get_object_size, one.get_object_hash):
                for kind in (FileNotFoundError, NotExistent, MissingObject):
                    with pytest.raises(kind, match=f'no object {key}'):
                        ask(key)


# rows of the index that say what cannot be --------------------------------------------------------------------

ODD_ROWS = [
    ('"offset"', "'text'"),
    ('"offset"', "x'00'"),
    ('"offset"', '-5'),
    ('"offset"', '1.5'),
    ('"offset"', str((1 << 63) - 1)),
    ('"offset"', '1e300'),
    ('length', "'text'"),
    ('length', '-1'),
    ('length', '2.5'),
    ('length', str((1 << 63) - 1)),
    ('size', "'text'"),
    ('size', '-1'),
    ('size', '0.5'),
    ('size', str((1 << 63) - 1)),
    ('pack_id', "'../../x'"),
    ('pack_id', '-7'),
    ('pack_id', '1.5'),
    ('pack_id', str((1 << 63) - 1)),
    ('compressed', "'yes'"),
    ('compressed', '7'),
]


@pytest.fixture(params=ODD_ROWS, ids=[f'{column}={value}' for column, value in ODD_ROWS])
def odd(request: pytest.FixtureRequest, container: Container) -> tuple[Container, list[str]]:
    """A container with three packed objects, of which the second has a row that cannot be."""
    keys = container.put_objects_into_pack([content_of(100, seed) for seed in range(3)])
    container.close()
    column, value = request.param
    with sqlite3.connect(container.layout.index) as index:
        index.execute(f'UPDATE db_object SET {column} = {value} WHERE hashkey = ?', (keys[1],))
    index.close()
    return container, keys


def test_a_row_of_the_index_that_cannot_be_is_told_and_hides_no_other(odd: tuple[Container, list[str]]) -> None:
    container, keys = odd
    for reading in READINGS:
        with pytest.raises(CorruptStorage, match=keys[1]):
            reading(container, keys[1])
    assert [container.get_object_content(keys[seed]) for seed in (0, 2)] == [content_of(100, seed) for seed in (0, 2)]


def test_where_a_row_of_the_index_cannot_be_a_loose_copy_is_read(odd: tuple[Container, list[str]]) -> None:
    container, keys = odd
    assert container.put_object_from_bytes(content_of(100, 1)) == keys[1]
    assert container.get_object_content(keys[1]) == content_of(100, 1)
    assert {key: handle.read() for key, handle in container.iter_object_streams(keys)} == {
        key: content_of(100, seed) for seed, key in enumerate(keys)
    }


def test_maintenance_changes_nothing_where_a_row_of_the_index_cannot_be(
    odd: tuple[Container, list[str]], maintain: Any, snapshot: Any
) -> None:
    container, keys = odd
    named = [*keys, container.put_object_from_bytes(b'loose')]
    container.put_object_from_bytes(b'garbage')
    before = snapshot(container.layout.packs), snapshot(container.layout.loose)
    for options in ({'full': True, 'repack': 'all'}, {'full': True}, {}, {'dry_run': True}):
        with pytest.raises(CorruptStorage, match='1 of its rows say what cannot be'):
            maintain(container, named, **options)
    assert (snapshot(container.layout.packs), snapshot(container.layout.loose)) == before
    with pytest.raises(CorruptStorage):
        container.put_objects([content_of(100, seed) for seed in range(10)])
    assert [path.name for path in container.layout.packs.iterdir()] == ['0']
