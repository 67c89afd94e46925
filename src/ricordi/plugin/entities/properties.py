"""Properties of entities that are fields of their rows."""

from __future__ import annotations

import copy
from typing import Any

from aiida.common import lang

from ricordi.backend.rows import EntityKind
from ricordi.plugin.entities.entity import CLASSES, RicordiEntity


def field(name: str, writable: bool = True) -> Any:
    """A field that is read as the database has it now."""

    def get(self: RicordiEntity) -> Any:
        return self._get(name)

    def put(self: RicordiEntity, value: Any) -> None:
        self._set(name, value)

    return property(get, put if writable else None)


def fixed(name: str) -> Any:
    """A field that does not change once it is stored."""

    def get(self: RicordiEntity) -> Any:
        return getattr(self._row, name)

    return property(get)


def copied(entity: RicordiEntity, name: str) -> Any:
    """The value of a field that holds JSON, which the caller may change without a change of the entity."""
    value = entity._get(name)
    return copy.deepcopy(value) if entity.is_stored else value


def reference(name: str, kind: EntityKind, nullable: bool = False) -> Any:
    """The entity that a field refers to; one that is not stored is kept, and stored first."""

    def get(self: RicordiEntity) -> Any:
        if name in self._unstored:
            return self._unstored[name]
        pk = self._get(name)
        return None if pk is None else self._backend.entity(kind, pk)

    def put(self: RicordiEntity, entity: Any) -> None:
        lang.type_check(entity, CLASSES[kind], allow_none=nullable)
        self._unstored.pop(name, None)
        if entity is not None and not entity.is_stored:
            self._unstored[name] = entity
        else:
            self._set(name, None if entity is None else entity.pk)

    return property(get, put)
