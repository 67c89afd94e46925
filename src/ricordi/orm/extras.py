"""Extras: JSON that can be added to a node or group at any time, also after it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ricordi.backend.changes import clock
from ricordi.backend.rows import JsonDict
from ricordi.errors import NotExistentAttributeError
from ricordi.model.keys import check_key
from ricordi.orm.entities import Entity
from ricordi.orm.values import clean_dict, copy_json

NO_DEFAULT: Any = ()


class JsonField:
    """A JSON object of an entity as a mapping: of a stored one, reading gives copies and each change is one UPDATE."""

    _field = ''
    _noun = ''

    def __init__(self, entity: Entity) -> None:
        self._entity = entity

    @property
    def _values(self) -> JsonDict:
        entity = self._entity
        if entity._seen != clock.now:
            entity._catch_up()
        values: JsonDict = getattr(entity._held_row, self._field)
        return values

    def __contains__(self, key: object) -> bool:
        return key in self._values

    @property
    def all(self) -> JsonDict:
        """All of it: a copy if the entity is stored, the dictionary itself if not."""
        return copy_json(self._values) if self._entity.is_stored else self._values

    def get(self, key: str, default: Any = NO_DEFAULT) -> Any:
        """The value of `key`, or `default` if one is given.

        :raises AttributeError: there is no such key and no default.
        """
        values = self._values
        if key not in values:
            if default is NO_DEFAULT:
                raise NotExistentAttributeError(f'{self._entity!r} has no {self._noun} {key!r}')
            return default
        return copy_json(values[key]) if self._entity.is_stored else values[key]

    def get_many(self, keys: Iterable[str]) -> list[Any]:
        """The values of several keys, in their order.

        :raises AttributeError: one of them does not exist.
        """
        return [self.get(key) for key in keys]

    def set(self, key: str, value: Any) -> None:
        """Set one value.

        :raises ricordi.errors.ValidationError: JSON cannot carry the value, or the key cannot be one.
        """
        self._set_many({key: value})

    def _set_many(self, values: Mapping[str, Any]) -> None:
        for key in values:
            check_key(key, self._field)
        self._check(tuple(values))
        new = self._prepare(values)
        self._entity._rewrite(self._field, lambda current: current.update(new))

    def _reset(self, values: Mapping[str, Any]) -> None:
        for key in values:
            check_key(key, self._field)
        self._check(None)
        new = self._prepare(values)

        def change(current: JsonDict) -> None:
            current.clear()
            current.update(new)

        self._entity._rewrite(self._field, change)

    def delete(self, key: str) -> None:
        """Remove one key.

        :raises AttributeError: there is no such key.
        """
        self.delete_many((key,))

    def delete_many(self, keys: Iterable[str]) -> None:
        """Remove several keys, or none if one of them does not exist.

        :raises AttributeError: naming those that do not exist.
        """
        names = tuple(keys)
        self._check(names)

        def change(current: JsonDict) -> None:
            absent = [name for name in names if name not in current]
            if absent:
                raise NotExistentAttributeError(f'{self._entity!r} has no {self._noun} {", ".join(map(repr, absent))}')
            for name in names:
                current.pop(name, None)

        self._entity._rewrite(self._field, change)

    def clear(self) -> None:
        """Remove all keys."""
        self._check(None)
        self._entity._rewrite(self._field, lambda current: current.clear())

    def items(self) -> Iterator[tuple[str, Any]]:
        """Pairs of key and value."""
        return iter(self.all.items())

    def keys(self) -> Iterator[str]:
        """The keys."""
        return iter(tuple(self._values))

    def _check(self, keys: tuple[str, ...] | None) -> None:
        """Refuse a change of these keys (of any, for None) of a stored entity."""

    def _prepare(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Values as they are kept: clean of a stored entity; before that as given, to be cleaned by `store`."""
        return clean_dict(values, self._field) if self._entity.is_stored else values

    def __repr__(self) -> str:
        return f'<{type(self).__name__} of {self._entity!r}: {", ".join(self._values)}>'


class EntityExtras(JsonField):
    """The extras of a node or group."""

    _field = 'extras'
    _noun = 'extra'

    def set_many(self, extras: Mapping[str, Any]) -> None:
        """Set several values at once; other keys stay."""
        self._set_many(extras)

    def reset(self, extras: Mapping[str, Any]) -> None:
        """Replace all values by these."""
        self._reset(extras)
