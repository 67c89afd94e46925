"""Filters of nodes that name a user by address or a computer by label: `user == ada@example.org`."""

from __future__ import annotations

from typing import Any

from ricordi.backend.storage import StorageBackend
from ricordi.orm.querybuilder.builder import QueryBuilder

Filters = dict[str, Any]

_NAMES = {'user': ('user', 'email', 'user_pk'), 'computer': ('computer', 'label', 'computer_pk')}
"""What is filtered by: the kind of row, its column with the name, and the column of the node."""


def with_owners(storage: StorageBackend, filters: Filters) -> Filters:
    """Filters of nodes in which names of users and computers have become their pks; the rest is as it was."""
    found: Filters = {}
    for key, value in filters.items():
        if key.removeprefix('!') in ('and', 'or'):
            found[key] = [with_owners(storage, part) for part in value]
        elif key in _NAMES and _names_something(value):
            found |= _by_pk(storage, key, value)
        else:
            found[key] = value
    return found


def _names_something(comparison: dict[str, Any]) -> bool:
    """Whether a comparison is with a text or texts; pks and null are compared as they are."""
    (value,) = comparison.values()
    return isinstance(value, str) or (isinstance(value, list) and any(isinstance(part, str) for part in value))


def _by_pk(storage: StorageBackend, key: str, comparison: dict[str, Any]) -> Filters:
    kind, column, own = _NAMES[key]
    ((operator, value),) = comparison.items()
    negated = operator.startswith('!')
    filters = {column: {operator.removeprefix('!'): value}}
    rows = QueryBuilder(storage).append(entity_type=kind, filters=filters, project='id').all()
    return {own: {'!in' if negated else 'in': [pk for (pk,) in rows]}}
