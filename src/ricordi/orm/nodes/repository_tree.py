"""The file tree of a node: names in folders, contents by key. Its JSON form is that of `repository_metadata`.

A folder is `{"o": {name: entry}}`, an empty one `{}`; a file is `{"k": key}`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from pathlib import PurePath, PurePosixPath
from typing import Any

from ricordi.backend.rows import JsonDict
from ricordi.errors import ValidationError


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
        return self._entry['k'] if self.is_file() else None

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


def is_file(entry: JsonDict) -> bool:
    """Whether an entry is a file: it has a string under `k` (a folder may hold a file that is called `k`)."""
    return isinstance(entry.get('k'), str)


def children(entry: JsonDict) -> dict[str, Any]:
    """The entries of a folder by name; empty for a file."""
    if is_file(entry):
        return {}
    entries: dict[str, Any] = entry.get('o') or {}
    return entries


def check_name(name: str) -> None:
    """Refuse a name that is not one plain step down: empty, `.`, `..`, with a slash or a NUL, or no valid text.

    :raises ricordi.errors.ValidationError: telling why.
    """
    if not name or name in ('.', '..'):
        raise ValidationError(f'{name!r} cannot be the name of a file or folder of a node')
    if '/' in name or '\0' in name:
        raise ValidationError(f'{name!r} cannot be the name of a file or folder of a node: it holds a slash or NUL')
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ValidationError(f'{name!r} cannot be the name of a file or folder of a node: not valid UTF-8') from None


def split_path(path: str | PurePath | None) -> tuple[str, ...]:
    """The steps of a relative path; none for the root (None, an empty path or `.`).

    :raises TypeError: no path, or an absolute one.
    :raises ricordi.errors.ValidationError: a step would leave the tree, or cannot be a name.
    """
    if path is None:
        return ()
    if isinstance(path, PurePath):
        path = path.as_posix()
    if not isinstance(path, str):
        raise TypeError(f'a path in a node is a string or a relative PurePath, got {path!r}')
    if path.startswith('/') or PurePath(path).is_absolute():
        raise TypeError(f'a path in a node is relative, got the absolute path {path!r}')
    steps = tuple(step for step in path.split('/') if step and step != '.')
    for step in steps:
        check_name(step)
    return steps


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
        yield from _files('', self._root)

    def make_folder(self, path: str | PurePath | None) -> JsonDict:
        """Make the folder at `path` and those on the way, as far as they are not there; returns its entry.

        :raises NotADirectoryError: a step on the way is a file.
        """
        entry = self._root
        for name in split_path(path):
            entry = entry.setdefault('o', {}).setdefault(name, {})
            if is_file(entry):
                raise NotADirectoryError(f'{name!r} in {str(path)!r} is a file, not a folder')
        return entry

    def put(self, path: str | PurePath, key: str) -> None:
        """Name the content `key` by `path`; a file that has this name gives way.

        :raises IsADirectoryError: a folder has this name.
        """
        *folder, name = split_path(path) or ('',)
        check_name(name)
        entries = self.make_folder('/'.join(folder)).setdefault('o', {})
        if name in entries and not is_file(entries[name]):
            raise IsADirectoryError(f'{str(path)!r} is a folder, not a file')
        entries[name] = {'k': key}

    def delete(self, path: str | PurePath) -> None:
        """Take a file out of the tree; its folder stays.

        :raises IsADirectoryError: it is a folder.
        """
        self.get_key(path)
        *folder, name = split_path(path)
        entry = self.get('/'.join(folder))._entry
        del entry['o'][name]
        if not entry['o']:
            del entry['o']


def _walk(folder: PurePosixPath, entries: dict[str, Any]) -> Iterator[tuple[PurePosixPath, list[str], list[str]]]:
    folders = [name for name, entry in entries.items() if not is_file(entry)]
    for name in folders:
        yield from _walk(folder / name, children(entries[name]))
    yield folder, folders, [name for name, entry in entries.items() if is_file(entry)]


def _files(prefix: str, folder: JsonDict) -> Iterator[tuple[str, str]]:
    for name, entry in children(folder).items():
        if is_file(entry):
            yield prefix + name, entry['k']
        else:
            yield from _files(f'{prefix}{name}/', entry)
