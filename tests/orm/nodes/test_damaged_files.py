"""A damaged file of a node is given out by no way of reading, and its damage gets no valid key in another node."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ricordi import orm
from ricordi.backend.rows import EntityKind
from ricordi.errors import CorruptStorage

SIZES = {'small': 3000, 'large': (2 << 20) + 77}
FORMS = ['loose', 'packed', 'compressed']


def content_of(size: int) -> bytes:
    return b'Va, pensiero, sull ali dorate\n' * (size // 30 + 1) + os.urandom(20).hex().encode()


@pytest.fixture(params=[f'{size}-{form}' for size in SIZES for form in FORMS])
def node(request: pytest.FixtureRequest, sqlite_storage: Any) -> orm.FolderData:
    """A stored node of which the second file is damaged."""
    size, form = request.param.split('-')
    contents = [content_of(SIZES[size]) for _ in range(3)]
    repository = sqlite_storage.repository
    if form != 'loose':
        repository.put_objects_into_pack(contents, 'yes' if form == 'compressed' else 'no')
    folder = orm.FolderData()
    for name, content in zip('abc', contents, strict=True):
        folder.base.repository.put_object_from_bytes(content, f'sub/{name}')
    folder.store()
    key = folder.base.repository.get_object('sub/b').key
    row = repository.index.find(key)
    path = Path(repository.loose_path(key)) if row is None else repository.layout.pack_path(row.pack_id)
    path.chmod(0o644)
    with path.open('r+b') as handle:
        handle.seek(SIZES[size] // 2 if row is None else row.offset + row.length // 2)
        handle.write(b'\x00\xff\x00')
    return folder


def as_text(node: orm.FolderData, _tmp: Path) -> None:
    with node.base.repository.open('sub/b') as handle:
        handle.read()


def by_lines(node: orm.FolderData, _tmp: Path) -> None:
    with node.base.repository.open('sub/b', 'r', encoding='latin-1') as handle:
        for _ in handle:
            pass


def as_bytes(node: orm.FolderData, _tmp: Path) -> None:
    with node.base.repository.open('sub/b', 'rb') as handle:
        handle.read()


def in_a_new_node(node: orm.FolderData, _tmp: Path) -> None:
    with node.base.repository.open('sub/b', 'rb') as handle:
        orm.SinglefileData(handle).store()


def in_a_new_folder(node: orm.FolderData, _tmp: Path) -> None:
    with node.base.repository.open('sub/b', 'rb') as handle:
        orm.FolderData().base.repository.put_object_from_filelike(handle, 'copy')


def by_way_of_a_path(node: orm.FolderData, _tmp: Path) -> None:
    with node.base.repository.as_path('sub/b') as path:
        orm.FolderData(tree=str(path.parent)).store()


READINGS: list[Callable[[orm.FolderData, Path], Any]] = [
    lambda node, _: node.base.repository.get_object_content('sub/b', 'rb'),
    lambda node, _: node.base.repository.serialize_content(),
    lambda node, _: node.base.repository.get_zipped_objects(),
    as_text,
    by_lines,
    as_bytes,
    in_a_new_node,
    in_a_new_folder,
    by_way_of_a_path,
]


def test_no_way_of_reading_gives_out_damage(node: orm.FolderData, tmp_path: Path, sqlite_storage: Any) -> None:
    before = [*sqlite_storage.repository.list_objects()]
    for reading in READINGS:
        with pytest.raises((CorruptStorage, UnicodeDecodeError)):
            reading(node, tmp_path)
    assert [*sqlite_storage.repository.list_objects()] == before


def test_what_is_copied_to_disk_has_its_name_only_if_it_is_right(node: orm.FolderData, tmp_path: Path) -> None:
    (tmp_path / 'copy' / 'sub').mkdir(parents=True)
    (tmp_path / 'copy' / 'sub' / 'b').write_bytes(b'what was there before')
    with pytest.raises(CorruptStorage):
        node.base.repository.copy_tree(tmp_path / 'copy')
    assert (tmp_path / 'copy' / 'sub' / 'b').read_bytes() == b'what was there before'
    written = {path.name for path in (tmp_path / 'copy').rglob('*') if path.is_file()}
    assert written <= {'a', 'b', 'c'}
    with pytest.raises(CorruptStorage), node.base.repository.as_path() as folder:
        raise AssertionError(f'there is no copy to look at in {folder}')


def test_a_file_name_as_long_as_can_be_is_copied(sqlite_storage: Any, tmp_path: Path) -> None:
    node = orm.FolderData()
    node.base.repository.put_object_from_filelike(io.BytesIO(b'x'), 'n' * 255)
    node.store().base.repository.copy_tree(tmp_path / 'copy')
    assert [path.name for path in (tmp_path / 'copy').iterdir()] == ['n' * 255]


def test_content_that_the_repository_lacks_is_a_file_not_found(sqlite_storage: Any, tmp_path: Path) -> None:
    node = orm.SinglefileData.from_string('x').store()
    sqlite_storage.repository.delete_objects([node.base.repository.get_object(node.filename).key])
    for read in (node.get_content, lambda: node.base.repository.copy_tree(tmp_path / 'copy')):
        with pytest.raises(FileNotFoundError):
            read()


def test_what_is_neither_a_folder_nor_a_file_is_told_by_all_who_meet_it(sqlite_storage: Any, tmp_path: Path) -> None:
    key = 'a' * 64
    user = sqlite_storage.insert(EntityKind.USER, [{'email': 'a'}])[0]
    tree = {'o': {'sub': {'o': {'a': None}}, 'b': {'n': {'k': key}}}}
    row = {'user_pk': user, 'node_type': 'data.core.folder.FolderData.', 'repository_metadata': tree}
    files = orm.load_node(sqlite_storage.insert(EntityKind.NODE, [row])[0]).base.repository
    asked: list[Callable[[], Any]] = [
        lambda: list(files.walk()),
        lambda: files.get_object('sub/a').is_file(),
        lambda: [entry.file_type for entry in files.list_objects('sub')],
        lambda: files.copy_tree(tmp_path / 'copy'),
        lambda: files.hash(),
    ]
    for ask in asked:
        with pytest.raises((CorruptStorage, FileNotFoundError), match=r'neither a folder nor a file|no file'):
            ask()
    assert list(orm.FolderData.collection.iter_repo_keys()) == [key], 'what it may name is no garbage'
