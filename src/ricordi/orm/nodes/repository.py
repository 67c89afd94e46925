"""The files of a node: `node.base.repository`."""

from __future__ import annotations

import io
import os
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Literal, TextIO, cast, overload

from ricordi.backend.rows import JsonDict
from ricordi.errors import ModificationNotAllowed, ValidationError
from ricordi.model.file_trees import split_path
from ricordi.orm.nodes.repository_tree import File, FileTree
from ricordi.orm.nodes.sandbox import Sandbox
from ricordi.orm.nodes.write_out import Contents, write_file, write_folder
from ricordi.orm.values import copy_json

if TYPE_CHECKING:
    from ricordi.orm.nodes.node import Node

NodePath = str | PurePath


class NodeRepository:
    """Files and folders of a node. They can be changed until it is stored; till then they wait in a sandbox."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._sandbox: Sandbox | None = None
        self._draft: FileTree | None = None

    # -- where things are -----------------------------------------------------------------------------------

    @property
    def _tree(self) -> FileTree:
        if self._node.is_stored:
            return FileTree(self._node.row.repository_metadata)
        if self._draft is None:
            self._draft = FileTree()
        return self._draft

    @property
    def _contents(self) -> Contents:
        if self._node.is_stored:
            return self._node.backend.repository
        return self._own_sandbox()

    def _own_sandbox(self) -> Sandbox:
        if self._sandbox is None:
            self._sandbox = Sandbox()
        return self._sandbox

    def _check_mutability(self) -> None:
        if self._node.is_stored:
            raise ModificationNotAllowed(f'{self._node!r} is stored: its files cannot be changed')

    @property
    def metadata(self) -> JsonDict:
        """The file tree as JSON: a folder is `{"o": {name: …}}`, a file `{"k": key}`."""
        return self.serialize()

    def serialize(self) -> JsonDict:
        """The file tree as JSON; a copy."""
        return copy_json(self._tree.serialize())  # type: ignore[no-any-return]

    def serialize_content(self) -> dict[str, bytes]:
        """The content of every file by path; all of it in memory."""
        return {path: self._contents.get_object_content(key) for path, key in self._tree.files()}

    def hash(self) -> str:
        """A hash of names and contents, equal to AiiDA's; contents are not read, for their keys tell them apart."""
        from ricordi.orm.nodes.hashing import hash_tree

        return hash_tree(self._tree)

    # -- look -----------------------------------------------------------------------------------------------

    def get_object(self, path: NodePath | None = None) -> File:
        """The entry at `path`; the root for None.

        :raises FileNotFoundError: there is none.
        """
        return self._tree.get(path)

    def has_object(self, path: NodePath) -> bool:
        """Whether there is a file or folder at `path`."""
        try:
            self._tree.get(path)
        except FileNotFoundError:
            return False
        return True

    def list_objects(self, path: NodePath | None = None) -> list[File]:
        """What is in a folder, sorted by name.

        :raises NotADirectoryError: `path` is a file.
        """
        return self._tree.list_entries(path)

    def list_object_names(self, path: NodePath | None = None) -> list[str]:
        """The names of what is in a folder, sorted."""
        return [entry.name for entry in self._tree.list_entries(path)]

    def walk(self, path: NodePath | None = None) -> Iterator[tuple[PurePosixPath, list[str], list[str]]]:
        """Folder, names of its folders, names of its files: for `path` and all below, deepest first."""
        return self._tree.walk(path)

    def glob(self) -> Iterator[PurePosixPath]:
        """The paths of all files and folders."""
        for folder, folders, files in self._tree.walk():
            for name in (*folders, *files):
                yield folder / name

    # -- read -----------------------------------------------------------------------------------------------

    @overload
    def open(self, path: NodePath, mode: Literal['r'] = 'r', encoding: str = 'utf-8') -> TextIO: ...

    @overload
    def open(self, path: NodePath, mode: Literal['rb'], encoding: str = 'utf-8') -> BinaryIO: ...

    def open(self, path: NodePath, mode: Literal['r', 'rb'] = 'r', encoding: str = 'utf-8') -> TextIO | BinaryIO:
        """A stream over a file, to be closed or used as a context manager.

        :param mode: `r` for text, `rb` for bytes.
        :param encoding: of text.
        :raises FileNotFoundError: there is no such file.
        :raises IsADirectoryError: it is a folder.
        """
        _check_mode(mode)
        handle = self._contents.open(self._tree.get_key(path))
        return handle if mode == 'rb' else io.TextIOWrapper(handle, encoding=encoding)

    @overload
    def get_object_content(self, path: NodePath, mode: Literal['r'] = 'r', encoding: str = 'utf-8') -> str: ...

    @overload
    def get_object_content(self, path: NodePath, mode: Literal['rb'], encoding: str = 'utf-8') -> bytes: ...

    def get_object_content(
        self, path: NodePath, mode: Literal['r', 'rb'] = 'r', encoding: str = 'utf-8'
    ) -> str | bytes:
        """The content of a file: text for mode `r`, bytes for `rb`."""
        _check_mode(mode)
        content = self._contents.get_object_content(self._tree.get_key(path))
        return content if mode == 'rb' else content.decode(encoding)

    def get_object_size(self, path: NodePath) -> int:
        """Bytes of a file, found without reading it."""
        return self._contents.get_object_size(self._tree.get_key(path))

    def get_zipped_objects(self, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
        """All files as a zip archive.

        :param compression: a constant of `zipfile`.
        """
        target = io.BytesIO()
        with zipfile.ZipFile(target, 'w', compression) as archive:
            for path, key in self._tree.files():
                split_path(path)  # whoever unpacks the archive may trust its names
                archive.writestr(path, self._contents.get_object_content(key))
        return target.getvalue()

    @contextmanager
    def as_path(self, path: NodePath | None = None) -> Iterator[Path]:
        """A file or folder as a temporary copy on disk, gone when the context ends."""
        entry = self._tree.get(path)
        with tempfile.TemporaryDirectory(prefix='ricordi-') as folder:
            if entry.key is not None:
                target = Path(folder) / entry.name
                write_file(entry.key, self._contents, target)
            else:
                target = Path(folder)
                write_folder(self._tree.get_folder(path), self._contents, target)
            yield target

    def copy_tree(self, target: str | Path, path: NodePath | None = None) -> None:
        """Write what is in a folder below the folder `target`.

        :raises TypeError: `target` is not an absolute path.
        :raises ricordi.errors.ValidationError: a name would leave `target`, or meets a symbolic link there.
        """
        target = Path(target)
        if not target.is_absolute():
            raise TypeError(f'the target of copy_tree is an absolute path, got {str(target)!r}')
        write_folder(self._tree.get_folder(path), self._contents, target)

    # -- change ---------------------------------------------------------------------------------------------

    def put_object_from_bytes(self, content: bytes, path: NodePath) -> None:
        """Put a file with this content; one that has the name gives way.

        :raises ricordi.errors.ModificationNotAllowed: the node is stored.
        :raises ricordi.errors.ValidationError: the path would leave the node.
        """
        self._check_mutability()
        _check_file_path(path)
        self._tree.put(path, self._own_sandbox().put_bytes(content))

    def put_object_from_filelike(self, handle: IO[Any], path: NodePath) -> None:
        """Put a file with what a stream yields; text is encoded as UTF-8."""
        self._check_mutability()
        _check_file_path(path)
        sandbox = self._own_sandbox()
        if _is_text(handle):
            key = sandbox.put_bytes(handle.read().encode())
        else:
            key = sandbox.put_stream(cast('BinaryIO', handle))
        self._tree.put(path, key)

    def put_object_from_file(self, filepath: str | Path, path: NodePath) -> None:
        """Put a copy of a file on disk."""
        self._check_mutability()
        _check_file_path(path)
        with Path(filepath).open('rb') as handle:
            self._tree.put(path, self._own_sandbox().put_stream(handle))

    def put_object_from_tree(self, filepath: str | Path, path: NodePath | None = None) -> None:
        """Put a copy of all that is in a folder on disk, empty folders as well. Symbolic links are followed.

        :param path: the folder of the node to put it in.
        :raises TypeError: `filepath` is not an absolute path.
        :raises ricordi.errors.ValidationError: something there is neither file nor folder, or a link leads in a circle.
        """
        self._check_mutability()
        source = Path(filepath)
        if not source.is_absolute():
            raise TypeError(f'the folder to copy is an absolute path, got {str(filepath)!r}')
        if not source.is_dir():
            raise NotADirectoryError(f'{source} is not a folder')
        self._put_folder(source, split_path(path), ())

    def _put_folder(self, source: Path, path: tuple[str, ...], above: tuple[tuple[int, int], ...]) -> None:
        status = source.stat()
        identity = (status.st_dev, status.st_ino)
        if identity in above:
            raise ValidationError(f'{source} is a symbolic link to a folder that holds it')
        self._tree.make_folder('/'.join(path))
        with os.scandir(source) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            here = Path(entry.path)
            if entry.is_dir():
                self._put_folder(here, (*path, entry.name), (*above, identity))
            elif stat.S_ISREG(here.stat().st_mode):
                self.put_object_from_file(here, '/'.join((*path, entry.name)))
            else:
                raise ValidationError(f'{here} is neither a file nor a folder')

    def delete_object(self, path: NodePath) -> None:
        """Take a file out.

        :raises IsADirectoryError: it is a folder.
        """
        self._check_mutability()
        self._tree.delete(path)

    def erase(self) -> None:
        """Take all files and folders out."""
        self._check_mutability()
        self._draft = None

    # -- for `store` and `clone` ----------------------------------------------------------------------------

    def waiting_contents(self) -> Iterator[tuple[Sandbox, str]]:
        """The contents of all files, to be put into the repository when the node is stored."""
        if self._draft is not None and self._sandbox is not None:
            for _, key in self._draft.files():
                yield self._sandbox, key

    def copy_from(self, other: NodeRepository) -> None:
        """Take over the files of another node without reading them, if that node is stored."""
        self._check_mutability()
        if not other._node.is_stored:
            for path, key in other._tree.files():
                with other._contents.open(key) as handle:
                    self.put_object_from_filelike(handle, path)
            for folder, names, _ in other._tree.walk():
                for name in names:
                    self._tree.make_folder(folder / name)
            return
        self._sandbox = Sandbox(other._node.backend.repository)
        self._draft = FileTree(other.serialize())


def _check_mode(mode: str) -> None:
    if mode not in ('r', 'rb'):
        raise ValueError(f'files of a node are opened with mode "r" or "rb", got {mode!r}')


def _check_file_path(path: NodePath) -> None:
    if not split_path(path):
        raise ValidationError(f'{str(path)!r} is not the path of a file')


def _is_text(handle: IO[Any]) -> bool:
    return isinstance(handle, io.TextIOBase) or isinstance(getattr(handle, 'file', None), io.TextIOBase)
