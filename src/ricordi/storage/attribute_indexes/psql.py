"""Indexes of attributes and extras on PostgreSQL: keys of bounded length, whatever lies at the path.

A row whose entry in an index is too long is refused by PostgreSQL, and with it a node that could be stored before. So
texts are indexed by their first characters, and numbers as the double next to them. What is found by such a key is
compared as a whole afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ricordi.backend.attribute_indexes import AttributeIndex
from ricordi.model.attribute_paths import AttributePath
from ricordi.storage.attribute_indexes.names import PREFIX, index_name

if TYPE_CHECKING:
    from ricordi.storage.session import Session

LONGEST_KEY = 100
"""Characters of a text that its key has."""
LARGEST_KEY = 1e300
"""Numbers beyond have this for their key; those nearer to 0 than its reciprocal have 0."""

_OF_NUMBERS = '_numbers'
_OWN = (
    'SELECT pg_get_indexdef(class.oid), pg_relation_size(class.oid), pg_index.indisvalid '
    'FROM pg_index JOIN pg_class AS class ON class.oid = indexrelid '
    f"WHERE indrelid = 'db_dbnode'::regclass AND starts_with(class.relname::text, '{PREFIX}')"
)
_VALUE = re.compile(r"\((attributes|extras) #> '\{([^']*)\}'::text\[\]\)")


def value_at(column: str, keys: Sequence[str]) -> str:
    """The JSON at a path, for keys that hold nothing to quote. A parameter would find no index."""
    listed = ','.join(f'"{key}"' for key in keys)
    return f"({column} #> '{{{listed}}}'::text[])"


def text_key(value: str) -> str:
    """By what an index finds texts: the type is a key before it."""
    return f"left({value} #>> '{{}}', {LONGEST_KEY})"


def number_key(value: str) -> str:
    """By what an index finds numbers: it grows with them, and is never an error."""
    number = f'({value})::numeric'
    largest, smallest = f"'{LARGEST_KEY}'::numeric", f"'{1 / LARGEST_KEY}'::numeric"
    return (
        f"CASE WHEN jsonb_typeof({value}) = 'number' THEN (CASE WHEN abs({number}) > {largest} "
        f'THEN sign({number}) * {largest} WHEN abs({number}) < {smallest} THEN 0 ELSE {number} END)::float8 END'
    )


def key_of_number(value: float) -> float:
    """The key of a number, as `number_key` tells it."""
    if abs(value) > LARGEST_KEY:
        return LARGEST_KEY if value > 0 else -LARGEST_KEY
    return 0.0 if abs(value) < 1 / LARGEST_KEY else float(value)


def list_indexes(session: Session) -> list[AttributeIndex]:
    """The indexes there are, by path; both of a path as one."""
    parts: dict[AttributePath, list[tuple[int, bool]]] = {}
    for definition, size, is_valid in session.execute(_OWN).fetchall():
        path = _path_in(definition)
        if path is not None:
            parts.setdefault(path, []).append((size, is_valid))
    return sorted(
        AttributeIndex(path, sum(size for size, _ in both), len(both) == 2 and all(is_valid for _, is_valid in both))
        for path, both in parts.items()
    )


def add_index(session: Session, path: AttributePath) -> None:
    """Make the index of a path, beside all who read and write."""
    value = value_at(path.column, path.keys)
    name = index_name(path)
    drop_index(session, path)  # what an earlier attempt has left
    for part, keys, having in (
        ('', f'jsonb_typeof({value}), ({text_key(value)}) text_pattern_ops', f'{value} IS NOT NULL'),
        (_OF_NUMBERS, f'({number_key(value)})', f"jsonb_typeof({value}) = 'number'"),
    ):
        session.execute(f'CREATE INDEX CONCURRENTLY {name}{part} ON db_dbnode ({keys}) WHERE {having}')
    session.execute('ANALYZE db_dbnode')


def drop_index(session: Session, path: AttributePath) -> None:
    """Remove the index of a path, beside all who read and write."""
    for part in ('', _OF_NUMBERS):
        session.execute(f'DROP INDEX CONCURRENTLY IF EXISTS {index_name(path)}{part}')


def _path_in(definition: str) -> AttributePath | None:
    match = _VALUE.search(definition)
    return AttributePath(match[1], tuple(key.strip('"') for key in match[2].split(','))) if match else None
