"""A node that holds a dictionary."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping
from typing import Any

from ricordi.errors import NotExistentAttributeError, NotExistentKeyError, WrongType
from ricordi.model.keys import check_key
from ricordi.orm.data.data import Data


class AttributeManager:
    """The attributes of a node as attributes of an object: `node.dict.energy`."""

    def __init__(self, node: Data) -> None:
        self.__dict__['_node'] = node

    def __getattr__(self, name: str) -> Any:
        return self._node.base.attributes.get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._node.base.attributes.set(name, value)

    def __getitem__(self, name: str) -> Any:
        return _item(self._node, name)

    def __setitem__(self, name: str, value: Any) -> None:
        self._node.base.attributes.set(name, value)

    def __iter__(self) -> Iterator[str]:
        keys: Iterator[str] = self._node.base.attributes.keys()
        return keys

    def __dir__(self) -> list[str]:
        return sorted(self._node.base.attributes.keys())


def _item(node: Data, key: str) -> Any:
    try:
        return node.base.attributes.get(key)
    except NotExistentAttributeError:
        raise NotExistentKeyError(f'{node!r} has no key {key!r}') from None


class Dict(Data, node_type='data.core.dict.Dict.'):
    """A dictionary; its items are the attributes of the node, and cannot be changed once it is stored."""

    def __init__(self, value: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        """
        :param value: the items; keys are strings without a period.
        """
        value = value if value is not None else kwargs.pop('dict', None)
        super().__init__(**kwargs)
        if value is not None and not isinstance(value, Mapping):
            raise WrongType(f'a dictionary is needed, got {value!r}')
        if value:
            for key in value:
                check_key(key, 'attributes')
            self._row.attributes.update(value)

    @property
    def value(self) -> builtins.dict[str, Any]:
        """The items: the dictionary itself before the node is stored, a copy afterwards."""
        return self.base.attributes.all

    @property
    def dict(self) -> AttributeManager:
        """The items as attributes: `node.dict.energy`."""
        return AttributeManager(self)

    def get_dict(self) -> builtins.dict[str, Any]:
        """The items, in a new dictionary."""
        return builtins.dict(self.base.attributes.all)

    def set_dict(self, dictionary: Mapping[str, Any]) -> None:
        """Replace all items, or none if a key is not valid."""
        self.base.attributes.reset(dictionary)

    def update_dict(self, dictionary: Mapping[str, Any]) -> None:
        """Set some items."""
        self.base.attributes.set_many(dictionary)

    def json_value(self) -> builtins.dict[str, Any]:
        """What stands for this node inside attributes and extras of another."""
        return self.base.attributes.all

    def get(self, key: str, default: Any = None, /) -> Any:  # type: ignore[override]
        """The value of `key`, or `default`."""
        return self.base.attributes.get(key, default)

    def keys(self) -> Iterator[str]:
        """The keys."""
        return self.base.attributes.keys()

    def values(self) -> Iterator[Any]:
        """The values."""
        return iter(self.base.attributes.all.values())

    def items(self) -> Iterator[tuple[str, Any]]:
        """Pairs of key and value."""
        return self.base.attributes.items()

    def __iter__(self) -> Iterator[str]:
        return self.keys()

    def __len__(self) -> int:
        return len(self._row.attributes)

    def __bool__(self) -> bool:
        return True

    def __contains__(self, key: object) -> bool:
        return key in self._row.attributes

    def __getitem__(self, key: str) -> Any:
        return _item(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        self.base.attributes.set(key, value)

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise NotExistentKeyError(f'{self!r} has no key {key!r}')
        self.base.attributes.delete(key)

    def __eq__(self, other: object) -> bool:
        return self.get_dict() == (other.get_dict() if isinstance(other, Dict) else other)

    __hash__ = None  # type: ignore[assignment] # dictionaries are equal by what they hold
