"""What is called how in old archives: members of the file, sections of `data.json`, entities, fields."""

from __future__ import annotations

from functools import cache

from ricordi.backend.rows import EntityKind
from ricordi.model.fields import FIELDS, RowField
from ricordi.model.file_trees import DEEPEST, is_name

DATA = 'data.json'
NODES = 'nodes'
TREES = ('path', 'raw_input')
"""The folders of a node in which its files are; both are the root of its tree today."""
SYMBOLS = 'symbols.npy'

KINDS = {
    'User': EntityKind.USER,
    'Computer': EntityKind.COMPUTER,
    'Group': EntityKind.GROUP,
    'Node': EntityKind.NODE,
    'Log': EntityKind.LOG,
    'Comment': EntityKind.COMMENT,
}
"""Kinds of rows by the name that entities have from 0.3 on, in an order in which nothing refers to what comes later."""


def entity(name: str) -> str:
    """The name of an entity; before 0.3 that of a class of Django's, with its module."""
    return name.rpartition('.')[2].removeprefix('Db')


def field_name(field: RowField) -> str:
    """What a field is called in an archive of 0.13."""
    return field.column.removesuffix('_id') if field.references else field.column


@cache
def field_names(kind: EntityKind) -> set[str]:
    """The fields that rows of a kind have in an archive of 0.13, pks and file trees aside."""
    return {field_name(field) for field in FIELDS[kind].values()} - {'id', 'repository_metadata'}


def place_of(name: str) -> tuple[str, str] | None:
    """Which node a member is a file of, and its path there; None of what is none, or a folder of the layout.

    :param name: of a member, such as `nodes/ab/cd/…/path/file.txt`.
    :raises ValueError: the path leads elsewhere.
    """
    parts = [part for part in name.split('/') if part not in ('', '.')]
    if len(parts) < 6 or parts[0] != NODES or parts[4] not in TREES:
        return None
    path = parts[5:]
    if len(path) > DEEPEST or not all(map(is_name, path)):
        raise ValueError(f'{name[:200]!r} cannot be a file of a node')
    return ''.join(parts[1:4]), '/'.join(path)
