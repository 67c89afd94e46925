"""What the file tree of a node can look like (formats/repository.md, *File tree of a node*), and what is none."""

from __future__ import annotations

import json
import re
from typing import Any

DEEPEST = 200
"""So many folders may lie inside each other."""

is_key = re.compile('[0-9a-f]{64}').fullmatch
"""Whether a text can be the key of an object."""


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
    if isinstance(tree, dict) and 'k' in tree:
        return 'it is a file, not a folder'
    return _fault_of_folder(tree, '', DEEPEST)


def _fault_of_folder(entry: Any, path: str, deepest: int) -> str | None:
    place = f'{path[:200]!r}' if path else 'it'
    if not isinstance(entry, dict):
        return f'{place} is neither a folder nor a file'
    if not deepest:
        return f'folders lie in each other more than {DEEPEST} deep'
    if others := entry.keys() - {'o'}:
        return f'{place} has {min(others)[:50]!r} where a folder has its entries'
    objects = entry.get('o', {})
    if not isinstance(objects, dict):
        return f'the entries of {path[:200]!r} are none' if path else 'its entries are none'
    for name, below in objects.items():
        here = f'{path}/{name}' if path else name
        if not name or name in ('.', '..') or '/' in name or '\0' in name:
            return f'{name[:200]!r} cannot be the name of a file or folder'
        if fault := _fault_of_entry(below, here, deepest - 1):
            return fault
    return None


def _fault_of_entry(entry: Any, path: str, deepest: int) -> str | None:
    if not isinstance(entry, dict) or 'k' not in entry:
        return _fault_of_folder(entry, path, deepest)
    if len(entry) != 1:
        return f'{path[:200]!r} has more than the key that a file has'
    key = entry['k']
    return None if isinstance(key, str) and is_key(key) else f'the key of {path[:200]!r} is none'
