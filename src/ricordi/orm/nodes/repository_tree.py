"""The file tree of a node: names in folders, contents by key; looked at and changed on its JSON form.

What that form is: `ricordi.model.file_trees`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from pathlib import PurePath, PurePosixPath
from typing import Any

from ricordi.backend.rows import JsonDict
from ricordi.model.file_trees import (
    check_name,
    children,
    files_of,
    is_file,
    key_of,
    new_children,
    new_file,
    remove_child,
    split_path,
)


class FileType(enum.Enum):
    """Folder or file."""

    DIRECTORY = 0
    FILE = 1


class File:
    """An entry of a file tree."""

    __slots__ = ('_entry', 'name')

    def __init__(self, name: str, entry: JsonDict) -> None:
        self.name = name
        self._entry = entry

    def is_file(self) -> bool:
        """Whether this is a file."""
        return is_file(self._entry)

    def is_dir(self) -> bool:
        """Whether this is a folder."""
        return not is_file(self._entry)

    @property
    def file_type(self) -> FileType:
        """Folder or file."""
        return FileType.FILE if self.is_file() else FileType.DIRECTORY

    @property
    def key(self) -> str | None:
        """The key of the content of a file; None of a folder."""
        return key_of(self._entry)

    @property
    def objects(self) -> dict[str, File]:
        """What is in a folder, by name."""
        return {name: File(name, entry) for name, entry in children(self._entry).items()}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, File) and (self.name, self._entry) == (other.name, other._entry)

    def __hash__(self) -> int:
        return hash((self.name, self.key))

    def __repr__(self) -> str:
        return f'File<{self.name!r}, {self.file_type.name.lower()}>'


class FileTree:
    """Names and keys of one node; contents are somewhere else. Lives on its JSON form, without a copy."""

    def __init__(self, serialized: JsonDict | None = None) -> None:
        self._root: JsonDict = serialized if serialized is not None else {}

    def serialize(self) -> JsonDict:
        """The JSON form, not copied."""
        return self._root

    @property
    def is_empty(self) -> bool:
        """Whether there is no file and no folder."""
        return not children(self._root)

    def get(self, path: str | PurePath | None = None) -> File:
        """The entry at `path`; the root for None.

        :raises FileNotFoundError: there is none.
        """
        entry, name = self._root, ''
        for name in split_path(path):
            found = children(entry).get(name)
            if found is None:
                raise FileNotFoundError(f'there is no file or folder {str(path)!r}')
            entry = found
        return File(name, entry)

    def get_folder(self, path: str | PurePath | None = None) -> dict[str, Any]:
        """The entries of the folder at `path` by name.

        :raises NotADirectoryError: it is a file.
        """
        found = self.get(path)
        if found.is_file():
            raise NotADirectoryError(f'{str(path)!r} is a file, not a folder')
        return children(found._entry)

    def get_key(self, path: str | PurePath) -> str:
        """The key of the file at `path`.

        :raises IsADirectoryError: it is a folder.
        """
        key = self.get(path).key
        if key is None:
            raise IsADirectoryError(f'{str(path)!r} is a folder, not a file')
        return key

    def list_entries(self, path: str | PurePath | None = None) -> list[File]:
        """What is in the folder at `path`, sorted by name."""
        return [File(name, entry) for name, entry in sorted(self.get_folder(path).items())]

    def walk(self, path: str | PurePath | None = None) -> Iterator[tuple[PurePosixPath, list[str], list[str]]]:
        """Folder, names of its folders, names of its files: deepest first, for `path` and all below."""
        base = PurePosixPath(*split_path(path))
        yield from _walk(base, self.get_folder(path))

    def files(self) -> Iterator[tuple[str, str]]:
        """Path and key of every file."""
        yield from files_of(self._root)

    def make_folder(self, path: str | PurePath | None) -> JsonDict:
        """Make the folder at `path` and those on the way, as far as they are not there; returns its entry.

        :raises NotADirectoryError: a step on the way is a file.
        """
        entry = self._root
        for name in split_path(path):
            entry = new_children(entry).setdefault(name, {})
            if is_file(entry):
                raise NotADirectoryError(f'{name!r} in {str(path)!r} is a file, not a folder')
        return entry

    def put(self, path: str | PurePath, key: str) -> None:
        """Name the content `key` by `path`; a file that has this name gives way.

        :raises IsADirectoryError: a folder has this name.
        """
        *folder, name = split_path(path) or ('',)
        check_name(name)
        entries = new_children(self.make_folder('/'.join(folder)))
        if name in entries and not is_file(entries[name]):
            raise IsADirectoryError(f'{str(path)!r} is a folder, not a file')
        entries[name] = new_file(key)

    def delete(self, path: str | PurePath) -> None:
        """Take a file out of the tree; its folder stays.

        :raises IsADirectoryError: it is a folder.
        """
        self.get_key(path)
        *folder, name = split_path(path)
        remove_child(self.get('/'.join(folder))._entry, name)


def _walk(folder: PurePosixPath, entries: dict[str, Any]) -> Iterator[tuple[PurePosixPath, list[str], list[str]]]:
    folders = [name for name, entry in entries.items() if not is_file(entry)]
    for name in folders:
        yield from _walk(folder / name, children(entries[name]))
    yield folder, folders, [name for name, entry in entries.items() if is_file(entry)]
