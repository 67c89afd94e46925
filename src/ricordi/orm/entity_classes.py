"""Which class stands for which kind of row, by name: classes that give one another need not import one another."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from ricordi.backend.rows import EntityKind

NAMES: dict[EntityKind, str] = {
    EntityKind.USER: 'User',
    EntityKind.COMPUTER: 'Computer',
    EntityKind.AUTHINFO: 'AuthInfo',
    EntityKind.NODE: 'Node',
    EntityKind.GROUP: 'Group',
    EntityKind.COMMENT: 'Comment',
    EntityKind.LOG: 'Log',
}
"""Kind → class in `ricordi.orm`. Links and memberships are no entities."""


@cache
def entity_class(kind: EntityKind) -> Any:
    """The class of the entities of a kind, loaded when first asked for: `entity_class(EntityKind.NODE)` is `Node`.

    :raises KeyError: there are no entities of this kind.
    """
    return frontend_class(NAMES[kind])


def frontend_class(name: str) -> Any:
    """A class of `ricordi.orm` by its name, loaded when first asked for."""
    return getattr(import_module('ricordi.orm'), name)
