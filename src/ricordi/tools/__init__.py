"""What AiiDA keeps in `aiida.tools`, as far as it is here: deleting, archives, groups as paths."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PLACES = {
    'create_archive': 'archive',
    'import_archive': 'archive',
    'delete_nodes': 'graph',
    'delete_group_nodes': 'graph',
    'GroupPath': 'groups',
    'GroupNotFoundError': 'groups',
    'InvalidPath': 'groups',
    'NoGroupsInPathError': 'groups',
}

__all__ = sorted(_PLACES)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'{__name__}.{_PLACES[name]}'), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
