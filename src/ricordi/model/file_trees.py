"""The grammar of file trees: how the files of a node are written in its row (formats/repository.md, *File tree of a
node*).

A tree is a folder. A folder is `{"o": {name: entry}}`, an empty one `{}`; a file is `{"k": key}`. What is a key is told
by being a text under `k` of an entry: a file or folder may itself be called `k` or `o`.

Whoever reads a tree in Python asks here; the SQL that reads those of all nodes is made of the words that stand here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from ricordi.errors import CorruptStorage, ValidationError

Entry = dict[str, Any]

FOLDER = 'o'
"""Under this name a folder has its entries."""
FILE = 'k'
"""Under this name a file has its key."""
SEPARATOR = '/'
NO_NAMES = ('', '.', '..')
"""Besides what holds a separator or NUL, these lead elsewhere than one step down."""
DEEPEST = 200
"""So many folders may lie inside each other."""

is_key = re.compile('[0-9a-f]{64}').fullmatch
"""Whether a text, or what follows a place in it, can be the key of an object: lower-case hex SHA-256."""
KEY_GLOB = '[0-9a-f]' * 64
"""The same as a pattern of GLOB."""


# names -----------------------------------------------------------------------------------------------------


def is_name(name: str) -> bool:
    """Whether a name is one plain step down."""
    return name not in NO_NAMES and SEPARATOR not in name and '\0' not in name


def check_name(name: str) -> None:
    """Refuse a name that is not one plain step down: empty, `.`, `..`, with a slash or a NUL, or no valid text.

    :raises ricordi.errors.ValidationError: telling why.
    """
    if name in NO_NAMES:
        raise ValidationError(f'{name!r} cannot be the name of a file or folder of a node')
    if not is_name(name):
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
    if path.startswith(SEPARATOR) or PurePath(path).is_absolute():
        raise TypeError(f'a path in a node is relative, got the absolute path {path!r}')
    steps = tuple(step for step in path.split(SEPARATOR) if step and step != '.')
    for step in steps:
        check_name(step)
    return steps


def joined(path: str, name: str) -> str:
    """The path of an entry, by that of its folder; that of the root is empty."""
    return f'{path}{SEPARATOR}{name}' if path else name


# entries ---------------------------------------------------------------------------------------------------


def key_of(entry: Entry) -> str | None:
    """The key of a file; None of a folder.

    :raises ricordi.errors.CorruptStorage: it is neither.
    """
    if not isinstance(entry, dict):
        raise CorruptStorage(f'{str(entry)[:50]!r} in the file tree of a node is neither a folder nor a file')
    key = entry.get(FILE)
    return key if isinstance(key, str) else None


def is_file(entry: Entry) -> bool:
    """Whether an entry is a file: it has a text under `k`. Errors as of `key_of`."""
    return key_of(entry) is not None


def children(entry: Entry) -> dict[str, Any]:
    """The entries of a folder by name; empty for a file.

    :raises ricordi.errors.CorruptStorage: it is neither.
    """
    entries = None if is_file(entry) else entry.get(FOLDER)
    if entries and not isinstance(entries, dict):
        raise CorruptStorage(f'{str(entries)[:50]!r} in the file tree of a node cannot be the entries of a folder')
    return entries or {}


def new_file(key: str) -> Entry:
    """The entry of a file."""
    return {FILE: key}


def new_children(folder: Entry) -> dict[str, Any]:
    """The entries of a folder, to be changed."""
    entries: dict[str, Any] = folder.setdefault(FOLDER, {})
    return entries


def remove_child(folder: Entry, name: str) -> None:
    """Take an entry out of its folder, which stays."""
    entries = folder[FOLDER]
    del entries[name]
    if not entries:
        del folder[FOLDER]


# whole trees -----------------------------------------------------------------------------------------------


def files_of(folder: Entry, path: str = '') -> Iterator[tuple[str, str]]:
    """Path and key of each file in a folder.

    :param path: of the folder.
    :raises ricordi.errors.CorruptStorage: something in it is neither a folder nor a file.
    """
    for name, entry in children(folder).items():
        key = key_of(entry)
        if key is None:
            yield from files_of(entry, joined(path, name))
        else:
            yield joined(path, name), key


def named_in(tree: Any) -> Iterator[tuple[str, str]]:
    """Path and key of all that a tree names, be it broken or not: every text under a `k`, wherever that is.

    Of a sound tree those are its files. Of another more may come than was meant, never less, so that nothing is taken
    for garbage that it may name; however deep it is.
    """
    todo = [('', tree, False)]
    while todo:
        path, value, is_entries = todo.pop()  # entries of a folder are called as files and folders are
        below: list[tuple[str, Any, bool]] = []
        if isinstance(value, dict):
            for name, one in value.items():
                if name == FILE and isinstance(one, str):
                    yield path, one
                elif name == FOLDER and not is_entries:
                    below.append((path, one, True))
                else:
                    below.append((joined(path, name), one, False))
        elif isinstance(value, list):
            below = [(path, one, False) for one in value]
        todo += reversed(below)


_NAMED = re.compile(rf'"{FILE}"\s*:\s*"([0-9a-f]{{64}})"'.encode()).findall


def keys_in_text(text: bytes) -> list[str]:
    """The keys that the JSON text of a tree names, as `named_in` finds them; of broken JSON, what looks like one.

    Without escapes a quote begins or ends a word, so that what looks like a file is one, and nothing need be parsed.
    """
    if b'\\' not in text:
        return b' '.join(_NAMED(text)).decode().split()
    try:
        return [key for _, key in named_in(parsed_tree(text)) if is_key(key)]
    except (ValueError, RecursionError):
        return [key.decode() for key in _NAMED(text)]


def is_empty(tree: Any) -> bool:
    """Whether a tree has no file and no folder, and says so soundly."""
    return tree in ({}, {FOLDER: {}})


def parsed_tree(text: str | bytes) -> Any:
    """The value of JSON text, even if some of it is no text."""
    return json.loads(text if isinstance(text, str) else text.decode(errors='replace'))


def fault_of_text(text: str | bytes | None) -> str | None:
    """What is wrong with the JSON text of a file tree, in words; None where it is sound.

    :param text: as it lies in the database.
    """
    if text is None:
        return 'it is not there (NULL)'
    try:
        return fault_of(json.loads(text))
    except RecursionError:
        return 'it is nested too deeply'
    except ValueError:
        return 'it is no JSON'


def fault_of(tree: Any) -> str | None:
    """What is wrong with a file tree, in words; None where it is sound."""
    if isinstance(tree, dict) and FILE in tree:
        return 'it is a file, not a folder'
    return _fault_of_folder(tree, '', DEEPEST)


def _fault_of_folder(entry: Any, path: str, deepest: int) -> str | None:
    place = f'{path[:200]!r}' if path else 'it'
    if not isinstance(entry, dict):
        return f'{place} is neither a folder nor a file'
    if not deepest:
        return f'folders lie in each other more than {DEEPEST} deep'
    if others := entry.keys() - {FOLDER}:
        return f'{place} has {min(others)[:50]!r} where a folder has its entries'
    objects = entry.get(FOLDER, {})
    if not isinstance(objects, dict):
        return f'the entries of {path[:200]!r} are none' if path else 'its entries are none'
    for name, below in objects.items():
        if not is_name(name):
            return f'{name[:200]!r} cannot be the name of a file or folder'
        if fault := _fault_of_entry(below, joined(path, name), deepest - 1):
            return fault
    return None


def _fault_of_entry(entry: Any, path: str, deepest: int) -> str | None:
    if not isinstance(entry, dict) or FILE not in entry:
        return _fault_of_folder(entry, path, deepest)
    if len(entry) != 1:
        return f'{path[:200]!r} has more than the key that a file has'
    key = entry[FILE]
    return None if isinstance(key, str) and is_key(key) else f'the key of {path[:200]!r} is none'
