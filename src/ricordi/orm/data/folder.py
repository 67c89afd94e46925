"""A node that holds files and folders."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, Literal, TextIO, overload

from ricordi.orm.data.data import Data
from ricordi.orm.nodes.repository import NodePath
from ricordi.orm.nodes.repository_tree import File


class FolderData(Data, node_type='data.core.folder.FolderData.'):
    """Files and folders; the methods are those of `base.repository`."""

    def __init__(self, tree: str | Path | None = None, **kwargs: Any) -> None:
        """
        :param tree: absolute path of a folder whose content is copied.
        """
        super().__init__(**kwargs)
        if tree:
            self.base.repository.put_object_from_tree(tree)

    def list_objects(self, path: NodePath | None = None) -> list[File]:
        """What is in a folder, sorted by name."""
        return self.base.repository.list_objects(path)

    def list_object_names(self, path: NodePath | None = None) -> list[str]:
        """The names of what is in a folder, sorted."""
        return self.base.repository.list_object_names(path)

    def get_object(self, path: NodePath | None = None) -> File:
        """The entry at `path`."""
        return self.base.repository.get_object(path)

    def walk(self, path: NodePath | None = None) -> Iterator[tuple[PurePosixPath, list[str], list[str]]]:
        """Folder, names of its folders, names of its files: for `path` and all below, deepest first."""
        return self.base.repository.walk(path)

    def glob(self) -> Iterator[PurePosixPath]:
        """The paths of all files and folders."""
        return self.base.repository.glob()

    @overload
    def open(self, path: NodePath, mode: Literal['r'] = 'r') -> TextIO: ...

    @overload
    def open(self, path: NodePath, mode: Literal['rb']) -> BinaryIO: ...

    def open(self, path: NodePath, mode: Literal['r', 'rb'] = 'r') -> TextIO | BinaryIO:
        """A stream over a file, to be closed or used as a context manager."""
        return self.base.repository.open(path, mode)

    @overload
    def get_object_content(self, path: NodePath, mode: Literal['r'] = 'r') -> str: ...

    @overload
    def get_object_content(self, path: NodePath, mode: Literal['rb']) -> bytes: ...

    def get_object_content(self, path: NodePath, mode: Literal['r', 'rb'] = 'r') -> str | bytes:
        """The content of a file: text for mode `r`, bytes for `rb`."""
        return self.base.repository.get_object_content(path, mode)

    def as_path(self, path: NodePath | None = None) -> AbstractContextManager[Path]:
        """A file or folder as a temporary copy on disk, gone when the context ends."""
        return self.base.repository.as_path(path)

    def copy_tree(self, target: str | Path, path: NodePath | None = None) -> None:
        """Write what is in a folder below the folder `target`."""
        self.base.repository.copy_tree(target, path)

    def put_object_from_bytes(self, content: bytes, path: NodePath) -> None:
        """Put a file with this content."""
        self.base.repository.put_object_from_bytes(content, path)

    def put_object_from_filelike(self, handle: IO[Any], path: NodePath) -> None:
        """Put a file with what a stream yields."""
        self.base.repository.put_object_from_filelike(handle, path)

    def put_object_from_file(self, filepath: str | Path, path: NodePath) -> None:
        """Put a copy of a file on disk."""
        self.base.repository.put_object_from_file(filepath, path)

    def put_object_from_tree(self, filepath: str | Path, path: NodePath | None = None) -> None:
        """Put a copy of all that is in a folder on disk."""
        self.base.repository.put_object_from_tree(filepath, path)

    def delete_object(self, path: NodePath) -> None:
        """Take a file out."""
        self.base.repository.delete_object(path)

    def erase(self) -> None:
        """Take all files and folders out."""
        self.base.repository.erase()
