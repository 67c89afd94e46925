"""The `QueryBuilder`: questions about the provenance graph."""

from __future__ import annotations

from typing import Any

__all__ = ['QueryBuilder']


def __getattr__(name: str) -> Any:
    """The builder, loaded when it is asked for: the other modules of this folder are used without it."""
    if name != 'QueryBuilder':
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from ricordi.orm.querybuilder.builder import QueryBuilder

    return QueryBuilder
