"""Data nodes of one type, found by what a person gives, and what they hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ricordi.backend.rows import NodeRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import CorruptStorage, NotExistent
from ricordi.model.node_types import class_name
from ricordi.model.values import is_damaged
from ricordi.services.contents.npy import read_npy
from ricordi.services.nodes.finding import find_nodes
from ricordi.services.nodes.repository import read_file

ARRAY_PREFIX = 'array|'
"""How the attributes begin that name the arrays of a node."""


def find_data(storage: StorageBackend, identifiers: Sequence[str | int], entry_point: str) -> list[NodeRow]:
    """The data nodes that identifiers name, in their order, each once.

    :param entry_point: of their type, `core.dict`; nodes of subclasses count too.
    :raises ricordi.errors.NotExistent: there is no such node, or it is none of this type.
    :raises ricordi.errors.CorruptStorage: what one of them holds cannot be read.
    """
    rows = find_nodes(storage, identifiers)
    for row in rows:
        if not row.node_type.startswith(f'data.{entry_point}.'):
            raise NotExistent(f'node {row.pk} is no {entry_point}: it is of type {class_name(row.node_type)}')
        if is_damaged(row.attributes):
            raise CorruptStorage(f'the attributes of node {row.pk} cannot be read: damaged')
    return rows


def arrays_of(storage: StorageBackend, row: NodeRow) -> dict[str, Any]:
    """The arrays of a node by name, as nested lists.

    :raises ricordi.errors.ProblemsFound: the content of one is missing or damaged.
    """
    return {name: array_of(storage, row, name) for name in array_names(row)}


def array_names(row: NodeRow) -> list[str]:
    """The names of the arrays of a node."""
    return [key.removeprefix(ARRAY_PREFIX) for key in row.attributes if key.startswith(ARRAY_PREFIX)]


def array_of(storage: StorageBackend, row: NodeRow, name: str) -> Any:
    """An array of a node as nested lists; errors as of `arrays_of`."""
    return read_npy(b''.join(read_file(storage, row, f'{name}.npy')))


def only_file(storage: StorageBackend, row: NodeRow) -> Iterator[bytes]:
    """The content of the file of a node that holds a single one, chunk by chunk; errors as of `arrays_of`."""
    name = row.attributes.get('filename')
    yield from read_file(storage, row, name if isinstance(name, str) else None)
