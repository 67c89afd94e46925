"""AiiDA's hash of values, as caching compares it: BLAKE2b in tree mode over typed leaves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from ricordi.errors import ValidationError
from ricordi.orm.nodes.repository_tree import FileTree

_SIGNIFICANT_DIGITS = 14


def _leaf(kind: bytes, content: bytes = b'') -> bytes:
    return hashlib.blake2b(
        content, person=kind, node_depth=0, fanout=0, depth=2, digest_size=32, inner_size=64
    ).digest()


_END = _leaf(b')')


def hash_value(value: Any) -> str:
    """The hash of a value made of dict, list, str, bytes, numbers and None; equal to that of aiida-core's `make_hash`.

    :raises ricordi.errors.ValidationError: a value of another type.
    """
    root = hashlib.blake2b(node_depth=1, last_node=True, fanout=0, depth=2, digest_size=32, inner_size=64)
    for leaf in _leaves(value):
        root.update(leaf)
    last = hashlib.blake2b(node_depth=0, last_node=True, fanout=0, depth=2, digest_size=32, inner_size=64)
    root.update(last.digest())
    return root.hexdigest()


def hash_tree(tree: FileTree) -> str:
    """The hash of a file tree: names and keys of all files, names of the folders at the top."""
    objects: dict[str, Any] = dict(tree.files())
    objects['__dirnames__'] = [entry.name for entry in tree.get().objects.values() if entry.is_dir()]
    return hash_value(objects)


def _leaves(value: Any) -> list[bytes]:
    if value is None:
        return [_leaf(b'none')]
    if isinstance(value, bool):
        return [_leaf(b'bool', b'\x01' if value else b'\x00')]
    if isinstance(value, str):
        return [_leaf(b'str', value.encode())]
    if isinstance(value, bytes):
        return [_leaf(b'str', value)]
    if isinstance(value, int):
        return [_leaf(b'int', str(value).encode())]
    if isinstance(value, float):
        return [_leaf(b'float', _float_text(value).encode())]
    if isinstance(value, dict):
        pairs = sorted(((_leaves(key), item) for key, item in value.items()), key=itemgetter(0))
        return _enclosed(b'dict(', (key + _leaves(item) for key, item in pairs))
    if isinstance(value, list | tuple):
        return _enclosed(b'list(', map(_leaves, value))
    raise ValidationError(f'a value of type {type(value).__name__} cannot be hashed')


def _enclosed(opening: bytes, parts: Iterable[list[bytes]]) -> list[bytes]:
    leaves = [_leaf(opening)]
    for part in parts:
        leaves += part
    leaves.append(_END)
    return leaves


def _float_text(value: float) -> str:
    return f'{value if value else 0.0:.{_SIGNIFICANT_DIGITS}g}'
