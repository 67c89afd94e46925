"""The files of a node: put, read, listed, written out; nothing leaves the tree."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ricordi import orm
from ricordi.errors import ModificationNotAllowed, ValidationError
from ricordi.model.file_trees import split_path
from ricordi.orm.nodes.repository_tree import FileTree
from ricordi.orm.nodes.sandbox import SMALL_BYTES

NAMES = st.text(st.characters(exclude_characters='/\0', exclude_categories=['Cs']), min_size=1, max_size=8).filter(
    lambda name: name not in ('.', '..')
)
TREES = st.recursive(st.binary(max_size=64), lambda inner: st.dictionaries(NAMES, inner, max_size=4), max_leaves=12)

pytestmark = pytest.mark.usefixtures('sqlite_storage')


@pytest.fixture
def folder() -> orm.FolderData:
    node = orm.FolderData()
    node.put_object_from_bytes(b'one', 'a.txt')
    node.put_object_from_bytes('zwei\r\nü'.encode(), 'sub/deep/b.txt')
    return node


@pytest.fixture(params=['draft', 'stored'])
def either(request: pytest.FixtureRequest, folder: orm.FolderData) -> orm.FolderData:
    """The folder before and after it is stored: reading is the same."""
    return folder.store() if request.param == 'stored' else folder


def test_files_are_listed_and_walked(either: orm.FolderData) -> None:
    assert either.list_object_names() == ['a.txt', 'sub']
    assert either.list_object_names('sub/deep') == ['b.txt']
    assert [str(path) for path in either.glob()] == ['sub/deep/b.txt', 'sub/deep', 'sub', 'a.txt']
    assert [(str(folder), dirs, files) for folder, dirs, files in either.walk()] == [
        ('sub/deep', [], ['b.txt']),
        ('sub', ['deep'], []),
        ('.', ['sub'], ['a.txt']),
    ]
    assert either.get_object('a.txt').is_file()
    assert either.get_object('sub').is_dir()
    assert either.get_object('sub').objects['deep'].objects['b.txt'].key is not None


def test_content_is_read_as_text_and_bytes(either: orm.FolderData) -> None:
    assert either.get_object_content('a.txt') == 'one'
    assert either.get_object_content('sub/deep/b.txt', 'rb') == 'zwei\r\nü'.encode()
    with either.open('sub/deep/b.txt') as text:
        assert text.read() == 'zwei\nü'
    with either.open(Path('sub') / 'deep' / 'b.txt', 'rb') as binary:
        assert binary.read(4) == b'zwei'
        binary.seek(0)
        assert binary.read() == 'zwei\r\nü'.encode()
    assert either.base.repository.get_object_size('sub/deep/b.txt') == 8
    with pytest.raises(UnicodeDecodeError), either.base.repository.open('sub/deep/b.txt', 'r', 'ascii') as text:
        text.read()
    assert either.base.repository.get_object_content('sub/deep/b.txt', encoding='latin-1').endswith('Ã¼')


@pytest.mark.parametrize(
    ('path', 'error'),
    [('none', FileNotFoundError), ('sub', IsADirectoryError), ('a.txt/x', FileNotFoundError), ('/a.txt', TypeError)],
)
def test_reading_what_is_no_file_tells_why(either: orm.FolderData, path: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=path):
        either.get_object_content(path)


def test_other_modes_are_refused(either: orm.FolderData) -> None:
    with pytest.raises(ValueError, match='"r" or "rb"'):
        either.open('a.txt', 'w')  # type: ignore[call-overload]


def test_a_copy_on_disk_has_the_same_files(either: orm.FolderData, tmp_path: Path) -> None:
    either.copy_tree(tmp_path / 'out')
    assert (tmp_path / 'out' / 'sub' / 'deep' / 'b.txt').read_bytes() == 'zwei\r\nü'.encode()
    either.copy_tree(str(tmp_path / 'part'), 'sub')
    assert (tmp_path / 'part' / 'deep' / 'b.txt').exists()
    with either.as_path() as path:
        assert sorted(found.name for found in path.rglob('*.txt')) == ['a.txt', 'b.txt']
    assert not path.exists()
    with either.as_path('sub/deep/b.txt') as path:
        assert path.name == 'b.txt'
        assert path.read_bytes() == 'zwei\r\nü'.encode()


def test_all_files_come_as_a_zip(either: orm.FolderData) -> None:
    with zipfile.ZipFile(io.BytesIO(either.base.repository.get_zipped_objects())) as archive:
        assert sorted(archive.namelist()) == ['a.txt', 'sub/deep/b.txt']
        assert archive.read('a.txt') == b'one'


def test_files_of_a_stored_node_cannot_be_changed(folder: orm.FolderData) -> None:
    folder.store()
    for change in (
        lambda: folder.put_object_from_bytes(b'', 'x'),
        lambda: folder.put_object_from_filelike(io.BytesIO(), 'x'),
        lambda: folder.put_object_from_file(__file__, 'x'),
        lambda: folder.put_object_from_tree(Path(__file__).parents[1]),
        lambda: folder.delete_object('a.txt'),
        folder.erase,
    ):
        with pytest.raises(ModificationNotAllowed, match='stored'):
            change()


def test_files_come_from_streams_of_text_and_bytes_and_from_disk(tmp_path: Path) -> None:
    node = orm.FolderData()
    (tmp_path / 'disk').write_bytes(b'\x00disk')
    node.put_object_from_filelike(io.StringIO('tëxt'), 'text')
    node.put_object_from_filelike(io.BytesIO(b'bytes'), 'bytes')
    node.put_object_from_file(tmp_path / 'disk', 'disk')
    with (tmp_path / 'disk').open('rb') as handle:
        handle.read(1)
        node.put_object_from_filelike(handle, 'rest')
    node.store()
    assert node.base.repository.serialize_content() == {
        'text': 'tëxt'.encode(),
        'bytes': b'bytes',
        'disk': b'\x00disk',
        'rest': b'disk',
    }


def test_a_big_stream_goes_through_the_disk_unchanged() -> None:
    content = os.urandom(3 * SMALL_BYTES + 1)
    node = orm.FolderData()
    node.put_object_from_filelike(io.BytesIO(content), 'big')
    node.put_object_from_bytes(content, 'twice')
    assert node.get_object_content('big', 'rb') == content
    node.store()
    assert node.get_object_content('twice', 'rb') == content


def test_a_stream_that_yields_little_at_a_time_is_read_to_its_end() -> None:
    class Slow(io.RawIOBase):
        def __init__(self) -> None:
            self.left = SMALL_BYTES + 5

        def read(self, size: int = -1) -> bytes:
            count = min(1000, size, self.left)
            self.left -= count
            return b'x' * count

    node = orm.FolderData()
    node.put_object_from_filelike(Slow(), 'slow')  # type: ignore[arg-type]
    assert node.base.repository.get_object_size('slow') == SMALL_BYTES + 5


def test_a_folder_on_disk_comes_whole(tmp_path: Path) -> None:
    source = tmp_path / 'source'
    (source / 'sub' / 'empty').mkdir(parents=True)
    (source / 'sub' / 'file').write_bytes(b'1')
    (source / 'linked_file').symlink_to(source / 'sub' / 'file')
    (source / 'linked_folder').symlink_to(source / 'sub')
    node = orm.FolderData(tree=source)
    assert node.base.repository.serialize_content() == {
        'linked_file': b'1',
        'linked_folder/file': b'1',
        'sub/file': b'1',
    }
    assert node.get_object('sub/empty').is_dir()
    node.put_object_from_tree(str(source), 'again')
    assert node.get_object_content('again/sub/file') == '1'
    with orm.load_node(node.store().pk).base.repository.as_path() as copy:
        assert (copy / 'sub' / 'empty').is_dir()


def test_a_folder_with_a_link_to_itself_or_a_pipe_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'circle' / 'sub').mkdir(parents=True)
    (tmp_path / 'circle' / 'sub' / 'up').symlink_to(tmp_path / 'circle')
    with pytest.raises(ValidationError, match='link to a folder that holds it'):
        orm.FolderData(tree=tmp_path / 'circle')
    (tmp_path / 'special').mkdir()
    os.mkfifo(tmp_path / 'special' / 'pipe')
    with pytest.raises(ValidationError, match='neither a file nor a folder'):
        orm.FolderData(tree=tmp_path / 'special')


def test_a_relative_folder_or_a_file_is_no_tree(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match='absolute'):
        orm.FolderData(tree='some/where')
    with pytest.raises(NotADirectoryError):
        orm.FolderData(tree=__file__)


@pytest.mark.parametrize('path', ['../x', 'a/../../x', 'a/..', 'nul\0', '..', '', '.', 'a/\ud800'])
def test_a_name_that_would_leave_the_tree_is_refused(path: str) -> None:
    node = orm.FolderData()
    with pytest.raises(ValidationError):
        node.put_object_from_bytes(b'', path)
    assert node.list_object_names() == []


def test_an_absolute_path_is_refused() -> None:
    with pytest.raises(TypeError, match='relative'):
        orm.FolderData().put_object_from_bytes(b'', '/etc/passwd')


def test_dots_and_double_slashes_mean_nothing() -> None:
    assert split_path('./a//b/./c/') == ('a', 'b', 'c')
    assert split_path(None) == split_path('') == split_path('.') == ()


@pytest.mark.parametrize('name', ['..', '.', '', 'a/b', '../../x', 'x\0'])
def test_names_that_another_program_put_into_the_tree_are_not_written_out(name: str, tmp_path: Path) -> None:
    node = orm.FolderData()
    node.put_object_from_bytes(b'evil', 'x')
    node.store()
    key = node.get_object('x').key
    for tree in ({'o': {name: {'k': key}}}, {'o': {name: {'o': {'x': {'k': key}}}}}):
        node.row.repository_metadata = tree
        with pytest.raises(ValidationError, match='cannot be the name'):
            node.copy_tree(tmp_path / 'inner' / 'out')
        with pytest.raises(ValidationError, match='cannot be the name'), node.as_path():
            pass
    assert not list(tmp_path.rglob('x'))


def test_a_symbolic_link_in_the_way_is_not_followed(folder: orm.FolderData, tmp_path: Path) -> None:
    precious = tmp_path / 'precious'
    precious.mkdir()
    (precious / 'file').write_text('keep me')
    for name, goal in (('a.txt', precious / 'file'), ('sub', precious)):
        target = tmp_path / f'out-{name}'
        target.mkdir()
        (target / name).symlink_to(goal)
        with pytest.raises(ValidationError, match='symbolic link'):
            folder.copy_tree(target)
    assert (precious / 'file').read_text() == 'keep me'
    assert [path.name for path in precious.iterdir()] == ['file']


def test_a_file_gives_way_to_a_file_but_not_to_a_folder(folder: orm.FolderData) -> None:
    folder.put_object_from_bytes(b'new', 'a.txt')
    assert folder.get_object_content('a.txt') == 'new'
    with pytest.raises(IsADirectoryError):
        folder.put_object_from_bytes(b'', 'sub')
    with pytest.raises(NotADirectoryError):
        folder.put_object_from_bytes(b'', 'a.txt/x')


def test_a_deleted_file_is_gone_and_its_folder_stays(folder: orm.FolderData) -> None:
    folder.delete_object('sub/deep/b.txt')
    assert folder.store().base.repository.metadata == {
        'o': {'a.txt': {'k': folder.get_object('a.txt').key}, 'sub': {'o': {'deep': {}}}}
    }
    with pytest.raises(IsADirectoryError):
        orm.FolderData().base.repository.delete_object('.')


def test_files_that_are_called_as_the_format_calls_things() -> None:
    node = orm.FolderData()
    for path in ('k', 'o/k', 'o/o/o', 'x/k/k'):
        node.put_object_from_bytes(path.encode(), path)
    loaded = orm.load_node(node.store().pk)
    assert loaded.base.repository.serialize_content() == {
        path: path.encode() for path in ('k', 'o/k', 'o/o/o', 'x/k/k')
    }


def test_a_clone_of_a_stored_node_has_its_files(folder: orm.FolderData) -> None:
    clone = folder.store().clone()
    clone.put_object_from_bytes(b'more', 'more')
    assert clone.get_object_content('a.txt') == 'one'
    assert clone.store().base.repository.serialize_content().keys() == {'a.txt', 'sub/deep/b.txt', 'more'}
    assert folder.list_object_names() == ['a.txt', 'sub']


def test_a_clone_of_a_draft_is_a_draft_of_its_own(folder: orm.FolderData) -> None:
    folder.base.repository._tree.make_folder('empty')
    clone = folder.clone()
    folder.erase()
    assert clone.list_object_names() == ['a.txt', 'empty', 'sub']
    assert folder.list_object_names() == []


def test_the_sandbox_goes_with_its_node(tmp_path: Path) -> None:
    script = (
        'import sys, glob, tempfile, gc\n'
        'from ricordi.orm.nodes.sandbox import Sandbox\n'
        'box = Sandbox(); box.put_bytes(bytes(1 << 20))\n'
        'print(len(glob.glob(tempfile.gettempdir() + "/ricordi-nodes-*/*")))\n'
        'if sys.argv[1] == "delete":\n'
        '    del box; gc.collect()\n'
        '    print(len(glob.glob(tempfile.gettempdir() + "/ricordi-nodes-*/*")))\n'
    )
    environment = {**os.environ, 'TMPDIR': str(tmp_path)}
    for how, counts in (('delete', '1\n0\n'), ('exit', '1\n')):
        done = subprocess.run(
            [sys.executable, '-c', script, how], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout == counts
        assert list(tmp_path.glob('ricordi-nodes-*')) == []


def test_what_a_killed_process_left_goes_with_the_next(tmp_path: Path) -> None:
    script = (
        'import os, sys\nfrom ricordi import files\nfrom ricordi.orm.nodes.sandbox import Sandbox\n'
        'files.TemporaryFolder.__init__.__defaults__ = (0.0,)\n'
        'box = Sandbox(); box.put_bytes(bytes(1 << 20))\n'
        'if sys.argv[1:]:\n    os.kill(os.getpid(), 9)\n'
    )
    environment = {**os.environ, 'TMPDIR': str(tmp_path)}
    subprocess.run([sys.executable, '-c', script, 'killed'], env=environment, check=False)
    assert len(list(tmp_path.glob('ricordi-nodes-*/*/*'))) == 1
    subprocess.run([sys.executable, '-c', script], env=environment, check=True)
    assert list(tmp_path.glob('ricordi-nodes-*')) == []


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=st.dictionaries(NAMES, TREES, max_size=5))
def test_any_tree_comes_back_from_the_storage(tree: dict[str, Any], sqlite_storage: Any) -> None:
    node = orm.FolderData()
    expected: dict[str, bytes] = {}
    folders: set[str] = set()

    def put(entries: dict[str, Any], prefix: str) -> None:
        for name, entry in entries.items():
            if isinstance(entry, bytes):
                node.put_object_from_bytes(entry, prefix + name)
                expected[prefix + name] = entry
            else:
                node.base.repository._tree.make_folder(prefix + name)
                folders.add(prefix + name)
                put(entry, f'{prefix}{name}/')

    put(tree, '')
    loaded = orm.load_node(node.store().pk).base.repository
    assert loaded.serialize_content() == expected
    found = {str(folder / name) for folder, names, _ in loaded.walk() for name in names}
    assert found == folders


def test_a_tree_lives_on_its_json_form() -> None:
    tree = FileTree({'o': {'a': {'o': {'b': {'k': 'key'}}}, 'empty': {}}})
    assert list(tree.files()) == [('a/b', 'key')]
    tree.delete('a/b')
    assert tree.serialize() == {'o': {'a': {}, 'empty': {}}}
