"""Attributes and extras: fields that hold a dictionary, of which single keys are set and deleted."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from aiida.orm.implementation.utils import clean_value, validate_attribute_extra_key

from ricordi.plugin.entities.entity import RicordiEntity
from ricordi.plugin.entities.properties import field
from ricordi.plugin.errors import translated

_SCALARS = {str, int, float, bool, type(None)}
_KEYS = {str}
_DEEPEST = 100
"""So deep is it looked whether a value is one of JSON."""


def is_of_json(value: Any, deepest: int = _DEEPEST) -> bool:
    """Whether a value is what its JSON text would be read as, types included: no tuple, no class of one's own."""
    if type(value) is dict:
        if not _KEYS.issuperset(map(type, value)):
            return False
        value = value.values()
    elif type(value) is not list:
        return type(value) in _SCALARS
    if _SCALARS.issuperset(map(type, value)):
        return True
    return deepest > 0 and all(is_of_json(item, deepest - 1) for item in value)


def get_key(entity: RicordiEntity, name: str, key: str) -> Any:
    """The value of a key.

    :raises AttributeError: there is none.
    """
    try:
        return entity._get(name)[key]
    except KeyError as error:
        raise AttributeError(f'{name[:-1]} `{error}` does not exist') from error


def set_keys(entity: RicordiEntity, name: str, values: Mapping[str, Any]) -> None:
    """Set some keys; of a stored entity in the database, where the other keys stay as others have set them."""
    for key in values:
        validate_attribute_extra_key(key)
    if not entity.is_stored:
        entity._get(name).update(values)
    elif values:
        _change(entity, name, {key: clean_value(value) for key, value in values.items()}, ())


def _change(entity: RicordiEntity, name: str, values: Mapping[str, Any], drop: tuple[str, ...]) -> None:
    with translated():
        entity._backend.ricordi.update_json(entity.KIND, entity.pk, name, values, drop, entity._as_read(name))
    entity._now_old((name,))


def reset(entity: RicordiEntity, name: str, values: Mapping[str, Any]) -> None:
    """Set all of it."""
    for key in values:
        validate_attribute_extra_key(key)
    entity._set(name, clean_value(values) if entity.is_stored else values)


def delete_keys(entity: RicordiEntity, name: str, keys: Iterable[str]) -> None:
    """Delete keys.

    :raises AttributeError: one of them is not there; then none is deleted.
    """
    keys = tuple(keys)
    found = entity._get(name)
    missing = [key for key in keys if key not in found]
    if missing:
        raise AttributeError(f'{name} `{", ".join(map(str, missing))}` do not exist')
    if entity.is_stored:
        _change(entity, name, {}, keys)
    else:
        for key in keys:
            del found[key]


def delete_key(entity: RicordiEntity, name: str, key: str) -> None:
    """Delete a key.

    :raises AttributeError: there is none.
    """
    get_key(entity, name, key)
    delete_keys(entity, name, (key,))


def own_copy(entity: RicordiEntity, name: str) -> Any:
    """All of it, to be changed without a change of the entity."""
    return copy.deepcopy(entity._get(name))


class ExtrasFields(RicordiEntity):
    """The extras of nodes and groups."""

    extras = field('extras', writable=False)

    def get_extra(self, key: str) -> Any:
        """The value of an extra.

        :raises AttributeError: there is none.
        """
        return get_key(self, 'extras', key)

    def set_extra(self, key: str, value: Any) -> None:
        """Set an extra."""
        set_keys(self, 'extras', {key: value})

    def set_extra_many(self, extras: Mapping[str, Any]) -> None:
        """Set some extras."""
        set_keys(self, 'extras', extras)

    def reset_extras(self, extras: Mapping[str, Any]) -> None:
        """Set all extras."""
        reset(self, 'extras', extras)

    def delete_extra(self, key: str) -> None:
        """Delete an extra.

        :raises AttributeError: there is none.
        """
        delete_key(self, 'extras', key)

    def delete_extra_many(self, keys: Iterable[str]) -> None:
        """Delete some extras.

        :raises AttributeError: one of them is not there.
        """
        delete_keys(self, 'extras', keys)

    def clear_extras(self) -> None:
        """Delete all extras."""
        self._set('extras', {})

    def extras_items(self) -> Iterable[tuple[str, Any]]:
        """Keys and values of the extras."""
        yield from self.extras.items()

    def extras_keys(self) -> Iterable[str]:
        """Keys of the extras."""
        yield from self.extras.keys()
